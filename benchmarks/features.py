"""The market features of a history, and of one decision; beside TA-Lib's recursive indicators.

TA-Lib computes six of them and feeds each value into the next; ours are twenty, each from its own
window, so that a decision today has the bits of the history.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import talib

from benchmarks.line import Line, median_of, skipped
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.features.market import DAY_S, market_features
from catalyst_bot.features.spec import MARKET
from catalyst_bot.features.window import BarWindow
from catalyst_bot.history.batch import market_matrix
from catalyst_bot.ports.market_data import BENCHMARK_VIEW_BARS, VIEW_BARS

SYMBOLS, BARS, WORKERS, CALLS = 500, 2_500, 2, 500


def lines() -> list[Line]:
    """Measure one decision, and a history where numba is installed."""
    window, benchmark = _window(1, VIEW_BARS), _window(2, BENCHMARK_VIEW_BARS)
    live_us = median_of(lambda: _seconds(lambda: _decide(window, benchmark)) / CALLS * 1e6)
    job = f"{len(MARKET)} market features"
    found = [Line(job=f"{job} of one decision", unit="us", value=live_us)]
    job = f"{job} of a history"
    try:
        market_matrix(window, benchmark, bar_interval_s=DAY_S)
    except ConfigError as error:
        return [*found, skipped(job, str(error))]
    windows = [_window(seed, BARS) for seed in range(SYMBOLS)]
    ours = median_of(lambda: _seconds(lambda: _batch(windows)))
    theirs = median_of(lambda: _seconds(lambda: [_peer(each) for each in windows]))
    return [
        *found,
        Line(
            job=job,
            unit="s",
            value=ours,
            target=5.0,
            is_less_better=True,
            peer=f"TA-Lib, 6 recursive, 1 thread: {theirs:.2f} s",
            note=f"{SYMBOLS} symbols x {BARS:,} bars, {WORKERS} threads",
        ),
    ]


def _decide(window: BarWindow, benchmark: BarWindow) -> None:
    for _ in range(CALLS):
        market_features(window, benchmark, bar_interval_s=DAY_S)


def _batch(windows: list[BarWindow]) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda w: market_matrix(w, windows[0], bar_interval_s=DAY_S), windows))


def _peer(window: BarWindow) -> None:
    high, low, close = window.high, window.low, window.close
    talib.ATR(high, low, close)
    talib.RSI(close)
    talib.MACD(close)
    talib.BBANDS(close, timeperiod=20)
    talib.STDDEV(close, timeperiod=20)
    talib.MAX(high, timeperiod=252)


def _window(seed: int, count: int) -> BarWindow:
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    open_ = close * (1 + rng.normal(0, 0.003, count))
    opened_at = 1_600_090_200.0 + np.arange(count) * float(DAY_S)
    return BarWindow(
        opened_at=opened_at,
        closed_at=opened_at + 23_400.0,
        open=open_,
        high=np.maximum(open_, close) * 1.005,
        low=np.minimum(open_, close) * 0.995,
        close=close,
        volume=rng.lognormal(12, 1, count),
    )


def _seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
