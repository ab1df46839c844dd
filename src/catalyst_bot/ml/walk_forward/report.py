"""What folds that are trained made of their tested sessions: measured, counted, reported."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from catalyst_bot.history.panel import Panel
from catalyst_bot.ml.reports.files import VERSION, Report, report_from
from catalyst_bot.ml.reports.summary import aggregate, fold_figures
from catalyst_bot.ml.terms import Terms
from catalyst_bot.ml.training.identity import libraries
from catalyst_bot.ml.validation.findings import find
from catalyst_bot.ml.validation.gates import judge
from catalyst_bot.ml.validation.metrics import equity_of, measure
from catalyst_bot.ml.validation.trials import WALK_FORWARD, Head, Trial, TrialLedger
from catalyst_bot.ml.walk_forward.assess import Assessment, assess
from catalyst_bot.ml.walk_forward.fold import Fold
from catalyst_bot.ml.walk_forward.plan import Span

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


@dataclass(frozen=True, kw_only=True)
class _Walk:
    """What a report is written of."""

    wish: Wish
    panel: Panel
    folds: Sequence[Fold]
    found: Assessment
    procedure: str
    trials: Sequence[Trial]


def measured(
    wish: Wish,
    panel: Panel,
    folds: Sequence[Fold],
    procedure: str,
    ledger: TrialLedger,
    *,
    provenance: Provenance,
    note: Note,
) -> Report:
    """Trade the tested sessions of folds that are trained, count it in the ledger, report it.

    `procedure` names how the models were made. Raises `BadData` for a ledger that was cut.
    """
    found = assess(panel, wish.terms, folds, note=note)
    head = _count(found, wish, ledger, procedure, provenance.made_at)
    walked = _Walk(
        wish=wish,
        panel=panel,
        folds=folds,
        found=found,
        procedure=procedure,
        trials=ledger.read()[0],
    )
    return report_from(json.loads(json.dumps(_report(walked, head, provenance))), "the report")


def data_hash_of(panel: Panel) -> str:
    """Return the SHA-256 of bars, events and asks."""
    return sha256(f"{panel.card.data_hash} {panel.card.events_hash}".encode()).hexdigest()


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
        "folds": [
            _fold(panel, fold, found, outcomes)
            for fold, outcomes in zip(folds, found.run.outcomes_by_strategy, strict=True)
        ],
        "aggregate": aggregate(findings, gates),
        "gates": [gate.as_dict() for gate in gates],
        "regimes": {name: each.as_dict() for name, each in findings.regimes.items()},
        "seed_sharpes": findings.seeds,
        "rivals": _rivals(found),
        "outcomes": found.run.outcomes,
        "capacity_usd": found.capacity_usd,
        "evidence": found.evidence.to_json(),
    }


def _history(panel: Panel) -> dict[str, Any]:
    card = panel.card
    return {
        "data_hash": data_hash_of(panel),
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


def _fold(
    panel: Panel, fold: Fold, found: Assessment, outcomes: Mapping[str, int]
) -> dict[str, Any]:
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
        "outcomes": dict(outcomes),
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
