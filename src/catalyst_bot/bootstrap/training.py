"""Training from the command line: sessions by dates, every agent counted, the model written."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import catalyst_bot
from catalyst_bot.bootstrap.commits import commit
from catalyst_bot.bootstrap.histories import check_days, kept_history
from catalyst_bot.bootstrap.validating import ledger_of
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.history.panel import open_panel
from catalyst_bot.ml.terms import terms_of
from catalyst_bot.ml.training.ensemble import Plan, model_of, parts_of, row_of, table_of
from catalyst_bot.ml.training.parallel import mapped
from catalyst_bot.ml.training.train import TrainedAgent, TrainingJob, train_aloud
from catalyst_bot.ml.validation.trials import TrialLedger
from catalyst_bot.ml.walk_forward.plan import gap_in
from catalyst_bot.policies.model_files import Model, write_model
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.settings import Settings

Note = Callable[[str], None]
_WORK = ".training"  # what stands behind the name of a model for the folder of its training


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTraining:
    """What the command was asked for: a history, or the bars of `interval_s` of a catalog (default:
    that of the data folder); dates are the first day of a part, `end` the last of all.
    """

    out: Path
    history: Path | None
    catalog: Path | None
    interval_s: int
    start: date | None
    end: date | None
    validation: date | None
    test: date | None
    algorithms: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int
    hyperparameters: Path | None
    tries: int
    workers: int
    cluster: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """A model that was written to `folder`, and the agents in it."""

    folder: Path
    model: Model
    trained: tuple[TrainedAgent, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        weights = {agent.name: agent.weight for agent in self.model.agents}
        return {
            "model": str(self.folder),
            "model_id": self.model.model_id,
            "seconds": round(self.seconds, 2),
            "agents": [
                row_of(each) | {"weight": weights[each.agent.name], "seconds": each.seconds}
                for each in self.trained
            ],
            "card": dict(self.model.card),
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Return the table of agents, the best first."""
        return table_of(self.model, self.trained)


def train_model(settings: Settings, asked: AskedTraining, note: Note) -> Training:
    """Train the agents asked for, count them, and write the model.

    Whatever was trained when it was interrupted is not trained again. Raises `ConfigError` or
    `BadData` for what cannot be trained, before anything is; `SourceUnreachable` for a cluster.
    """
    began = time.monotonic()
    if asked.out.exists() and (not asked.out.is_dir() or any(asked.out.iterdir())):
        raise ConfigError(f"--out {asked.out}: is there already; name a new folder for the model")
    work = asked.out.with_name(asked.out.name + _WORK).absolute()
    changes = _changes(asked.hyperparameters)
    kept = asked.history or kept_history(
        settings, asked.catalog, interval_s=asked.interval_s, note=note
    )
    history = kept.absolute()
    panel = open_panel(history)
    days = panel.days()
    first, last = max(asked.start or days[0], days[0]), min(asked.end or days[-1], days[-1])
    check_days(panel, first, last, note)
    parts = parts_of(
        days,
        gap_in(panel),
        start=asked.start,
        end=asked.end,
        validation=asked.validation,
        test=asked.test,
    )
    plan = Plan(
        history=history,
        parts=parts,
        algorithms=asked.algorithms,
        seeds=asked.seeds,
        terms=terms_of(settings),
        steps=asked.steps,
        hyperparameters=changes,
        folder=work,
    )
    plan.jobs()
    ledger = ledger_of(settings)
    if asked.tries:
        plan = _searched(plan, asked.tries, ledger, note)
    jobs = plan.jobs()
    counted = _Counted(ledger, parts.validation, note, of=len(jobs))
    trained = tuple(
        mapped(
            train_aloud, jobs, workers=asked.workers, cluster=asked.cluster, done=counted.is_done
        )
    )
    _, head = ledger.read()
    if not any(each.agent.weight > 0 for each in trained):
        note("no agent earned anything on the validation sessions: all votes weigh the same")
    model = model_of(
        asked.out.name,
        plan,
        trained,
        {
            "trials": head.as_dict(),
            "commit": commit(),
            "program": catalyst_bot.__version__,
            "made_at": SystemClock().now().isoformat(),
        },
    )
    write_model(asked.out, model)
    for job in jobs:
        (work / f"{job.name}.safetensors").unlink(missing_ok=True)
    return Training(
        folder=asked.out, model=model, trained=trained, seconds=time.monotonic() - began
    )


class _Counted:
    """Counts each agent in the ledger once it is there, and says how long the others may take."""

    def __init__(self, ledger: TrialLedger, validation: range, note: Note, *, of: int) -> None:
        self._ledger, self._validation, self._note, self._of = ledger, validation, note, of
        self._began = time.monotonic()

    def is_done(self, count: int, trained: TrainedAgent) -> None:
        _count("train", trained, self._ledger, self._validation)
        left_s = (time.monotonic() - self._began) / count * (self._of - count)
        self._note(
            f"{count} of {self._of}: {trained.agent.name} has a validation Sharpe of "
            f"{trained.validation_sharpe:.2f}; about {left_s:.0f} s left"
        )


def _count(kind: str, trained: TrainedAgent, ledger: TrialLedger, validation: range) -> None:
    """Add a trial, unless it is one that was counted: a training that went on gives the same."""
    trials, _ = ledger.read()
    known = {(trial.kind, trial.config_hash, trial.returns_hash) for trial in trials}
    if (kind, trained.training_hash, trained.returns_hash) not in known:
        ledger.record(
            kind,
            at=SystemClock().now(),
            config_hash=trained.training_hash,
            seeds=(trained.agent.seed,),
            returns_hash=trained.returns_hash,
            sharpe=trained.validation_sharpe,
            periods=len(validation),
        )


def _searched(plan: Plan, tries: int, ledger: TrialLedger, note: Note) -> Plan:
    """Return the plan with the best hyperparameters that were found, one algorithm at a time."""
    from catalyst_bot.ml.training.search import search  # noqa: PLC0415  # optuna, when asked for

    found = dict[str, Mapping[str, Any]]()
    for job in (job for job in plan.jobs() if job.seed == plan.seeds[0]):

        def count(
            trained: TrainedAgent, changes: Mapping[str, Any], job: TrainingJob = job
        ) -> None:
            _count("search", trained, ledger, plan.parts.validation)
            how = "given up at" if trained.is_given_up else "reached"
            note(f"{job.algorithm} {dict(changes)}: {how} {max(trained.curve):.2f}")

        best = search(job, tries=tries, on_try=count)
        note(
            f"{job.algorithm}: {best.score:.2f} after {best.tries} tries, "
            f"{best.given_up} of them given up: {dict(best.changes)}"
        )
        found[job.algorithm] = {**job.hyperparameters, **best.changes}
    return Plan(
        **{name: getattr(plan, name) for name in Plan.__dataclass_fields__}
        | {"hyperparameters": found}
    )


def _changes(path: Path | None) -> Mapping[str, Mapping[str, Any]]:
    """Read changes to hyperparameters: a table of TOML by algorithm, like the shipped one."""
    if path is None:
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--hyperparameters {path}: cannot be read: {error}") from error
    if not all(isinstance(table, dict) for table in found.values()):
        raise ConfigError(f"--hyperparameters {path}: tables named ppo, sac, … are needed")
    return {
        name: {key: value for key, value in table.items() if key != "keywords"}
        | {f"keywords.{key}": value for key, value in table.get("keywords", {}).items()}
        for name, table in found.items()
    }
