"""A small invented market in which a test knows every price: five days of minute bars, some news.

Prices repeat, so that a test finds the same market whenever it comes: WAVE goes from 100 to 101 and
99 and back in every minute, FLAT never moves, TREND climbs for half an hour and falls for the
other, DIME costs half a dollar, SPLT is there to be split; LEAP opens six dollars above the close
of the day before, DROP six below. There are bars before and after the regular session, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

DAYS = tuple(date(2025, 10, day) for day in (20, 21, 22, 23, 24))
DAY = DAYS[2]
FIRST_BAR, LAST_BAR = (13, 0), (20, 30)  # UTC: half an hour around the regular session
SYMBOLS = ("DIME", "DROP", "FLAT", "LEAP", "SPLT", "TREND", "WAVE")


def at(hour: int, minute: int = 0, second: int = 0, *, day: date = DAY) -> datetime:
    """Return a UTC time of the day the tests trade on; the open is at 13:30, the close at 20:00."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC)


def _bar(symbol: str, start: datetime) -> tuple[float, float, float, float, int]:
    """Open, high, low, close and volume of a minute of any hour."""
    minute, day = start.minute, DAYS.index(start.date())
    match symbol:
        case "LEAP":
            price = 38.0 + 6 * day
            return price, price, price, price, 30_000
        case "DROP":
            price = 60.0 - 6 * day
            return price, price, price, price, 30_000
        case "WAVE":
            return 100.0, 101.0, 99.0, 100.0, 50_000
        case "FLAT":
            return 50.0, 50.0, 50.0, 50.0, 20_000
        case "DIME":
            return 0.5, 0.51, 0.49, 0.5, 200_000
        case "SPLT":
            return 30.0, 30.0, 30.0, 30.0, 10_000
        case _:
            place, after = (m if m <= 30 else 60 - m for m in (minute, minute + 1))
            first, last = 40 + place / 5, 40 + after / 5
            return first, max(first, last), min(first, last), last, 10_000


def bars() -> pl.DataFrame:
    """Return all bars, as a recording has them."""
    rows = [(start, symbol, *_bar(symbol, start)) for symbol in SYMBOLS for start in _minutes()]
    names = ("timestamp", "symbol", "open", "high", "low", "close", "volume")
    return pl.DataFrame(rows, schema=names, orient="row")


def _minutes() -> Iterator[datetime]:
    for day in DAYS:
        start, end = at(*FIRST_BAR, day=day), at(*LAST_BAR, day=day)
        while start < end:
            yield start
            start += timedelta(minutes=1)


NEWS = (
    (at(14, day=DAYS[1]), "Wave Corp opens a new pier", ["WAVE"], "The pier is long."),
    (at(15, day=DAYS[1]), "Flat Inc changes nothing", ["FLAT"], "As before."),
    (at(13, 40), "Trend Ltd climbs and falls", ["TREND"], "It is expected to fall and climb."),
    (at(13, 41), "Markets are open", [], ""),
    (at(13, 42), "Wave Corp and Flat Inc merge", ["WAVE", "FLAT"], "A level sea."),
)


def write_bars(path: Path) -> Path:
    """Write the bars to a parquet file."""
    bars().write_parquet(path)
    return path


def write_news(path: Path) -> Path:
    """Write the news, one JSON object a line."""
    lines = [
        json.dumps(
            {
                "published_at": published.isoformat(),
                "title": title,
                "source": "conformance",
                "symbols": symbols,
                "body": body,
                "url": f"https://news.invalid/{number}",
            }
        )
        for number, (published, title, symbols, body) in enumerate(NEWS)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
