"""The trades inside a bar: a path from open to close that touches high and low.

Recordings hold bars, but orders meet trades. A path is a function of seed, symbol and bar alone, so
it is the same in every run and whichever bars were asked for before. What is promised: the first
trade is at the bar's start and at its open, the last just before its end and at its close, none
is outside high and low, both are reached, and the sizes add up to the volume.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.market_data.bar_store import BarColumns

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Words = NDArray[np.uint64]

MICROSECONDS = 1_000_000
_FEWEST_POINTS = 12
_POINTS_PER_MINUTE = 2
_WAYPOINTS = 4  # open, high, low, close
_LOW_FIRST = 0.7  # how often a bar that rises visits its low before its high
_NOISE = 0.25  # of high minus low, between waypoints
_USED_SLOT = 0.9  # of a trade's share of the bar; the rest keeps trades apart
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_BAR_STEP = np.uint64(0xD6E8FEB86659FD93)


@dataclass(frozen=True, slots=True)
class TradePath:
    """Trades of consecutive bars, oldest first; bar `n` has those from `starts[n]` on.

    `starts` has one entry more than there are bars. Times are epoch microseconds.
    """

    times_us: Counts
    prices: Floats
    sizes: Counts
    starts: Counts


def path_key(seed: int, symbol: str) -> int:
    """Return the number all draws of a symbol start from."""
    return int.from_bytes(blake2b(f"{seed}|{symbol}".encode(), digest_size=8).digest(), "big")


def points_per_bar(interval_s: int) -> int:
    """Return how many trades a bar has at most: twelve, and two a minute in long bars."""
    return max(_FEWEST_POINTS, _POINTS_PER_MINUTE * interval_s // 60)


def trade_path(bars: BarColumns, rows: slice, *, key: int, interval_s: int) -> TradePath:
    """Return the trades of the bars in `rows`.

    A bar that traded fewer shares than it has points has fewer trades; open, high, low and close
    are always there, with no shares if need be.
    """
    points = points_per_bar(interval_s)
    opened_s = bars.opened_s[rows]
    draws = _draws(key, opened_s, 3 * points + 3)
    first, second = _waypoints(draws[:, :2], points)
    is_low_first = draws[:, 2] < np.where(
        bars.close[rows] >= bars.open[rows], _LOW_FIRST, 1 - _LOW_FIRST
    )
    noise, places, weights = np.split(draws[:, 3:], 3, axis=1)
    prices = _prices(bars, rows, turns=(first, second), is_low_first=is_low_first, noise=noise)
    is_waypoint = np.zeros(prices.shape, dtype=np.bool_)
    every = np.arange(len(opened_s))
    is_waypoint[:, 0] = is_waypoint[:, -1] = True
    is_waypoint[every, first] = is_waypoint[every, second] = True
    sizes = _sizes(bars.volume[rows], weights, is_waypoint)
    is_trade = is_waypoint | (sizes > 0)
    starts = np.concatenate([[0], is_trade.sum(axis=1).cumsum()])
    return TradePath(
        times_us=_times(opened_s, bars.closed_s[rows], places)[is_trade],
        prices=prices[is_trade],
        sizes=sizes[is_trade],
        starts=starts.astype(np.int64),
    )


def _draws(key: int, opened_s: Counts, count: int) -> Floats:
    """Uniform numbers in [0, 1), `count` a bar: splitmix64 of key, bar and place."""
    bars = opened_s.astype(np.uint64)[:, None] * _BAR_STEP + np.uint64(key)
    word: Words = bars + np.arange(1, count + 1, dtype=np.uint64)[None, :] * _GOLDEN
    word = (word ^ (word >> np.uint64(30))) * _MIX_1
    word = (word ^ (word >> np.uint64(27))) * _MIX_2
    word ^= word >> np.uint64(31)
    return np.asarray((word >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def _waypoints(draws: Floats, points: int) -> tuple[Counts, Counts]:
    """Two different places between the first and the last point, in order."""
    first = 1 + (draws[:, 0] * (points - 3)).astype(np.int64)
    second = first + 1 + (draws[:, 1] * (points - 2 - first)).astype(np.int64)
    return first, second


def _prices(
    bars: BarColumns,
    rows: slice,
    *,
    turns: tuple[Counts, Counts],
    is_low_first: NDArray[np.bool_],
    noise: Floats,
) -> Floats:
    """Straight lines through the four waypoints, noise between them, on valid ticks."""
    points = noise.shape[1]
    place = np.arange(points)[None, :]
    opens, closes = bars.open[rows][:, None], bars.close[rows][:, None]
    high, low = bars.high[rows][:, None], bars.low[rows][:, None]
    early = np.where(is_low_first[:, None], low, high)
    late = np.where(is_low_first[:, None], high, low)
    first, second = turns[0][:, None], turns[1][:, None]
    line = np.where(
        place <= first,
        opens + (early - opens) * place / first,
        np.where(
            place <= second,
            early + (late - early) * (place - first) / (second - first),
            late + (closes - late) * (place - second) / (points - 1 - second),
        ),
    )
    line = line + (noise - 0.5) * (high - low) * _NOISE
    steps = np.where(high >= 1.0, 100.0, 10_000.0)
    prices = np.clip(np.round(line * steps) / steps, low, high)
    prices = np.where(place == first, early, np.where(place == second, late, prices))
    prices[:, 0], prices[:, -1] = opens[:, 0], closes[:, 0]
    return np.asarray(prices)


def _sizes(volume: Floats, weights: Floats, is_waypoint: NDArray[np.bool_]) -> Counts:
    """Shares a point: one for each waypoint while there are enough, the rest by weight."""
    total = np.round(volume).astype(np.int64)
    given = (total >= _WAYPOINTS)[:, None] & is_waypoint
    rest = total - given.sum(axis=1)
    share = (0.2 + weights).cumsum(axis=1)
    share /= share[:, -1:]
    upto = np.floor(share * rest[:, None]).astype(np.int64)
    upto[:, -1] = rest
    return np.asarray(np.diff(upto, axis=1, prepend=0) + given)


def _times(opened_s: Counts, closed_s: Counts, places: Floats) -> Counts:
    """Each point somewhere in its share of the bar; the first at the start, the last near the end.

    The last is 1 ms to 1 s (or half its share) before the end.
    """
    points = places.shape[1]
    opened_us = opened_s[:, None] * MICROSECONDS
    slot_us = (closed_s - opened_s)[:, None] * MICROSECONDS // points
    within = (places * slot_us * _USED_SLOT).astype(np.int64)
    within[:, 0] = 0
    times = opened_us + slot_us * np.arange(points) + within
    reach = np.minimum(slot_us[:, 0] // 2, MICROSECONDS) - 1_000
    before = 1_000 + (places[:, -1] * reach.clip(min=0)).astype(np.int64)
    times[:, -1] = closed_s * MICROSECONDS - before
    return np.asarray(times)
