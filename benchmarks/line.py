"""One line of the table, how often a thing is measured, and how the table is printed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was measured, in which unit, what we aim for and what a peer reaches in the same run.

    `value` is None where it could not be measured; `note` then says why. `is_less_better` tells
    on which side of the target we want to be.
    """

    job: str
    unit: str
    value: float | None = None
    target: float | None = None
    is_less_better: bool = False
    peer: str = ""
    note: str = ""


def skipped(job: str, why: str) -> Line:
    """Return the line of a job that was not measured."""
    return Line(job=job, unit="", note=f"skipped: {why}")


def median_of(measure: Callable[[], float], rounds: int = ROUNDS) -> float:
    """Return the median of several measurements: other work on the machine disturbs single ones."""
    return median(measure() for _ in range(rounds))


def quantile(values: Sequence[float], fraction: float) -> float:
    """Return the value below which the fraction of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


def how_long(
    job: str, unit: str, values: Sequence[float], *, note: str, p99: float, p50: float | None = None
) -> list[Line]:
    """Return the lines of p50 and p99 of times, each beside its target if it has one."""
    return [
        Line(
            job=f"{job}, {name}",
            unit=unit,
            value=quantile(values, fraction),
            target=target,
            is_less_better=True,
            note=note,
        )
        for name, fraction, target in (("p50", 0.50, p50), ("p99", 0.99, p99))
    ]


def shared_data() -> Path | None:
    """Return the folder of real recordings, None where there is none."""
    root = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CATALYST_SHARED_DATA") or root)
    return folder if folder.is_dir() else None


def table(lines: Iterable[Line]) -> str:
    """Return all lines as columns of text, for people and for Markdown."""
    header = ("job", "here", "target", "met", "peer, same run", "note")
    rows = [
        (line.job, _number(line.value, line.unit), _target(line), _met(line), line.peer, line.note)
        for line in lines
    ]
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    ruler = tuple("-" * width for width in widths)
    return "\n".join(
        f"| {' | '.join(c.ljust(w) for c, w in zip(row, widths, strict=True))} |"
        for row in (header, ruler, *rows)
    )


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    digits = 0 if value >= 100 else 2
    return f"{value:,.{digits}f} {unit}"


def _target(line: Line) -> str:
    if line.target is None:
        return ""
    return f"{'<' if line.is_less_better else '>='} {line.target:,g} {line.unit}"


def _met(line: Line) -> str:
    if line.value is None or line.target is None:
        return ""
    is_met = line.value < line.target if line.is_less_better else line.value >= line.target
    return "yes" if is_met else "no"
