"""The job of the sweep benchmark, for us and for the peer: prices, entries, parameter sets.

Only numpy: the peer runs in an environment of its own, without this project.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SYMBOLS, BARS, ENTRIES = 20, 2_500, 45
STOPS = np.linspace(0.02, 0.12, 10)
TARGETS = np.linspace(0.05, 0.40, 10)
SIZES = np.linspace(0.02, 0.10, 10)
Floats = NDArray[np.float64]


def prices() -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return open, high, low, close and volume of random walks, a column a symbol."""
    rng = np.random.default_rng(1)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0, 0.01, (BARS, SYMBOLS)), axis=0))
    open_ = close * (1 + rng.normal(0, 0.003, close.shape))
    high, low = np.maximum(open_, close) * 1.005, np.minimum(open_, close) * 0.995
    return open_, high, low, close, rng.lognormal(14, 1, close.shape).round()


def entries() -> NDArray[np.int64]:
    """Return the bars at whose close each symbol is wanted, a row a symbol."""
    rng = np.random.default_rng(2)
    bars = np.arange(300, BARS - 20)
    return np.array([np.sort(rng.choice(bars, ENTRIES, replace=False)) for _ in range(SYMBOLS)])
