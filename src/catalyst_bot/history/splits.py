"""Parts of a history that may not know of each other, in numbers of sessions.

A sample is a session; what followed it (its label) is known `horizon` sessions later. Before every
part that is tested lies a gap: the purge takes out samples whose label would reach into it, the
embargo as many sessions more as news needs to be forgotten.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from catalyst_bot.domain.errors import BadData


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """`horizon`: sessions until a label is known; `embargo`: sessions kept free besides."""

    horizon: int
    embargo: int = 0

    @property
    def sessions(self) -> int:
        """How many sessions lie between a part and the one that tests it."""
        return self.horizon + self.embargo


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Sessions to learn from, to choose by, and to measure on once; each a range of indices."""

    train: range
    validation: range
    test: range


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One step of a walk forward: sessions to learn from, and those that follow to test on."""

    train: range
    test: range


def three_parts(sessions: range, gap: Gap, *, train: float = 0.6, validation: float = 0.2) -> Parts:
    """Cut sessions into 60/20/20 in order of time; train and validation end before their gap.

    Raises `BadData` when a part would be empty.
    """
    first, second = (
        sessions.start + round(len(sessions) * share) for share in (train, train + validation)
    )
    parts = Parts(
        train=range(sessions.start, first - gap.sessions),
        validation=range(first, second - gap.sessions),
        test=range(second, sessions.stop),
    )
    if not (parts.train and parts.validation and parts.test):
        raise BadData(f"{len(sessions)} sessions are too few for three parts with their gaps")
    return parts


def walk_forward(
    days: Sequence[date],
    gap: Gap,
    *,
    start: date | None = None,
    train_months: int = 12,
    test_months: int = 3,
) -> tuple[Fold, ...]:
    """Return folds over the days of sessions: train on the months before, test on the next.

    Tests follow each other without a hole; `start` is the first day tested (default: as early as
    there is enough to train on), and the last test may be shorter than the others. Raises `BadData`
    when there is no fold.
    """
    if not days:
        raise BadData("no sessions to walk over")
    begins = start or _months_later(days[0], train_months)
    folds = list[Fold]()
    while begins <= days[-1]:
        ends = _months_later(begins, test_months)
        test = range(_first_from(days, begins), _first_from(days, ends))
        train = range(
            _first_from(days, _months_later(begins, -train_months)), test.start - gap.sessions
        )
        if train and test:
            folds.append(Fold(train=train, test=test))
        begins = ends
    if not folds:
        raise BadData(
            f"{days[0]} to {days[-1]} holds no fold of {train_months} months to learn from and "
            f"{test_months} to test on"
        )
    return tuple(folds)


def walk_by_sessions(
    days: Sequence[date], gap: Gap, *, start: date, train: int, test: int
) -> tuple[Fold, ...]:
    """Return folds measured in sessions: `test` are tested, at most the `train` before their
    gap are learned from; see `walk_forward`.

    Raises `BadData` when there is no fold.
    """
    folds = list[Fold]()
    for first in range(_first_from(days, start), len(days), test):
        end = first - gap.sessions
        tested = range(first, min(first + test, len(days)))
        if end > 0:
            folds.append(Fold(train=range(max(end - train, 0), end), test=tested))
    if not folds:
        raise BadData(
            f"no session lies {gap.sessions} sessions before {start}: test later, or import more"
        )
    return tuple(folds)


def _months_later(day: date, months: int) -> date:
    """The first day of the month so many months later, counted from the day's own month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _first_from(days: Sequence[date], day: date) -> int:
    """Index of the first session on or after a day."""
    return bisect_left(days, day)
