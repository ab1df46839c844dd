"""The trading calendar as arrays of epoch seconds, so that whole columns can be asked at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.calendar import TradingCalendar

Seconds = NDArray[np.int64]

DAY_S = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)


def to_seconds(at: datetime) -> int:
    """Return whole epoch seconds, rounded down."""
    return (at - _EPOCH) // timedelta(seconds=1)


def to_datetime(seconds: int) -> datetime:
    """Return the aware UTC time of epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True)
class SessionTimes:
    """Opens and closes of all sessions; `days` counts days since 1970-01-01."""

    days: Seconds
    opens_s: Seconds
    closes_s: Seconds

    @classmethod
    def of(cls, calendar: TradingCalendar) -> SessionTimes:
        """Lay out a calendar as arrays."""
        sessions = calendar.sessions
        return cls(
            days=np.array([(s.day - _EPOCH_DAY).days for s in sessions], dtype=np.int64),
            opens_s=np.array([to_seconds(s.opens_at) for s in sessions], dtype=np.int64),
            closes_s=np.array([to_seconds(s.closes_at) for s in sessions], dtype=np.int64),
        )

    def index_of_days(self, days: Seconds) -> Seconds:
        """Return the session of each day, -1 where the exchange was closed (or out of table)."""
        index = np.searchsorted(self.days, days).clip(max=len(self.days) - 1)
        return np.where(self.days[index] == days, index, -1)

    def index_at(self, seconds: Seconds) -> Seconds:
        """Return the session open at each time, -1 where none is."""
        index = np.searchsorted(self.opens_s, seconds, side="right") - 1
        is_open = (index >= 0) & (seconds < self.closes_s[index.clip(min=0)])
        return np.where(is_open, index, -1)

    def bar_closes(self, opened_s: Seconds, interval_s: int) -> Seconds:
        """Return when each bar ends: after its interval, or at a session's open or close before.

        Hour bars from 09:30 end in a half hour at 16:00; nobody waits for 16:30 to know it.
        """
        bounds = np.sort(np.concatenate([self.opens_s, self.closes_s]))
        index = np.searchsorted(bounds, opened_s, side="right")
        next_bound = np.append(bounds, np.iinfo(np.int64).max)[index]
        closed_s: Seconds = np.minimum(opened_s + interval_s, next_bound)
        return closed_s

    def bar_opens(self, first_s: int, last_s: int, interval_s: int) -> Seconds:
        """Return the opens of all bars that complete sessions have within [first_s, last_s]."""
        inside = (self.closes_s > first_s) & (self.opens_s <= last_s)
        opens = [
            np.arange(opens_s, closes_s, interval_s, dtype=np.int64)
            for opens_s, closes_s in zip(self.opens_s[inside], self.closes_s[inside], strict=True)
        ]
        every = np.concatenate([np.empty(0, dtype=np.int64), *opens])
        return every[(every >= first_s) & (every <= last_s)]
