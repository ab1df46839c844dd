"""What evidence amounts to: every figure that the gates and the reports name, computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from catalyst_bot.ml.validation.evidence import Evidence
from catalyst_bot.ml.validation.luck import (
    best_of,
    deflated_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    sample_of,
    variance_between,
)
from catalyst_bot.ml.validation.metrics import (
    PERIODS_PER_YEAR,
    Floats,
    Metrics,
    equity_of,
    measure,
    sharpes,
)
from catalyst_bot.ml.validation.overfitting import Overfitting, overfitting
from catalyst_bot.ml.validation.resampling import DRAWS, Band, sharpe_band
from catalyst_bot.ml.validation.trials import Trial

_ANNUAL = sqrt(PERIODS_PER_YEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Sharpe ratios are annual. None where the evidence does not support a figure.

    `seed_quartiles`: lower, middle and upper quartile of the seeds' Sharpe ratios. `fold_sharpes`
    and `fold_returns` are of each tested quarter. `sharpe_by_luck` is what the best of `trials`
    tries without skill would show. `error` is the standard error of the Sharpe ratio.
    """

    metrics: Metrics
    metrics_2x: Metrics
    benchmark: Metrics
    baseline: Metrics
    regimes: dict[str, Metrics]
    seeds: dict[str, float]
    seed_quartiles: tuple[float, float, float] | None
    folds: tuple[int, ...]
    fold_sharpes: tuple[float, ...]
    fold_returns: tuple[float, ...]
    in_sample_sharpe: float | None
    oos_to_is: float | None
    trials: int | None
    error: float | None
    probabilistic: float | None
    deflated: float | None
    sharpe_by_luck: float | None
    track_record_needed: float | None
    band: Band | None
    overfitting: Overfitting | None
    likeness: float | None
    above_random: float | None


def find(
    evidence: Evidence, trials: Sequence[Trial] | None, *, seed: int = 1, draws: int = DRAWS
) -> Findings:
    """Return all figures of evidence; `trials` are those of the ledger, `seed` of the bootstrap.

    Without a ledger that can be trusted (None) nothing is said about luck in many trials.
    """
    metrics = _measured(evidence.returns, evidence.pnl_usd, evidence.exposure)
    folds, quarters = _quarters(evidence)
    inside = _mean(evidence.in_sample_sharpes)
    seeds = {name: _annual(each) for name, each in evidence.seeds.items()}
    return Findings(
        metrics=metrics,
        metrics_2x=_measured(evidence.returns_2x, evidence.pnl_usd_2x, evidence.exposure),
        benchmark=_held(evidence.benchmark),
        baseline=_held(evidence.baseline),
        regimes=_by_regime(evidence),
        seeds=seeds,
        seed_quartiles=_quartiles(list(seeds.values())),
        folds=folds,
        fold_sharpes=tuple(_annual(each) for each in quarters),
        fold_returns=tuple(float(np.prod(1 + each) - 1) for each in quarters),
        in_sample_sharpe=inside,
        oos_to_is=metrics.sharpe / inside
        if metrics.sharpe is not None and inside is not None and inside > 0
        else None,
        **_luck(evidence.returns, trials),
        band=sharpe_band(evidence.returns, seed=(seed, 1), draws=draws),
        overfitting=_overfitted(evidence),
        likeness=_mean(evidence.likeness),
        above_random=_share_below(evidence.random_sharpes, metrics.sharpe),
    )


def _measured(returns: Floats, pnl_usd: Floats | None, exposure: Floats | None) -> Metrics:
    return measure(equity_of(returns), pnl_usd, exposure)


def _held(returns: Floats) -> Metrics:
    """Measures of what is only compared by its curve."""
    return _measured(returns, None, None)


def _annual(returns: Floats) -> float:
    return float(sharpes(returns[:, None])[0]) * _ANNUAL if len(returns) > 1 else 0.0


def _quarters(evidence: Evidence) -> tuple[tuple[int, ...], list[Floats]]:
    fold = np.array(evidence.fold, dtype=np.int64)
    numbers = tuple(int(number) for number in np.unique(fold))
    return numbers, [evidence.returns[fold == number] for number in numbers]


def _by_regime(evidence: Evidence) -> dict[str, Metrics]:
    """The days of each regime one after the other, as if nothing lay between them."""
    of_day = np.array(evidence.regimes)
    return {
        str(name): _held(evidence.returns[of_day == name]) for name in sorted(set(evidence.regimes))
    }


def _luck(returns: Floats, trials: Sequence[Trial] | None) -> dict[str, Any]:
    names = ("error", "probabilistic", "deflated", "sharpe_by_luck", "track_record_needed")
    count = None if trials is None else max(sum(trial.trials for trial in trials), 1)
    found: dict[str, Any] = dict.fromkeys(names) | {"trials": count}
    sample = sample_of(returns)
    if sample is None:
        return found
    found |= {
        "error": sample.error * _ANNUAL,
        "probabilistic": probabilistic_sharpe(sample),
        "track_record_needed": minimum_track_record(sample),
    }
    if trials is not None and count is not None:
        variance = variance_between(trials, sample.periods)
        found["deflated"] = deflated_sharpe(sample, trials=count, variance=variance)
        found["sharpe_by_luck"] = best_of(count, variance) * _ANNUAL
    return found


def _overfitted(evidence: Evidence) -> Overfitting | None:
    if len(evidence.candidates) < 2:
        return None
    return overfitting(np.stack(list(evidence.candidates.values()), axis=1))


def _quartiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    if not values:
        return None
    lower, middle, upper = np.percentile(values, (25, 50, 75)).tolist()
    return lower, middle, upper


def _mean(values: Floats) -> float | None:
    return float(values.mean()) if len(values) else None


def _share_below(values: Floats, mine: float | None) -> float | None:
    return float((values < mine).mean()) if len(values) and mine is not None else None
