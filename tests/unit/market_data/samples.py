"""Small invented bar files, the same in every test of the package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from catalyst_bot.market_data.bar_store import BarColumns, BarStore

OPEN = datetime(2025, 10, 6, 13, 30, tzinfo=UTC)
HEADER = "timestamp,symbol,open,high,low,close,volume"


def row(name: str, bar: int, **given: Any) -> str:
    """One CSV row: the `bar`-th five-minute bar of 6 October 2025, around $100."""
    values = {
        "timestamp": (OPEN + timedelta(minutes=5 * bar)).isoformat().replace("+00:00", "Z"),
        "symbol": name,
        "open": 100.0,
        "high": 101.0,
        "low": 99.0,
        "close": 100.5,
        "volume": 1000,
    } | given
    return ",".join(str(values[column]) for column in HEADER.split(","))


def csv_file(path: Path, rows: Iterable[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def store(closes: dict[str, Sequence[float]], interval_s: int = 300) -> BarStore:
    """A store of bars from the open on; each opens a cent below its close."""
    return BarStore(
        {symbol: columns(np.asarray(prices), interval_s) for symbol, prices in closes.items()},
        interval_s=interval_s,
    )


def columns(closes: Any, interval_s: int = 300) -> BarColumns:
    opened_s = int(OPEN.timestamp()) + interval_s * np.arange(len(closes), dtype=np.int64)
    return BarColumns(
        opened_s=opened_s,
        closed_s=opened_s + interval_s,
        open=closes - 0.01,
        high=closes + 1.0,
        low=closes - 1.0,
        close=closes * 1.0,
        volume=np.full(len(closes), 1000.0),
    )
