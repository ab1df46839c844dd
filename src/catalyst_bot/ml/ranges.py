"""A kernel: the average true ranges that a decision at each bar would see."""

from __future__ import annotations

import numpy as np

from catalyst_bot.features.kernels import Floats


def write_average_ranges(
    ranges: Floats, length: int, window: int, atr: Floats, atr_average: Floats
) -> None:
    """Write ATR with Wilder's smoothing, and the mean true range, of the window before each bar.

    As `signals.measures` reads them from the last `window` bars, within rounding (of ATR: of the
    largest range before); NaN where they cannot be. `ranges[i]` is the true range of bar i + 1.
    Every bar goes on from the one before, so a long window costs no more: with s(t) what smoothing
    from the first range on gives at t, a window has s(now) + decay x (mean of its first `length` -
    s(at the last of these)).
    """
    seen = window - 1  # ranges in a full window
    is_enough = length <= min(seen, len(ranges))
    unknown = length if is_enough else len(atr)
    atr[:unknown] = atr_average[:unknown] = np.nan
    if not is_enough:
        return
    share, kept = 1.0 / length, 1.0 - 1.0 / length
    decay = kept ** (seen - length)
    total = lost = first = 0.0
    for now in ranges[:length]:
        first += now
    value, smooth = first * share, np.empty(len(ranges))
    for i in range(len(ranges)):
        total, lost = _add(total, lost, ranges[i])
        if i >= length:
            value = value * kept + ranges[i] * share
        smooth[i] = value
        if i < seen:
            if i >= length - 1:
                atr[i + 1], atr_average[i + 1] = value, (total + lost) / (i + 1)
            continue
        then = i - seen
        total, lost = _add(total, lost, -ranges[then])
        first += ranges[then + length] - ranges[then]
        atr[i + 1] = max(value + decay * (first * share - smooth[then + length]), 0.0)
        atr_average[i + 1] = (total + lost) / seen


def _add(total: float, lost: float, value: float) -> tuple[float, float]:
    """Add to a running sum whose rounding is kept beside it (Knuth's exact sum of two)."""
    new = total + value
    added = new - total
    return new, lost + ((total - (new - added)) + (value - added))
