"""Prices in Alpaca's words: the same short names in REST answers and on the stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from catalyst_bot.alpaca.reading import price, time_of, volume
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import Bar, Quote

INTERVAL = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
CLOCK_DIFFERENCE = timedelta(seconds=2)


def readable_bars(symbol: str, rows: Any, interval: timedelta = INTERVAL) -> Iterator[Bar]:
    """Read bars, leaving out those that cannot be right: a missing price beats a wrong one."""
    for row in rows if isinstance(rows, list) else ():
        with suppress(BadData):
            yield read_bar(symbol, row, interval)


def read_bar(symbol: str, row: Any, interval: timedelta = INTERVAL) -> Bar:
    """Read a bar. Raises `BadData` for one that cannot be right."""
    if not isinstance(row, Mapping):
        raise BadData(f"{symbol}: a bar is {row!r}")
    opened_at = time_of(row, "t")
    bar = Bar(
        symbol=symbol,
        opened_at=opened_at,
        closed_at=opened_at + interval,
        open=price(row, "o"),
        high=price(row, "h"),
        low=price(row, "l"),
        close=price(row, "c"),
        volume=volume(row, "v"),
    )
    if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        raise BadData(f"{symbol}: open or close outside low and high in the bar of {opened_at}")
    return bar


def read_quote(symbol: str, row: Any, now: datetime, *, is_synthetic: bool = False) -> Quote | None:
    """Read a quote, None for one without both sides; a time just ahead of our clock is a
    difference of clocks, not the future. `is_synthetic` where the source makes them from bars.

    Raises `BadData` for one that cannot be right.
    """
    if not isinstance(row, Mapping) or not (row.get("bp") and row.get("ap")):
        return None
    at = time_of(row, "t")
    is_ahead = now < at <= now + CLOCK_DIFFERENCE
    return Quote(
        symbol=symbol,
        at=now if is_ahead else at,
        bid=price(row, "bp"),
        ask=price(row, "ap"),
        is_synthetic=is_synthetic,
    )


def part_of(told: Any, key: str) -> Mapping[str, Any]:
    """Return one part of an answer; nothing where it is left out. Raises `BadData`."""
    part = told.get(key) if isinstance(told, Mapping) else None
    if part is None and isinstance(told, Mapping):
        return {}
    if not isinstance(part, Mapping):
        raise BadData(f"the answer holds no {key}")
    return part
