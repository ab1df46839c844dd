"""The compiled account and the full engine trade the same five-minute days to the cent.

News comes at any second: in a bar, at its close, before the open, after the close. Symbols miss
bars, and volume binds.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalyst_bot.policies.ensemble import EnsemblePolicy
from catalyst_bot.policies.model_files import write_model
from tests.daily_market import sessions
from tests.models import agent, model
from tests.parity.both_ways import (
    assert_equal,
    the_rule_alike,
    through_the_engine,
    through_the_kernel,
    trades_in,
    trades_of,
    write_news,
)

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
SYMBOLS = ("SPY", "ACME", "BOLT", "CRUX", "DYNE")
FIRST, START, LAST = "2024-11-18", "2024-11-25", "2024-12-13"  # a half day among them
BAR = timedelta(minutes=5)
SETTINGS = """
[sizing]
prior_trades = 5000
[risk]
max_daily_loss_fraction = 0.02
min_sharpe = -10
"""


def write_market(
    folder: Path, *, seed: int, volume: tuple[int, int], noise: float, gaps: float
) -> list[str]:
    """Write bars and news; return the flags that replay them. `gaps` is the share of bars that a
    symbol lacks.
    """
    draw, days = np.random.default_rng(seed), sessions(FIRST, LAST)
    opened = [
        day.opens_at + number * BAR
        for day in days
        for number in range((day.closes_at - day.opens_at) // BAR)
    ]
    rows: list[dict[str, Any]] = []
    for number, symbol in enumerate(SYMBOLS):
        spread = noise * (1 + number / 3)
        close = 30.0 * np.exp(np.cumsum(draw.normal(0.00005, spread, len(opened))))
        open_ = np.concatenate([close[:1], close[:-1]]) * np.exp(
            draw.normal(0, spread / 3, len(opened))
        )
        reach = 1 + np.abs(draw.normal(0, spread / 2, (2, len(opened))))
        rows += [
            {
                "timestamp": at,
                "symbol": symbol,
                "open": round(float(open_[n]), 2),
                "high": round(float(max(open_[n], close[n]) * reach[0, n]) + 0.005, 2),
                "low": round(float(min(open_[n], close[n]) / reach[1, n]) - 0.005, 2),
                "close": round(float(close[n]), 2),
                "volume": float(draw.integers(*volume)),
            }
            for n, at in enumerate(opened)
            if symbol == "SPY" or draw.random() >= gaps
        ]
    pl.DataFrame(rows).write_parquet(folder / "bars.parquet")
    told = [
        (day.opens_at + _some_time(draw), symbol, draw.random() < 0.25)
        for day in sessions(START, LAST)
        for symbol in SYMBOLS[1:]
        for _ in range(draw.integers(0, 4))
    ]
    news = folder / "news.jsonl"
    write_news(news, told)
    files = ["--bars", str(folder / "bars.parquet"), "--news", str(news)]
    return ["--from", START, "--to", LAST, *files]


def _some_time(draw: np.random.Generator) -> timedelta:
    """A second from two hours before the open to an hour after the close; of some, so that they are
    heard of (a minute later) at the close of a bar.
    """
    after = timedelta(seconds=int(draw.integers(-7_200, 27_000)))
    return after // BAR * BAR - timedelta(minutes=1) if draw.random() < 0.3 else after


@pytest.mark.parametrize(
    ("seed", "volume", "noise", "gaps"),
    [
        (1, (20_000, 3_000_000), 0.003, 0.0),
        (2, (300, 6_000), 0.004, 0.02),
        (3, (3, 120), 0.004, 0.02),
    ],
)
def test_the_rule_trades_alike(
    tmp_path: Path, seed: int, volume: tuple[int, int], noise: float, gaps: float
) -> None:
    flags = write_market(tmp_path, seed=seed, volume=volume, noise=noise, gaps=gaps)
    trades = the_rule_alike(tmp_path, flags, SETTINGS, interval_s=300)
    assert len(trades) > 12
    assert len({trade[3] for trade in trades}) >= 3, "several ways to leave"


def test_a_model_that_reviews_trades_alike(tmp_path: Path) -> None:
    config = tmp_path / "catalyst.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    drawn = model(
        agent("ppo-0", seed=1, weight=0.5, bias=0.2),
        agent("sac-0", seed=2, bias=0.1, activation="relu", squash="tanh"),
        bar_interval_s=300,
    )
    write_model(tmp_path / "data" / "models" / "drawn", drawn)
    flags = write_market(tmp_path, seed=12, volume=(300, 6_000), noise=0.004, gaps=0.02)
    engine = through_the_engine(tmp_path, flags, config, "drawn")
    policy = EnsemblePolicy(drawn).act_rows
    _tape, kernel = through_the_kernel(tmp_path, flags, config, policy, interval_s=300)
    trades = trades_in(kernel)
    assert trades == trades_of(engine)
    assert {"policy"} < {trade[3] for trade in trades}
    assert_equal(engine, kernel)
