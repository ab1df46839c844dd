"""Catalysts out of bars alone: gaps, unusual moves, new highs, breakouts, squeezes that end.

Whatever is said of a bar is known when it closes: everything is held against earlier sessions and
the bars so far. Volume is held against the same time of day, so the busy opening is no surprise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from catalyst_bot.domain.limits import ScannerRules
from catalyst_bot.features.kernels import Floats
from catalyst_bot.features.window import BarWindow

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
UP, DOWN = 1, -1
# The kinds by direction; where several are true of one bar, the first names the hit.
KINDS: dict[str, tuple[str, str]] = {
    "gap": ("gap_up", "gap_down"),
    "move": ("surge", "plunge"),
    "year": ("year_high", "year_low"),
    "squeeze": ("squeeze_up", "squeeze_down"),
    "break": ("breakout", "breakdown"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What a bar said when it closed, at `closed_s`. `kinds` are all that were true of it.

    `moved` is the move since the close of the session before, as a fraction; `rvol` the volume so
    far over its usual at that time of day.
    """

    session: int
    closed_s: int
    direction: int
    kinds: tuple[str, ...]
    moved: float
    rvol: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sessions:
    """What was known before each session, one value a session (NaN: not enough of a past)."""

    last_close: Floats
    atr: Floats
    usual_usd: Floats
    year_high: Floats
    year_low: Floats
    range_high: Floats
    range_low: Floats
    band_middle: Floats
    band_half: Floats
    is_squeezed: Flags


def scan(
    window: BarWindow, session_of_bar: Integers, slot_of_bar: Integers, rules: ScannerRules
) -> list[Hit]:
    """Return the hits in bars of one symbol, oldest first.

    `session_of_bar` numbers the session of each bar, rising with time, and `slot_of_bar` its place
    in it (0 for the first interval; always 0 for daily bars). A symbol has at most one hit a
    session, and none for `quiet_sessions` after one in the same direction.
    """
    if not len(window):
        return []
    numbers, first, row = np.unique(session_of_bar, return_index=True, return_inverse=True)
    so_far = _volume_so_far(window.volume, row, slot_of_bar)
    past = _past(window, first, row, so_far[:, -1], rules)
    usual = _mean_before(so_far, rules.volume_sessions)[row, slot_of_bar]
    with np.errstate(divide="ignore", invalid="ignore"):
        rvol = so_far[row, slot_of_bar] / usual
        moved = window.close / past.last_close[row] - 1
        gap = np.where(np.arange(len(row)) == first[row], window.open, np.nan)
        gap = gap / past.last_close[row] - 1
    is_liquid = (past.last_close[row] >= rules.min_price_usd) & (
        past.usual_usd[row] >= rules.min_day_usd
    )
    is_busy = is_liquid & (rvol >= rules.min_rvol)
    is_active = is_liquid & (rvol >= rules.break_rvol)
    unusual = rules.move_atrs * past.atr / past.last_close
    squeezed = past.is_squeezed[row] & is_active
    tests: dict[str, tuple[Flags, Flags]] = {
        "gap": (is_busy & (gap >= rules.gap_fraction), is_busy & (gap <= -rules.gap_fraction)),
        "move": (is_busy & (moved >= unusual[row]), is_busy & (moved <= -unusual[row])),
        "year": (
            is_active & (window.close > past.year_high[row]),
            is_active & (window.close < past.year_low[row]),
        ),
        "squeeze": (
            squeezed & (window.close > (past.band_middle + past.band_half)[row]),
            squeezed & (window.close < (past.band_middle - past.band_half)[row]),
        ),
        "break": (
            is_active & (window.close > past.range_high[row]),
            is_active & (window.close < past.range_low[row]),
        ),
    }
    found = _told(tests, numbers[row], rules.quiet_sessions)
    return [
        Hit(
            session=int(numbers[row[bar]]),
            closed_s=int(window.closed_at[bar]),
            direction=direction,
            kinds=kinds,
            moved=float(moved[bar]),
            rvol=float(rvol[bar]),
        )
        for bar, direction, kinds in found
    ]


def _told(
    tests: dict[str, tuple[Flags, Flags]], session: Integers, quiet: int
) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield bar, direction and kinds of what is told: the first of a session, then quiet."""
    any_of = np.logical_or.reduce([flags for pair in tests.values() for flags in pair])
    last = {UP: -quiet - 1, DOWN: -quiet - 1}
    for bar in np.flatnonzero(any_of).tolist():
        now = int(session[bar])
        if now in last.values():
            continue
        for direction, side in ((UP, 0), (DOWN, 1)):
            kinds = tuple(KINDS[name][side] for name, pair in tests.items() if pair[side][bar])
            if kinds and now - last[direction] > quiet:
                last[direction] = now
                yield bar, direction, kinds
                break


def _volume_so_far(volume: Floats, row: Integers, slot: Integers) -> Floats:
    """Volume traded up to each slot: a row a session, flat where no bar is."""
    table = np.zeros((int(row[-1]) + 1, int(slot.max()) + 1))
    np.add.at(table, (row, slot), volume)
    so_far: Floats = table.cumsum(axis=1)
    return so_far


def _mean_before(values: Floats, n: int) -> Floats:
    """Mean of the `n` rows before each row; NaN where there are fewer."""
    mean = np.full(values.shape, np.nan)
    if len(values) > n:
        total = np.cumsum(np.concatenate([np.zeros((1, *values.shape[1:])), values]), axis=0)
        mean[n:] = (total[n:-1] - total[: -n - 1]) / n
    return mean


def _windows_before(values: Floats, n: int) -> Floats:
    """The `n` values before each value as a row; only for those that have so many."""
    return sliding_window_view(values[:-1], n) if len(values) > n else np.empty((0, n))


def _padded(known: Floats, length: int) -> Floats:
    """Put NaN before what is known, up to a length."""
    return np.concatenate([np.full(length - len(known), np.nan), known])


def _past(
    window: BarWindow, first: Integers, row: Integers, volume: Floats, rules: ScannerRules
) -> _Sessions:
    sessions = len(first)
    last = np.append(first[1:], len(row)) - 1
    close = window.close[last]
    high, low = np.maximum.reduceat(window.high, first), np.minimum.reduceat(window.low, first)
    before = _padded(close[:-1], sessions)
    true_range = np.fmax(high, before) - np.fmin(low, before)
    n = rules.break_sessions
    bands = _windows_before(close, n)
    half = _padded(rules.band_deviations * bands.std(axis=1), sessions)
    year_high, year_low = _extremes(high, low, rules.year_sessions)
    range_high, range_low = _extremes(high, low, n)
    return _Sessions(
        last_close=before,
        atr=_mean_before(true_range, rules.atr_sessions),
        usual_usd=_mean_before(volume * close, rules.volume_sessions),
        year_high=year_high,
        year_low=year_low,
        range_high=range_high,
        range_low=range_low,
        band_middle=_padded(bands.mean(axis=1), sessions),
        band_half=half,
        is_squeezed=_is_narrow(half / before, rules),
    )


def _extremes(high: Floats, low: Floats, n: int) -> tuple[Floats, Floats]:
    """The highest high and the lowest low of the `n` values before each."""
    highest, lowest = extreme_before(high, n, np.maximum), extreme_before(low, n, np.minimum)
    return _padded(highest, len(high)), _padded(lowest, len(low))


def extreme_before(values: Floats, n: int, larger: np.ufunc) -> Floats:
    """Return the extreme of the `n` values before each value, only for those that have so many.

    `larger` is `np.maximum` or `np.minimum`. The extreme of a window is that of two shorter ones
    that cover it: a year takes eight steps, not 252.
    """
    if len(values) <= n:
        return np.empty(0)
    extreme, length = values[:-1], 1
    while length < n:
        step = min(length, n - length)
        extreme, length = larger(extreme[:-step], extreme[step:]), length + step
    return extreme


def _is_narrow(width: Floats, rules: ScannerRules) -> Flags:
    """True where a width is among the smallest of those before it."""
    n = rules.squeeze_sessions
    earlier = _windows_before(width, n)
    now = width[len(width) - len(earlier) :]
    with np.errstate(invalid="ignore"):
        share = (earlier < now[:, None]).mean(axis=1)
    share[~np.isfinite(earlier).all(axis=1) | ~np.isfinite(now)] = np.nan
    narrow: Flags = _padded(share, len(width)) <= rules.squeeze_share
    return narrow
