"""The gates: each one question to the evidence, with a threshold and a source. All must say yes.

The roadmap's table of metrics and red flags, its rules for walk-forward validation, and the tests
for luck. What the evidence does not answer is a no.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from catalyst_bot.ml.validation.findings import Findings
from catalyst_bot.ml.validation.luck import CONFIDENCE

MIN_SEEDS = 3
MIN_REGIME_DAYS = 63  # a quarter: fewer say nothing of a market
REGIMES = ("bull", "bear", "sideways")  # a crisis is reported, it is too short to be judged
LEAST_SHARPE, MOST_SHARPE = 1.5, 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One answer: what was seen (None: no evidence), what is asked, and where it came from."""

    name: str
    value: float | None
    threshold: str
    passes: bool
    evidence: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A row of the table. `value` looks it up; it passes above `low` and below `high`."""

    name: str
    value: Callable[[Findings], float | None]
    low: float | None = None
    high: float | None = None
    about: str

    def ask(self, findings: Findings) -> Gate:
        """Return the answer."""
        value = self.value(findings)
        return answered(self.name, value, low=self.low, high=self.high, evidence=self.about)


def answered(
    name: str, value: float | None, *, low: float | None, high: float | None, evidence: str
) -> Gate:
    """Return the gate of a value that has to lie above `low` and below `high`.

    No value and a value that is no number do not pass.
    """
    over = low is None or (value is not None and value > low)
    under = high is None or (value is not None and value < high)
    asked = [f"> {low:g}" if low is not None else "", f"< {high:g}" if high is not None else ""]
    return Gate(
        name=name,
        value=value,
        threshold=" and ".join(filter(None, asked)),
        passes=value is not None and over and under,
        evidence=evidence if value is not None else f"no evidence: {evidence}",
    )


def _less(mine: float | None, other: float | None) -> float | None:
    return mine - other if mine is not None and other is not None else None


def _worst_regime(findings: Findings) -> float | None:
    known = [
        findings.regimes[name].sharpe
        for name in REGIMES
        if name in findings.regimes and findings.regimes[name].periods >= MIN_REGIME_DAYS
    ]
    return min((each for each in known if each is not None), default=None)


QUESTIONS = (
    Question(
        name="out_of_sample_periods",
        value=lambda f: float(len(f.folds)),
        low=4.5,
        about="quarters that no model had seen; the roadmap asks for five",
    ),
    Question(
        name="trades",
        value=lambda f: float(f.metrics.trades or 0),
        low=49.5,
        about="closed trades out of sample; the roadmap asks for fifty",
    ),
    Question(
        name="sharpe",
        value=lambda f: f.metrics.sharpe,
        low=LEAST_SHARPE,
        high=MOST_SHARPE,
        about="annual, after costs; above 3 is the roadmap's red flag for overfitting",
    ),
    Question(
        name="sharpe_of_seeds",
        value=lambda f: (
            f.seed_quartiles[0]
            if f.seed_quartiles is not None and len(f.seeds) >= MIN_SEEDS
            else None
        ),
        low=LEAST_SHARPE,
        about=f"lower quartile over at least {MIN_SEEDS} seeds: promoted by the worse half",
    ),
    Question(
        name="sharpe_band",
        value=lambda f: f.band.low if f.band is not None else None,
        low=0.0,
        about="lower end of the 95 % band of the Sharpe ratio (stationary bootstrap)",
    ),
    Question(
        name="sharpe_at_2x_costs",
        value=lambda f: f.metrics_2x.sharpe,
        low=1.0,
        about="the same models at twice the expected costs",
    ),
    Question(
        name="sortino", value=lambda f: f.metrics.sortino, low=2.0, about="annual, after costs"
    ),
    Question(
        name="calmar",
        value=lambda f: f.metrics.calmar,
        low=1.0,
        about="annual return over the largest drawdown",
    ),
    Question(
        name="max_drawdown",
        value=lambda f: f.metrics.max_drawdown,
        high=0.15,
        about="from a peak to a later low, over all quarters in a row",
    ),
    Question(
        name="profit_factor",
        value=lambda f: f.metrics.profit_factor,
        low=1.5,
        about="dollars won for a dollar lost",
    ),
    Question(
        name="win_rate",
        value=lambda f: f.metrics.win_rate,
        low=0.5,
        about="share of trades that made money after costs",
    ),
    Question(
        name="return_over_benchmark",
        value=lambda f: _less(f.metrics.annual_return, f.benchmark.annual_return),
        low=0.0,
        about="annual return above holding the benchmark",
    ),
    Question(
        name="sharpe_over_benchmark",
        value=lambda f: _less(f.metrics.sharpe, f.benchmark.sharpe),
        low=0.0,
        about="Sharpe ratio above that of holding the benchmark",
    ),
    Question(
        name="sharpe_over_baseline",
        # A rule that never traded has no Sharpe ratio; then it has to be beaten by 0.
        value=lambda f: _less(f.metrics.sharpe, f.baseline.sharpe or 0.0),
        low=0.0,
        about="Sharpe ratio above that of the rule on the same cases",
    ),
    Question(
        name="above_random",
        value=lambda f: f.above_random,
        low=0.95,
        about="share of random entries with the same exposure that did worse",
    ),
    Question(
        name="folds_that_gained",
        value=lambda f: sum(r > 0 for r in f.fold_returns) / len(f.folds) if f.folds else None,
        low=0.6,
        about="share of the quarters that ended above their beginning",
    ),
    Question(
        name="worst_regime",
        value=_worst_regime,
        low=0.0,
        about=f"lowest Sharpe ratio of {', '.join(REGIMES)}, where there are enough days",
    ),
    Question(
        name="deflated_sharpe",
        value=lambda f: f.deflated,
        low=CONFIDENCE,
        about="chance that the true Sharpe ratio is above the best of all trials by luck",
    ),
    Question(
        name="track_record",
        value=lambda f: (
            f.metrics.periods / f.track_record_needed if f.track_record_needed is not None else None
        ),
        low=1.0,
        about="sessions measured for each that the minimum track record needs",
    ),
    Question(
        name="pbo",
        value=lambda f: f.overfitting.probability if f.overfitting is not None else None,
        high=0.2,
        about="chance that the best-looking candidate is below the median elsewhere",
    ),
    Question(
        name="stability",
        value=lambda f: f.likeness,
        low=0.5,
        about="correlation of what the models of neighbouring folds answer to the same questions",
    ),
)


def judge(findings: Findings) -> tuple[Gate, ...]:
    """Return the answer of every gate, in the order of the table."""
    asked = [question.ask(findings) for question in QUESTIONS]
    return (*asked, _out_to_in(findings))


def passes(gates: Sequence[Gate]) -> bool:
    """All gates said yes."""
    return bool(gates) and all(gate.passes for gate in gates)


def _out_to_in(findings: Findings) -> Gate:
    """Much worse outside is overfitting; better by more than chance is luck."""
    error, inside = findings.error or 0.0, findings.in_sample_sharpe
    slack = error / inside if inside is not None and inside > error else None
    return answered(
        "oos_to_is",
        findings.oos_to_is if slack is not None else None,
        low=0.7,
        high=round(1.0 + (slack or 0.0), 2),
        evidence="Sharpe ratio outside for one inside, which must be above its standard error; "
        "better outside by more than that is luck or selection",
    )
