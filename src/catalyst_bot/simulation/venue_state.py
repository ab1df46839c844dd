"""The venue's memory, and how each message changes it.

The living venue changes its memory only by recording a fact here, and a rebuilt one by folding
the same facts from the journal; so both are the same by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalyst_bot.domain.enums import OrderStatus
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import ApprovedOrder, Fill
from catalyst_bot.simulation.bracket import Bracket, bracket_of
from catalyst_bot.simulation.venue_account import VenueAccount
from catalyst_bot.simulation.venue_order import VenueOrder, held_legs, plain_order


@dataclass(slots=True, kw_only=True)
class VenueState:
    """Everything the venue knows.

    `promised` are orders sent but not yet answered: they are not at the venue. `orders` holds
    finished ones too, so that no id is ever used twice. `open_ids` are the open ones by symbol.
    `tradable_from` is when a symbol's last halt ended.
    """

    account: VenueAccount
    promised: dict[str, ApprovedOrder] = field(default_factory=dict)
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    open_ids: dict[str, dict[str, None]] = field(default_factory=dict)
    halted: set[str] = field(default_factory=set)
    tradable_from: dict[str, datetime] = field(default_factory=dict)

    def open_orders(self, symbol: str) -> list[VenueOrder]:
        """Return the open orders of a symbol, oldest first."""
        return [self.orders[order_id] for order_id in self.open_ids.get(symbol, ())]

    def all_open_orders(self) -> list[VenueOrder]:
        """Return every open order."""
        return [order for symbol in self.open_ids for order in self.open_orders(symbol)]

    def bracket_of(self, order: VenueOrder) -> Bracket:
        """Return the bracket an order or leg belongs to."""
        return bracket_of(order, self.orders)

    def apply(self, message: Message) -> None:
        """Change with one message; messages that are no business of a venue change nothing."""
        change = _CHANGES.get(type(message))
        if change is not None:
            change(self, message)

    def set_status(self, order: VenueOrder, status: OrderStatus) -> None:
        """Move an order and keep `open_ids` in step."""
        order.status = status
        if order.is_open:
            self.open_ids.setdefault(order.symbol, {})[order.client_order_id] = None
            return
        of_symbol = self.open_ids.get(order.symbol, {})
        of_symbol.pop(order.client_order_id, None)
        if not of_symbol:
            self.open_ids.pop(order.symbol, None)


def _promise(state: VenueState, message: SubmitOrder) -> None:
    if message.order.client_order_id not in state.orders:
        state.promised[message.order.client_order_id] = message.order


def _break_promise(state: VenueState, message: f.SubmitSuppressed) -> None:
    state.promised.pop(message.client_order_id, None)


def _accept(state: VenueState, message: f.OrderAccepted) -> None:
    """An order enters the venue, or a leg is announced; a repeated answer changes nothing."""
    known = state.orders.get(message.client_order_id)
    if known is not None:
        known.is_acknowledged = True
        return
    order = _kept_promise(state, message.client_order_id)
    live_from = max(order.approved_at, message.at)
    entry = plain_order(order, status=OrderStatus.WORKING, live_from=live_from)
    entry.is_acknowledged = True
    for new in (entry, *held_legs(order, live_from)):
        state.orders[new.client_order_id] = new
    state.set_status(entry, OrderStatus.WORKING)


def _reject(state: VenueState, message: f.OrderRejected) -> None:
    if message.client_order_id in state.orders:
        return
    order = _kept_promise(state, message.client_order_id)
    rejected = plain_order(order, status=OrderStatus.REJECTED, live_from=message.at)
    rejected.reason = message.reason
    state.orders[order.client_order_id] = rejected


def _fill(state: VenueState, message: f.OrderFilled) -> None:
    fill = message.fill
    order = _known(state, fill.client_order_id)
    if fill.fill_id in order.fill_ids:
        return
    order.fill_ids.add(fill.fill_id)
    order.told_at = message.at
    order.filled_quantity += fill.quantity
    if not order.filled_quantity <= order.quantity:
        raise InvariantViolated(f"{order.client_order_id} is filled beyond its quantity")
    state.account.book(fill)
    is_done = order.remaining == 0
    state.set_status(order, OrderStatus.FILLED if is_done else OrderStatus.PARTIALLY_FILLED)
    if order.is_leg:
        _shrink_sibling(state, order, fill)
    else:
        _grow_legs(state, order, fill)


def _grow_legs(state: VenueState, entry: VenueOrder, fill: Fill) -> None:
    """Legs protect exactly what the entry has bought so far."""
    for leg in state.bracket_of(entry).legs:
        if leg.status is OrderStatus.HELD:
            leg.quantity = fill.quantity
            leg.live_from = fill.filled_at
            state.set_status(leg, OrderStatus.WORKING)
        elif leg.is_open:
            leg.quantity += fill.quantity


def _shrink_sibling(state: VenueState, leg: VenueOrder, fill: Fill) -> None:
    sibling = state.bracket_of(leg).sibling(leg)
    if sibling is not None and sibling.is_open:
        sibling.quantity -= fill.quantity


def _cancel(state: VenueState, message: f.OrderCancelled) -> None:
    _finish(state, _known(state, message.client_order_id), OrderStatus.CANCELLED)


def _expire(state: VenueState, message: f.OrderExpired) -> None:
    _finish(state, _known(state, message.client_order_id), OrderStatus.EXPIRED)


def _finish(state: VenueState, order: VenueOrder, status: OrderStatus) -> None:
    """End an order; the legs of an entry that bought nothing end with it."""
    if order.is_finished:
        return
    state.set_status(order, status)
    if not order.is_leg:
        for leg in state.bracket_of(order).legs:
            if leg.status is OrderStatus.HELD:
                state.set_status(leg, OrderStatus.CANCELLED)


def _replace(state: VenueState, message: f.OrderReplaced) -> None:
    order = _known(state, message.client_order_id)
    if message.stop_price is not None:
        order.stop_prices.append((message.at, message.stop_price))


def _halt(state: VenueState, message: f.SymbolHalted) -> None:
    state.halted.add(message.symbol)


def _resume(state: VenueState, message: f.SymbolResumed) -> None:
    state.halted.discard(message.symbol)
    state.tradable_from[message.symbol] = message.at


def _known(state: VenueState, client_order_id: str) -> VenueOrder:
    order = state.orders.get(client_order_id)
    if order is None:
        raise InvariantViolated(f"a fact about {client_order_id}, which the venue never accepted")
    return order


def _kept_promise(state: VenueState, client_order_id: str) -> ApprovedOrder:
    order = state.promised.pop(client_order_id, None)
    if order is None:
        raise InvariantViolated(f"an answer to {client_order_id}, which nobody submitted")
    return order


_CHANGES: dict[type, Callable[[VenueState, Any], None]] = {
    SubmitOrder: _promise,
    f.SubmitSuppressed: _break_promise,
    f.OrderAccepted: _accept,
    f.OrderRejected: _reject,
    f.OrderFilled: _fill,
    f.OrderCancelled: _cancel,
    f.OrderExpired: _expire,
    f.OrderReplaced: _replace,
    f.SymbolHalted: _halt,
    f.SymbolResumed: _resume,
}
