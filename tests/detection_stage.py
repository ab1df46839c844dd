"""Detection alone, for tests: headlines go in, messages come out, the memory grows."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalyst_bot.detection.decide import DECIDE
from catalyst_bot.detection.evolve import EVOLVE
from catalyst_bot.detection.state import State
from catalyst_bot.domain.account import Position
from catalyst_bot.domain.messages.decisions import HeadlineIgnored
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.news import Headline
from tests.builders import FakeDesk
from tests.detection_rules import rules


@dataclass
class Stage:
    """Detection alone, driven like the engine drives it."""

    state: State = field(default_factory=State)
    positions: dict[str, Position] = field(default_factory=dict)

    def desk(self, at: datetime) -> FakeDesk:
        return FakeDesk(now=at, positions=self.positions)

    def receive(self, given: Headline) -> list[Any]:
        fact = HeadlineReceived(at=given.received_at, headline=given)
        queue: list[Any] = [fact]
        said: list[Any] = []
        for message in queue:
            if type(message) in DECIDE:
                before = deepcopy(self.state)
                answer = DECIDE[type(message)](self.state, message, self.desk(fact.at), rules())
                assert self.state == before
                said += answer
                queue += answer
            if type(message) in EVOLVE:
                EVOLVE[type(message)](self.state, message, fact.at)
        return said

    def outcome(self, given: Headline) -> tuple[str, str]:
        first = self.receive(given)[0]
        if isinstance(first, HeadlineIgnored):
            return first.step, first.reason
        return "catalyst", first.catalyst.category
