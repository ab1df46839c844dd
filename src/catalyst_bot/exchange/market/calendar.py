"""When the market is open: regular hours and the hours before and after, clock and calendar bodies.

The regular sessions (with holidays and half days) are those of `market_data.calendar_table`. Before
them one can trade from 04:00 in New York, after them until 20:00, on half days until four hours
after the early close. All of it is wall time in New York, so summer time needs no rule of its own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from catalyst_bot.domain.calendar import Session, TradingCalendar
from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.errors import BadData
from catalyst_bot.market_data.calendar_table import NEW_YORK, load_calendar

PRE_OPENS = time(4, 0)
_POST_LASTS = timedelta(hours=4)
_SETTLEMENT_SESSIONS = (  # from this trade date on, so many sessions later
    (date(2024, 5, 28), 1),
    (date(2017, 9, 5), 2),
    (date.min, 3),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingDay:
    """One day's hours, UTC; each part is half-open."""

    day: date
    pre_opens_at: datetime
    opens_at: datetime
    closes_at: datetime
    post_closes_at: datetime

    def phase(self, at: datetime) -> SessionPhase:
        """Return the part of the day `at` lies in."""
        if self.opens_at <= at < self.closes_at:
            return SessionPhase.REGULAR
        if self.pre_opens_at <= at < self.opens_at:
            return SessionPhase.PRE
        if self.closes_at <= at < self.post_closes_at:
            return SessionPhase.POST
        return SessionPhase.CLOSED

    def changes(self) -> tuple[tuple[datetime, SessionPhase], ...]:
        """Return when which part of the day begins."""
        return (
            (self.pre_opens_at, SessionPhase.PRE),
            (self.opens_at, SessionPhase.REGULAR),
            (self.closes_at, SessionPhase.POST),
            (self.post_closes_at, SessionPhase.CLOSED),
        )


class MarketHours:
    """Answers what of the market is open when."""

    def __init__(self, calendar: TradingCalendar | None = None) -> None:
        self._sessions = (calendar or load_calendar()).sessions
        self._dates = [session.day for session in self._sessions]
        self._days: dict[date, TradingDay | None] = {}

    def day(self, day: date) -> TradingDay | None:
        """Return the hours of a date in New York, None when the exchange is closed."""
        if day not in self._days:
            index = bisect_left(self._dates, day)
            is_session = index < len(self._dates) and self._dates[index] == day
            self._days[day] = _trading_day(self._sessions[index]) if is_session else None
        return self._days[day]

    def day_at(self, at: datetime) -> TradingDay | None:
        """Return the trading day whose date in New York it is."""
        return self.day(at.astimezone(NEW_YORK).date())

    def phase(self, at: datetime) -> SessionPhase:
        """Return what is open at `at`."""
        day = self.day_at(at)
        return SessionPhase.CLOSED if day is None else day.phase(at)

    def day_after(self, day: date) -> TradingDay:
        """Return the first trading day after a date. Raises `BadData` beyond the table."""
        return self._at_index(bisect_right(self._dates, day))

    def day_before(self, day: date) -> TradingDay:
        """Return the last trading day before a date. Raises `BadData` beyond the table."""
        return self._at_index(bisect_left(self._dates, day) - 1)

    def next_change(self, at: datetime) -> tuple[datetime, SessionPhase]:
        """Return when the next part of a day begins after `at`, and which."""
        today = at.astimezone(NEW_YORK).date()
        day = self.day(today)
        for change in day.changes() if day else ():
            if change[0] > at:
                return change
        return self.day_after(today).changes()[0]

    def last_session(self, at: datetime) -> TradingDay:
        """Return the trading day whose regular session is open at `at` or was the last one."""
        day = self.day_at(at)
        if day is not None and at >= day.opens_at:
            return day
        return self.day_before(at.astimezone(NEW_YORK).date())

    def clock_body(self, at: datetime) -> dict[str, Any]:
        """Return what `GET /v2/clock` says."""
        today = at.astimezone(NEW_YORK).date()
        day = self.day(today)
        following = self.day_after(today)
        is_open = day is not None and day.phase(at) is SessionPhase.REGULAR
        next_open = day if day is not None and at < day.opens_at else following
        next_close = day if day is not None and at < day.closes_at else following
        return {
            "is_open": is_open,
            "next_close": _new_york(next_close.closes_at),
            "next_open": _new_york(next_open.opens_at),
            "timestamp": _new_york(at),
        }

    def calendar_rows(
        self, start: date | None = None, end: date | None = None, *, by_settlement: bool = False
    ) -> list[dict[str, Any]]:
        """Return the rows of `GET /v2/calendar`, both ends included.

        With `by_settlement` the range is that of the settlement dates.
        """
        rows = _rows(self._sessions)
        key = "settlement_date" if by_settlement else "date"
        first = "" if start is None else start.isoformat()
        last = "9999" if end is None else end.isoformat()
        return [row for row in rows if first <= row[key] <= last]

    def _at_index(self, index: int) -> TradingDay:
        if not 0 <= index < len(self._dates):
            raise BadData(
                f"there is no session beyond {self._dates[0]} to {self._dates[-1]} in the calendar"
            )
        day = self.day(self._dates[index])
        assert day is not None
        return day


def _trading_day(session: Session) -> TradingDay:
    return TradingDay(
        day=session.day,
        pre_opens_at=datetime.combine(session.day, PRE_OPENS, NEW_YORK).astimezone(UTC),
        opens_at=session.opens_at,
        closes_at=session.closes_at,
        post_closes_at=session.closes_at + _POST_LASTS,
    )


@lru_cache(maxsize=1)
def _rows(sessions: tuple[Session, ...]) -> tuple[dict[str, Any], ...]:
    days = [session.day for session in sessions]
    rows = []
    for index, session in enumerate(sessions):
        steps = next(steps for since, steps in _SETTLEMENT_SESSIONS if session.day >= since)
        settles = days[min(index + steps, len(days) - 1)]
        closes = session.closes_at.astimezone(NEW_YORK)
        rows.append(
            {
                "close": f"{closes:%H:%M}",
                "date": session.day.isoformat(),
                "open": f"{session.opens_at.astimezone(NEW_YORK):%H:%M}",
                "session_close": f"{closes + _POST_LASTS:%H%M}",
                "session_open": f"{PRE_OPENS:%H%M}",
                "settlement_date": settles.isoformat(),
            }
        )
    return tuple(rows)


def _new_york(at: datetime) -> str:
    return at.astimezone(NEW_YORK).isoformat()
