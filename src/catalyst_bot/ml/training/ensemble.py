"""An ensemble: agents of several algorithms and seeds that learned from the same sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.engine.voting import combine_rows
from catalyst_bot.features.spec import SPEC_HASH
from catalyst_bot.history.splits import Gap, Parts, three_parts
from catalyst_bot.ml.terms import Terms
from catalyst_bot.ml.training.identity import libraries
from catalyst_bot.ml.training.judging import judged, weighed
from catalyst_bot.ml.training.recipes import recipe_of
from catalyst_bot.ml.training.train import TrainedAgent, TrainingJob, grounds_of
from catalyst_bot.ml.validation.metrics import Floats
from catalyst_bot.policies.model_files import UNJUDGED, Model

HEADER = ("agent", "validation Sharpe", "weight", "trades", "decisions", "best round", "seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which agents to train on which sessions; `hyperparameters` are changes by algorithm."""

    history: Path
    parts: Parts
    algorithms: tuple[str, ...]
    seeds: tuple[int, ...]
    terms: Terms
    steps: int = 0
    hyperparameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    folder: Path | None = None

    def jobs(self) -> tuple[TrainingJob, ...]:
        """Return a job for each agent, its recipe checked.

        Raises `ConfigError` for an algorithm or a hyperparameter that is none, or named twice.
        """
        if len(set(self.algorithms)) != len(self.algorithms) or not self.algorithms:
            raise ConfigError(f"algorithms: name each once, not {','.join(self.algorithms)!r}")
        for name in self.hyperparameters:
            if name not in self.algorithms:
                raise ConfigError(f"hyperparameters for {name}, which is not trained")
        jobs = tuple(
            TrainingJob(
                history=self.history,
                algorithm=algorithm,
                seed=seed,
                train=self.parts.train,
                validation=self.parts.validation,
                terms=self.terms,
                steps=self.steps,
                hyperparameters=self.hyperparameters.get(algorithm, {}),
                folder=self.folder,
            )
            for algorithm in self.algorithms
            for seed in self.seeds
        )
        for job in jobs:
            recipe_of(job.algorithm, job.hyperparameters)
        return jobs


def parts_of(
    days: Sequence[date],
    gap: Gap,
    *,
    start: date | None = None,
    end: date | None = None,
    validation: date | None = None,
    test: date | None = None,
) -> Parts:
    """Return the sessions to learn from, to choose by and to leave alone.

    By default 60, 20 and 20 of a hundred between `start` and `end`; `validation` and `test` are the
    first days of those parts, and without `test` nothing is left alone. Each part ends before a gap
    in which what was learned is still at work. Raises `BadData` when a part would be empty.
    """
    first = _from(days, start) if start else 0
    stop = _from(days, end, after=True) if end else len(days)
    if validation is None:
        if test is not None:
            raise ConfigError("the first day of the validation part is needed beside that of test")
        return three_parts(range(first, max(stop, first)), gap)
    chosen = _from(days, validation)
    tested = min(_from(days, test), stop) if test else stop
    left = gap.sessions if test else 0
    parts = Parts(
        train=range(first, chosen - gap.sessions),
        validation=range(chosen, tested - left),
        test=range(tested, stop),
    )
    if not (parts.train and parts.validation):
        raise BadData("the dates leave no sessions to learn from, or none to choose by")
    return parts


def model_of(
    name: str, plan: Plan, trained: Sequence[TrainedAgent], card: Mapping[str, Any]
) -> Model:
    """Return the ensemble with its card: what it comes from, and how it did where it was chosen."""
    grounds = grounds_of(plan.history, plan.parts.train, plan.terms)
    model = Model(
        name=name,
        spec_hash=SPEC_HASH,
        bar_interval_s=grounds.tape.interval_s,
        normalisation=grounds.normalisation,
        agents=weighed([each.agent for each in trained]),
        edges=grounds.edges,
        card={
            "verdict": UNJUDGED,
            "data_hash": grounds.data_hash,
            "procedure": procedure_of(plan),
            "sessions": {
                part: [str(grounds.tape.days[each.start]), str(grounds.tape.days[each.stop - 1])]
                for part, each in asdict(plan.parts).items()
                if each
            },
            "agents": [row_of(each) for each in trained],
            "hyperparameters": {job.algorithm: asdict(job.recipe) for job in plan.jobs()},
            "versions": libraries(),
            "parents": [],
            **card,
        },
    )
    return Model(
        **{name: getattr(model, name) for name in Model.__dataclass_fields__}
        | {"card": {**model.card, "validation": _measured(model, plan)}}
    )


def procedure_of(plan: Plan) -> str:
    """Return the SHA-256 of how agents are made, on whatever sessions and by whatever seed."""
    recipes = {job.algorithm: job.recipe for job in plan.jobs()}
    said = repr([sorted(recipes.items()), plan.terms._asdict()])
    return sha256(said.encode()).hexdigest()


def row_of(trained: TrainedAgent) -> dict[str, Any]:
    """Return what is told about one agent, as plain values for JSON."""
    return {
        "name": trained.agent.name,
        "algorithm": trained.agent.algorithm,
        "seed": trained.agent.seed,
        "validation_sharpe": trained.validation_sharpe,
        "validation_trades": trained.validation_trades,
        "steps": trained.steps,
        "curve": list(trained.curve),
        "returns_hash": trained.returns_hash,
        "training_hash": trained.training_hash,
    }


def table_of(model: Model, trained: Sequence[TrainedAgent]) -> list[tuple[str, ...]]:
    """Return a row for each agent, the best first, as `HEADER` names its columns."""
    weights = {agent.name: agent.weight for agent in model.agents}
    return [
        (
            each.agent.name,
            f"{each.validation_sharpe:.2f}",
            f"{weights[each.agent.name]:.2f}",
            str(each.validation_trades),
            f"{each.steps:,}",
            f"{each.curve.index(max(each.curve)) + 1} of {len(each.curve)}",
            f"{each.seconds:.1f}",
        )
        for each in sorted(trained, key=lambda each: -each.validation_sharpe)
    ]


def _measured(model: Model, plan: Plan) -> dict[str, Any]:
    """How the ensemble did on the sessions by which its agents were chosen: it flatters."""
    grounds = grounds_of(plan.history, plan.parts.train, plan.terms)
    weights = np.array([agent.weight for agent in model.agents])

    def decide(rows: Floats) -> tuple[Floats, Floats]:
        votes = [agent.network.forward_rows(rows) for agent in model.agents]
        return combine_rows(np.stack(votes, axis=1), weights)

    found = judged(decide, grounds.tape, plan.terms, plan.parts.validation, model.normalisation)
    return found.metrics.as_dict()


def _from(days: Sequence[date], day: date, *, after: bool = False) -> int:
    """The number of the first session on or after a day; with `after`, after it."""
    return sum(each <= day if after else each < day for each in days)
