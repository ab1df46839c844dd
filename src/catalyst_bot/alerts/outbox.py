"""The outbox: what still waits to be told on which channel, as a fold of the journal.

A notice waits on every channel until a fact says that the channel took it, or that it was given up.
Nothing is marked before it is delivered: a crash loses nothing, and a notice whose answer was lost
is sent again with the same id.

What is critical, and no mere news, also wants an answer: a person acknowledges it, or resumes.
Until then it is told again, each time as a notice of its own, and to more channels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from catalyst_bot.alerts.notice import ADAPTER, Notice, escalated, notice_of, rank
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
    f.NoticeRaised,
    f.NotificationEscalated,
    f.NotificationAcknowledged,
    f.OperatorResumed,
)

MAX_GIVEN_UP = 1_000  # remembered to be shown
MAX_UNANSWERED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which notices wait on which channels; those from before `since` are not told any more.

    `escalate_to` hear only what nobody answered: the first of them the second time, and so on.
    """

    channels: Collection[str]
    min_severity: Severity
    alerts: bool
    since: datetime
    escalate_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A notice that wants an answer, when it was told last, and how often again."""

    notice: Notice
    told_at: datetime
    level: int = 0


@dataclass(slots=True)
class Outbox:
    """Notices by channel and id, with why the last try failed; the channels that are down; and what
    nobody has answered, by id, the oldest first.
    """

    wanted: Wanted
    waiting: dict[str, dict[str, Notice]] = field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    given_up: dict[tuple[str, str], str] = field(default_factory=dict)
    down: dict[str, str] = field(default_factory=dict)
    unanswered: dict[str, Unanswered] = field(default_factory=dict)
    _news: tuple[str, str] = ("", "")  # trail and text of the last critical alert

    def note(self, record: Recorded) -> None:
        """Take in a record; saying one twice changes nothing."""
        notice = notice_of(record, alerts=self.wanted.alerts)
        if notice is not None and self._hold(notice, self.wanted.channels):
            self._ask_for_answer(notice, record)
        match record.body:
            case AlertRaised(alert=alert) if alert.severity is Severity.CRITICAL:
                self._news = (alert.catalyst_id, alert.text)
            case f.NotificationEscalated() as fact:
                self.escalate(fact)
            case f.NotificationAcknowledged(notice_id=notice_id):
                self._answer(notice_id)
            case f.OperatorResumed():  # whoever resumes has looked
                for notice_id in list(self.unanswered):
                    self._answer(notice_id)
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

    def escalate(self, fact: f.NotificationEscalated) -> None:
        """Let what nobody answered wait again, before or after the journal has it."""
        open_ = self.unanswered.get(fact.notice_id)
        if open_ is None or open_.level >= fact.level:
            return
        self.unanswered[fact.notice_id] = Unanswered(open_.notice, fact.at, fact.level)
        further = self.wanted.escalate_to[: fact.level]
        channels = dict.fromkeys((*self.wanted.channels, *further))
        self._hold(escalated(open_.notice, fact.at, fact.level), channels)

    def overdue(self, now: datetime, *, after: timedelta, times: int) -> list[Unanswered]:
        """Return what nobody answered for so long, and is told again at most so often."""
        return [
            each
            for each in self.unanswered.values()
            if each.level < times and now >= each.told_at + after
        ]

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

    def _hold(self, notice: Notice, channels: Collection[str]) -> bool:
        """Let a notice wait; returns False when nobody wants it."""
        if notice.at < self.wanted.since:
            return False
        if rank(notice.severity) < rank(self.wanted.min_severity):
            return False
        for channel in channels:
            if channel != notice.about:
                self.waiting.setdefault(channel, {}).setdefault(notice.notice_id, notice)
        return True

    def _ask_for_answer(self, notice: Notice, record: Recorded) -> None:
        is_news = (
            isinstance(record.body, SendNotification)
            and (record.body.trail_id, record.body.text) == self._news
        )
        if notice.severity is not Severity.CRITICAL or is_news:
            return
        if notice.notice_id in self.unanswered:
            return
        for known, each in list(self.unanswered.items()):
            if each.notice.title == notice.title:  # the same trouble asks with its newest words
                del self.unanswered[known]
        self.unanswered[notice.notice_id] = Unanswered(notice, notice.at)
        if len(self.unanswered) > MAX_UNANSWERED:
            del self.unanswered[next(iter(self.unanswered))]

    def _answer(self, notice_id: str) -> None:
        """Let go of a notice and of all that says it again; somebody knows."""
        open_ = self.unanswered.pop(notice_id, None)
        if open_ is None:
            return
        levels = range(1, open_.level + 1)
        again = [escalated(open_.notice, open_.told_at, level).notice_id for level in levels]
        for notices in self.waiting.values():
            for each in (notice_id, *again):
                notices.pop(each, None)

    def _line(self, channel: str) -> Iterator[Notice]:
        yield from self.waiting.get(channel, {}).values()
