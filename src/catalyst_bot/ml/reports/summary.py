"""The figures of a walk forward under the names that programs read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from catalyst_bot.ml.validation.evidence import Evidence
from catalyst_bot.ml.validation.findings import Findings
from catalyst_bot.ml.validation.gates import Gate, passes
from catalyst_bot.ml.validation.metrics import equity_of, measure
from catalyst_bot.policies.model_files import PASSED

REFUSED = "refused"


def aggregate(findings: Findings, gates: Sequence[Gate]) -> dict[str, Any]:
    """Return the figures of all tested quarters in a row; null where the evidence gives none."""
    f, quartiles = findings, findings.seed_quartiles
    return {
        **f.metrics.as_dict(),
        "benchmark_sharpe": f.benchmark.sharpe,
        "benchmark_return": f.benchmark.annual_return,
        "benchmark_max_drawdown": f.benchmark.max_drawdown,
        "baseline_sharpe": f.baseline.sharpe,
        "baseline_return": f.baseline.annual_return,
        "in_sample_sharpe": f.in_sample_sharpe,
        "oos_to_is": f.oos_to_is,
        "deflated_sharpe": f.deflated,
        "probabilistic_sharpe": f.probabilistic,
        "sharpe_by_luck": f.sharpe_by_luck,
        "trials": f.trials,
        "track_record_needed": f.track_record_needed,
        "pbo": f.overfitting.probability if f.overfitting is not None else None,
        "sharpe_ci": [f.band.low, f.band.high] if f.band is not None else None,
        "seed_iqr": quartiles[2] - quartiles[0] if quartiles is not None else None,
        "seed_quartiles": list(quartiles) if quartiles is not None else None,
        "sharpe_at_2x_costs": f.metrics_2x.sharpe,
        "return_at_2x_costs": f.metrics_2x.annual_return,
        "stability": f.likeness,
        "above_random": f.above_random,
        "verdict": PASSED if passes(gates) else REFUSED,
    }


def fold_figures(evidence: Evidence, number: int) -> dict[str, Any]:
    """Return the figures of one tested quarter; trades are counted for all quarters together."""
    inside = np.array(evidence.fold) == number
    days = [day for day, is_in in zip(evidence.days, inside, strict=True) if is_in]
    mine = measure(equity_of(evidence.returns[inside]), np.zeros(0), evidence.exposure[inside])
    other = measure(equity_of(evidence.benchmark[inside]), np.zeros(0), np.zeros(0))
    return {
        "from": days[0],
        "to": days[-1],
        "sessions": len(days),
        "sharpe": mine.sharpe,
        "return": mine.total_return,
        "max_drawdown": mine.max_drawdown,
        "exposure": mine.exposure,
        "benchmark_return": other.total_return,
        "benchmark_sharpe": other.sharpe,
    }
