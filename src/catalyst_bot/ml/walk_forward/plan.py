"""Which sessions are learned from, chosen by and tested on, and why a wish cannot be met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import NamedTuple

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.history.panel import Panel
from catalyst_bot.history.splits import Fold, Gap, Parts, walk_by_sessions, walk_forward
from catalyst_bot.market_data.session_times import DAY_S

EMBARGO = 5  # sessions besides the purge: a week for news to be forgotten
VALIDATION = 0.25  # share of what there is to learn from, its end: chooses, never teaches
_TRADING_SHARE = 252 / 365.25  # sessions of a calendar day
_SHOWN = 5


class Least(NamedTuple):
    """The fewest sessions that a part may have."""

    train: int
    validation: int
    test: int


DAILY, WITHIN_DAYS = Least(60, 20, 20), Least(20, 10, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From the first day learned from to the last one tested; `oos_start` is the first tested.

    Folds are measured in months, or in sessions where `train_sessions` and `test_sessions` say how
    many are learned from and tested on.
    """

    start: date
    end: date
    oos_start: date
    train_months: int = 12
    test_months: int = 3
    train_sessions: int = 0
    test_sessions: int = 0

    def __post_init__(self) -> None:
        """Refuse days out of order, too few months before the first test, half a measure."""
        if not self.start < self.oos_start < self.end:
            raise ConfigError(
                f"--oos-start {self.oos_start}: has to lie between --start {self.start} and "
                f"--end {self.end}"
            )
        if (self.train_sessions > 0) is not (self.test_sessions > 0):
            raise ConfigError("--train-sessions and --test-sessions: give both, or neither")
        if self.train_sessions > 0:
            return
        months = (self.oos_start.year - self.start.year) * 12
        months += self.oos_start.month - self.start.month
        if months < self.train_months:
            raise ConfigError(
                f"--oos-start {self.oos_start}: lies {months} months after --start {self.start}; "
                f"{self.train_months} are needed to learn from; measure a shorter history in "
                "--train-months, or in --train-sessions and --test-sessions"
            )


def gap_of(longest_s: float) -> Gap:
    """Return the gap for cases that are followed so long (calendar seconds)."""
    return Gap(horizon=ceil(longest_s / DAY_S * _TRADING_SHARE) + 1, embargo=EMBARGO)


def gap_in(panel: Panel) -> Gap:
    """Return the gap for the case of a history that is followed longest."""
    return gap_of(float(panel.events["horizon_s"].to_numpy().max(initial=0.0)))


def least_in(panel: Panel) -> Least:
    """Return how few sessions may do: one within days has many closes, one of daily bars one."""
    return DAILY if panel.card.interval_s >= DAY_S else WITHIN_DAYS


def folds_of(days: Sequence[date], span: Span, gap: Gap, least: Least = DAILY) -> tuple[Parts, ...]:
    """Return the folds of a span over the sessions of a history; between parts lie gaps that no
    label reaches over. No part has fewer sessions than `least`, but for the last one tested.

    Whether each session of the span is there tells `must_be_complete`. Raises `BadData` when there
    is nothing to learn from or to test on, and when there is too little of it for a fold.
    """
    if not days or days[0] >= span.oos_start or days[-1] < span.oos_start:
        raise BadData(
            f"the history holds {_held(days)}, not {span.start} to {span.end}: import more, or ask "
            "for less"
        )
    until = [day for day in days if day <= span.end]
    first = sum(day < span.start for day in days)
    folds = list[Parts]()
    for fold in _walked(until, span, gap):
        learned_from = range(max(fold.train.start, first), fold.train.stop)
        train, validation = _halved(learned_from, gap)
        if len(train) < least.train or len(validation) < least.validation:
            raise BadData(
                f"of {len(learned_from)} sessions before {days[fold.test.start]}, {len(train)} are "
                f"left to learn from and {len(validation)} to choose by, {least.train} and "
                f"{least.validation} are needed: take more months or sessions"
            )
        is_last = fold.test.stop == len(until)
        if len(fold.test) >= least.test or not is_last:
            folds.append(Parts(train=train, validation=validation, test=fold.test))
    if not folds:
        raise BadData(f"{span.oos_start} to {span.end} holds no quarter to test: ask for more")
    return tuple(folds)


def _walked(days: Sequence[date], span: Span, gap: Gap) -> tuple[Fold, ...]:
    if span.train_sessions > 0:
        return walk_by_sessions(
            days, gap, start=span.oos_start, train=span.train_sessions, test=span.test_sessions
        )
    return walk_forward(
        days,
        gap,
        start=span.oos_start,
        train_months=span.train_months,
        test_months=span.test_months,
    )


def must_be_complete(
    days: Sequence[date], sessions: Sequence[date], first: date, last: date
) -> None:
    """Raise `BadData` when the history lacks sessions that the exchange had between two days."""
    held = set(days)
    missing = [day for day in sessions if first <= day <= last and day not in held]
    if missing:
        shown = ", ".join(map(str, missing[:_SHOWN])) + (", …" if len(missing) > _SHOWN else "")
        raise BadData(
            f"the history holds {_held(days)}, but no bar of the benchmark on {len(missing)} of "
            f"the sessions from {first} to {last} ({shown}): import them, or ask for "
            "other days"
        )


def must_be_asked(panel: Panel, folds: Sequence[Parts]) -> None:
    """Raise `BadData` when a fold would learn from sessions in which nobody is asked anything."""
    asked, days = panel.sessions()[panel.ask_row], panel.days()
    for parts in folds:
        first, last = parts.train[0], parts.train[-1]
        if not ((asked >= first) & (asked <= last)).any():
            raise BadData(
                f"from {days[first]} to {days[last]} there is neither news nor a hit of the "
                "scanner to learn from: import more, or ask for other days"
            )


def _held(days: Sequence[date]) -> str:
    return f"{days[0]} to {days[-1]}" if days else "no session"


def _halved(sessions: range, gap: Gap) -> tuple[range, range]:
    cut = sessions.stop - round(len(sessions) * VALIDATION)
    return range(sessions.start, max(cut - gap.sessions, sessions.start)), range(cut, sessions.stop)
