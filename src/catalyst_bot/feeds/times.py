"""Times as feeds write them: a text that names no moment is refused, never completed.

Libraries that guess read "16:00" as today and "5" as the fifth of this month. Here a time has a
date, a time of day and a zone, of its own or known from its source. Every function raises
`ValueError` that says what is wrong.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from catalyst_bot.feeds.lines import kind_of

NEW_YORK = ZoneInfo("America/New_York")
MAX_AHEAD = timedelta(hours=1)  # clocks differ by seconds, a wrong zone by hours
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # older than any feed: 1970 is how no time is written
_MAX_EPOCH_S = 32_503_680_000  # year 3000; milliseconds lie far above
_MAX_CHARACTERS = 64
_RFC822 = re.compile(
    r"(?:[a-z]{3,9},? +)?(\d{1,2}) +([a-z]{3})[a-z]* +(\d{4}) +(\d{1,2}):(\d{2})(?::(\d{2}))?"
    r" +([a-z]{1,3}|[+-]\d{4})",
    re.IGNORECASE | re.ASCII,
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONE_HOURS = {  # the names RFC 822 defines
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


def of_rss(text: str) -> datetime:
    """Read "Mon, 06 Oct 2025 15:59[:00] GMT", or ISO 8601 with an offset."""
    line = " ".join(text[:_MAX_CHARACTERS].split())
    found = _RFC822.fullmatch(line)
    return iso(line) if found is None else _rfc822(found, line)


def iso(text: str, zone: ZoneInfo | None = None) -> datetime:
    """Read ISO 8601, with "T" or a blank; `zone` is that of a text which names none."""
    line = text[:_MAX_CHARACTERS].strip()
    try:
        at = datetime.fromisoformat(line)
    except ValueError as error:
        raise _unreadable(text) from error
    if ":" not in line and "T" not in line:
        raise ValueError(f"names a day and no time of day: {line!r}")
    if at.tzinfo is None and zone is None:
        raise ValueError(f"names a time without its zone: {line!r}")
    return _utc(at if at.tzinfo else at.replace(tzinfo=zone), text)


def epoch(value: Any) -> datetime:
    """Read seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"has no readable time: {kind_of(value)}, not seconds")
    if not 0 < value < _MAX_EPOCH_S:  # false for NaN too
        raise ValueError("has no readable time: seconds outside of 1970 to 3000")
    return datetime.fromtimestamp(value, UTC)


def believable(at: datetime, received_at: datetime) -> datetime:
    """Return a time of publication unless it cannot be one: before all feeds, or yet to come."""
    if at < EARLIEST:
        raise ValueError(f"has no readable time: {at:%Y-%m-%d} is before there were feeds")
    if at > received_at + MAX_AHEAD:
        raise ValueError(f"has a time still to come: {at:%Y-%m-%d %H:%M} UTC")
    return at


def _rfc822(found: re.Match[str], line: str) -> datetime:
    day, month, year, hour, minute, second, zone = found.groups()
    if month.lower() not in MONTHS:
        raise _unreadable(line)
    try:
        return _utc(
            datetime(
                int(year),
                MONTHS.index(month.lower()) + 1,
                int(day),
                int(hour),
                int(minute),
                int(second or 0),
                tzinfo=_zone(zone),
            ),
            line,
        )
    except ValueError as error:
        raise _unreadable(line) from error


def _zone(name: str) -> timezone | ZoneInfo:
    if name[0] in "+-":
        offset = timedelta(hours=int(name[1:3]), minutes=int(name[3:]))
        return timezone(-offset if name[0] == "-" else offset)
    if name.upper() == "ET":
        return NEW_YORK
    if name.upper() not in _ZONE_HOURS:
        raise ValueError(f"an unknown zone: {name}")
    return timezone(timedelta(hours=_ZONE_HOURS[name.upper()]))


def _utc(at: datetime, text: str) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:  # year 1 or 9999 in another zone
        raise _unreadable(text) from error


def _unreadable(text: str) -> ValueError:
    return ValueError(f"has no readable time: {text[:_MAX_CHARACTERS].strip()!r}")
