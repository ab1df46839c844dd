"""Remember what protects each position, what symbols cost and when they trade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from catalyst_bot.domain.enums import OrderRole, ProtectionStep
from catalyst_bot.domain.market import middle_of
from catalyst_bot.domain.messages.decisions import (
    OrderQueued,
    PositionClosed,
    ProtectionChanged,
    ProtectionNeeded,
    StopMoved,
)
from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    AdapterRecovered,
    QuoteSampled,
    RunStarted,
    SessionOpened,
    SplitApplied,
    SymbolHalted,
    SymbolRenamed,
    SymbolResumed,
)
from catalyst_bot.domain.money import round_price
from catalyst_bot.execution import corporate
from catalyst_bot.execution.protection import is_same_trouble
from catalyst_bot.execution.state import Guard, Queued, State

PRICES = "market data"  # the adapter whose failure makes the bot's own watch blind


def guard_position(state: State, message: ProtectionChanged, at: datetime) -> None:
    """From now on this protects the position; what was tried in vain still counts as tried."""
    before = state.guards.get(message.trade_id)
    guard = Guard(
        catalyst_id=message.catalyst_id,
        symbol=message.symbol,
        protected_by=message.protected_by,
        since=at,
    )
    if before is not None and is_same_trouble(before.protected_by, message.protected_by):
        guard = replace(guard, steps=before.steps, escalation=before.escalation)
    state.guards[message.trade_id] = guard


def count_step(state: State, message: ProtectionNeeded, at: datetime) -> None:
    """Something was asked of risk, or of the broker."""
    guard = state.guards.get(message.trade_id)
    if guard is not None:
        is_asked = message.step is not ProtectionStep.ASK_BROKER
        state.guards[message.trade_id] = replace(
            guard, steps=guard.steps + is_asked, escalation=message.escalation
        )


def forget_trade(state: State, message: PositionClosed, at: datetime) -> None:
    """Nothing is left to protect."""
    state.guards.pop(message.trade.trade_id, None)
    state.raised_stops.pop(message.trade.trade_id, None)
    state.quotes.pop(message.trade.symbol, None)
    state.priced_at.pop(message.trade.symbol, None)


def raise_stop(state: State, message: StopMoved, at: datetime) -> None:
    """A stop that is still to be sent has to be at this price."""
    state.raised_stops[message.trade_id] = message.stop_price


def queue_order(state: State, message: OrderQueued, at: datetime) -> None:
    """The order waits for its symbol to trade again."""
    state.queued[message.order.client_order_id] = Queued(order=message.order, since=at)


def halt_symbol(state: State, message: SymbolHalted, at: datetime) -> None:
    """The exchange halted the symbol; what waits has to wait again."""
    state.halted_symbols.add(message.symbol)
    for order_id, waiting in state.queued.items():
        if waiting.order.symbol == message.symbol:
            state.queued[order_id] = replace(waiting, resumed_at=None)


def resume_symbol(state: State, message: SymbolResumed, at: datetime) -> None:
    """The symbol trades again: exits are on their way, entries wait for a price."""
    state.halted_symbols.discard(message.symbol)
    for order_id, waiting in list(state.queued.items()):
        if waiting.order.symbol != message.symbol:
            continue
        if waiting.order.role is OrderRole.EXIT:
            del state.queued[order_id]
        else:
            state.queued[order_id] = replace(waiting, resumed_at=at)


def keep_quote(state: State, message: QuoteSampled, at: datetime) -> None:
    """Keep the latest quote that means something."""
    if middle_of(message.quote) is not None:
        state.quotes[message.quote.symbol] = message.quote
        state.priced_at[message.quote.symbol] = at


def forget_quotes(state: State, message: SessionOpened, at: datetime) -> None:
    """Quotes of symbols without position or order are not needed any more."""
    needed = {guard.symbol for guard in state.guards.values()}
    needed |= {ticket.symbol for ticket in state.open_tickets.values()}
    state.quotes = {symbol: q for symbol, q in state.quotes.items() if symbol in needed}
    state.priced_at = {symbol: t for symbol, t in state.priced_at.items() if symbol in needed}


def go_blind(state: State, message: AdapterFailed, at: datetime) -> None:
    """The source of prices fails."""
    if message.adapter == PRICES:
        state.is_blind = True


def see_again(state: State, message: AdapterRecovered, at: datetime) -> None:
    """The source of prices works again."""
    if message.adapter == PRICES:
        state.is_blind = False


def start_run(state: State, message: RunStarted, at: datetime) -> None:
    """A new process: nothing has failed it yet."""
    state.is_blind = False


def split_stops(state: State, message: SplitApplied, at: datetime) -> None:
    """Raised stops of the symbol are worth what the new shares are worth."""
    for trade_id, guard in state.guards.items():
        price = state.raised_stops.get(trade_id)
        if guard.symbol == message.symbol and price is not None:
            state.raised_stops[trade_id] = round_price(price / message.shares_per_share)
    state.quotes.pop(message.symbol, None)
    state.priced_at.pop(message.symbol, None)


def rename_symbol(state: State, message: SymbolRenamed, at: datetime) -> None:
    """Everything of the symbol goes on under its new one."""
    corporate.rename(state, message.symbol, message.new_symbol)


EVOLVE: dict[type, Callable[[State, Any, datetime], None]] = {
    RunStarted: start_run,
    SessionOpened: forget_quotes,
    ProtectionChanged: guard_position,
    ProtectionNeeded: count_step,
    PositionClosed: forget_trade,
    StopMoved: raise_stop,
    OrderQueued: queue_order,
    SymbolHalted: halt_symbol,
    SymbolResumed: resume_symbol,
    QuoteSampled: keep_quote,
    AdapterFailed: go_blind,
    AdapterRecovered: see_again,
    SplitApplied: split_stops,
    SymbolRenamed: rename_symbol,
}
