"""Histories of real days: batch equals live bit for bit, splits that nobody adjusted are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.features.market import DAY_S, market_features
from catalyst_bot.features.spec import BENCHMARK_WINDOW
from catalyst_bot.features.window import BarWindow
from catalyst_bot.history.build import HistoryRules, build_panel
from catalyst_bot.history.gates import Gate
from catalyst_bot.history.panel import Panel
from catalyst_bot.ports.market_data import VIEW_BARS
from tests.unit.history.market import SESSIONS, catalog_of

WINDOWS = 2_000
DAILY = ("AAPL", "AMD", "BAC", "GE", "MSTR", "NFLX", "TSLA", "WFC")


def until(window: BarWindow, end: int, count: int) -> BarWindow:
    names = BarWindow.__dataclass_fields__
    return BarWindow(*(getattr(window, name)[max(0, end - count) : end] for name in names))


def live_and_batch_differ(panel: Panel) -> int:
    """How many of random windows have other bits live than in the batch."""
    from catalyst_bot.history.batch import market_matrix  # noqa: PLC0415  # needs numba

    interval_s, rng = panel.card.interval_s, np.random.default_rng(1)
    benchmark = panel.adjusted(panel.card.benchmark)
    differing = 0
    for symbol in panel.symbols:
        window = panel.adjusted(symbol)
        rows = market_matrix(window, benchmark, bar_interval_s=interval_s)
        assert np.isfinite(rows).all()
        for end in rng.integers(1, len(window) + 1, WINDOWS // len(panel.symbols)).tolist():
            now_s = window.closed_at[end - 1]
            known = int(np.searchsorted(benchmark.closed_at, now_s, side="right"))
            live = market_features(
                until(window, end, VIEW_BARS),
                until(benchmark, known, BENCHMARK_WINDOW),
                bar_interval_s=interval_s,
            )
            differing += np.array(live).tobytes() != rows[end - 1].tobytes()
    return differing


def test_batch_equals_live_on_daily_bars(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
    prices = shared_data / "prices"
    core = pl.read_parquet(prices / "daily_core_2010_2021.parquet")
    files = {
        "bench": pl.read_parquet(prices / "bench_daily_2010_2021.parquet"),
        "core": core.filter(pl.col("symbol").is_in(DAILY)),
    }
    panel = build_panel(catalog_of(tmp_path, files), SESSIONS, HistoryRules(benchmark="SPY"))
    assert set(DAILY) <= set(panel.symbols)
    assert live_and_batch_differ(panel) == 0


def test_batch_equals_live_on_five_minute_bars(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("numba", reason="compiling needs numba: make setup-research")
    bars = pl.read_parquet(shared_data / "prices/bars_5m_2025.parquet").filter(
        pl.col("symbol").is_in(["SPY", "AAPL", "NVDA", "TSLA"])
    )
    rules = HistoryRules(benchmark="SPY", interval_s=300)
    panel = build_panel(catalog_of(tmp_path, {"bars": bars}), SESSIONS, rules)
    assert len(panel.symbols) > 1
    assert panel.card.interval_s < DAY_S
    assert live_and_batch_differ(panel) == 0


def test_splits_that_nobody_adjusted_are_found(shared_data: Path, tmp_path: Path) -> None:
    raw = pl.read_parquet(shared_data / "prices/lean_daily_raw.parquet")
    rules = HistoryRules(benchmark="SPY")
    panel = build_panel(catalog_of(tmp_path / "a", {"raw": raw}), SESSIONS, rules)
    excluded = {each.symbol: each.gate for each in panel.card.excluded}
    assert excluded["AAPL"] is Gate.UNADJUSTED_SPLIT
    assert any("dividends look like losses" in flaw for flaw in panel.card.flaws)
    with pytest.raises(BadData, match="benchmark AAPL cannot be used: unadjusted_split"):
        build_panel(tmp_path / "a/catalog", SESSIONS, HistoryRules(benchmark="AAPL"))
