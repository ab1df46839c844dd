"""Recorded headlines read as the running bot reads them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catalyst_bot.detection.decide import DECIDE
from catalyst_bot.detection.evolve import EVOLVE
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.state import State
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.messages.decisions import CatalystDetected
from catalyst_bot.domain.messages.facts import HeadlineReceived, HeadlineUnreadable
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.engine.state import EngineState, StateDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """The catalysts of a recording, and of how many headlines they are left."""

    catalysts: tuple[Catalyst, ...]
    headlines: int
    unreadable: int


def read_events(
    facts: Iterable[HeadlineReceived | HeadlineUnreadable],
    rules: Rules,
    calendar: TradingCalendar,
) -> Events:
    """Let detection decide on every headline in the order of receipt, with its memory.

    The same code and tables as in a run: duplicates and stale copies are left out as there.
    """
    state, found = State(), list[Catalyst]()
    headlines = unreadable = 0
    for fact in facts:
        if isinstance(fact, HeadlineUnreadable):
            unreadable += 1
            continue
        headlines += 1
        desk = StateDesk(EngineState(detection=state), calendar, fact.at)
        said = DECIDE[HeadlineReceived](state, fact, desk, rules)
        for message in (fact, *said):
            if (remember := EVOLVE.get(type(message))) is not None:
                remember(state, message, fact.at)
            if isinstance(message, CatalystDetected):
                found.append(message.catalyst)
    return Events(catalysts=tuple(found), headlines=headlines, unreadable=unreadable)
