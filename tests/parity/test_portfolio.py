"""The compiled account and the full engine trade the same days to the cent.

Here on daily bars, where a decision at a close is for the next open.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalyst_bot.domain.news import Worth
from catalyst_bot.history.panel import open_panel
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
FIRST, START, LAST = "2023-06-01", "2024-09-03", "2025-02-28"
HOURS = (-3.0, 1.5, 6.4, 8.0)  # after the open: before it, in the session, at its end, after it
SETTINGS = """
[stops]
atr_multiple = 2.0
[sizing]
prior_trades = 5000
[risk]
max_daily_loss_fraction = 0.02
min_sharpe = -10
[detection]
min_horizon_s = 864000
"""


def write_market(folder: Path, *, seed: int, volume: tuple[int, int], noise: float) -> list[str]:
    """Write bars and news; return the flags that replay them."""
    draw, days = np.random.default_rng(seed), sessions(FIRST, LAST)
    rows: list[dict[str, Any]] = []
    for number, symbol in enumerate(SYMBOLS):
        spread = noise * (1 + number / 3)
        close = 30.0 * np.exp(np.cumsum(draw.normal(0.0004, spread, len(days))))
        open_ = np.concatenate([close[:1], close[:-1]]) * np.exp(
            draw.normal(0, spread / 3, len(days))
        )
        reach = 1 + np.abs(draw.normal(0, spread / 2, (2, len(days))))
        rows += [
            {
                "timestamp": datetime.fromisoformat(day.day.isoformat()),
                "symbol": symbol,
                "open": round(float(open_[n]), 2),
                "high": round(float(max(open_[n], close[n]) * reach[0, n]) + 0.005, 2),
                "low": round(float(min(open_[n], close[n]) / reach[1, n]) - 0.005, 2),
                "close": round(float(close[n]), 2),
                "volume": float(draw.integers(*volume)),
            }
            for n, day in enumerate(days)
        ]
    pl.DataFrame(rows).write_parquet(folder / "bars.parquet")
    told = [
        (day.opens_at + timedelta(hours=float(draw.choice(HOURS))), symbol, draw.random() < 0.25)
        for day in sessions(START, LAST)
        for symbol in SYMBOLS[1:]
        if draw.random() < 0.25
    ]
    news = folder / "news.jsonl"
    write_news(news, told)
    files = ["--bars", str(folder / "bars.parquet"), "--news", str(news)]
    return ["--from", START, "--to", LAST, *files]


@pytest.mark.parametrize(
    ("seed", "volume", "noise"),
    [(1, (20_000, 3_000_000), 0.012), (2, (2_000, 60_000), 0.02), (5, (200, 4_000), 0.02)],
)
def test_the_rule_trades_alike(
    tmp_path: Path, seed: int, volume: tuple[int, int], noise: float
) -> None:
    flags = write_market(tmp_path, seed=seed, volume=volume, noise=noise)
    trades = the_rule_alike(tmp_path, flags, SETTINGS)
    assert len(trades) > 15
    assert len({trade[3] for trade in trades}) >= 3, "several ways to leave"


def test_a_model_that_reviews_trades_alike(tmp_path: Path) -> None:
    config = tmp_path / "catalyst.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    drawn = model(
        agent("ppo-0", seed=1, weight=0.5, bias=0.05),
        agent("sac-0", seed=2, bias=0.025, activation="relu", squash="tanh"),
        edges={
            "fda_approval": Worth(edge_bps=60.0, high_bps=90.9, events=60),
            "contract_win": Worth(edge_bps=-40.0, high_bps=30.1, events=50),
        },
    )
    write_model(tmp_path / "data" / "models" / "drawn", drawn)
    flags = write_market(tmp_path, seed=3, volume=(20_000, 3_000_000), noise=0.012)
    engine = through_the_engine(tmp_path, flags, config, "drawn")
    policy = EnsemblePolicy(drawn).act_rows
    _tape, kernel = through_the_kernel(tmp_path, flags, config, policy, edges=drawn.edges)
    trades = trades_in(kernel)
    assert trades == trades_of(engine)
    heard = open_panel(tmp_path / "history").events["category"]
    assert set(drawn.edges or {}) < set(heard), "some news is of learned worth, some of none"
    assert {"policy"} < {trade[3] for trade in trades}
    assert_equal(engine, kernel)
