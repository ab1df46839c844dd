"""Real bars both ways: a quarter of days and three weeks of five-minute bars, with news that never
was, traded by the rule in one account over many symbols.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.daily_market import sessions
from tests.parity.both_ways import the_rule_alike, write_news

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
PRICES = ["timestamp", "symbol", "open", "high", "low", "close", "volume"]
# They paid no dividend and split no share in these days.
SYMBOLS = ["ADBE", "AMZN", "CRM", "ISRG", "NFLX", "TSLA"]
SETTINGS = "[sizing]\nprior_trades = 5000\n[risk]\nmin_sharpe = -10\n"
DAILY = SETTINGS + "[stops]\natr_multiple = 2.0\n[detection]\nmin_horizon_s = 864000\n"


def written(folder: Path, bars: pl.LazyFrame, first: str, start: str, last: str) -> list[str]:
    """Write bars from a day on and news from another; return the flags that replay them."""
    told = pl.col("timestamp").dt.date().cast(pl.String)
    bars.filter(told >= first, told <= last).select(PRICES).collect().write_parquet(
        folder / "bars.parquet"
    )
    draw = np.random.default_rng(1)
    write_news(
        folder / "news.jsonl",
        [
            (
                day.opens_at + timedelta(seconds=int(draw.integers(-7_200, 27_000))),
                symbol,
                bool(draw.random() < 0.2),
            )
            for day in sessions(start, last)
            for symbol in SYMBOLS
            if draw.random() < 0.4
        ],
    )
    files = ["--bars", str(folder / "bars.parquet"), "--news", str(folder / "news.jsonl")]
    return ["--from", start, "--to", last, *files]


def test_a_quarter_of_days(shared_data: Path, tmp_path: Path) -> None:
    parts = [
        pl.scan_parquet(shared_data / "prices" / f"{name}.parquet")
        .with_columns(pl.col("date").cast(pl.Datetime).alias("timestamp"))
        .select(PRICES)
        for name in ("daily_core_2010_2021", "bench_daily_2010_2021")
    ]
    bars = pl.concat(parts).filter(pl.col("symbol").is_in([*SYMBOLS, "SPY"]))
    flags = written(tmp_path, bars, "2016-01-04", "2018-04-02", "2018-06-29")
    assert len(the_rule_alike(tmp_path, flags, DAILY)) > 10


def test_weeks_of_five_minute_bars(shared_data: Path, tmp_path: Path) -> None:
    bars = pl.scan_parquet(shared_data / "prices" / "bars_5m_2025.parquet")
    bars = bars.filter(pl.col("symbol").is_in([*SYMBOLS, "SPY"]))
    flags = written(tmp_path, bars, "2025-08-18", "2025-09-08", "2025-09-26")
    assert len(the_rule_alike(tmp_path, flags, SETTINGS, interval_s=300)) > 10
