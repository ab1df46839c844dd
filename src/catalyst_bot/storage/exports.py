"""The trade log as a file for other programs: CSV and Parquet, exact in both.

CSV holds money as decimal text and times as RFC 3339; Parquet holds decimals with as many places
as the column needs, and times in microseconds UTC.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl

from catalyst_bot.domain.errors import BadData
from catalyst_bot.storage.views import LoggedTrade


class Sort(StrEnum):
    """What a column holds."""

    TEXT = "text"
    DECIMAL = "decimal"
    TIME = "time"
    NUMBER = "number"


COLUMNS: Mapping[str, Sort] = {
    "trade_id": Sort.TEXT,
    "strategy_id": Sort.TEXT,
    "symbol": Sort.TEXT,
    "side": Sort.TEXT,
    "quantity": Sort.DECIMAL,
    "ordered_quantity": Sort.DECIMAL,
    "entry_at": Sort.TIME,
    "entry_price": Sort.DECIMAL,
    "exit_at": Sort.TIME,
    "exit_price": Sort.DECIMAL,
    "exit_reason": Sort.TEXT,
    "fees_usd": Sort.DECIMAL,
    "pnl_usd": Sort.DECIMAL,
    "pnl_fraction": Sort.NUMBER,
    "holding_s": Sort.NUMBER,
    "decision_price": Sort.DECIMAL,
    "entry_slippage_bps": Sort.NUMBER,
    "exit_slippage_bps": Sort.NUMBER,
    "category": Sort.TEXT,
    "catalyst_id": Sort.TEXT,
    "headline_id": Sort.TEXT,
    "headline_title": Sort.TEXT,
    "headline_received_at": Sort.TIME,
    "decided_at": Sort.TIME,
    "submitted_at": Sort.TIME,
    "votes": Sort.TEXT,
}
_DIGITS = 38  # of a decimal in Parquet


def write_csv(trades: Sequence[LoggedTrade], path: Path) -> None:
    """Write one line per trade under a header; what is not known is empty."""

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="") as file:
            lines = csv.DictWriter(file, COLUMNS)
            lines.writeheader()
            lines.writerows(map(_flat, trades))

    _at_once(path, write)


def write_parquet(trades: Sequence[LoggedTrade], path: Path) -> None:
    """Write one row per trade. Raises `BadData` for a number of more digits than Parquet holds."""
    rows = [_flat(trade) for trade in trades]
    frame = pl.DataFrame(
        [_series(name, sort, [row[name] for row in rows]) for name, sort in COLUMNS.items()]
    )
    _at_once(path, frame.write_parquet)


def _flat(trade: LoggedTrade) -> dict[str, Any]:
    row: dict[str, Any] = dict(trade)
    row["votes"] = json.dumps(trade["votes"], ensure_ascii=False)
    return {name: row[name] for name in COLUMNS}


def _series(name: str, sort: Sort, values: Sequence[Any]) -> pl.Series:
    match sort:
        case Sort.DECIMAL:
            return _decimals(name, [None if v is None else Decimal(v) for v in values])
        case Sort.TIME:
            times = [None if v is None else datetime.fromisoformat(v) for v in values]
            return pl.Series(name, times, dtype=pl.Datetime("us", "UTC"))
        case Sort.NUMBER:
            return pl.Series(name, values, dtype=pl.Float64)
        case Sort.TEXT:
            return pl.Series(name, values, dtype=pl.String)


def _decimals(name: str, values: Sequence[Decimal | None]) -> pl.Series:
    known = [value for value in values if value is not None]
    places = max((max(-int(v.as_tuple().exponent), 0) for v in known), default=0)
    whole = max((v.adjusted() + 1 for v in known), default=1)
    if max(whole, 1) + places > _DIGITS:
        raise BadData(f"{name} needs {whole + places} digits, Parquet holds {_DIGITS}: use --csv")
    return pl.Series(name, values, dtype=pl.Decimal(_DIGITS, places))


def _at_once(path: Path, write: Callable[[Path], object]) -> None:
    """The file is there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
