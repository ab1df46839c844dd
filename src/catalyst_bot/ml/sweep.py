"""Thousands of parameter sets over one history, each as the bot would have traded it.

A set is the terms (stops, sizes, limits, costs) and the numbers of the rule baseline with some of
them changed. All share the bars, the asks and the correlations between symbols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from math import isfinite, nan, sqrt
from typing import Any, get_type_hints

import numpy as np

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.limits import (
    CostRules,
    ExecutionRules,
    RiskLimits,
    SignalRules,
    SizingRules,
    StopRules,
)
from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.compiled import compiled
from catalyst_bot.ml.kernels import books as b
from catalyst_bot.ml.kernels import likeness, portfolio
from catalyst_bot.ml.kernels.play import Play
from catalyst_bot.ml.portfolio.run import equity_of_worth, new_books, places_of, play_of
from catalyst_bot.ml.tape import Tape
from catalyst_bot.ml.terms import Terms
from catalyst_bot.ml.validation.metrics import PERIODS_PER_YEAR, max_drawdown, returns_of, sharpes
from catalyst_bot.policies.rule_action import RULE_TERMS, RuleTerms

MOST_SETS = 100_000
MOST_TABLE_BYTES = 200_000_000  # of correlations that are computed once for all sets
# What a history has built in (news of cheaper symbols is dropped when it is made), or what the
# account begins with: another needs another history.
FIXED = frozenset({"starting_cash_usd", "atr_length", "min_action", "min_price_usd"})
# Terms that are not called as the setting whose range they have.
_SETTINGS = {
    "max_gross_fraction": "max_exposure_fraction",
    "pause_after_losses": "pause_after_consecutive_losses",
}
_WHOLE = frozenset(name for name, kind in get_type_hints(Terms).items() if kind is int)
_DECLARED = {
    name: declared.metadata
    for rules in (CostRules, StopRules, SizingRules, RiskLimits, SignalRules, ExecutionRules)
    for name, declared in rules.__dataclass_fields__.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What each set made, an element a set: fractions, the Sharpe ratio annual; see `Metrics`.

    `profit_factor` is NaN where nothing was lost, `win_rate` where nothing was traded.
    """

    names: tuple[str, ...]
    sets: tuple[tuple[float, ...], ...]
    sharpe: Floats
    total_return: Floats
    max_drawdown: Floats
    exposure: Floats
    trades: Floats
    win_rate: Floats
    profit_factor: Floats

    def row(self, number: int) -> dict[str, Any]:
        """Return one set with what it made; None where nothing can be said."""
        made = ("sharpe", "total_return", "max_drawdown", "exposure", "win_rate", "profit_factor")
        values = {name: float(getattr(self, name)[number]) for name in made}
        return {
            "parameters": dict(zip(self.names, self.sets[number], strict=True)),
            "trades": int(self.trades[number]),
        } | {name: value if isfinite(value) else None for name, value in values.items()}

    def best(self, count: int) -> list[dict[str, Any]]:
        """Return the sets with the highest Sharpe ratios."""
        order = np.argsort(-self.sharpe, kind="stable")[:count]
        return [self.row(int(number)) for number in order]


def grid(varied: Mapping[str, Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    """Return every combination of the values, in the order of the names.

    Raises `ConfigError` for a name that is none, a value out of its range, and too many sets.
    """
    known = (set(Terms._fields) | set(RuleTerms._fields)) - FIXED
    for name, values in varied.items():
        if name not in known:
            raise ConfigError(f"{name}: no such parameter; there are {', '.join(sorted(known))}")
        if not values:
            raise ConfigError(f"{name}: no value")
        low, high = _range(name)
        for value in values:
            if not low <= value <= high:
                raise ConfigError(f"{name} = {value:g}: must be from {low:g} to {high:g}")
            if name in _WHOLE and value != int(value):
                raise ConfigError(f"{name} = {value:g}: must be a whole number")
    count = int(np.prod([len(values) for values in varied.values()]))
    if count > MOST_SETS:
        raise ConfigError(f"{count:,} sets are too many; at most {MOST_SETS:,}")
    return tuple(product(*varied.values()))


def _range(name: str) -> tuple[float, float]:
    """What the settings allow; a number of the rule is at least 0."""
    declared: Mapping[str, Any] = _DECLARED.get(_SETTINGS.get(name, name), {})
    return declared.get("low", 0.0), declared.get("high", 1e9)


def changed(
    terms: Terms, rule: RuleTerms, names: Sequence[str], values: Sequence[float]
) -> tuple[Terms, RuleTerms]:
    """Return terms and rule with some numbers replaced; whole numbers stay whole."""
    given = dict(zip(names, values, strict=True))
    of_terms = {
        name: type(getattr(terms, name))(value)
        for name, value in given.items()
        if name in Terms._fields
    }
    of_rule = {name: value for name, value in given.items() if name in RuleTerms._fields}
    return terms._replace(**of_terms), rule._replace(**of_rule)


def sweep(
    tape: Tape,
    terms: Terms,
    varied: Mapping[str, Sequence[float]],
    *,
    sessions: range,
    review_after: int = 0,
    workers: int = 2,
) -> Swept:
    """Trade the sessions by the rule with every combination; see `run_portfolio`.

    Raises `ConfigError` for what cannot be varied so and without numba, `BadData` for sessions that
    the tape does not have.
    """
    names, sets = tuple(varied), grid(varied)
    play = _with_likeness(play_of(tape, terms, sessions, review_after=review_after), sessions)
    compiled(portfolio)  # before the threads: they share what is compiled

    def measured(values: Sequence[float]) -> tuple[float, ...]:
        return _measured(*changed(terms, RULE_TERMS, names, values), play, sessions)

    with ThreadPoolExecutor(workers) as pool:
        table = np.array(list(pool.map(measured, sets)))
    return Swept(names=names, sets=sets, **dict(zip(_MADE, table.T, strict=True)))


_MADE = (
    *("sharpe", "total_return", "max_drawdown", "exposure"),
    *("trades", "win_rate", "profit_factor"),
)


def _measured(terms: Terms, rule: RuleTerms, play: Play, sessions: range) -> tuple[float, ...]:
    """What one set makes, in the order of `_MADE`."""
    books = new_books(len(play.closes.first_row), terms, trades=0)
    worth = np.empty((len(play.closes.first_step) - 1, 2))
    mine, places = play._replace(terms=terms), places_of(play, sessions)
    compiled(portfolio)["run_rule"](books, mine, places.start, places.stop, rule, worth)
    equity = equity_of_worth(worth, sessions, terms)
    exposure = worth[sessions.start : sessions.stop, 1]
    trades, won, lost = books.money[[b.TRADES, b.WON, b.LOST]].tolist()
    wins = books.money[b.WINS] - books.money[b.EVEN]
    return (
        float(sharpes(returns_of(equity)[:, None])[0]) * sqrt(PERIODS_PER_YEAR),
        float(equity[-1] / equity[0]) - 1.0,
        max_drawdown(equity) or 0.0,
        float(exposure.mean()),
        trades,
        wins / trades if trades else nan,
        won / lost if lost else nan,
    )


def _with_likeness(play: Play, sessions: range) -> Play:
    """Compute the correlations that the asks of the sessions may need once, where they fit."""
    closes, places = play.closes, places_of(play, sessions)
    asked = closes.ask[closes.ask_start[places.start] : closes.ask_start[places.stop]]
    asked = asked[play.asks.is_first[asked] & ~play.asks.is_bad[asked]]
    symbols = len(closes.first_row)
    if len(asked) * symbols * 8 > MOST_TABLE_BYTES:
        return play
    table, row = np.empty((len(asked), symbols)), closes.likeness_row.copy()
    row[asked] = np.arange(len(asked))
    compiled(likeness)["write_likeness"](play, asked, table)
    return play._replace(closes=closes._replace(likeness=table, likeness_row=row))
