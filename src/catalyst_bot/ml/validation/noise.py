"""Strategies whose skill is known, to see what the gates make of them.

Without skill they must be refused; with an edge of known Sharpe ratio they must pass as often as
the length of the record allows. Returns are drawn: fat-tailed days of the asked skill, several
agents and seeds that see the same market and so are alike, an inside look that flatters as choosing
does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from catalyst_bot.ml.validation.evidence import Evidence, hash_of_returns
from catalyst_bot.ml.validation.findings import Findings, find
from catalyst_bot.ml.validation.gates import LEAST_SHARPE, MOST_SHARPE, Gate, judge, passes
from catalyst_bot.ml.validation.luck import best_of, variance_between
from catalyst_bot.ml.validation.metrics import PERIODS_PER_YEAR, Floats
from catalyst_bot.ml.validation.trials import Trial
from catalyst_bot.study.statistics import share_band

MOST_LUCKY = 0.05  # share of strategies without skill that may pass
SHARPE_GATES = ("sharpe", "deflated_sharpe")
_ANNUAL = sqrt(PERIODS_PER_YEAR)
_DRAWS = 400  # of the bootstrap: the end of a band within 0.05
_TRADE_DAYS = 5
_RANDOM_ENTRIES = 50
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How strategies are drawn. `alike` is the correlation of two agents' returns, `flattered` how
    many looks the best inside one was chosen of, `costs` the annual Sharpe ratio that twice the
    costs take away.
    """

    folds: int = 36
    fold_days: int = 63
    algorithms: int = 3
    seeds: int = 3
    alike: float = 0.7
    volatility: float = 0.10
    flattered: int = 3
    costs: float = 0.3
    tail: float = 6.0  # degrees of freedom of Student's t


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What became of strategies of one skill. `predicted` is the share that the gates on the Sharpe
    ratio should let through by theory, `by_sharpe` the share that they did, `by_all` that of all
    gates together; `refused` counts by gate who was refused by it.
    """

    sharpe: float
    strategies: int
    predicted: float
    by_sharpe: float
    by_all: float
    band: tuple[float, float]
    refused: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    def row(self) -> tuple[str, ...]:
        """Return a line of a table: true Sharpe ratio, predicted, by Sharpe gates, by all, band."""
        low, high = self.band
        shares = (f"{share:.1%}" for share in (self.predicted, self.by_sharpe, self.by_all))
        return (f"{self.sharpe:g}", *shares, f"{low:.1%} to {high:.1%}")


def noise_test(
    sharpe: float,
    *,
    strategies: int,
    trials: Sequence[Trial],
    seed: int,
    world: World | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Passed:
    """Draw strategies of one true annual Sharpe ratio and put each through every gate."""
    world = world or World()
    all_, by_sharpe, refused = 0, 0, Counter[str]()
    for number, gates in enumerate(_judged(sharpe, strategies, trials, seed, world), 1):
        all_ += passes(gates)
        by_sharpe += all(gate.passes for gate in gates if gate.name in SHARPE_GATES)
        refused.update(gate.name for gate in gates if not gate.passes)
        on_progress(number)
    return Passed(
        sharpe=sharpe,
        strategies=strategies,
        predicted=predicted_power(sharpe, world=world, trials=trials),
        by_sharpe=by_sharpe / strategies,
        by_all=all_ / strategies,
        band=share_band(all_, strategies),
        refused=dict(refused.most_common()),
    )


def predicted_power(sharpe: float, *, world: World, trials: Sequence[Trial]) -> float:
    """Return the chance that an estimate of this true Sharpe ratio meets the gates on it.

    It has to lie above 1.5 and above what luck gives, by 1.64 standard errors, and below 3; it is
    normal with Lo's (2002) standard error.
    """
    days = world.folds * world.fold_days
    error = sqrt((1 + (sharpe / _ANNUAL) ** 2 / 2) / days) * _ANNUAL
    count = max(sum(trial.trials for trial in trials), 1)
    luck = best_of(count, variance_between(trials, days)) * _ANNUAL
    least = max(LEAST_SHARPE, luck + _NORMAL.inv_cdf(0.95) * error)
    return max(
        _NORMAL.cdf((MOST_SHARPE - sharpe) / error) - _NORMAL.cdf((least - sharpe) / error), 0.0
    )


def tried(count: int, *, world: World, seed: int) -> Trial:
    """Return the ledger's line of a search among strategies without skill."""
    days = world.folds * world.fold_days
    found = np.random.default_rng([seed, 7]).normal(0.0, _ANNUAL / sqrt(days), size=count)
    return Trial(
        kind="noise",
        at="",
        config_hash="",
        seeds=(seed,),
        returns_hash=hash_of_returns(found),
        sharpe=float(found.mean()),
        periods=days,
        trials=count,
        sharpe_variance=float(found.var()),
    )


def _judged(
    sharpe: float, strategies: int, trials: Sequence[Trial], seed: int, world: World
) -> Iterator[tuple[Gate, ...]]:
    for number in range(strategies):
        random = np.random.default_rng([seed, number])
        yield judge(_found(drawn_evidence(sharpe, random, world), trials, seed + number))


def _found(evidence: Evidence, trials: Sequence[Trial], seed: int) -> Findings:
    return find(evidence, trials, seed=seed, draws=_DRAWS)


def drawn_evidence(sharpe: float, random: np.random.Generator, world: World) -> Evidence:
    """Return the evidence that a strategy of this true annual Sharpe ratio would leave."""
    days = world.folds * world.fold_days
    count = world.algorithms * world.seeds
    spread = world.volatility / _ANNUAL
    market = _shocks(random, world, (days, 1))
    own = _shocks(random, world, (days, count))
    noise = sqrt(world.alike) * market + sqrt(1 - world.alike) * own
    # The average of agents is calmer than each; the asked skill is that of the average.
    together = noise.mean(axis=1)
    scale = sqrt(world.alike + (1 - world.alike) / count)
    drift = sharpe / _ANNUAL * scale
    agents = (noise + drift) * spread
    returns = (together + drift) * spread
    cost = world.costs / _ANNUAL * scale * spread
    pairs = world.folds - 1
    skill = min(max(sharpe, 0.0) / 2, 1.0)
    return Evidence(
        days=tuple(map(str, range(days))),
        fold=tuple(np.repeat(np.arange(world.folds), world.fold_days).tolist()),
        regimes=tuple(np.tile(("bull", "bull", "sideways", "bear"), days)[:days].tolist()),
        returns=returns,
        returns_2x=returns - cost,
        exposure=np.full(days, 0.5),
        pnl_usd=_trades(returns),
        pnl_usd_2x=_trades(returns - cost),
        benchmark=(_shocks(random, world, (days, 1))[:, 0] + 0.5 / _ANNUAL) * spread,
        baseline=_shocks(random, world, (days, 1))[:, 0] * spread,
        in_sample_sharpes=_inside(sharpe, random, world),
        random_sharpes=random.normal(0.0, _ANNUAL / sqrt(days), size=_RANDOM_ENTRIES),
        likeness=np.clip(random.normal(skill, 0.2, size=pairs), -1.0, 1.0),
        seeds={
            str(number): agents[:, number * world.algorithms :][:, : world.algorithms].mean(axis=1)
            for number in range(world.seeds)
        },
        candidates={f"agent {number}": agents[:, number] for number in range(count)}
        | {
            f"random {number}": _shocks(random, world, (days, 1))[:, 0] * spread
            for number in range(count)
        },
    )


def _shocks(random: np.random.Generator, world: World, shape: tuple[int, int]) -> Floats:
    """Fat-tailed numbers of variance 1."""
    return random.standard_t(world.tail, size=shape) * sqrt((world.tail - 2) / world.tail)


def _trades(returns: Floats) -> Floats:
    """Results as if each stretch of days had been a trade of a hundred thousand dollars."""
    whole = len(returns) // _TRADE_DAYS * _TRADE_DAYS
    results: Floats = returns[:whole].reshape(-1, _TRADE_DAYS).sum(axis=1) * 1e5
    return results


def _inside(sharpe: float, random: np.random.Generator, world: World) -> Floats:
    """What each fold's year of training showed: the best of several looks at it."""
    looks = random.normal(sharpe, 1.0, size=(world.folds, world.flattered))
    # Looks at one year share its luck: choosing among them flatters by their differences alone.
    shared = looks.mean(axis=1, keepdims=True)
    best: Floats = (shared + sqrt(1 - world.alike) * (looks - shared)).max(axis=1)
    return best
