"""A bracket: an entry and its two protective legs, of which one cancels the other.

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
    )


def leg_tickets(order: ApprovedOrder, entry: OrderTicket) -> list[OrderTicket]:
    """Return the tickets of the legs that an entry brings along; other orders have none."""
    legs: list[OrderTicket] = []
    if order.role is not OrderRole.ENTRY:
        return legs
    if order.stop_loss_price is not None:
        stop = _leg(entry, stop_leg_id(order.client_order_id), OrderRole.STOP_LOSS)
        legs.append(
            replace(
                stop,
                kind=OrderKind.STOP,
                stop_price=order.stop_loss_price,
                reference_price=order.stop_loss_price,
                exit_reason=ExitReason.STOP_LOSS,
            )
        )
    if order.take_profit_price is not None:
        target = _leg(entry, target_leg_id(order.client_order_id), OrderRole.TAKE_PROFIT)
        legs.append(
            replace(
                target,
                kind=OrderKind.LIMIT,
                limit_price=order.take_profit_price,
                reference_price=order.take_profit_price,
                exit_reason=ExitReason.TAKE_PROFIT,
            )
        )
    return legs


def _leg(entry: OrderTicket, leg_id: str, role: OrderRole) -> OrderTicket:
    return replace(
        entry,
        client_order_id=leg_id,
        role=role,
        side=Side.SELL,
        status=OrderStatus.HELD,
        limit_price=None,
        stop_price=None,
    )


def entry_id_of(ticket: OrderTicket) -> str:
    """Return the id of the bracket's entry: legs are named `<entry id>-sl` and `<entry id>-tp`."""
    if ticket.role in LEGS:
        return ticket.client_order_id.rpartition("-")[0]
    return ticket.client_order_id


def settle_leg(leg: OrderTicket, entry: OrderTicket, sibling: OrderTicket | None) -> OrderTicket:
    """Return an unfinished leg with the quantity it can still stand for.

    It can sell what the entry bought (or still may buy) less what its sibling sold. With nothing
    left to sell it is finished: filled when it sold any, else cancelled.
    """
    bought = entry.filled_quantity if is_finished(entry) else entry.quantity
    sold_elsewhere = sibling.filled_quantity if sibling is not None else Decimal(0)
    quantity = max(bought - sold_elsewhere, leg.filled_quantity)
    if leg.filled_quantity < quantity:
        return replace(leg, quantity=quantity)
    event = OrderEvent.FILL_REST if leg.filled_quantity > 0 else OrderEvent.CANCEL
    status = advance(leg.status, event) or leg.status
    return replace(leg, quantity=quantity, status=status)
