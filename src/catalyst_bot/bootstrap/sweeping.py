"""Parameter sets over a history, every one of them counted in the ledger of trials."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from catalyst_bot.bootstrap.histories import check_days
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.domain.ids import content_id
from catalyst_bot.history.panel import open_panel
from catalyst_bot.ml.sweep import Swept, grid, sweep
from catalyst_bot.ml.tape import Tape, tape_of
from catalyst_bot.ml.terms import terms_of
from catalyst_bot.ml.validation.trials import FILE, Head, TrialLedger
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.settings import Settings

Note = Callable[[str], None]
SHOWN = ("sharpe", "total_return", "max_drawdown", "exposure", "trades", "win_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What the sets made, of which days, and how many trials the ledger has counted since."""

    swept: Swept
    days: tuple[date, date]
    data_hash: str
    ledger: Head

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, the sets in their order."""
        return {
            "days": [day.isoformat() for day in self.days],
            "data_hash": self.data_hash,
            "trials": self.ledger.as_dict(),
            "sets": [self.swept.row(number) for number in range(len(self.swept.sets))],
        }

    def rows(self, count: int) -> list[tuple[str, ...]]:
        """Return the best sets as rows of text."""
        return [
            (
                *(f"{value:g}" for value in row["parameters"].values()),
                *("-" if row[name] is None else f"{row[name]:.4g}" for name in SHOWN),
            )
            for row in self.swept.best(count)
        ]

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns of `rows`."""
        return (*self.swept.names, *SHOWN)


def sweep_history(
    settings: Settings,
    *,
    history: Path,
    varied: Mapping[str, Sequence[float]],
    first_day: date | None,
    last_day: date | None,
    review_after: int,
    workers: int,
    note: Note,
) -> SweepReport:
    """Trade the days of a history by the rule with every combination of the values.

    Raises `ConfigError` for parameters that are none, `BadData` for a history or days that will not
    do and for a ledger that lost lines.
    """
    if not varied:
        raise ConfigError("nothing is varied: give --vary NAME=VALUE,VALUE")
    grid(varied)  # before the history is read
    panel = open_panel(history)
    tape = tape_of(panel, atr_length=settings.stops.atr_length)
    sessions = sessions_between(tape, first_day, last_day)
    days = (tape.days[sessions.start], tape.days[sessions.stop - 1])
    check_days(panel, *days, note)
    terms = terms_of(settings)
    swept = sweep(
        tape, terms, varied, sessions=sessions, review_after=review_after, workers=workers
    )
    named = {name: list(values) for name, values in varied.items()}
    head = TrialLedger(settings.run.data_dir / FILE).record(
        "sweep",
        at=SystemClock().now(),
        config_hash=content_id("swp", repr((terms, named, days, review_after)), tape.data_hash),
        seeds=(),
        returns_hash=content_id("ret", swept.sharpe.tobytes().hex()),
        sharpe=float(swept.sharpe.mean()),
        periods=len(sessions),
        trials=len(swept.sets),
        sharpe_variance=float(swept.sharpe.var()),
    )
    return SweepReport(swept=swept, days=days, data_hash=tape.data_hash, ledger=head)


def sessions_between(tape: Tape, first_day: date | None, last_day: date | None) -> range:
    """Return the sessions of a tape from a day to another, both included; all by default.

    Raises `BadData` when there is none.
    """
    start = bisect_left(tape.days, first_day) if first_day is not None else 0
    stop = bisect_right(tape.days, last_day) if last_day is not None else len(tape.days)
    if not start < stop:
        raise BadData(
            f"no session in these days; the history has {tape.days[0]} to {tape.days[-1]}"
        )
    return range(start, stop)


def values_of(texts: Sequence[str]) -> dict[str, list[float]]:
    """Read `NAME=V1,V2` or `NAME=LOW:HIGH:COUNT` (evenly spaced, both ends included).

    Raises `ConfigError` for anything else.
    """
    varied = dict[str, list[float]]()
    for text in texts:
        name, _, told = text.partition("=")
        try:
            if ":" in told:
                low, high, count = told.split(":")
                values = np.linspace(float(low), float(high), int(count)).tolist()
            else:
                values = [float(value) for value in told.split(",")]
        except ValueError as error:
            raise ConfigError(f"--vary {text}: give NAME=V1,V2 or NAME=LOW:HIGH:COUNT") from error
        if name in varied:
            raise ConfigError(f"--vary {name} is given twice")
        varied[name] = values
    return varied
