from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from catalyst_bot.domain.messages.commands import ClearTimer, SetTimer
from catalyst_bot.runtime.timers import TimerBook
from tests.builders import NOON

NAMES = st.sampled_from(["a", "b", "c"])
MOMENTS = st.integers(0, 9).map(lambda minutes: NOON + timedelta(minutes=minutes))


class Timers(RuleBasedStateMachine):
    """The book against a list of (due, name) that is searched from end to end."""

    def __init__(self) -> None:
        super().__init__()
        self.book = TimerBook()
        self.known: list[tuple[datetime, str]] = []

    @rule(name=NAMES, due_at=MOMENTS)
    def set(self, name: str, due_at: datetime) -> None:
        self.book.set(SetTimer(timer_id=name, due_at=due_at))
        self.known = [entry for entry in self.known if entry[1] != name] + [(due_at, name)]

    @rule(name=NAMES)
    def clear(self, name: str) -> None:
        self.book.clear(ClearTimer(timer_id=name))
        self.known = [entry for entry in self.known if entry[1] != name]

    @rule(at=MOMENTS)
    def take(self, at: datetime) -> None:
        fired = self.book.take_due(at)
        due = sorted(entry for entry in self.known if entry[0] <= at)
        assert [(fact.at, fact.timer_id) for fact in fired] == [(at, name) for _, name in due]
        self.known = [entry for entry in self.known if entry[0] > at]

    @invariant()
    def next_is_the_earliest(self) -> None:
        assert self.book.next_due() == min((due for due, _ in self.known), default=None)


TestTimers = Timers.TestCase
