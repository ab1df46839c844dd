"""One fold: every agent trained, the ensemble written, what it showed inside; kept when done."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.ml.portfolio.run import run_portfolio
from catalyst_bot.ml.training.ensemble import Plan, model_of
from catalyst_bot.ml.training.judging import REVIEW_AFTER
from catalyst_bot.ml.training.train import (
    TrainedAgent,
    TrainingJob,
    grounds_of,
    train_aloud,
)
from catalyst_bot.ml.validation.metrics import measure
from catalyst_bot.ml.walk_forward.fold import Fold
from catalyst_bot.policies.ensemble import EnsemblePolicy
from catalyst_bot.policies.model_files import read_model, write_model

NAME = "ensemble"
_WORK = "work"  # checkpoints and curves of a fold that is not finished


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldJob:
    """All that a process needs to do a fold; `folder` is where it is kept."""

    number: int
    plan: Plan
    folder: Path

    @property
    def is_done(self) -> bool:
        """It was finished before: its model appears whole, as the last thing."""
        return (self.folder / NAME).is_dir()


def train_fold(job: FoldJob, trainer: Callable[[TrainingJob], TrainedAgent] = train_aloud) -> int:
    """Train a fold and keep it; what was finished before stays, what was begun goes on.

    Returns its number. Raises what training raises.
    """
    if job.is_done:
        return job.number
    plan = replace(job.plan, folder=job.folder / _WORK)
    trained = [trainer(each) for each in plan.jobs()]
    model = model_of(NAME, plan, trained, {})
    run = run_portfolio(
        grounds_of(plan.history, plan.parts.train, plan.terms).tape,
        plan.terms,
        sessions=plan.parts.train,
        policy=EnsemblePolicy(model).act_rows,
        review_after=REVIEW_AFTER,
    )
    inside = measure(run.equity, run.trades["pnl_usd"], run.exposure).sharpe or 0.0
    took = {"in_sample_sharpe": inside, "seconds": sum(each.seconds for each in trained)}
    write_model(job.folder / NAME, replace(model, card={**model.card, **took}))
    shutil.rmtree(job.folder / _WORK, ignore_errors=True)
    return job.number


def read_fold(job: FoldJob) -> Fold:
    """Read a finished fold back. Raises `BadData` for one that is damaged."""
    try:
        model = read_model(job.folder / NAME)
        weights = {agent.name: agent.weight for agent in model.agents}
        return Fold(
            number=job.number,
            train=job.plan.parts.train,
            validation=job.plan.parts.validation,
            test=job.plan.parts.test,
            model=model,
            agents=tuple({**row, "weight": weights[row["name"]]} for row in model.card["agents"]),
            in_sample_sharpe=float(model.card["in_sample_sharpe"]),
            seconds=float(model.card["seconds"]),
        )
    except (ConfigError, BadData, KeyError, TypeError, ValueError) as error:
        raise BadData(
            f"{job.folder}: is no finished fold ({error}); delete it, and it is made again"
        ) from error
