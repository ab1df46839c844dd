"""What a headline leads to: a catalyst for one or two symbols, or a reason why not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from catalyst_bot.detection.alerts import alert_for
from catalyst_bot.detection.filters import Case, not_an_event, refused
from catalyst_bot.detection.follow import follow
from catalyst_bot.detection.parts import findings_of
from catalyst_bot.detection.reading import read_headline
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.second_reading import lowered, wants_opinion
from catalyst_bot.detection.state import State
from catalyst_bot.detection.tickers import Owners, find_owners
from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.messages.commands import (
    ClearTimer,
    RequestTextOpinion,
    SendNotification,
    SetTimer,
)
from catalyst_bot.domain.messages.decisions import (
    AlertRaised,
    CatalystDetected,
    CatalystHeld,
    HeadlineIgnored,
)
from catalyst_bot.domain.messages.facts import (
    HeadlineReceived,
    TextOpinionsReceived,
    TimerFired,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.news import Headline
from catalyst_bot.ports.desk import Desk

TIMER_PREFIX = "opinion:"


def on_headline(state: State, message: HeadlineReceived, desk: Desk, rules: Rules) -> list[Message]:
    """Return one `CatalystDetected` per symbol for which it is news, or one `HeadlineIgnored`;
    and a `StoryTold` per symbol of an event.

    The cheap questions come first: seen before, in time, whose, what, whose part, told before.
    Where readers outside are asked, good news is held for their answer.
    """
    headline = message.headline
    owners = find_owners(headline, rules.companies)
    refusal = refused(Case(state=state, message=message, owners=owners, rules=rules))
    if refusal is not None or not isinstance(owners, Owners):
        return [refusal] if refusal is not None else []
    findings = findings_of(headline, owners, read_headline(headline, rules), rules)
    said = [
        message
        for symbol, finding in findings.items()
        for told in follow(
            state.stories.by_symbol.get(symbol, ()),
            headline,
            symbol,
            finding,
            desk=desk,
            rules=rules,
        )
        for message in _held(told, headline, desk, rules)
    ]
    if said:
        return _once(said)
    unread = not_an_event(headline.item_id, next(iter(findings.values())))
    return [unread] if unread is not None else []


def _once(said: list[Message]) -> list[Message]:
    """A headline of two symbols is ignored only when it is news for neither, and only once."""
    ignored = [message for message in said if isinstance(message, HeadlineIgnored)]
    is_news = any(isinstance(message, CatalystDetected | CatalystHeld) for message in said)
    rest = [message for message in said if not isinstance(message, HeadlineIgnored)]
    return [*([] if is_news else ignored[:1]), *rest]


def on_opinions(
    state: State, message: TextOpinionsReceived, desk: Desk, rules: Rules
) -> list[Message]:
    """The readers answered in time: the catalyst goes on, lowered by what they doubt.

    An answer that comes too late, or a second time, finds nobody waiting.
    """
    held = state.held.get(message.catalyst_id)
    if held is None:
        return []
    return [
        ClearTimer(timer_id=f"{TIMER_PREFIX}{held.catalyst_id}"),
        CatalystDetected(
            catalyst=lowered(
                held,
                message.opinions,
                message.refusals,
                categories=rules.classifier.taxonomy.categories,
                now=message.at,
            )
        ),
    ]


def on_timer(state: State, message: TimerFired, desk: Desk, rules: Rules) -> list[Message]:
    """Nobody answered in time: the catalyst goes on as the rules alone read it."""
    held = state.held.get(message.timer_id.removeprefix(TIMER_PREFIX))
    if held is None or not message.timer_id.startswith(TIMER_PREFIX):
        return []
    silent = lowered(held, (), ("no answer in time",), categories={}, now=message.at)
    return [CatalystDetected(catalyst=silent)]


def on_catalyst(state: State, message: CatalystDetected, desk: Desk, rules: Rules) -> list[Message]:
    """Raise an alert for what a person should know; notify at once only when critical."""
    alert = alert_for(message.catalyst, rules.alert_min_score)
    if alert is None:
        return []
    if alert.severity is not Severity.CRITICAL:
        return [AlertRaised(alert=alert)]
    return [
        AlertRaised(alert=alert),
        SendNotification(
            severity=alert.severity,
            title=f"{alert.symbol}: {message.catalyst.category}",
            text=alert.text,
            trail_id=alert.catalyst_id,
            symbol=alert.symbol,
        ),
    ]


def _held(told: Message, headline: Headline, desk: Desk, rules: Rules) -> list[Message]:
    """Hold a catalyst about which readers outside are asked; all else passes."""
    asking = rules.asking
    if not isinstance(told, CatalystDetected) or not asking.wait_s > 0:
        return [told]
    catalyst = told.catalyst
    if not wants_opinion(catalyst, asking.min_confidence):
        return [told]
    until = desk.now + timedelta(seconds=asking.wait_s)
    name = f"{TIMER_PREFIX}{catalyst.catalyst_id}"
    return [
        CatalystHeld(catalyst=catalyst, until=until),
        RequestTextOpinion(
            request_id=name,
            catalyst_id=catalyst.catalyst_id,
            symbol=catalyst.symbol,
            category=catalyst.category,
            title=headline.title,
            body=headline.body,
            published_at=headline.published_at,
            answer_by=until,
        ),
        SetTimer(timer_id=name, due_at=until),
    ]


DECIDE: dict[type, Callable[[State, Any, Desk, Rules], list[Message]]] = {
    HeadlineReceived: on_headline,
    TextOpinionsReceived: on_opinions,
    TimerFired: on_timer,
    CatalystDetected: on_catalyst,
}
