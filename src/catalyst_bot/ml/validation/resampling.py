"""Bands of measures of dependent returns: the stationary bootstrap.

Politis and Romano (1994): blocks of random length, wrapped at the end, keep the calm and the stormy
weeks together. How long blocks should be on average: Politis and White (2004) with the correction
of Patton, Politis and White (2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10, sqrt

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.ml.validation.metrics import PERIODS_PER_YEAR, Floats, sharpes

DRAWS = 2_000
BAND = (2.5, 97.5)  # percentiles
MIN_PERIODS = 30
_AT_ONCE = 250  # draws held in memory together


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A 95 % band of an annual Sharpe ratio, and the average block it was drawn with."""

    low: float
    high: float
    block: float
    draws: int


def sharpe_band(returns: Floats, *, seed: Sequence[int], draws: int = DRAWS) -> Band | None:
    """Return the band of the annual Sharpe ratio; the same seed draws the same band.

    None with fewer than `MIN_PERIODS` returns. Raises `ValueError` for a number that is none.
    """
    if not np.isfinite(returns).all():
        raise ValueError("a return is not a number")
    if len(returns) < MIN_PERIODS:
        return None
    block = block_length(returns)
    random = np.random.default_rng(list(seed))
    found = np.concatenate(
        [
            sharpes(returns[drawn_rows(len(returns), block, count, random)].T)
            for count in _chunks(draws)
        ]
    ) * sqrt(PERIODS_PER_YEAR)
    low, high = np.percentile(found, BAND)
    return Band(low=float(low), high=float(high), block=block, draws=draws)


def drawn_rows(
    periods: int, block: float, draws: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return which periods each draw takes, in their order: [draws, periods].

    A block goes on to the next period with chance 1 - 1/block, else another begins anywhere.
    """
    begins = random.random((draws, periods)) < 1.0 / block
    begins[:, 0] = True
    starts = random.integers(0, periods, size=(draws, periods))
    columns = np.arange(periods)
    last = np.maximum.accumulate(np.where(begins, columns, 0), axis=1)
    rows: NDArray[np.int64] = np.take_along_axis(starts, last, axis=1) + (columns - last)
    return rows % periods


def block_length(returns: Floats) -> float:
    """Return the average block length that fits how long returns remember (at least 1)."""
    periods = len(returns)
    away = returns - returns.mean()
    variance = float((away**2).mean())
    if not variance > 0:
        return 1.0
    quiet = max(5, ceil(sqrt(log10(periods))))  # so many small correlations in a row: forgotten
    furthest = min(ceil(sqrt(periods)) + quiet, periods - 1)
    covariances = np.array(
        [float((away[lag:] * away[: periods - lag]).sum()) / periods for lag in range(furthest + 1)]
    )
    bound = 2 * sqrt(log10(periods) / periods)
    small = np.abs(covariances[1:] / variance) < bound
    memory = next(
        (lag for lag in range(len(small) - quiet + 1) if small[lag : lag + quiet].all()),
        len(small),
    )
    reach = min(2 * max(memory, 1), furthest)
    lags = np.arange(1, reach + 1)
    taper = np.clip(2 * (1 - lags / reach), 0.0, 1.0)  # the flat-top window of the paper
    slope = 2 * float((taper * lags * covariances[1 : reach + 1]).sum())
    density = covariances[0] + 2 * float((taper * covariances[1 : reach + 1]).sum())
    if not density > 0:
        return 1.0
    length = (slope**2 / density**2) ** (1 / 3) * periods ** (1 / 3)
    return float(min(max(length, 1.0), ceil(min(3 * sqrt(periods), periods / 3))))


def _chunks(draws: int) -> list[int]:
    return [min(_AT_ONCE, draws - done) for done in range(0, draws, _AT_ONCE)]
