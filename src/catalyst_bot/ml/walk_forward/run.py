"""A walk forward from a history to its report: folds that are kept, then one measurement of all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from catalyst_bot.features.spec import SPEC_HASH
from catalyst_bot.history.panel import Panel, open_panel
from catalyst_bot.ml.reports.files import Report
from catalyst_bot.ml.training.ensemble import Plan, procedure_of
from catalyst_bot.ml.training.identity import PROGRAM, libraries
from catalyst_bot.ml.training.parallel import mapped
from catalyst_bot.ml.validation.trials import TrialLedger
from catalyst_bot.ml.walk_forward.fold_jobs import FoldJob, read_fold, train_fold
from catalyst_bot.ml.walk_forward.plan import folds_of, gap_in, least_in, must_be_asked
from catalyst_bot.ml.walk_forward.report import Note, Provenance, Wish, data_hash_of, measured
from catalyst_bot.policies.model_files import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """The report, and the newest fold's model with a card that says where it comes from."""

    report: Report
    model: Model


def walk(wish: Wish, ledger: TrialLedger, provenance: Provenance, *, note: Note) -> Walked:
    """Walk forward, or go on where it stopped; count it in the ledger and return what it found.

    Raises `BadData` and `ConfigError` for what cannot be walked over, before anything is trained.
    """
    ledger.read()  # a ledger that was cut is refused before the work, not after it
    panel = open_panel(wish.history)
    plans = _plans(wish, panel)
    jobs = _jobs(wish, panel, plans)
    _train(jobs, wish, note)
    folds = [read_fold(job) for job in jobs]
    report = measured(
        wish, panel, folds, procedure_of(plans[0]), ledger, provenance=provenance, note=note
    )
    newest = folds[-1].model
    return Walked(
        report=report, model=replace(newest, card={**newest.card, **_card(report.content)})
    )


def _plans(wish: Wish, panel: Panel) -> list[Plan]:
    """What to train in each fold. Raises `ConfigError` for algorithms that are none, `BadData`
    where there is too little to learn from.
    """
    folds = folds_of(panel.days(), wish.span, gap_in(panel), least_in(panel))
    must_be_asked(panel, folds)
    plans = [
        Plan(
            history=wish.history,
            parts=parts,
            algorithms=wish.algorithms,
            seeds=wish.seeds,
            terms=wish.terms,
            steps=wish.steps,
            hyperparameters=wish.hyperparameters,
        )
        for parts in folds
    ]
    plans[0].jobs()  # says what is wrong with them before anything is trained
    return plans


def _jobs(wish: Wish, panel: Panel, plans: Sequence[Plan]) -> list[FoldJob]:
    """A job a fold. It is kept under the hash of all that decides it, so nothing else takes it."""
    said: list[object] = [
        data_hash_of(panel),
        PROGRAM,
        SPEC_HASH,
        sorted(libraries().items()),
        procedure_of(plans[0]),
    ]
    said += [wish.seeds, *(repr(plan.parts) for plan in plans)]
    kept = wish.folder / sha256(repr(said).encode()).hexdigest()[:16]
    return [
        FoldJob(number=number, plan=plan, folder=kept / f"fold-{number:02d}")
        for number, plan in enumerate(plans)
    ]


def _train(jobs: Sequence[FoldJob], wish: Wish, note: Note) -> None:
    """Train what is not finished; a kill loses no more than the folds in work."""
    open_jobs = [job for job in jobs if not job.is_done]
    note(f"{len(jobs)} folds, {len(jobs) - len(open_jobs)} finished before")
    began_s = time.monotonic()

    def progress(done: int, number: int) -> None:
        still = len(open_jobs) - done
        left = timedelta(seconds=round((time.monotonic() - began_s) / done * still))
        note(f"fold {number} trained, {still} to go, about {left} left")

    mapped(train_fold, open_jobs, workers=wish.workers, cluster=wish.cluster, done=progress)


def _card(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the newest fold's model says of itself."""
    copied = ("made_at", "commit", "command", "trials")
    return {name: content[name] for name in copied} | {
        "metrics": content["aggregate"],
        "verdict": content["aggregate"]["verdict"],
    }
