"""A walk forward from a history to its report: folds that are kept, then one measurement of all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from catalyst_bot.features.spec import SPEC_HASH
from catalyst_bot.history.panel import Panel, open_panel
from catalyst_bot.ml.reports.files import VERSION, Report, report_from
from catalyst_bot.ml.reports.summary import aggregate, fold_figures
from catalyst_bot.ml.terms import Terms
from catalyst_bot.ml.training.ensemble import Plan, procedure_of
from catalyst_bot.ml.training.parallel import mapped
from catalyst_bot.ml.training.train import PROGRAM, libraries
from catalyst_bot.ml.validation.findings import find
from catalyst_bot.ml.validation.gates import judge
from catalyst_bot.ml.validation.metrics import equity_of, measure
from catalyst_bot.ml.validation.trials import WALK_FORWARD, Head, Trial, TrialLedger
from catalyst_bot.ml.walk_forward.assess import Assessment, assess
from catalyst_bot.ml.walk_forward.fold import Fold, FoldJob, read_fold, train_fold
from catalyst_bot.ml.walk_forward.plan import Span, folds_of, gap_in, least_in
from catalyst_bot.policies.model_files import Model

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to walk over, and with whom. `folder` keeps finished folds, `workers` are processes."""

    history: Path
    span: Span
    terms: Terms
    folder: Path
    algorithms: tuple[str, ...]
    seeds: tuple[int, ...]
    steps: int = 0
    hyperparameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    workers: int = 1
    cluster: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a report comes from; `command` made it with the code of `commit`."""

    command: str
    commit: str
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """The report, and the newest fold's model with a card that says where it comes from."""

    report: Report
    model: Model


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """What a report is written of."""

    wish: Wish
    panel: Panel
    folds: Sequence[Fold]
    found: Assessment
    procedure: str
    trials: Sequence[Trial]


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
    found = assess(panel, wish.terms, folds, note=note)
    procedure = procedure_of(plans[0])
    head = _count(found, wish, ledger, procedure, provenance.made_at)
    walked = _Walk(
        wish=wish,
        panel=panel,
        folds=folds,
        found=found,
        procedure=procedure,
        trials=ledger.read()[0],
    )
    content = json.loads(json.dumps(_report(walked, head, provenance)))
    return Walked(
        report=report_from(content, "the report"),
        model=replace(folds[-1].model, card={**folds[-1].model.card, **_card(content)}),
    )


def _plans(wish: Wish, panel: Panel) -> list[Plan]:
    """What to train in each fold. Raises `ConfigError` for algorithms that are none."""
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
        for parts in folds_of(panel.days(), wish.span, gap_in(panel), least_in(panel))
    ]
    plans[0].jobs()  # says what is wrong with them before anything is trained
    return plans


def _data_hash(panel: Panel) -> str:
    return sha256(f"{panel.card.data_hash} {panel.card.events_hash}".encode()).hexdigest()


def _jobs(wish: Wish, panel: Panel, plans: Sequence[Plan]) -> list[FoldJob]:
    """A job a fold. It is kept under the hash of all that decides it, so nothing else takes it."""
    said: list[object] = [
        _data_hash(panel),
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


def _count(
    found: Assessment, wish: Wish, ledger: TrialLedger, procedure: str, at: datetime
) -> Head:
    """Every strategy of ours that was measured on the tested quarters is a trial."""
    chains = found.chains
    return ledger.record(
        WALK_FORWARD,
        at=at,
        config_hash=procedure,
        seeds=wish.seeds,
        returns_hash=found.evidence.returns_hash,
        sharpe=float(chains.mean()),
        periods=len(found.evidence.days),
        trials=len(chains),
        sharpe_variance=float(chains.var()),
    )


def _report(walk: _Walk, head: Head, provenance: Provenance) -> dict[str, Any]:
    wish, panel, folds, found = walk.wish, walk.panel, walk.folds, walk.found
    findings = find(found.evidence, walk.trials)
    gates = judge(findings)
    return {
        "version": VERSION,
        "command": provenance.command,
        "commit": provenance.commit,
        "made_at": provenance.made_at.isoformat().replace("+00:00", "Z"),
        "libraries": libraries(),
        "history": _history(panel),
        "span": {name: str(value) for name, value in asdict(wish.span).items()},
        "algorithms": list(wish.algorithms),
        "seeds": list(wish.seeds),
        "procedure": walk.procedure,
        "terms": wish.terms._asdict(),
        "trials": head.as_dict(),
        "models": [fold.model.model_id for fold in folds],
        "folds": [_fold(panel, fold, found) for fold in folds],
        "aggregate": aggregate(findings, gates),
        "gates": [gate.as_dict() for gate in gates],
        "regimes": {name: each.as_dict() for name, each in findings.regimes.items()},
        "seed_sharpes": findings.seeds,
        "rivals": _rivals(found),
        "outcomes": found.run.outcomes,
        "capacity_usd": found.capacity_usd,
        "evidence": found.evidence.to_json(),
    }


def _card(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the newest fold's model says of itself."""
    copied = ("made_at", "commit", "command", "trials")
    return {name: content[name] for name in copied} | {
        "metrics": content["aggregate"],
        "verdict": content["aggregate"]["verdict"],
    }


def _history(panel: Panel) -> dict[str, Any]:
    card = panel.card
    return {
        "data_hash": _data_hash(panel),
        "bars_hash": card.data_hash,
        "events_hash": card.events_hash,
        "first_day": card.first_day,
        "last_day": card.last_day,
        "symbols": len(card.spans),
        "benchmark": card.benchmark,
        "interval_s": card.interval_s,
        "events": dict(card.events),
        "survivorship": card.survivorship,
        "flaws": list(card.flaws),
    }


def _fold(panel: Panel, fold: Fold, found: Assessment) -> dict[str, Any]:
    days = panel.days()

    def part(sessions: range) -> dict[str, Any]:
        first, last = days[sessions.start], days[sessions.stop - 1]
        return {"from": str(first), "to": str(last), "sessions": len(sessions)}

    exits = found.run.trades["exit_session"]
    own = found.run.trades[(exits >= fold.test.start) & (exits < fold.test.stop)]
    pnl_usd = own["pnl_usd"]
    return {
        "number": fold.number,
        "train": part(fold.train),
        "validation": part(fold.validation),
        "test": part(fold.test),
        "in_sample_sharpe": fold.in_sample_sharpe,
        **fold_figures(found.evidence, fold.number),
        "trades": len(own),
        "win_rate": float((pnl_usd > 0).mean()) if len(own) else None,
        "model": fold.model.model_id,
        "agents": [dict(row) for row in fold.agents],
        "seconds": fold.seconds,
    }


def _rivals(found: Assessment) -> dict[str, Any]:
    """What the account is held against, each by its curve; the rule with its trades."""
    nothing = np.zeros(0)
    base = found.baseline
    chance = found.evidence.random_sharpes
    return {
        "rule": measure(
            base.equity, base.trades["pnl_usd"].astype(np.float64), base.exposure
        ).as_dict(),
        "benchmark": measure(equity_of(found.evidence.benchmark), nothing, nothing).as_dict(),
        "equal_weight": measure(equity_of(found.equal_weight), nothing, nothing).as_dict(),
        "random_sharpe_quartiles": np.percentile(chance, (25, 50, 75)).tolist(),
    }
