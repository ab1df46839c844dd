"""Adjusted prices as they could be computed on each day: later days never change earlier ones.

Vendors adjust backwards, so every later dividend rescales all earlier prices. Here the factor
begins at 1 and grows with each dividend and split: adjusted = as traded x factor. Returns are the
same, but nothing of the past is written again.
"""

from __future__ import annotations

import numpy as np

from catalyst_bot.features.kernels import Floats

# Vendors round adjusted closes; a smaller step is their rounding, not a dividend.
ROUNDING = 5e-4
# How a split changes a price over a night: 2 for 1 halves it, 1 for 10 makes ten of one. Three for
# two is not in it: such moves are ordinary news.
_SPLITS = np.array([2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100])
_NEAR_SPLIT = 0.06
_ANY_JUMP = 3.0  # nothing but news or a bad row does more in a night
_SURGE = 3.0  # times the usual money: then it was news
_USUAL_BARS = 20


def forward_factor(close: Floats, adjusted: Floats) -> Floats:
    """Return the factor of each bar from as-traded and vendor-adjusted closes, 1 at the first."""
    ratio = adjusted / close
    step = ratio[1:] / ratio[:-1]
    step[np.abs(step - 1.0) < ROUNDING] = 1.0
    return np.concatenate([[1.0], np.cumprod(step)])


def unexplained_jumps(open_: Floats, close: Floats, volume: Floats) -> list[int]:
    """Return the bars before which the price jumped like a split that nobody adjusted.

    In adjusted prices. A crash and a takeover jump, too, but with a multiple of the usual money.
    """
    night, after = open_[1:] / close[:-1], close[1:] / close[:-1]
    size = np.maximum(night, 1 / night)
    nearest = np.abs(size[:, None] / _SPLITS - 1.0).min(axis=1, initial=np.inf)
    stays = np.abs(after / night - 1.0) < 0.15  # a bad print goes back within the day
    is_large = ((nearest < _NEAR_SPLIT) & stays) | (size > _ANY_JUMP)
    money = close * volume
    return [
        int(row) + 1
        for row in np.flatnonzero(is_large)
        if money[row + 1]
        < _SURGE * float(np.median(money[max(row + 1 - _USUAL_BARS, 0) : row + 1]))
    ]
