"""Trading sessions as a value: which days trade, when they open and close (all UTC).

The table itself is data (`data/nyse_sessions.csv`, read by bootstrap); the core only asks it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.errors import BadData

PRE_OPENS_BEFORE = timedelta(hours=5, minutes=30)  # 04:00 in New York
POST_CLOSES_AFTER = timedelta(hours=4)  # 20:00, or 17:00 on a half day


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One regular session of the exchange; half-open: trading in [opens_at, closes_at)."""

    day: date
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True)
class TradingCalendar:
    """Sorted sessions with the questions the bot asks of them.

    Raises `BadData` when asked about a time outside the table: guessing a holiday is worse.
    """

    sessions: tuple[Session, ...]
    _opens: tuple[datetime, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_opens", tuple(s.opens_at for s in self.sessions))

    def _index_before(self, at: datetime) -> int:
        """Index of the last session that opened at or before `at`."""
        index = bisect_right(self._opens, at) - 1
        if index < 0 or index + 1 >= len(self.sessions):
            raise BadData(
                f"{at.isoformat()} is outside the session table "
                f"({self.sessions[0].day} to {self.sessions[-1].day})"
            )
        return index

    def session_at(self, at: datetime) -> Session | None:
        """Return the session that is open at `at`, or None."""
        session = self.sessions[self._index_before(at)]
        return session if at < session.closes_at else None

    def phase_at(self, at: datetime) -> SessionPhase:
        """Return the part of the trading day at `at`, with trading before and after hours."""
        last = self.sessions[self._index_before(at)]
        if at < last.closes_at:
            return SessionPhase.REGULAR
        if at < last.closes_at + POST_CLOSES_AFTER:
            return SessionPhase.POST
        is_pre = at >= self.next_session(at).opens_at - PRE_OPENS_BEFORE
        return SessionPhase.PRE if is_pre else SessionPhase.CLOSED

    def phase_or_closed(self, at: datetime) -> SessionPhase:
        """Return `phase_at`; outside the table nothing trades as far as the bot knows."""
        try:
            return self.phase_at(at)
        except BadData:
            return SessionPhase.CLOSED

    def next_session(self, at: datetime) -> Session:
        """Return the first session that opens after `at`."""
        return self.sessions[self._index_before(at) + 1]

    def close_from(self, at: datetime) -> datetime:
        """Return the first close of a session at or after `at`."""
        last = self.sessions[self._index_before(at)]
        return last.closes_at if at <= last.closes_at else self.next_session(at).closes_at

    def between(self, start: datetime, end: datetime) -> tuple[Session, ...]:
        """Return the sessions that overlap [start, end)."""
        return tuple(s for s in self.sessions if s.closes_at > start and s.opens_at < end)
