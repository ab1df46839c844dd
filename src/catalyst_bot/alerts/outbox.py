"""The outbox: what still waits to be told on which channel, as a fold of the journal.

A notice waits on every channel until a fact says that the channel took it, or that it was given up.
Nothing is marked before it is delivered: a crash loses nothing, and a notice whose answer was lost
is sent again with the same id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from catalyst_bot.alerts.notice import ADAPTER, Notice, notice_of, rank
from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SendNotification
from catalyst_bot.domain.messages.decisions import AlertRaised
from catalyst_bot.domain.messages.registry import Recorded

RECORDS: tuple[type, ...] = (
    SendNotification,
    AlertRaised,
    f.NotificationDelivered,
    f.NotificationFailed,
    f.AdapterFailed,
    f.AdapterRecovered,
)

MAX_GIVEN_UP = 1_000  # remembered to be shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which notices wait on which channels; those from before `since` are not told any more."""

    channels: Collection[str]
    min_severity: Severity
    alerts: bool
    since: datetime


@dataclass(slots=True)
class Outbox:
    """Notices by channel and id, with why the last try failed; and the channels that are down."""

    wanted: Wanted
    waiting: dict[str, dict[str, Notice]] = field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    given_up: dict[tuple[str, str], str] = field(default_factory=dict)
    down: dict[str, str] = field(default_factory=dict)

    def note(self, record: Recorded) -> None:
        """Take in a record; saying one twice changes nothing."""
        notice = notice_of(record, alerts=self.wanted.alerts)
        if notice is not None:
            self._hold(notice)
        match record.body:
            case f.NotificationDelivered() | f.NotificationFailed() as fact:
                self.settle(fact)
            case f.AdapterFailed(adapter=adapter, error=error) if adapter.startswith(ADAPTER):
                self.down[adapter.removeprefix(ADAPTER)] = error
            case f.AdapterRecovered(adapter=adapter):
                self.down.pop(adapter.removeprefix(ADAPTER), None)

    def settle(self, fact: f.NotificationDelivered | f.NotificationFailed) -> None:
        """Take in what became of a notice, before or after the journal has it."""
        key = (fact.channel, fact.notice_id)
        if isinstance(fact, f.NotificationFailed) and not fact.is_given_up:
            self.reasons[key] = fact.reason
            return
        self.reasons.pop(key, None)
        if self.waiting.get(fact.channel, {}).pop(fact.notice_id, None) is None:
            return
        if isinstance(fact, f.NotificationFailed):
            self.given_up[key] = fact.reason
            if len(self.given_up) > MAX_GIVEN_UP:
                del self.given_up[next(iter(self.given_up))]

    def next_on(self, channel: str) -> Notice | None:
        """Return the loudest notice that waits there, the oldest of these first."""
        return max(self._line(channel), key=lambda n: rank(n.severity), default=None)

    def surplus(self, channel: str, most: int) -> list[Notice]:
        """Return what waits above the bound: the quietest, the oldest of these first."""
        line = sorted(self._line(channel), key=lambda n: rank(n.severity))
        return line[: max(len(line) - most, 0)]

    def outdated(self, channel: str, since: datetime) -> list[Notice]:
        """Return what waits there from before a time."""
        return [notice for notice in self._line(channel) if notice.at < since]

    def _hold(self, notice: Notice) -> None:
        if notice.at < self.wanted.since:
            return
        if rank(notice.severity) < rank(self.wanted.min_severity):
            return
        for channel in self.wanted.channels:
            if channel != notice.about:
                self.waiting.setdefault(channel, {}).setdefault(notice.notice_id, notice)

    def _line(self, channel: str) -> Iterator[Notice]:
        yield from self.waiting.get(channel, {}).values()
