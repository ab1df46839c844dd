"""Play one account through sessions of a tape, by the rule or by a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.enums import ExitReason
from catalyst_bot.domain.errors import BadData
from catalyst_bot.features.kernels import Floats
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.history.compiled import compiled
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.kernels import asks, fills, orders, portfolio, records, trading
from catalyst_bot.ml.kernels import books as b
from catalyst_bot.ml.kernels.books import Books
from catalyst_bot.ml.kernels.play import Play
from catalyst_bot.ml.portfolio.closes import closes_of
from catalyst_bot.ml.tape import Singles, Tape
from catalyst_bot.ml.terms import Terms
from catalyst_bot.policies.rule_action import RuleTerms
from catalyst_bot.risk.records import MAX_RETURNS, MAX_STREAK

RowsPolicy = Callable[[Singles], tuple[Floats, Floats]]
DELISTED = "delisted"
NO_EDGE = "strategy_edge"  # the record of the strategy that decides leaves it nothing to bet
REASONS: dict[int, str] = {
    trading.STOP_LOSS: ExitReason.STOP_LOSS.value,
    trading.TRAILING_STOP: ExitReason.TRAILING_STOP.value,
    trading.TAKE_PROFIT: ExitReason.TAKE_PROFIT.value,
    trading.TIME_EXIT: ExitReason.TIME_EXIT.value,
    trading.NEGATIVE_NEWS: ExitReason.NEGATIVE_NEWS.value,
    trading.POLICY: ExitReason.POLICY.value,
    orders.DELISTED: DELISTED,
}
# What became of asks, in the words of the table of checks.
OUTCOMES = {
    asks.BUYS: "entries",
    asks.LEAVES: "exits",
    asks.DECLINED: "declined",
    asks.EXIT_WORKING: "exit_working",
    asks.HALT: "trading_state",
    asks.NO_SESSION: "session_open",
    asks.OPEN_ENTRY: "open_entry",
    asks.DUPLICATE: "duplicate",
    asks.ORDERS_PER_MINUTE: "orders_per_minute",
    asks.UNSURE: "confidence",
    asks.RESTS: "strategy_paused",
    asks.LOSSES: "consecutive_losses",
    asks.POOR: "strategy_sharpe",
    asks.NO_EDGE: NO_EDGE,
    asks.DAILY_TRADES: "daily_trades",
    asks.CORRELATED: "correlation",
    asks.LOSSES_PER_HOUR: "losses_per_hour",
    asks.DAY_LOSS: "daily_loss",
    asks.DRAWDOWN: "drawdown",
    asks.NO_STOP: "stop_present",
    asks.TOO_SMALL: "min_trade",
    asks.NO_MONEY: "rejected by the venue",
}
TRADE = np.dtype(
    [
        *(("symbol", "U16"), ("event", "i8"), ("entry_session", "i8"), ("exit_session", "i8")),
        *(("exit_reason", "U16"), ("shares", "f8"), ("entry_price", "f8"), ("exit_price", "f8")),
        *(("fees_usd", "f8"), ("pnl_usd", "f8"), ("pnl_fraction", "f8")),
        *(("entered_s", "f8"), ("left_s", "f8")),
    ]
)


class PolicyBySession(Protocol):
    """A policy that changes: a walk forward puts another model in charge at each fold.

    Each is a strategy of its own, with a record that begins when it takes over.
    """

    def at(self, session: int) -> RowsPolicy:
        """Return who decides in a session, the same thing as long as it does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioRun:
    """What an account made of sessions.

    `equity` (USD) begins with the worth before the first session, then one value a session's close;
    `exposure` is the invested share at each; `trades` are those that ended, see `TRADE` (shares as
    bought, prices on average, times in epoch seconds); `outcomes` counts what became of asks,
    `outcomes_by_strategy` the same for each that decided, in their turn.
    """

    sessions: range
    equity: Floats
    exposure: Floats
    trades: NDArray[Any] = field(default_factory=lambda: np.empty(0, TRADE))
    outcomes: dict[str, int] = field(default_factory=dict)
    outcomes_by_strategy: tuple[dict[str, int], ...] = ()


def run_portfolio(
    tape: Tape,
    terms: Terms,
    *,
    sessions: range,
    policy: RuleTerms | RowsPolicy | PolicyBySession,
    review_after: int = 0,
) -> PortfolioRun:
    """Trade the sessions with one account; equal to the running bot on the same days.

    A model sees raw observations (33 features, a row an ask, not normalised) and returns an action
    and how far its agents agree; it is asked again while a case is on watch, the rule once. After
    `review_after` sessions a person resumes from a halt (0: never, as in a backtest). Raises
    `BadData` for sessions that the tape does not have, `ConfigError` without numba.
    """
    is_rule = isinstance(policy, RuleTerms)
    play = play_of(tape, terms, sessions, review_after=review_after, reviews=not is_rule)
    books = new_books(len(tape.symbols), terms, trades=len(tape.asks.row))
    worth = np.empty((len(tape.days), 2))
    taken_over = [books.outcomes.copy()]
    if isinstance(policy, RuleTerms):
        places = places_of(play, sessions)
        compiled(portfolio)["run_rule"](books, play, places.start, places.stop, policy, worth)
    else:
        taken_over += _run_model(books, play, policy, sessions, worth)
    taken_over.append(books.outcomes)
    return PortfolioRun(
        sessions=sessions,
        equity=equity_of_worth(worth, sessions, terms),
        exposure=worth[sessions.start : sessions.stop, 1],
        trades=_trades(books, tape),
        outcomes=_named(books.outcomes),
        outcomes_by_strategy=tuple(_named(new - old) for old, new in pairwise(taken_over)),
    )


def _named(outcomes: Integers) -> dict[str, int]:
    counts = {name: int(outcomes[number]) for number, name in OUTCOMES.items()}
    return {name: count for name, count in counts.items() if count}


def play_of(
    tape: Tape, terms: Terms, sessions: range, *, review_after: int = 0, reviews: bool = False
) -> Play:
    """Return what is played; see `run_portfolio`.

    Raises `BadData` for sessions that the tape does not have.
    """
    if not (sessions.step == 1 and 0 <= sessions.start < sessions.stop <= len(tape.days)):
        raise BadData(f"sessions {sessions.start}..{sessions.stop}: there are {len(tape.days)}")
    return Play(tape.bars, tape.asks, closes_of(tape), terms, review_after, reviews)


def places_of(play: Play, sessions: range) -> range:
    """Return the places of asks that lie within sessions: two for each of their steps."""
    first_step = play.closes.first_step
    return range(2 * int(first_step[sessions.start]), 2 * int(first_step[sessions.stop]))


def equity_of_worth(worth: Floats, sessions: range, terms: Terms) -> Floats:
    """Return the equity before the first session and at the close of each."""
    inside = worth[sessions.start : sessions.stop, 0]
    return np.concatenate([[terms.starting_cash_usd], inside])


def _run_model(
    books: Books,
    play: Play,
    policy: RowsPolicy | PolicyBySession,
    sessions: range,
    worth: Floats,
) -> list[Integers]:
    """Let the policy answer all questions of a moment at once: no answer changes the others.

    Returns the outcomes so far at each moment when another strategy took over.
    """
    kernel = compiled(portfolio)
    most = int(np.diff(play.closes.ask_start).max(initial=0))
    found = np.empty(most, dtype=np.int64)
    seen = np.empty((most, len(FEATURES)), dtype=np.float32)
    taken_over = list[Integers]()
    decides = _decides(policy, sessions.start)
    for session in sessions:
        if _decides(policy, session) is not decides:
            decides = _decides(policy, session)
            taken_over.append(books.outcomes.copy())
            records.begin_record(books, len(taken_over))
        inside = places_of(play, range(session, session + 1))
        place, end = inside.start, inside.stop
        while place < end:
            place, count = kernel["to_question"](books, play, place, end, found, seen, worth)
            if count:
                actions, agreements = decides(seen[:count])
                kernel["decide_all"](
                    books,
                    play,
                    found,
                    np.asarray(actions, np.float64),
                    np.asarray(agreements, np.float64),
                )
    return taken_over


def _decides(policy: RowsPolicy | PolicyBySession, session: int) -> RowsPolicy:
    return policy if callable(policy) else policy.at(session)


def new_books(symbols: int, terms: Terms, *, trades: int) -> Books:
    """Return the books of a new account with room for so many finished trades."""
    money, held = np.zeros(b.MONEY), np.zeros((symbols, b.HELD))
    money[[b.CASH, b.DAY_OPEN, b.PEAK]] = terms.starting_cash_usd
    held[:, b.WATCH] = -1
    return Books(
        money=money,
        counts=np.zeros(b.COUNTS, dtype=np.int64),
        returns=np.zeros(MAX_RETURNS),
        streak_s=np.zeros(MAX_STREAK),
        orders_s=np.zeros(max(terms.max_orders_per_minute, 1)),
        active=np.zeros(symbols, dtype=np.int64),
        held=held,
        trades=np.zeros((trades, len(fills.TRADE_COLUMNS))),
        outcomes=np.zeros(asks.OUTCOMES, dtype=np.int64),
    )


def _trades(books: Books, tape: Tape) -> NDArray[Any]:
    count = int(books.money[b.CLOSED])
    rows = dict(zip(fills.TRADE_COLUMNS, books.trades[:count].T, strict=True))
    trades = np.empty(count, dtype=TRADE)
    names = np.array(tape.symbols)
    trades["symbol"] = names[rows["symbol"].astype(np.int64)]
    trades["exit_reason"] = [REASONS[int(reason)] for reason in rows["reason"]]
    trades["entry_session"], trades["exit_session"] = rows["entered"], rows["left"]
    for name in ("event", "shares", "entry_price", "exit_price"):
        trades[name] = rows[name]
    for name in ("fees_usd", "pnl_usd", "pnl_fraction", "entered_s", "left_s"):
        trades[name] = rows[name]
    return trades
