"""The ledger of trials in the data folder, verdicts on models, and the test of the gates."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from catalyst_bot.bootstrap.commits import commit
from catalyst_bot.bootstrap.histories import check_days
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.history.panel import open_panel
from catalyst_bot.ml.reports.files import FILE as REPORT
from catalyst_bot.ml.reports.files import Report, read_report
from catalyst_bot.ml.reports.verdict import Verdict, verdict_of
from catalyst_bot.ml.terms import terms_of
from catalyst_bot.ml.validation.noise import Passed, World, noise_test, tried
from catalyst_bot.ml.validation.trials import FILE as LEDGER
from catalyst_bot.ml.validation.trials import Head, TrialLedger
from catalyst_bot.ml.walk_forward.held_out import first_day_of, hold_out
from catalyst_bot.ml.walk_forward.report import Note, Provenance
from catalyst_bot.policies.model_files import read_model
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.settings import Settings


def ledger_of(settings: Settings, named: Path | None = None) -> TrialLedger:
    """Return the ledger of trials: the one named, or that of the data folder."""
    return TrialLedger(named if named is not None else settings.run.data_dir / LEDGER)


def validate(
    settings: Settings, model: Path, *, report: Path | None, ledger: Path | None
) -> Verdict:
    """Return the verdict on a model; its report lies beside it unless another one is named.

    Raises `ConfigError` for what is no model and for a named report that is not there, `BadData`
    for a damaged model or report.
    """
    read = read_model(model)
    path = report if report is not None else model / REPORT
    found = read_report(path) if report is not None or path.is_file() else None
    return verdict_of(read, found, ledger_of(settings, ledger))


def held_out(
    settings: Settings, model: Path, *, history: Path, ledger: Path | None, note: Note
) -> tuple[Verdict, Report]:
    """Return the verdict on a model by the sessions of a history that its training never saw, and
    the report of them; the ledger counts it.

    Raises `ConfigError` and `BadData` for what is no model, no history or no ledger, for bars of
    another length, for sessions that are missing since the first that it learned from, and when the
    history ends too early.
    """
    read, book = read_model(model), ledger_of(settings, ledger)
    book.read()  # a ledger that was cut is refused before the work, not after it
    panel = open_panel(history)
    check_days(panel, first_day_of(read), panel.days()[-1], note)
    terms = terms_of(settings)
    report = hold_out(read, history.absolute(), terms, book, provenance=provenance(), note=note)
    return verdict_of(read, report, book), report


def carry_on(settings: Settings, *, ledger: Path | None, reason: str) -> Head:
    """Begin a ledger in place of a lost one, with its count.

    Raises `ConfigError` when none is lost, or for no reason.
    """
    if not reason.strip():
        raise ConfigError("--carry-on REASON: say how the ledger was lost")
    return ledger_of(settings, ledger).carry_on(at=SystemClock().now(), reason=reason.strip())


def try_gates(
    sharpes: Sequence[float],
    *,
    strategies: int,
    trials: int,
    folds: int,
    seed: int,
    on_progress: Callable[[float, int], None],
) -> Iterator[Passed]:
    """Put strategies of each true Sharpe ratio through the gates, with so many trials counted."""
    world = World(folds=folds)
    counted = [tried(trials, world=world, seed=seed)]
    for sharpe in sharpes:
        yield noise_test(
            sharpe,
            strategies=strategies,
            trials=counted,
            seed=seed,
            world=world,
            on_progress=partial(on_progress, sharpe),
        )


def provenance() -> Provenance:
    """Return the command that is running, and the commit of its code."""
    command = shlex.join(["catalyst-bot", *sys.argv[1:]])
    return Provenance(command=command, commit=commit(), made_at=SystemClock().now())
