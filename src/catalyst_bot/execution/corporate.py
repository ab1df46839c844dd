"""Splits and new names: the same orders in other shares or under another symbol."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal

from catalyst_bot.domain.messages.decisions import OrderRescaled
from catalyst_bot.domain.messages.facts import SplitApplied
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.money import ZERO, round_price, whole_shares
from catalyst_bot.domain.trading import OrderTicket
from catalyst_bot.execution.state import State
from catalyst_bot.execution.working import withdrawn

_BEFORE_TRADING = time(8)  # UTC: late trading is over and early trading has not begun


def rescale_orders(state: State, message: SplitApplied) -> list[Message]:
    """Rescale every open order of the symbol that was sent before the split counted; one that was
    sent since, because the split was told late, is in new shares at the broker.

    A stop that waits to be sent is asked for anew.
    """
    symbol = message.symbol
    counts_from = datetime.combine(message.effective_on, _BEFORE_TRADING, tzinfo=UTC)
    return [
        *(
            withdrawn(order, "the shares were split")
            for order in state.pending_stops.values()
            if order.symbol == symbol
        ),
        *(
            withdrawn(waiting.order, "the shares were split")
            for waiting in state.queued.values()
            if waiting.order.symbol == symbol
        ),
        *(
            _rescaled(ticket, message.shares_per_share)
            for ticket in state.open_tickets.values()
            if ticket.symbol == symbol
            and (ticket.submitted_at is None or ticket.submitted_at < counts_from)
        ),
    ]


def _rescaled(ticket: OrderTicket, shares_per_share: Decimal) -> OrderRescaled:
    """Whole shares stay whole; prices are rounded to the nearest valid one."""
    filled = whole_shares(ticket.filled_quantity * shares_per_share)
    left = whole_shares((ticket.quantity - ticket.filled_quantity) * shares_per_share)

    def price(old: Decimal | None) -> Decimal | None:
        return None if old is None else round_price(old / shares_per_share)

    return OrderRescaled(
        client_order_id=ticket.client_order_id,
        catalyst_id=ticket.catalyst_id,
        quantity=filled + left,
        filled_quantity=filled,
        reference_price=round_price(ticket.reference_price / shares_per_share),
        limit_price=price(ticket.limit_price),
        stop_price=price(ticket.stop_price),
        worst_price=price(ticket.worst_price),
    )


def rename(state: State, old: str, new: str) -> None:
    """Let everything that is remembered of a symbol go on under another (used by `evolve`)."""
    _rename_orders(state, old, new)
    for trade_id, guard in state.guards.items():
        if guard.symbol == old:
            state.guards[trade_id] = replace(guard, symbol=new)
    if old in state.halted_symbols:
        state.halted_symbols.remove(old)
        state.halted_symbols.add(new)
    if old in state.books.touched:
        state.books.touched[new] = None
    shares = state.books.foreign_shares.pop(old, None)
    if shares is not None:
        state.books.foreign_shares[new] = state.books.foreign_shares.get(new, ZERO) + shares
    state.quotes.pop(old, None)
    state.priced_at.pop(old, None)


def _rename_orders(state: State, old: str, new: str) -> None:
    for order_id, ticket in state.open_tickets.items():
        if ticket.symbol == old:
            state.open_tickets[order_id] = replace(ticket, symbol=new)
    for waiting in (state.pending_exits, state.pending_stops):
        for trade_id, order in waiting.items():
            if order.symbol == old:
                waiting[trade_id] = replace(order, symbol=new)
    for order_id, queued in state.queued.items():
        if queued.order.symbol == old:
            state.queued[order_id] = replace(queued, order=replace(queued.order, symbol=new))
