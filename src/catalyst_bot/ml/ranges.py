"""A kernel: the average true ranges that a decision at each bar would see."""

from __future__ import annotations

from catalyst_bot.features.kernels import Floats


def write_average_ranges(
    ranges: Floats, length: int, window: int, atr: Floats, atr_average: Floats
) -> None:
    """Write ATR with Wilder's smoothing, and the mean true range, of the window before each bar.

    As `signals.measures` reads them from the last `window` bars; `ranges[i]` is the true range of
    bar i, of no use in the first of a window. What cannot be measured stays as it is.
    """
    smoothing = 1.0 / length
    for last in range(len(ranges)):
        first = max(last + 1 - window, 0) + 1
        begun = first + length
        if begun > last + 1:
            continue
        total = 0.0
        for i in range(first, begun):
            total += ranges[i]
        value = total / length
        for i in range(begun, last + 1):
            total += ranges[i]
            value += (ranges[i] - value) * smoothing
        atr[last] = value
        atr_average[last] = total / (last + 1 - first)
