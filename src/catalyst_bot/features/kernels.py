"""The market features: each a pure function of the bars before an index, and of no others.

`end` is one past the newest bar that is known; a feature looks at the bars of its window before it.
The same code runs over memory views in the trading process and compiled over the arrays of a
history (`history/compiled.py`). For equal bits in both it uses only + - * / and square roots,
whose results IEEE 754 fixes, in an order that is written down: no `sum`, no logarithm, no `**`.
Loops go over slices: plain Python takes twice as long to look up what stands at an index.
Standard indicators equal TA-Lib on the same window within 1e-9 (tested).
"""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from math import copysign, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.features.spec import BENCHMARK_WINDOW, MARKET

Floats = NDArray[np.float64]
Column = Sequence[float] | Floats
Flags = Sequence[bool] | NDArray[np.bool_]
BPS = 10_000.0
ATR_LENGTH = 14
RSI_LENGTH = 14
MACD_FAST, MACD_SLOW, MACD_SIGNAL = 12, 26, 9
BULL, NEUTRAL, BEAR, STRESSED = 1.0, 0.0, -1.0, -2.0
TREND_FRACTION = 0.005  # distance from the window's mean close that counts as a trend
STRESS_RATIO = 2.5  # recent volatility over the window's that counts as stress
STRESS_BARS = 12
_FLAT = 1e-12  # a deviation smaller than this share of the mean is rounding, not movement

_BARS: dict[str, int] = {feature.name: feature.bars for feature in MARKET}
_NEEDS: dict[str, int] = {feature.name: feature.needs for feature in MARKET}
_LOW = tuple(feature.low for feature in MARKET)
_HIGH = tuple(feature.high for feature in MARKET)
_IS_ROOT = tuple(feature.transform == "root" for feature in MARKET)
_RECURSIVE = _BARS["atr_fraction"]  # where the recursion of ATR, RSI and MACD begins
_GAP = _BARS["gap"]
_YEAR, _YEAR_NEEDS = _BARS["high_distance"], _NEEDS["high_distance"]
_SPREAD = _BARS["spread_bps"]
_BETA, _BETA_NEEDS = _BARS["beta"], _NEEDS["beta"]
_TREND = _BARS["benchmark_trend"]
_REGIME, _REGIME_NEEDS = _BARS["regime"], _NEEDS["regime"]


class Bars(NamedTuple):
    """Columns of bars, oldest first; `closed` in epoch seconds.

    The last four need the bar before and begin with the second: at i - 1 they tell of bar i.
    `true_range` is that of Wilder (1978), `opens` says whether a bar is the first of a session,
    `move` is the return over the bar before, `counts` 1 where it is counted as volatility; else
    both are 0.
    """

    closed: Column
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column
    true_range: Column
    opens: Flags
    move: Column
    counts: Column


class Closes(NamedTuple):
    """The columns of a benchmark's bars; see `Bars`."""

    closed: Column
    close: Column
    move: Column
    counts: Column


def momentum(bars: Bars, end: int, back: int) -> float:
    """Return of the last close over that of `back` bars before."""
    if end <= back:
        return 0.0
    return bars.close[end - 1] / bars.close[end - 1 - back] - 1.0


def gap(bars: Bars, end: int) -> float:
    """Open of the newest session over the close before it."""
    opens, i = bars.opens, end - 1
    start = max(end - _GAP, 0)
    while i > start:
        if opens[i - 1]:
            return bars.open[i] / bars.close[i - 1] - 1.0
        i -= 1
    return 0.0


def volume_ratio(bars: Bars, end: int) -> float:
    """Volume of the last bar over the mean of the 20 before it."""
    volume, length = bars.volume, 20
    if end <= length:
        return 1.0
    total = 0.0
    for now in volume[end - 1 - length : end - 1]:
        total += now
    return volume[end - 1] * length / total if total > 0.0 else 1.0


def atr(bars: Bars, end: int) -> tuple[float, float]:
    """ATR(14) with Wilder's smoothing, and the mean true range of the window; 0 for too few."""
    ranges, start = bars.true_range, max(end - _RECURSIVE, 0)
    begun = start + 1 + ATR_LENGTH
    if end < begun:
        return 0.0, 0.0
    total = 0.0
    for now in ranges[start : begun - 1]:
        total += now
    value, share = total / ATR_LENGTH, 1.0 / ATR_LENGTH
    for now in ranges[begun - 1 : end - 1]:
        total += now
        value += (now - value) * share
    return value, total / (end - start - 1)


def deviation(bars: Bars | Closes, start: int, end: int) -> float:
    """Sample standard deviation of the returns between the bars [start, end); 0 for too few."""
    n = total = squares = 0.0
    for count in bars.counts[start : end - 1]:
        n += count
    for now in bars.move[start : end - 1]:
        total += now
        squares += now * now
    if n < 2.0:
        return 0.0
    apart = squares - total * total / n
    return sqrt(apart / (n - 1.0)) if apart > _FLAT * squares else 0.0


def volatility(bars: Bars | Closes, end: int) -> float:
    """Deviation of the last 20 returns, as a fraction per bar."""
    return deviation(bars, end - 21, end) if end >= 21 else 0.0


def rsi(bars: Bars, end: int) -> float:
    """RSI(14), moved from 0..100 to -1..1."""
    close, start = bars.close, max(end - _RECURSIVE, 0)
    begun = start + 1 + RSI_LENGTH
    if end < begun:
        return 0.0
    gain = loss = 0.0
    before = close[start]
    for now in close[start + 1 : begun]:
        change, before = now - before, now
        if change > 0.0:
            gain += change
        else:
            loss -= change
    share = 1.0 / RSI_LENGTH
    gain, loss = gain * share, loss * share
    for now in close[begun:end]:
        change, before = now - before, now
        if change > 0.0:
            gain += (change - gain) * share
            loss -= loss * share
        else:
            gain -= gain * share
            loss += (-change - loss) * share
    return (gain - loss) / (gain + loss) if gain + loss > 0.0 else 0.0


def macd(bars: Bars, end: int) -> float:
    """Histogram of MACD(12, 26, 9) over the last close; averages begin with a plain mean."""
    close, start = bars.close, max(end - _RECURSIVE, 0)
    if end - start < MACD_SLOW + MACD_SIGNAL - 1:
        return 0.0
    fast_share, slow_share = 2.0 / (MACD_FAST + 1), 2.0 / (MACD_SLOW + 1)
    signal_share = 2.0 / (MACD_SIGNAL + 1)
    fast = slow = 0.0
    for now in close[start : start + MACD_SLOW]:
        slow += now
    for now in close[start + MACD_SLOW - MACD_FAST : start + MACD_SLOW]:
        fast += now
    fast, slow = fast / MACD_FAST, slow / MACD_SLOW
    line = signal = fast - slow
    begun = start + MACD_SLOW + MACD_SIGNAL - 1
    for now in close[start + MACD_SLOW : begun]:
        fast += (now - fast) * fast_share
        slow += (now - slow) * slow_share
        line = fast - slow
        signal += line
    signal = signal / MACD_SIGNAL
    for now in close[begun:end]:
        fast += (now - fast) * fast_share
        slow += (now - slow) * slow_share
        line = fast - slow
        signal += (line - signal) * signal_share
    return (line - signal) / close[end - 1]


def bollinger(bars: Bars, end: int) -> float:
    """Distance of the last close from the mean of 20, in half bands of two deviations."""
    close, length = bars.close, 20
    if end < length:
        return 0.0
    total = squares = 0.0
    for now in close[end - length : end]:
        total += now
    mean = total / length
    for now in close[end - length : end]:
        apart = now - mean
        squares += apart * apart
    half = 2.0 * sqrt(squares / length)
    return (close[end - 1] - mean) / half if half > _FLAT * mean else 0.0


def vwap_distance(bars: Bars, end: int) -> float:
    """Last close over the volume-weighted typical price of 20 bars."""
    start = end - 20
    if start < 0:
        return 0.0
    paid = shares = 0.0
    for high, low, close, volume in zip(  # noqa: B905  # numba knows no `strict`
        bars.high[start:end], bars.low[start:end], bars.close[start:end], bars.volume[start:end]
    ):
        paid += (high + low + close) / 3.0 * volume
        shares += volume
    return bars.close[end - 1] * shares / paid - 1.0 if paid > 0.0 else 0.0


def high_distance(bars: Bars, end: int) -> float:
    """Last close below the highest high of the window: a year of daily bars."""
    start = max(end - _YEAR, 0)
    if end - start < _YEAR_NEEDS:
        return 0.0
    highest = 0.0
    for now in bars.high[start:end]:
        if now > highest:  # noqa: PLR1730  # in plain Python `max` takes three times as long
            highest = now
    return bars.close[end - 1] / highest - 1.0


def spread_bps(bars: Bars, end: int) -> float:
    """Spread as Abdi and Ranaldo (2017) estimate it: how far closes lie from both middles of range.

    Relative distances stand for differences of logarithms.
    """
    start = end - _SPREAD
    if start < 0:
        return 0.0
    n, total = 0, 0.0
    before, last = (bars.high[start] + bars.low[start]) / 2.0, bars.close[start]
    for high, low, close, counts in zip(  # noqa: B905  # numba knows no `strict`
        bars.high[start + 1 : end],
        bars.low[start + 1 : end],
        bars.close[start + 1 : end],
        bars.counts[start : end - 1],
    ):
        middle = (high + low) / 2.0
        if counts > 0.0:
            total += (1.0 - before / last) * (1.0 - middle / last)
            n += 1
        before, last = middle, close
    return sqrt(4.0 * total / n) * BPS if total > 0.0 else 0.0


def last_known(benchmark: Closes, benchmark_end: int, at: float) -> int:
    """Index of the benchmark's newest bar closed at or before a time; -1 when out of its window."""
    j, oldest = benchmark_end - 1, max(benchmark_end - BENCHMARK_WINDOW, 0)
    while j >= oldest:
        if benchmark.closed[j] <= at:
            return j
        j -= 1
    return -1


def relative_strength(bars: Bars, end: int, benchmark: Closes, benchmark_end: int) -> float:
    """Return of 20 bars less the benchmark's between the same times."""
    if end < 21:
        return 0.0
    last = last_known(benchmark, benchmark_end, bars.closed[end - 1])
    before = last_known(benchmark, benchmark_end, bars.closed[end - 21])
    if before < 0:
        return 0.0
    market = benchmark.close[last] / benchmark.close[before] - 1.0
    return momentum(bars, end, 20) - market


def beta(bars: Bars, end: int, benchmark: Closes, benchmark_end: int) -> float:
    """Slope of the returns on the benchmark's, between bars that closed at the same times."""
    start, oldest = max(end - _BETA, 0), max(benchmark_end - BENCHMARK_WINDOW, 0)
    closed, times = bars.closed, benchmark.closed
    i, j = end - 1, benchmark_end - 1
    later = later_market = 0.0
    n, sx, sy, sxy, sxx = 0, 0.0, 0.0, 0.0, 0.0
    while i >= start and j >= oldest:
        at, market_at = closed[i], times[j]
        if at > market_at:
            i -= 1
        elif at < market_at:
            j -= 1
        else:
            own, market = bars.close[i], benchmark.close[j]
            if later > 0.0:
                x, y = later_market / market - 1.0, later / own - 1.0
                n += 1
                sx += x
                sy += y
                sxy += x * y
                sxx += x * x
            later, later_market = own, market
            i -= 1
            j -= 1
    spread = n * sxx - sx * sx
    if n < _BETA_NEEDS - 1 or not spread > 0.0:
        return 1.0
    return (n * sxy - sx * sy) / spread


def distance_from_mean(bars: Bars | Closes, start: int, end: int) -> float:
    """Distance of the last close from the mean close of the bars [start, end), as a fraction."""
    close, total = bars.close, 0.0
    for now in close[start:end]:
        total += now
    return close[end - 1] * (end - start) / total - 1.0


def benchmark_trend(benchmark: Closes, benchmark_end: int) -> float:
    """Distance of the benchmark from its mean of 50 bars."""
    if benchmark_end < _TREND:
        return 0.0
    return distance_from_mean(benchmark, benchmark_end - _TREND, benchmark_end)


def regime(benchmark: Closes, benchmark_end: int) -> float:
    """Stressed by a burst of volatility, else bull or bear by distance from the mean close.

    Too short a window is neutral: nothing is claimed without data.
    """
    start = max(benchmark_end - _REGIME, 0)
    if benchmark_end - start < _REGIME_NEEDS:
        return NEUTRAL
    usual = deviation(benchmark, start, benchmark_end)
    recent = deviation(benchmark, benchmark_end - STRESS_BARS, benchmark_end)
    if usual > 0.0 and recent > STRESS_RATIO * usual:
        return STRESSED
    distance = distance_from_mean(benchmark, start, benchmark_end)
    if distance > TREND_FRACTION:
        return BULL
    return BEAR if distance < -TREND_FRACTION else NEUTRAL


def measure(
    bars: Bars, end: int, benchmark: Closes, benchmark_end: int
) -> tuple[float, float, float, float, float, float, float, float, float, float,
           float, float, float, float, float, float, float, float, float, float]:  # fmt: skip
    """Measure the market features in the order of the table, before transform and clip."""
    atr_now, atr_usual = atr(bars, end)
    return (
        momentum(bars, end, 1),
        momentum(bars, end, 5),
        momentum(bars, end, 20),
        momentum(bars, end, 60),
        gap(bars, end),
        volume_ratio(bars, end),
        atr_now / bars.close[end - 1],
        atr_now / atr_usual if atr_usual > 0.0 else 1.0,
        volatility(bars, end),
        rsi(bars, end),
        macd(bars, end),
        bollinger(bars, end),
        vwap_distance(bars, end),
        high_distance(bars, end),
        spread_bps(bars, end),
        relative_strength(bars, end, benchmark, benchmark_end),
        beta(bars, end, benchmark, benchmark_end),
        benchmark_trend(benchmark, benchmark_end),
        volatility(benchmark, benchmark_end),
        regime(benchmark, benchmark_end),
    )


def account_features(
    cash: float, exposure: float, held: float, equity: float
) -> tuple[float, float, float]:
    """Return cash, value of positions and value held in the symbol over equity, all in dollars.

    An account that is worth nothing is read as one of a dollar.
    """
    worth = equity if equity > 0.0 else 1.0
    return cash / worth, exposure / worth, held / worth


def write_row(
    bars: Bars, end: int, benchmark: Closes, benchmark_end: int, row: MutableSequence[float]
) -> None:
    """Write the market features as a policy sees them; `end` is at least 1."""
    raw = measure(bars, end, benchmark, benchmark_end)
    for k in range(len(raw)):
        value = copysign(sqrt(abs(raw[k])), raw[k]) if _IS_ROOT[k] else raw[k]
        row[k] = _LOW[k] if value < _LOW[k] else _HIGH[k] if value > _HIGH[k] else value


def write_rows(
    bars: Bars,
    benchmark: Closes,
    benchmark_ends: Sequence[int],
    rows: Sequence[MutableSequence[float]],
) -> None:
    """Write a row for every bar; `benchmark_ends` counts what was known of the benchmark."""
    for i in range(len(rows)):
        write_row(bars, i + 1, benchmark, benchmark_ends[i], rows[i])
