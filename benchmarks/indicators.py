"""ATR(14) of the window a decision sees, beside TA-Lib on the same window."""

from __future__ import annotations

import time
from collections.abc import Callable

import talib

from benchmarks.line import Line, median_of
from catalyst_bot.features.indicators import average_true_range
from catalyst_bot.features.window import BarWindow, bar_window
from catalyst_bot.market_data.generated import generate_session

CALLS = 2_000
LENGTH = 14
WINDOW_BARS = 100


def lines() -> list[Line]:
    """Measure both; the peer is compiled C, ours plain Python over numpy."""
    window = _window()
    ours = median_of(lambda: _microseconds(lambda: average_true_range(window, LENGTH)))
    theirs = median_of(
        lambda: _microseconds(
            lambda: talib.ATR(window.high, window.low, window.close, timeperiod=LENGTH)[-1]
        )
    )
    peer = f"TA-Lib {theirs:.1f} us: {ours / theirs:.1f} x"
    note = f"{WINDOW_BARS} bars"
    return [Line(job=f"ATR({LENGTH}) of one window", unit="us", value=ours, peer=peer, note=note)]


def _window() -> BarWindow:
    market = generate_session(4, 1.0)
    symbol = market.bars.symbols[0]
    return bar_window(market.bars.window(symbol, market.ends_at, WINDOW_BARS))


def _microseconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        run()
    return (time.perf_counter() - start) / CALLS * 1e6
