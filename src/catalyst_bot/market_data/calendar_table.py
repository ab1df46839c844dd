"""The regular sessions of the New York Stock Exchange, 1998 to 2030, as a `TradingCalendar`.

A table instead of a library: start-up stays fast, and the bot needs nothing that can be missing
at run time. The CSV holds only what deviates from the rule (weekdays, 09:30 to 16:00 in New York):
full holidays and early closes. A test compares the result with the exchange-calendars project.
"""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from catalyst_bot.domain.calendar import Session, TradingCalendar

FIRST_DAY = date(1998, 1, 1)
LAST_DAY = date(2030, 12, 31)
NEW_YORK = ZoneInfo("America/New_York")
_OPENS = time(9, 30)
_CLOSES = time(16, 0)
_NO_SESSION = "closed"
_SATURDAY = 5


@cache  # 8,298 sessions, which nobody can change
def load_calendar() -> TradingCalendar:
    """Return every regular session from 1998-01-01 to 2030-12-31, in UTC."""
    exceptions = _exceptions()
    days = (FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1))
    return TradingCalendar(
        tuple(
            _session(day, closes=time.fromisoformat(closes) if closes else _CLOSES)
            for day in days
            if day.weekday() < _SATURDAY and (closes := exceptions.get(day)) != _NO_SESSION
        )
    )


def _exceptions() -> dict[date, str]:
    """Read the days that deviate: `closed`, or the early close as New York wall time."""
    table = files("catalyst_bot.market_data") / "nyse_sessions.csv"
    with table.open(encoding="utf-8") as lines:
        return {
            date.fromisoformat(row["day"]): row["closes_at_new_york"]
            for row in csv.DictReader(lines)
        }


def _session(day: date, *, closes: time) -> Session:
    return Session(day=day, opens_at=_utc(day, _OPENS), closes_at=_utc(day, closes))


def _utc(day: date, wall_time: time) -> datetime:
    return datetime.combine(day, wall_time, tzinfo=NEW_YORK).astimezone(UTC)
