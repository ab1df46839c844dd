"""The market features of a history, beside TA-Lib's recursive indicators.

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
from catalyst_bot.features.market import DAY_S
from catalyst_bot.features.spec import MARKET
from catalyst_bot.features.window import BarWindow
from catalyst_bot.history.batch import market_matrix

SYMBOLS, BARS, WORKERS = 500, 2_500, 2


def lines() -> list[Line]:
    """Measure where numba is installed."""
    job = f"{len(MARKET)} market features of a history"
    try:
        market_matrix(window_of(1, 1), window_of(2, 1), bar_interval_s=DAY_S)
    except ConfigError as error:
        return [skipped(job, str(error))]
    windows = [window_of(seed, BARS) for seed in range(SYMBOLS)]
    ours = median_of(lambda: _seconds(lambda: _batch(windows)))
    theirs = median_of(lambda: _seconds(lambda: [_peer(each) for each in windows]))
    return [
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


def window_of(seed: int, count: int) -> BarWindow:
    """Return a random walk of daily bars; windows of different lengths begin on the same day."""
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
