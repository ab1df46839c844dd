"""Timeframes of bars: how Alpaca writes them, and which bar a time belongs to.

Bars of minutes and hours are counted from midnight in New York, those of days, weeks and months
begin at midnight in New York.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

import numpy as np

from catalyst_bot.market_data.calendar_table import NEW_YORK
from catalyst_bot.market_data.session_times import DAY_S, Seconds, to_seconds

_EPOCH_DAY = date(1970, 1, 1)
_SHAPE = re.compile(r"^(\d+)([A-Za-z]+)$")
_MONTH_COUNTS = (1, 2, 3, 4, 6, 12)


class Unit(StrEnum):
    """Unit of a timeframe, with the letter page tokens use for it."""

    MINUTE = "M"
    HOUR = "H"
    DAY = "D"
    WEEK = "W"
    MONTH = "MO"


_UNITS = {
    "Min": Unit.MINUTE,
    "T": Unit.MINUTE,
    "Hour": Unit.HOUR,
    "H": Unit.HOUR,
    "Day": Unit.DAY,
    "D": Unit.DAY,
    "Week": Unit.WEEK,
    "W": Unit.WEEK,
    "Month": Unit.MONTH,
    "M": Unit.MONTH,
}
_MOST = {Unit.MINUTE: 59, Unit.HOUR: 23, Unit.DAY: 1, Unit.WEEK: 1, Unit.MONTH: 12}


class BadTimeframe(Exception):
    """A timeframe that no bar can have; the text is what Alpaca says."""


@dataclass(frozen=True, slots=True)
class Timeframe:
    """So many units of time a bar."""

    count: int
    unit: Unit

    @property
    def seconds(self) -> int | None:
        """The length of a bar within a day; None for days and longer."""
        if self.unit is Unit.MINUTE:
            return 60 * self.count
        return 3600 * self.count if self.unit is Unit.HOUR else None


MINUTE = Timeframe(1, Unit.MINUTE)
DAY = Timeframe(1, Unit.DAY)


def read_timeframe(text: str) -> Timeframe:
    """Return the timeframe a text such as 5Min says; raises `BadTimeframe` with the reason."""
    shape = _SHAPE.match(text)
    unit = _UNITS.get(shape[2]) if shape else None
    if shape is None or unit is None:
        raise BadTimeframe(f"invalid timeframe: {text}")
    count = int(shape[1])
    if count > _MOST[unit]:
        raise BadTimeframe(
            f"timeframe period number is larger than the allowed maximum of {_MOST[unit]}"
        )
    if count < 1 or (unit is Unit.MONTH and count not in _MONTH_COUNTS):
        raise BadTimeframe(f"invalid timeframe: {text}")
    return Timeframe(count, unit)


def bar_starts(opened_s: Seconds, timeframe: Timeframe) -> Seconds:
    """Return the start of the bar that each time belongs to."""
    if not len(opened_s):
        return opened_s
    utc_days, place = np.unique(opened_s // DAY_S, return_inverse=True)
    # Nothing trades in the night when summer time begins or ends, so a UTC day has one offset.
    offsets = np.array([_new_york_offset_s(int(day)) for day in utc_days], dtype=np.int64)[place]
    local_days = (opened_s + offsets) // DAY_S
    if timeframe.seconds is not None:
        midnights = local_days * DAY_S - offsets
        bars = (opened_s - midnights) // timeframe.seconds
        return np.asarray(midnights + bars * timeframe.seconds)
    days, place = np.unique(local_days, return_inverse=True)
    starts = [to_seconds(midnight(_first_day(int(day), timeframe))) for day in days]
    return np.asarray(np.array(starts, dtype=np.int64)[place])


def midnight(day: date) -> datetime:
    """Return midnight in New York at the start of a date, in UTC."""
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


@lru_cache(maxsize=16_384)
def _new_york_offset_s(utc_day: int) -> int:
    noon = datetime.combine(_EPOCH_DAY + timedelta(days=utc_day), time(12), UTC)
    offset = noon.astimezone(NEW_YORK).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _first_day(local_day: int, timeframe: Timeframe) -> date:
    day = _EPOCH_DAY + timedelta(days=local_day)
    if timeframe.unit is Unit.WEEK:
        return day - timedelta(days=day.weekday())
    if timeframe.unit is Unit.MONTH:
        return day.replace(month=(day.month - 1) // timeframe.count * timeframe.count + 1, day=1)
    return day
