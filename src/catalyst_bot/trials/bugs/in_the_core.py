"""Bugs in what the bot decides and remembers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import OrderRole, TradingState
from catalyst_bot.domain.messages.commands import TakeBrokerSnapshot
from catalyst_bot.domain.messages.decisions import StopMoved, TradingHalted
from catalyst_bot.domain.messages.facts import (
    OrderRejected,
    RunStarted,
    SplitApplied,
    SubmitOutcomeUnknown,
)
from catalyst_bot.execution import decide as execution_decide
from catalyst_bot.execution import evolve as execution_evolve
from catalyst_bot.execution import look_up, protection, working
from catalyst_bot.execution.executor import OrderExecutor
from catalyst_bot.portfolio import ledger
from catalyst_bot.portfolio.manager import PositionManager
from catalyst_bot.risk import check_table, manager, proposal
from catalyst_bot.risk import decide as risk_decide
from catalyst_bot.risk import evolve as risk_evolve
from catalyst_bot.signals import gates
from catalyst_bot.trials.bugs.planting import Plot, bug, nothing


def _passes(plot: Plot, name: str) -> None:
    """Let a check of risk pass whatever it finds."""
    judge = check_table.ROWS[name].judge

    def wrong(rows: Any) -> Any:
        passes = replace(
            check_table.ROWS[name], judge=lambda entry: replace(judge(entry), passed=True)
        )
        return tuple(passes if row.name == name else row for row in rows)

    plot.put(check_table, "ENTRY_CHECKS", wrong)


@bug
def no_look_at_a_start(plot: Plot) -> None:
    """A start does not ask for the broker's books."""

    def wrong(before: Any) -> Any:
        def on_run_started(*given: Any) -> Any:
            return [m for m in before(*given) if not isinstance(m, TakeBrokerSnapshot)]

        return on_run_started

    plot.put(OrderExecutor.DECIDE, RunStarted, wrong)


@bug
def a_start_resumes(plot: Plot) -> None:
    """After a restart trading goes on although it was halted."""

    def wrong(before: Any) -> Any:
        def start(state: Any, message: Any, at: datetime) -> None:
            before(state, message, at)
            state.trading_state = TradingState.ACTIVE

        return start

    plot.put(risk_evolve.EVOLVE, RunStarted, wrong)


@bug
def open_orders_are_no_exposure(plot: Plot) -> None:
    """Only what is held counts against the exposure."""

    def wrong(before: Any) -> Any:
        def read_book(state: Any, desk: Any, limits: Any) -> Any:
            book = before(state, desk, limits)
            held_usd = book.exposure_usd - book.reserved_usd
            return replace(book, exposure_usd=held_usd, reserved_usd=Decimal(0))

        return read_book

    plot.put(proposal, "read_book", wrong)


@bug
def a_halt_cancels_nothing(plot: Plot) -> None:
    """Entries that are at the broker stay there when trading is halted."""
    plot.put(OrderExecutor.DECIDE, TradingHalted, nothing)


@bug
def a_halt_is_not_told(plot: Plot) -> None:
    """Nobody is paged when trading halts."""
    plot.put(risk_decide.DECIDE, TradingHalted, nothing)


@bug
def halts_are_forgotten(plot: Plot) -> None:
    """A halt is told and not remembered."""
    plot.put(risk_evolve.EVOLVE, TradingHalted, nothing)


@bug
def sells_twice_what_is_held(plot: Plot) -> None:
    """An exit is for twice the shares."""

    def wrong(before: Any) -> Any:
        def exit_order(*given: Any, quantity: Decimal, **more: Any) -> Any:
            return before(*given, quantity=quantity * 2, **more)

        return exit_order

    plot.put(manager, "exit_order", wrong)


@bug
def a_refusal_is_forgotten(plot: Plot) -> None:
    """An order that the broker refused stays on its way for ever."""
    plot.put(OrderExecutor.EVOLVE, OrderRejected, nothing)


@bug
def nobody_looks_after_stops(plot: Plot) -> None:
    """A position that lost its stop is not noticed."""
    plot.put(execution_decide, "review", nothing)


@bug
def the_grace_never_ends(plot: Plot) -> None:
    """Nothing follows when a position has been without a stop for the grace."""
    plot.put(execution_decide, "on_guard_timer", nothing)


@bug
def a_stop_is_moved_on_paper_only(plot: Plot) -> None:
    """A raised stop is remembered, and the broker keeps the old one."""
    plot.put(OrderExecutor.DECIDE, StopMoved, nothing)


@bug
def an_unclear_order_is_not_asked_about(plot: Plot) -> None:
    """Nothing follows when the broker did not answer."""
    plot.put(OrderExecutor.DECIDE, SubmitOutcomeUnknown, nothing)


@bug
def a_leg_unknown_is_gone(plot: Plot) -> None:
    """A leg that the broker does not know is a contradiction, sent or not."""

    def wrong(_: Any) -> Any:
        def event_of_answer(state: Any, message: Any, now: datetime) -> Any:
            if state.ticket(message.client_order_id) is None:
                return None
            valid_until = state.valid_until.get(message.client_order_id)
            return look_up.event_of_look_up(message.ticket, valid_until=valid_until, now=now)

        return event_of_answer

    plot.put(execution_decide, "event_of_answer", wrong)
    plot.put(execution_evolve, "event_of_answer", wrong)


@bug
def exits_do_not_wait(plot: Plot) -> None:
    """An exit is sent while the stop still holds the shares."""

    def wrong(before: Any) -> Any:
        def in_the_way(state: Any, order: Any) -> Any:
            return [] if order.role is OrderRole.EXIT else before(state, order)

        return in_the_way

    plot.put(working, "in_the_way", wrong)


@bug
def quotes_may_be_old(plot: Plot) -> None:
    """Nobody asks how old a quote is."""
    _passes(plot, "quote_age")
    _passes(plot, "live_quote_age")

    def wrong(before: Any) -> Any:
        def at_most(name: str, *given: Any, **more: Any) -> Any:
            check = before(name, *given, **more)
            return replace(check, passed=True) if name == "stale_quote" else check

        return at_most

    plot.put(gates, "at_most", wrong)


@bug
def the_session_does_not_matter(plot: Plot) -> None:
    """Entries are approved when the exchange is closed."""
    _passes(plot, "session_open")


@bug
def halted_symbols_are_bought(plot: Plot) -> None:
    """Entries are approved while the exchange halts the symbol."""
    _passes(plot, "symbol_halted")

    def wrong(before: Any) -> Any:
        def state_gate(name: str, *, is_bad: bool, note: str) -> Any:
            return before(name, is_bad=is_bad and name != "symbol_halted", note=note)

        return state_gate

    plot.put(gates, "state_gate", wrong)


@bug
def a_symbol_is_bought_twice(plot: Plot) -> None:
    """Nobody asks whether the symbol is held or being bought already."""
    _passes(plot, "duplicate")


@bug
def a_halt_stops_no_entries(plot: Plot) -> None:
    """Entries are approved while trading is halted."""
    _passes(plot, "trading_state")


@bug
def splits_are_ignored(plot: Plot) -> None:
    """The books keep the shares that there were before a split."""
    plot.put(PositionManager.DECIDE, SplitApplied, nothing)
    plot.put(PositionManager.EVOLVE, SplitApplied, nothing)


@bug
def every_fill_costs_a_dollar(plot: Plot) -> None:
    """A fee is booked that nobody charged."""

    def wrong(before: Any) -> Any:
        def apply_fill(books: Any, fill: Any, origin: Any) -> Any:
            return before(books, replace(fill, fee_usd=fill.fee_usd + 1), origin)

        return apply_fill

    plot.put(ledger, "apply_fill", wrong)


@bug
def average_of_the_last_purchase(plot: Plot) -> None:
    """The average cost of a position is the price of its last purchase."""

    def wrong(before: Any) -> Any:
        def buy(books: Any, fill: Any, origin: Any, held: Any) -> Any:
            booked = before(books, fill, origin, held)
            after = replace(booked.after, average_cost=fill.price)
            positions = {**booked.books.positions, fill.symbol: after}
            return replace(booked, after=after, books=replace(booked.books, positions=positions))

        return buy

    plot.put(ledger, "_buy", wrong)


@bug
def a_stop_on_its_way_is_asked_for_again(plot: Plot) -> None:
    """A stop on its way counts as none, so a second one is asked for that cancels it."""

    def wrong(before: Any) -> Any:
        return lambda *given: replace(before(*given), coming=())

    plot.put(protection, "cover_of", wrong)
    plot.put(protection, "_is_sent", lambda _: lambda *_: False)
