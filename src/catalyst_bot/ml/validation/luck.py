"""How likely a Sharpe ratio is luck: its error, the best of many tries, how long a record must be.

All Sharpe ratios here are per period, not annual. Sources: Bailey and López de Prado, "The Sharpe
Ratio Efficient Frontier" (2012) for the probabilistic Sharpe ratio and the minimum track record;
"The Deflated Sharpe Ratio" (2014) for the best of many tries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, isfinite, sqrt
from statistics import NormalDist

import numpy as np

from catalyst_bot.ml.validation.metrics import PERIODS_PER_YEAR, Floats, sharpes
from catalyst_bot.ml.validation.trials import Trial

EULER_MASCHERONI = 0.5772156649015329
CONFIDENCE = 0.95
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the tests need of a series of returns. `kurtosis` is 3 for normal returns."""

    periods: int
    sharpe: float
    skewness: float = 0.0
    kurtosis: float = 3.0

    @property
    def error(self) -> float:
        """Standard error of the Sharpe ratio (Mertens 2002): fat tails and falls widen it."""
        spread = 1 - self.skewness * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2
        return sqrt(max(spread, 1e-12) / (self.periods - 1))


def sample_of(returns: Floats) -> Sample | None:
    """Return the moments of returns; None when there are fewer than three or none that differ."""
    if len(returns) < 3:
        return None
    sharpe = float(sharpes(returns[:, None])[0])
    away = returns - returns.mean()
    spread = float(np.sqrt((away**2).mean()))
    if not spread > 1e-15:
        return None
    return Sample(
        periods=len(returns),
        sharpe=sharpe,
        skewness=float((away**3).mean() / spread**3),
        kurtosis=float((away**4).mean() / spread**4),
    )


def probabilistic_sharpe(sample: Sample, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio is above `benchmark`."""
    return _NORMAL.cdf((sample.sharpe - benchmark) / sample.error)


def minimum_track_record(
    sample: Sample, benchmark: float = 0.0, confidence: float = CONFIDENCE
) -> float | None:
    """Return how many periods it takes to be so sure that the Sharpe ratio is above `benchmark`.

    None when it is not above: no record is long enough.
    """
    if not sample.sharpe > benchmark:
        return None
    spread = sample.error**2 * (sample.periods - 1)
    needed = _NORMAL.inv_cdf(confidence) / (sample.sharpe - benchmark)
    return 1 + spread * needed**2


def best_of(trials: int, variance: float) -> float:
    """Return the Sharpe ratio to expect of the best of so many tries without skill.

    `variance` is that of the Sharpe ratio between tries (the paper's equation 6). One try: 0.
    """
    if trials < 2:
        return 0.0
    return sqrt(variance) * (
        (1 - EULER_MASCHERONI) * _NORMAL.inv_cdf(1 - 1 / trials)
        + EULER_MASCHERONI * _NORMAL.inv_cdf(1 - 1 / (trials * e))
    )


def deflated_sharpe(sample: Sample, *, trials: int, variance: float) -> float:
    """Return the probability that the true Sharpe ratio is above what luck gives in `trials`."""
    return probabilistic_sharpe(sample, best_of(trials, variance))


def variance_between(trials: Sequence[Trial], periods: int) -> float:
    """Return the variance of the Sharpe ratio between tries, for one measured over `periods`.

    Tries of different length are compared by Sharpe x sqrt(periods), which for a try without skill
    has variance 1 whatever its length. Never less than that: tries that are all alike would else
    make the best of them look certain.
    """
    counted = [t for t in trials if t.sharpe is not None and isfinite(t.sharpe) and t.periods > 1]
    total = sum(t.trials for t in counted)
    if total < 2:
        return 1.0 / periods
    weights = np.array([t.trials for t in counted], dtype=np.float64)
    scale = np.sqrt([t.periods / PERIODS_PER_YEAR for t in counted])
    scores = np.array([t.sharpe for t in counted], dtype=np.float64) * scale
    inside = np.array([t.sharpe_variance for t in counted]) * scale**2
    mean = float((weights * scores).sum() / total)
    spread = float((weights * (inside + (scores - mean) ** 2)).sum() / (total - 1))
    return max(spread, 1.0) / periods
