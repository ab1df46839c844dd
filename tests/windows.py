"""Random windows of bars, daily or within days, for whatever looks at windows."""

from __future__ import annotations

import numpy as np

from catalyst_bot.features.window import BarWindow

DAY_S = 86_400
_OPEN_S = 1_600_090_200.0  # 13:30 UTC
_PER_DAY = 78


def random_window(
    seed: int,
    count: int,
    *,
    interval_s: int = DAY_S,
    is_coarse: bool = False,
    drift: float = 0.0,
) -> BarWindow:
    """A random walk with a drift a bar; `is_coarse`: a coarse grid, still and empty bars."""
    rng = np.random.default_rng(seed)
    index = np.arange(count)
    if interval_s >= DAY_S:
        opened_at, length = _OPEN_S + index * float(DAY_S), 23_400.0
    else:
        day, slot = np.divmod(index, _PER_DAY)
        opened_at, length = _OPEN_S + day * float(DAY_S) + slot * float(interval_s), interval_s
    steps = rng.standard_t(3, count) * 0.01 + drift
    close = 50.0 * np.exp(np.cumsum(steps))
    open_ = close * (1 + rng.normal(0, 0.003, count))
    if is_coarse:
        close, open_ = np.maximum(close.round(-1), 10.0), np.maximum(open_.round(-1), 10.0)
    reach = np.zeros(count) if is_coarse else np.abs(rng.normal(0, 0.005, count))
    volume = rng.lognormal(10, 1, count).round()
    if is_coarse:
        volume[rng.random(count) < 0.5] = 0.0
    return BarWindow(
        opened_at=opened_at,
        closed_at=opened_at + length,
        open=open_,
        high=np.maximum(open_, close) * (1 + reach),
        low=np.minimum(open_, close) * (1 - reach),
        close=close,
        volume=volume,
    )
