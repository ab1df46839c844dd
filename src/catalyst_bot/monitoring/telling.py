"""The shape of an explanation: titled sections of rows, for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from catalyst_bot.domain.trading import Check

Row = tuple[str, str]


class Line(NamedTuple):
    """One row: a label with its value; a check also has a limit and whether it passed."""

    label: str
    value: str
    limit: str = ""
    note: str = ""
    passed: bool | None = None

    def as_text(self, width: int) -> str:
        """The row for a terminal, labels `width` wide."""
        mark = {None: "", True: "pass ", False: "FAIL "}[self.passed]
        label = f"{mark}{self.label}"
        limit = f", limit {self.limit}" if self.limit else ""
        note = f"  {self.note}" if self.note else ""
        return f"  {label:<{width}}  {self.value}{limit}{note}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A titled part of an explanation."""

    title: str
    rows: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything that led to an outcome; `verdict` is the outcome in one sentence.

    `may_pass` is the refused intent that a person may let pass, empty where there is none.
    """

    subject: str
    verdict: str
    sections: tuple[Section, ...]
    may_pass: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON form: subject, verdict, sections of title and rows (see `Line`)."""
        return {
            "subject": self.subject,
            "verdict": self.verdict,
            "may_pass": self.may_pass,
            "sections": [
                {
                    "title": part.title,
                    "rows": [line._asdict() for line in part.rows],
                }
                for part in self.sections
            ],
        }

    def as_text(self) -> str:
        """Plain text, one block per section."""
        lines = [self.verdict]
        for part in self.sections:
            lines += ["", part.title]
            checks = any(line.passed is not None for line in part.rows)
            width = max((len(line.label) for line in part.rows), default=0) + 5 * checks
            lines += [line.as_text(width) for line in part.rows]
        return "\n".join(lines)


def stamp(at: datetime) -> str:
    """A time for people: UTC to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def section(title: str, rows: Iterable[Sequence[Any]]) -> Section:
    """A part of an explanation from rows of label, value and, for a check, what a `Line` has."""
    return Section(title=title, rows=tuple(Line(*row) for row in rows))


def number(value: float) -> str:
    """A number for people: four digits behind the point, without the zeros at its end."""
    return f"{value:,.4f}".rstrip("0").rstrip(".") or "0"


def gain(amount: Decimal) -> str:
    """Dollars with their sign in front."""
    return f"{'-' if amount < 0 else '+'}${abs(amount):,.2f}"


def check_rows(checks: Sequence[Check]) -> tuple[Line, ...]:
    """The checks of a decision, each with its limit and what was observed."""
    return tuple(
        Line(
            label=check.name,
            value=number(check.observed),
            limit=f"{number(check.limit)} {check.unit}",
            note=check.note,
            passed=check.passed,
        )
        for check in checks
    )
