"""What a walk forward is made of: a catalog's history, kept, the settings' terms, the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from hashlib import sha256
from pathlib import Path

import catalyst_bot
from catalyst_bot.bootstrap.decision_bars import catalog_of
from catalyst_bot.bootstrap.histories import make_history
from catalyst_bot.bootstrap.validating import ledger_of, provenance
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.history.panel import open_panel
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.catalog import read_catalog
from catalyst_bot.ml.reports.files import FILE as REPORT
from catalyst_bot.ml.reports.page import page_of
from catalyst_bot.ml.terms import terms_of
from catalyst_bot.ml.training.recipes import ALGORITHMS
from catalyst_bot.ml.walk_forward.plan import Span, must_be_complete
from catalyst_bot.ml.walk_forward.report import Wish
from catalyst_bot.ml.walk_forward.run import Walked, walk
from catalyst_bot.policies.model_files import write_model
from catalyst_bot.settings import Settings

HISTORIES, WALKS = "histories", "walk_forward"
# What a history is made with; when one of them changes it is made again.
_MAKERS = (
    *("bootstrap/histories.py", "bootstrap/looks.py", "detection", "domain", "features", "history"),
    *("market_data", "ports", "signals", "simulation", "study", "texts"),
)
_SECTIONS = ("detection", "signals", "stops", "costs", "scanner", "execution")

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
    sessions = [session.day for session in load_calendar().between(*_bounds(asked.span))]
    must_be_complete(open_panel(history).days(), sessions, asked.span)
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


def kept_history(settings: Settings, catalog: Path | None, *, interval_s: int, note: Note) -> Path:
    """Return the history of a catalog's bars of an interval: the one kept, or one made now.

    Raises `BadData` for a catalog that will not do.
    """
    source = catalog_of(settings.run.data_dir, catalog)
    datasets = read_catalog(source)
    if not datasets:
        raise BadData(
            f"{source}: holds nothing; fill it: catalyst-bot data import PATH… --catalog {source}"
        )
    made_of = sorted(f"{each.kind} {each.sha256}" for each in datasets)
    made_with = [_program(), settings.run.benchmark, str(interval_s)]
    made_with += [repr(getattr(settings, name)) for name in _SECTIONS]
    key = sha256("\n".join([*made_of, *made_with]).encode()).hexdigest()[:16]
    folder = settings.run.data_dir / HISTORIES / key
    if not folder.is_dir():
        note(f"making the history of {source}: once for this data and these settings")
        make_history(
            settings,
            catalog=source,
            out=folder,
            interval_s=interval_s,
            with_features=True,
            with_scanner=True,
        )
    return folder


def page(walked: Walked) -> str:
    """Return the page of HTML of a walk forward."""
    return page_of(walked.report)


def report_beside(model: Path) -> Path:
    """Return where `validate` looks for the report of a model."""
    return model / REPORT


def _must_be_new(model: Path | None) -> None:
    if model is not None and model.exists() and (not model.is_dir() or any(model.iterdir())):
        raise ConfigError(f"--model {model}: is not empty; name a new folder")


def _bounds(span: Span) -> tuple[datetime, datetime]:
    return (
        datetime.combine(span.start, time(), UTC),
        datetime.combine(span.end, time(23, 59), UTC),
    )


def _program() -> str:
    """SHA-256 of the code and tables that histories are made with."""
    root, digest = Path(catalyst_bot.__file__).parent, sha256()
    for maker in _MAKERS:
        place = root / maker
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.read_bytes())
    return digest.hexdigest()
