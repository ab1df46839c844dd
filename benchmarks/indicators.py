"""Our indicators beside TA-Lib: the same numbers for one decision, for a history, for the scanner.

A decision measures one window in plain Python; a history is compiled from the same text. Ours begin
anew in the window of every bar, so that a decision has the bits of the history, and TA-Lib gives
the same numbers when it is asked window by window. Its one recursion over a history gives others:
that stands in `features`. The average ranges of a history are one recursion here too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import talib

from benchmarks.features import window_of
from benchmarks.line import Line, median_of, skipped
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.limits import ScannerRules
from catalyst_bot.domain.market import DAY_S
from catalyst_bot.features.indicators import average_true_range, mean_true_range
from catalyst_bot.features.kernels import Floats
from catalyst_bot.features.market import market_features
from catalyst_bot.features.scanner import extreme_before
from catalyst_bot.features.spec import MARKET, MARKET_WINDOW
from catalyst_bot.features.window import BarWindow
from catalyst_bot.history.batch import market_matrix
from catalyst_bot.history.compiled import compiled
from catalyst_bot.ml import ranges
from catalyst_bot.ports.market_data import BENCHMARK_VIEW_BARS, VIEW_BARS

CALLS, LENGTH = 500, 14
HISTORY_BARS, NEEDS = 20_000, 252
SYMBOLS, DAYS = 500, 2_500
_JOB = f"{len(MARKET)} market features"


def lines() -> list[Line]:
    """Measure every pair in turn; the peer is compiled C behind a thin layer of Python."""
    window, benchmark = window_of(1, VIEW_BARS), window_of(2, BENCHMARK_VIEW_BARS)
    long, length = window_of(3, HISTORY_BARS), ScannerRules().year_sessions

    def scanned() -> None:
        extreme_before(long.high, length, np.maximum)
        extreme_before(long.low, length, np.minimum)

    def theirs() -> None:
        talib.MAX(long.high, timeperiod=length)
        talib.MIN(long.low, timeperiod=length)

    return [
        _beside(
            f"{_JOB} of one decision",
            lambda: market_features(window, benchmark, bar_interval_s=DAY_S),
            lambda: by_talib(window, benchmark),
            note="plain Python; the same numbers by TA-Lib and numpy",
        ),
        _of_a_history(long),
        _beside(
            f"ATR({LENGTH}) and the mean range of one window",
            lambda: _ranges_of(window),
            lambda: _talib_ranges(window, VIEW_BARS - 1),
            note=f"numpy, {VIEW_BARS} bars: true ranges, their Wilder average and their mean",
        ),
        _ranges_of_a_history(),
        _beside(
            f"highest and lowest of {length} before each bar",
            scanned,
            theirs,
            note=f"numpy, {HISTORY_BARS:,} bars: the scanner's",
        ),
    ]


def _ranges_of(window: BarWindow) -> tuple[float, float]:
    averages = average_true_range(window, LENGTH), mean_true_range(window)
    _forget(window)
    return averages


def _forget(window: BarWindow) -> None:
    """Let the true ranges be worked out again when they are next asked for."""
    del vars(window)["true_range"]


def _talib_ranges(window: BarWindow, count: int) -> tuple[Floats, Floats]:
    high, low, close = window.high, window.low, window.close
    atr = talib.ATR(high, low, close, timeperiod=LENGTH)
    return atr, talib.SMA(talib.TRANGE(high, low, close), timeperiod=count)


def _ranges_of_a_history() -> Line:
    """What stops and sizes of every bar need: both go on from bar to bar, ours and TA-Lib's."""
    windows = [window_of(seed, DAYS) for seed in range(SYMBOLS)]
    job = f"ATR({LENGTH}) and the mean range of a history"
    try:
        write = compiled(ranges)["write_average_ranges"]
    except ConfigError as error:
        return skipped(job, str(error))

    def ours() -> None:
        for window in windows:
            atr, average = np.empty(DAYS), np.empty(DAYS)
            write(window.true_range, LENGTH, VIEW_BARS, atr, average)
            _forget(window)

    def theirs() -> None:
        for window in windows:
            _talib_ranges(window, VIEW_BARS - 1)

    def once_ms(run: Callable[[], None]) -> float:
        start = time.perf_counter()
        run()
        return (time.perf_counter() - start) * 1e3

    ours()
    ours_ms, theirs_ms = median_of(lambda: once_ms(ours)), median_of(lambda: once_ms(theirs))
    return Line(
        job=job,
        unit="ms",
        value=ours_ms,
        peer=f"TA-Lib {theirs_ms:.1f} ms: {ours_ms / theirs_ms:.2f} x",
        note=f"compiled, one thread, {SYMBOLS} symbols x {DAYS:,} bars, windows of {VIEW_BARS}",
    )


def _beside(
    job: str, ours: Callable[[], object], theirs: Callable[[], object], *, note: str
) -> Line:
    ours_us, theirs_us = median_of(lambda: _us(ours)), median_of(lambda: _us(theirs))
    return Line(
        job=job,
        unit="us",
        value=ours_us,
        peer=f"TA-Lib {theirs_us:.1f} us: {ours_us / theirs_us:.1f} x",
        note=note,
    )


def _of_a_history(window: BarWindow) -> Line:
    """A bar of a history on one thread; TA-Lib is asked for one window, as for each of them."""
    job = f"{_JOB} of a bar in a history"
    one = window_of(4, MARKET_WINDOW)
    try:
        market_matrix(window, window, bar_interval_s=DAY_S)
    except ConfigError as error:
        return skipped(job, str(error))

    def ours() -> float:
        start = time.perf_counter()
        market_matrix(window, window, bar_interval_s=DAY_S)
        return (time.perf_counter() - start) / len(window) * 1e6

    ours_us = median_of(ours)
    theirs_us = median_of(lambda: _us(lambda: by_talib(one, one)))
    return Line(
        job=job,
        unit="us",
        value=ours_us,
        peer=f"TA-Lib {theirs_us:.1f} us: {ours_us / theirs_us:.2f} x",
        note="compiled, one thread; the same numbers by TA-Lib and numpy, window by window",
    )


def by_talib(window: BarWindow, benchmark: BarWindow) -> tuple[float, ...]:
    """What `market_features` measures, by as few calls of TA-Lib as it takes; before transforms.

    Its deviations divide by n, its beta regresses on all bars: nearly the same numbers, the same
    work.
    """
    high, low, close = (part[-100:] for part in (window.high, window.low, window.close))
    market, volume, price = benchmark.close[-100:], window.volume, window.close[-1]
    moves, market_moves = talib.ROCP(close[-22:], 1), talib.ROCP(market, 1)
    atr = talib.ATR(high, low, close, LENGTH)[-1]
    upper, middle, _ = talib.BBANDS(close[-20:], 20)
    money = talib.MULT(talib.TYPPRICE(high[-20:], low[-20:], close[-20:]), volume[-20:])
    middles, before = talib.MEDPRICE(high[-21:], low[-21:]), close[-21:-1]
    apart = ((1 - middles[:-1] / before) * (1 - middles[1:] / before)).mean()
    back = talib.ROCP(close[-21:], 20)[-1]
    return (
        talib.ROCP(close[-2:], 1)[-1],
        talib.ROCP(close[-6:], 5)[-1],
        back,
        talib.ROCP(close[-61:], 60)[-1],
        window.open[-1] / close[-2] - 1,
        volume[-1] / talib.SMA(volume[-21:-1], 20)[-1],
        atr / price,
        atr / talib.SMA(talib.TRANGE(high, low, close), 99)[-1],
        talib.STDDEV(moves[-20:], 20)[-1],
        talib.RSI(close, 14)[-1] / 50 - 1,
        talib.MACD(close)[2][-1] / price,
        (price - middle[-1]) / (upper[-1] - middle[-1]),
        price * talib.SUM(volume[-20:], 20)[-1] / talib.SUM(money, 20)[-1] - 1,
        price / talib.MAX(window.high[-NEEDS:], NEEDS)[-1] - 1,
        (4 * apart) ** 0.5 * 1e4 if apart > 0 else 0.0,
        back - talib.ROCP(market[-21:], 20)[-1],
        talib.BETA(market[-61:], close[-61:], 60)[-1],
        market[-1] / talib.SMA(market[-50:], 50)[-1] - 1,
        talib.STDDEV(market_moves[-20:], 20)[-1],
        talib.STDDEV(market_moves[1:], 99)[-1]
        + talib.STDDEV(market_moves[-11:], 11)[-1]
        + market[-1] / talib.SMA(market, 100)[-1],
    )


def _us(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        run()
    return (time.perf_counter() - start) / CALLS * 1e6
