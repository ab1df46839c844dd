"""Moments at which positions are looked at again: hours, quotes, halts, splits, the price feed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalyst_bot.domain.enums import ProtectedBy
from catalyst_bot.domain.market import middle_of
from catalyst_bot.domain.messages.decisions import OrderWithdrawn
from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    AdapterRecovered,
    BarClosed,
    QuoteSampled,
    SessionClosed,
    SessionOpened,
    SplitApplied,
    SymbolResumed,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.execution import corporate, halts, repricing
from catalyst_bot.execution.guards.evolve import PRICES
from catalyst_bot.execution.protection import Change, review, review_all
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import State
from catalyst_bot.ports.desk import Desk


def on_session_opened(
    state: State, message: SessionOpened, desk: Desk, rules: Rules
) -> list[Message]:
    """Stops work from now on: every position without one at the broker gets it."""
    return review_all(state, desk, rules, asks_anew=True)


def on_session_closed(
    state: State, message: SessionClosed, desk: Desk, rules: Rules
) -> list[Message]:
    """The hours of the bot's own watch may begin."""
    return review_all(state, desk, rules)


def on_quote(state: State, message: QuoteSampled, desk: Desk, rules: Rules) -> list[Message]:
    """A naked position whose price is seen again is watched from now on; the first quote after a
    halt decides on the entries that waited.
    """
    middle = middle_of(message.quote)
    if middle is None:
        return []
    due = [
        *halts.on_price(state, message.quote.symbol, middle, desk, rules),
        *repricing.on_quote(state, message.quote, desk, rules),
    ]
    position = desk.positions.get(message.quote.symbol)
    guard = state.guards.get(position.trade_id) if position is not None else None
    if position is None or guard is None or guard.protected_by is not ProtectedBy.NONE:
        return due
    return [*due, *review(state, position, desk, rules, Change(is_priced=True))]


def on_bar(state: State, message: BarClosed, desk: Desk, rules: Rules) -> list[Message]:
    """The first bar that began after a halt decides too; closes move limits where no quote does."""
    waiting = halts.on_bar(state, message.bar, desk, rules) if state.queued else []
    if message.bar.symbol in state.priced_at or not state.priced_since:
        return waiting
    return [*waiting, *repricing.on_quote(state, repricing.quote_of(message.bar), desk, rules)]


def on_resumed(state: State, message: SymbolResumed, desk: Desk, rules: Rules) -> list[Message]:
    """Exits that waited for the symbol go out."""
    return halts.send_exits(state, message.symbol, desk, rules)


def on_withdrawn(state: State, message: OrderWithdrawn, desk: Desk, rules: Rules) -> list[Message]:
    """Prices of an entry that waited in vain are not needed any more."""
    return halts.stop_watching(state, message, desk)


def on_split(state: State, message: SplitApplied, desk: Desk, rules: Rules) -> list[Message]:
    """The same orders in other shares."""
    return corporate.rescale_orders(state, message)


def on_prices_failed(
    state: State, message: AdapterFailed, desk: Desk, rules: Rules
) -> list[Message]:
    """Without prices the bot's own watch protects nothing."""
    if message.adapter != PRICES:
        return []
    return review_all(state, desk, rules, change=Change(is_blind=True))


def on_prices_recovered(
    state: State, message: AdapterRecovered, desk: Desk, rules: Rules
) -> list[Message]:
    """Quotes count again, those from before the failure too while they are fresh."""
    if message.adapter != PRICES:
        return []
    return review_all(state, desk, rules, change=Change(is_blind=False))


DECIDE: dict[type, Callable[[State, Any, Desk, Rules], list[Message]]] = {
    SessionOpened: on_session_opened,
    SessionClosed: on_session_closed,
    QuoteSampled: on_quote,
    AdapterFailed: on_prices_failed,
    AdapterRecovered: on_prices_recovered,
    BarClosed: on_bar,
    SymbolResumed: on_resumed,
    OrderWithdrawn: on_withdrawn,
    SplitApplied: on_split,
}
