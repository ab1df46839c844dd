"""Everything that is measured on the tested quarters, once all folds are finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt

import numpy as np

from catalyst_bot.history.panel import Panel
from catalyst_bot.ml.portfolio.benchmarks import (
    capacity_usd,
    equal_weight,
    held,
    random_runs,
)
from catalyst_bot.ml.portfolio.regimes import regimes_of
from catalyst_bot.ml.portfolio.run import PortfolioRun, run_portfolio
from catalyst_bot.ml.tape import Tape
from catalyst_bot.ml.terms import Terms, at_costs
from catalyst_bot.ml.training.judging import REVIEW_AFTER
from catalyst_bot.ml.validation.evidence import Evidence
from catalyst_bot.ml.validation.metrics import PERIODS_PER_YEAR, Floats, returns_of, sharpes
from catalyst_bot.ml.walk_forward.chain import (
    chain_tape,
    in_turn,
    likeness,
    play,
    policy_of,
    tested,
)
from catalyst_bot.ml.walk_forward.fold import Fold
from catalyst_bot.policies.model_files import Agent
from catalyst_bot.policies.rule_action import RULE_TERMS

RANDOM_RUNS = 40
DOUBLE = 2.0  # times the expected costs
_ANNUAL = sqrt(PERIODS_PER_YEAR)


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The evidence, and what is only reported: the account itself, the rule's, equal weight, how
    large an account may grow.
    """

    evidence: Evidence
    run: PortfolioRun
    baseline: PortfolioRun
    equal_weight: Floats
    capacity_usd: float | None

    @property
    def chains(self) -> Floats:
        """Annual Sharpe ratios of all strategies of ours that were measured on these quarters."""
        agents = [r for name, r in self.evidence.candidates.items() if name.startswith(AGENT)]
        mine = [self.evidence.returns, *self.evidence.seeds.values(), *agents]
        return sharpes(np.stack(mine, axis=1)) * _ANNUAL


AGENT, RULE, CHANCE = "agent ", "rule", "random "


def assess(
    panel: Panel,
    terms: Terms,
    folds: Sequence[Fold],
    *,
    note: Callable[[str], None] = lambda _: None,
) -> Assessment:
    """Trade the tested quarters with the ensembles and with all they are held against."""
    tape, sessions = chain_tape(panel, folds, terms), tested(folds)
    note("trading the tested quarters")
    run = play(tape, terms, folds, policy_of(folds))
    doubled = play(tape, at_costs(terms, DOUBLE), folds, policy_of(folds))
    baseline = run_portfolio(
        tape, terms, sessions=sessions, policy=RULE_TERMS, review_after=REVIEW_AFTER
    )
    members = _members(folds)
    agents = {f"{AGENT}{name}": _returns(tape, terms, folds, _named(name)) for name in members}
    seeds = sorted({agent.seed for fold in folds for agent in fold.model.agents})
    note("trading by chance")
    chance = list(_by_chance(tape, terms, folds, float(run.exposure.mean())))
    panel.let_go()  # what was asked lies all over the files; what follows reads other parts
    evidence = Evidence(
        days=tuple(str(tape.days[session]) for session in sessions),
        fold=tuple(_fold_of(folds, session) for session in sessions),
        regimes=regimes_of(panel, sessions),
        returns=returns_of(run.equity),
        returns_2x=returns_of(doubled.equity),
        exposure=run.exposure,
        pnl_usd=run.trades["pnl_usd"].astype(np.float64),
        pnl_usd_2x=doubled.trades["pnl_usd"].astype(np.float64),
        benchmark=held(panel, panel.card.benchmark, sessions),
        baseline=returns_of(baseline.equity),
        in_sample_sharpes=np.array([fold.in_sample_sharpe for fold in folds]),
        random_sharpes=sharpes(np.stack(chance, axis=1)) * _ANNUAL,
        likeness=likeness(tape, folds),
        seeds={str(seed): _returns(tape, terms, folds, _seeded(seed)) for seed in seeds},
        candidates=agents
        | {RULE: returns_of(baseline.equity)}
        | {f"{CHANCE}{number}": each for number, each in enumerate(chance[: len(members)], 1)},
    )
    panel.let_go()
    return Assessment(
        evidence=evidence,
        run=run,
        baseline=baseline,
        equal_weight=equal_weight(panel, sessions),
        capacity_usd=capacity_usd(run, tape, terms),
    )


def _named(name: str) -> Callable[[Agent], bool]:
    return lambda agent: agent.name == name


def _seeded(seed: int) -> Callable[[Agent], bool]:
    return lambda agent: agent.seed == seed


def _returns(
    tape: Tape, terms: Terms, folds: Sequence[Fold], chosen: Callable[[Agent], bool]
) -> Floats:
    return returns_of(play(tape, terms, folds, policy_of(folds, chosen)).equity)


def _by_chance(
    tape: Tape, terms: Terms, folds: Sequence[Fold], exposure: float
) -> Iterator[Floats]:
    for run in random_runs(
        tape,
        terms,
        sessions=tested(folds),
        exposure=exposure,
        count=RANDOM_RUNS,
        seed=1,
        review_after=REVIEW_AFTER,
        taking_over=partial(in_turn, folds),
    ):
        yield returns_of(run.equity)


def _members(folds: Sequence[Fold]) -> list[str]:
    """The agents that every fold has: they are the same names everywhere."""
    return [agent.name for agent in folds[0].model.agents]


def _fold_of(folds: Sequence[Fold], session: int) -> int:
    return next(fold.number for fold in folds if session in fold.test)
