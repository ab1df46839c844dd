"""A small invented market in daily bars, imported as a person would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.catalog import import_paths
from catalyst_bot.market_data.session_times import SessionTimes

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALENDAR = load_calendar()
SESSIONS = SessionTimes.of(CALENDAR)
FIRST = int(np.searchsorted(SESSIONS.days, 17_000))  # in July 2016
COUNT = 320


def daily(symbol: str, seed: int = 1, count: int = COUNT) -> pl.DataFrame:
    """A quiet walk around 50 dollars without dividends."""
    rng = np.random.default_rng(seed)
    close = (50.0 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))).round(4)
    open_ = (close * (1 + rng.normal(0, 0.002, count))).round(4)
    days = SESSIONS.days[FIRST : FIRST + count]
    return pl.DataFrame(
        {
            "date": pl.Series(days.astype(np.int32)).cast(pl.Date),
            "symbol": symbol,
            "open": open_,
            "high": np.maximum(open_, close) * 1.004,
            "low": np.minimum(open_, close) * 0.996,
            "close": close,
            "adj_close": close,
            "volume": rng.lognormal(12, 0.3, count).round(),
        }
    )


def catalog_of(
    folder: Path, files: Mapping[str, pl.DataFrame], news: list[dict[str, object]] | None = None
) -> Path:
    """Write the files, import them in order, and return the catalog."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = list[Path]()
    for name, frame in files.items():
        paths.append(folder / f"{name}.parquet")
        frame.write_parquet(paths[-1])
    if news is not None:
        paths.append(folder / "news.jsonl")
        paths[-1].write_text("\n".join(map(json.dumps, news)) + "\n", encoding="utf-8")
    report = import_paths(paths, folder / "catalog", calendar=CALENDAR, now=NOW)
    assert report.is_complete, report.render()
    return folder / "catalog"
