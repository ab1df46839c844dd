"""What a walk forward is made of: a catalog's history, kept, the settings' terms, the ledger."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from catalyst_bot.bootstrap.histories import check_days, kept_history
from catalyst_bot.bootstrap.validating import ledger_of, provenance
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.history.panel import open_panel
from catalyst_bot.ml.reports.files import FILE as REPORT
from catalyst_bot.ml.reports.page import page_of
from catalyst_bot.ml.terms import terms_of
from catalyst_bot.ml.training.recipes import ALGORITHMS
from catalyst_bot.ml.walk_forward.plan import Span
from catalyst_bot.ml.walk_forward.report import Wish
from catalyst_bot.ml.walk_forward.run import Walked, walk
from catalyst_bot.policies.model_files import write_model
from catalyst_bot.settings import Settings

WALKS = "walk_forward"
Note = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for: of a `history`, or of a catalog's bars of `interval_s`."""

    span: Span
    algorithms: tuple[str, ...]
    seeds: int
    steps: int = 0
    workers: int = 1
    cluster: str | None = None
    catalog: Path | None = None
    interval_s: int
    history: Path | None = None
    ledger: Path | None = None
    model: Path | None = None


def walk_forward(settings: Settings, asked: Asked, *, note: Note) -> Walked:
    """Walk forward over a catalog, or go on where it stopped; write the newest model if asked.

    Raises `ConfigError` and `BadData` for what cannot be walked over, before any work.
    """
    _must_be_new(asked.model)
    unknown = sorted(set(asked.algorithms) - set(ALGORITHMS))
    if unknown or not asked.algorithms:
        raise ConfigError(
            f"--algorithms {','.join(asked.algorithms)}: takes {', '.join(ALGORITHMS)}"
        )
    history = asked.history or kept_history(
        settings, asked.catalog, interval_s=asked.interval_s, note=note
    )
    check_days(open_panel(history), asked.span.start, asked.span.end, note)
    wish = Wish(
        history=history.absolute(),
        span=asked.span,
        terms=terms_of(settings),
        folder=(settings.run.data_dir / WALKS).absolute(),
        algorithms=asked.algorithms,
        seeds=tuple(range(1, asked.seeds + 1)),
        steps=asked.steps,
        workers=asked.workers,
        cluster=asked.cluster,
    )
    walked = walk(wish, ledger_of(settings, asked.ledger), provenance(), note=note)
    if asked.model is not None:
        write_model(asked.model, walked.model)
    return walked


def page(walked: Walked) -> str:
    """Return the page of HTML of a walk forward."""
    return page_of(walked.report)


def report_beside(model: Path) -> Path:
    """Return where `validate` looks for the report of a model."""
    return model / REPORT


def _must_be_new(model: Path | None) -> None:
    """Refuse a place for a model before the hours of work, not after them."""
    if model is None:
        return
    if model.exists() and (not model.is_dir() or any(model.iterdir())):
        raise ConfigError(f"--model {model}: is not empty; name a new folder")
    nearest = next(each for each in (model, *model.absolute().parents) if each.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise ConfigError(f"--model {model}: cannot be made, {nearest} cannot be written to")
