"""Orders that belong together: an entry with its two legs, or a pair that protects a position.

Venues differ in which cancellations of legs they report (one well-known stream leaves the
sibling's out), so our books follow from the contract itself: what one leg sold, the other can
sell no more.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from catalyst_bot.domain.enums import ExitReason, OrderKind, OrderRole, OrderStatus, Side
from catalyst_bot.domain.trading import ApprovedOrder, OrderTicket, stop_leg_id, target_leg_id
from catalyst_bot.execution.order_states import OrderEvent, advance, is_finished

LEGS = frozenset({OrderRole.STOP_LOSS, OrderRole.TAKE_PROFIT})
_SUFFIXES = (stop_leg_id(""), target_leg_id(""))


def planned_ticket(order: ApprovedOrder) -> OrderTicket:
    """Return the ticket of an order that was approved and not sent yet."""
    return OrderTicket(
        client_order_id=order.client_order_id,
        broker_order_id="",
        trade_id=order.trade_id,
        catalyst_id=order.catalyst_id,
        strategy_id=order.strategy_id,
        symbol=order.symbol,
        role=order.role,
        side=order.side,
        kind=order.kind,
        status=OrderStatus.PLANNED,
        quantity=order.quantity,
        filled_quantity=Decimal(0),
        reference_price=order.reference_price,
        limit_price=order.limit_price,
        stop_price=order.stop_loss_price if order.kind is OrderKind.STOP else None,
        exit_reason=order.exit_reason,
        worst_price=order.worst_price,
    )


def leg_tickets(order: ApprovedOrder, parent: OrderTicket) -> list[OrderTicket]:
    """Return the tickets of the legs that an order brings along: an entry's stop and target, or
    the stop of a pair whose target it is. Others have none.
    """
    legs: list[OrderTicket] = []
    is_entry = order.role is OrderRole.ENTRY
    if not is_entry and order.role is not OrderRole.TAKE_PROFIT:
        return legs
    if order.stop_loss_price is not None:
        stop_id = stop_leg_id(order.client_order_id)
        legs.append(_leg(parent, stop_id, OrderKind.STOP, order.stop_loss_price))
    if is_entry and order.take_profit_price is not None:
        target_id = target_leg_id(order.client_order_id)
        legs.append(_leg(parent, target_id, OrderKind.LIMIT, order.take_profit_price))
    return legs


def _leg(parent: OrderTicket, leg_id: str, kind: OrderKind, price: Decimal) -> OrderTicket:
    is_stop = kind is OrderKind.STOP
    return replace(
        parent,
        client_order_id=leg_id,
        role=OrderRole.STOP_LOSS if is_stop else OrderRole.TAKE_PROFIT,
        side=Side.SELL,
        kind=kind,
        status=OrderStatus.HELD,
        limit_price=None if is_stop else price,
        stop_price=price if is_stop else None,
        worst_price=None,
        reference_price=price,
        exit_reason=ExitReason.STOP_LOSS if is_stop else ExitReason.TAKE_PROFIT,
    )


def parent_id_of(ticket: OrderTicket) -> str:
    """Return the id of the order that brought the ticket along; of any other its own.

    Legs are named `<parent id>-sl` and `<parent id>-tp`.
    """
    order_id = ticket.client_order_id
    suffix = next((s for s in _SUFFIXES if order_id.endswith(s)), "")
    return order_id.removesuffix(suffix)


def settle_leg(leg: OrderTicket, entry: OrderTicket, sibling: OrderTicket | None) -> OrderTicket:
    """Return an unfinished leg of an entry with the quantity it can still stand for.

    It can sell what the entry bought (or still may buy) less what its sibling sold.
    """
    bought = entry.filled_quantity if is_finished(entry) else entry.quantity
    sold_elsewhere = sibling.filled_quantity if sibling is not None else Decimal(0)
    return _standing_for(leg, bought - sold_elsewhere)


def settle_pair(one: OrderTicket, sold_by_other: Decimal) -> OrderTicket:
    """Return an unfinished half of a protective pair after the other half sold some more."""
    return _standing_for(one, one.quantity - sold_by_other)


def _standing_for(leg: OrderTicket, quantity: Decimal) -> OrderTicket:
    """With nothing left to sell it is finished: filled when it sold any, else cancelled."""
    quantity = max(quantity, leg.filled_quantity)
    if leg.filled_quantity < quantity:
        return replace(leg, quantity=quantity)
    event = OrderEvent.FILL_REST if leg.filled_quantity > 0 else OrderEvent.CANCEL
    status = advance(leg.status, event) or leg.status
    return replace(leg, quantity=quantity, status=status)
