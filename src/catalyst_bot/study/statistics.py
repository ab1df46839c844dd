"""The statistics of small, clumped samples: bands by days, many tests at once, decay.

Everything is a pure function of its arguments; what draws takes a seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

DRAWS = 1_000
MIN_CLUSTERS = 10  # fewer days say nothing about the spread between days
BAND = (2.5, 97.5)  # percentiles
_NO_SPREAD = 1e-12  # of the mean: rounding
_Z95 = 1.959963984540054
_HALF_LIVES_PER_DECADE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """A mean with its bootstrap band and standard error, in the unit of the values.

    `low`, `high`, `error` and `p` are NaN with fewer than `MIN_CLUSTERS` clusters, and where all
    clusters are alike: a band without width would claim to know.
    """

    n: int
    clusters: int
    value: float
    low: float
    high: float
    error: float
    p: float


def clustered_mean(values: Floats, clusters: Integers, *, seed: Sequence[int]) -> Mean:
    """Return the mean, its 95 % band from drawing whole clusters, and the two-sided p-value.

    Events of one day share the day's market: drawing days, not events, keeps a busy day from
    passing as a hundred proofs. Raises `ValueError` for an empty or a NaN sample.
    """
    if not len(values) or not np.isfinite(values).all():
        raise ValueError("a mean needs at least one value and no NaN")
    _, member = np.unique(clusters, return_inverse=True)
    sums, counts = np.bincount(member, weights=values), np.bincount(member)
    value, days, nan = float(values.mean()), len(sums), math.nan
    unsure = Mean(n=len(values), clusters=days, value=value, low=nan, high=nan, error=nan, p=nan)
    if days < MIN_CLUSTERS:
        return unsure
    drawn = np.random.default_rng(list(seed)).integers(0, days, size=(DRAWS, days))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, BAND)
    error = float(means.std(ddof=1))
    if not error > _NO_SPREAD * max(abs(value), 1.0):
        return unsure
    return Mean(
        n=len(values),
        clusters=days,
        value=value,
        low=float(low),
        high=float(high),
        error=error,
        p=math.erfc(abs(value) / error / math.sqrt(2)),
    )


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return the adjusted p-value of each test (the false discovery rate at which it would pass).

    NaN is no test: it stays NaN and does not count (Benjamini and Hochberg 1995).
    """
    tested = sorted((p, index) for index, p in enumerate(p_values) if not math.isnan(p))
    adjusted = [math.nan] * len(p_values)
    smallest = 1.0
    for rank in range(len(tested), 0, -1):
        p, index = tested[rank - 1]
        smallest = min(smallest, p * len(tested) / rank)
        adjusted[index] = smallest
    return adjusted


def share_band(hits: float, n: int) -> tuple[float, float]:
    """Return the 95 % band of a share (Wilson 1927); (0, 1) of nothing."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = hits / n, _Z95**2
    middle = share + z2 / (2 * n)
    spread = _Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max((middle - spread) / (1 + z2 / n), 0.0), min((middle + spread) / (1 + z2 / n), 1.0)


def half_life(horizons: Floats, means: Floats, errors: Floats) -> float | None:
    """Return the time after which half of the whole effect was seen, in the unit of `horizons`.

    Fits `A (1 - 2^(-h/T))` by weighted least squares over a grid of T. None when the fit says
    nothing: fewer than three points, or a T at an end of the grid (no decay in sight, or done
    before the first look).
    """
    usable = np.isfinite(means) & np.isfinite(errors) & (errors > 0)
    h, y, weight = horizons[usable], means[usable], 1 / errors[usable] ** 2
    if len(h) < 3:
        return None
    decades = math.log10(h.max() / h.min()) + 1
    steps = int(decades * _HALF_LIVES_PER_DECADE) + 1
    lives = np.geomspace(h.min() / math.sqrt(10), h.max() * math.sqrt(10), steps)
    shape = 1 - 2.0 ** (-h[None, :] / lives[:, None])
    size = (shape * y * weight).sum(axis=1) / (shape**2 * weight).sum(axis=1)
    misfit = ((y - size[:, None] * shape) ** 2 * weight).sum(axis=1)
    best = int(misfit.argmin())
    return float(lives[best]) if 0 < best < len(lives) - 1 else None


def shrunk(value: float, error: float, prior_spread: float) -> tuple[float, float]:
    """Return the posterior mean and standard error under a normal prior around 0.

    The less is known, the nearer to 0: without data the answer is 0 within the prior.
    """
    if not error > 0:
        return 0.0, prior_spread
    weight = prior_spread**2 / (prior_spread**2 + error**2)
    return weight * value, math.sqrt(weight) * error
