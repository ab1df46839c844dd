"""Approved orders as the embedded venue takes them, and its orders as the bot knows orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import ExitReason, OrderKind, OrderRole, OrderStatus, Side
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import ApprovedOrder, OrderTicket, stop_leg_id, target_leg_id
from catalyst_bot.simulation.events import OrderEntered, VenueEvent
from catalyst_bot.simulation.order_request import OrderClass, OrderRequest
from catalyst_bot.simulation.venue_order import VenueOrder, VenueRole, VenueStatus
from catalyst_bot.simulation.venue_state import VenueState

_STATUS = {
    VenueStatus.ACCEPTED: OrderStatus.WORKING,
    VenueStatus.NEW: OrderStatus.WORKING,
    VenueStatus.PENDING_CANCEL: OrderStatus.WORKING,
    VenueStatus.PARTIALLY_FILLED: OrderStatus.PARTIALLY_FILLED,
    VenueStatus.FILLED: OrderStatus.FILLED,
    VenueStatus.CANCELED: OrderStatus.CANCELLED,
    VenueStatus.EXPIRED: OrderStatus.EXPIRED,
    VenueStatus.HELD: OrderStatus.HELD,
    VenueStatus.REJECTED: OrderStatus.REJECTED,
}
_LEG_ROLES = {
    VenueRole.STOP_LOSS: (OrderRole.STOP_LOSS, ExitReason.STOP_LOSS),
    VenueRole.TAKE_PROFIT: (OrderRole.TAKE_PROFIT, ExitReason.TAKE_PROFIT),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An order that was refused, and why."""

    order: ApprovedOrder
    reason: str
    at: datetime


@dataclass(slots=True, kw_only=True)
class OrderMemory:
    """What the face remembers beside the venue.

    `promised` are orders sent but not yet answered: they are not at the venue. `approved` holds,
    for every order and leg there, the approved order it came from; `refused` the rejected ones,
    so that no id is ever used twice.
    """

    promised: dict[str, ApprovedOrder] = field(default_factory=dict)
    approved: dict[str, ApprovedOrder] = field(default_factory=dict)
    refused: dict[str, Rejection] = field(default_factory=dict)

    def remember(self, order: ApprovedOrder, events: Iterable[VenueEvent]) -> None:
        """Note that an order and its legs entered the venue."""
        for event in events:
            if isinstance(event, OrderEntered):
                self.approved[event.client_order_id] = order


class EmbeddedNames:
    """Content hashes: one and the same in every replay. A moved order keeps its client id."""

    def order_id(self, client_order_id: str) -> str:
        return ids.content_id("ven", client_order_id)

    def leg(self, entry: OrderRequest, role: VenueRole) -> tuple[str, str]:
        leg_id = stop_leg_id if role is VenueRole.STOP_LOSS else target_leg_id
        client_order_id = leg_id(entry.client_order_id)
        return client_order_id, self.order_id(client_order_id)

    def successor(self, order: VenueOrder, count: int) -> tuple[str, str]:
        return order.client_order_id, ids.content_id("ven", order.client_order_id, str(count))


def request_of(order: ApprovedOrder) -> OrderRequest:
    """Return an approved order as a request; see `ApprovedOrder` for what its prices mean."""
    order_class = _class_of(order)
    is_stop, has_legs = order.kind is OrderKind.STOP, order_class is not OrderClass.SIMPLE
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,
        kind=order.kind,
        time_in_force=order.time_in_force,
        quantity=order.quantity,
        reference_price=order.reference_price,
        limit_price=order.limit_price if order.kind is OrderKind.LIMIT else None,
        stop_price=order.stop_loss_price if is_stop else None,
        extended_hours=order.extended_hours,
        order_class=order_class,
        take_profit_price=order.take_profit_price if has_legs else None,
        stop_loss_price=order.stop_loss_price if has_legs else None,
    )


def _class_of(order: ApprovedOrder) -> OrderClass:
    if order.kind is OrderKind.STOP:
        return OrderClass.SIMPLE
    has_stop = order.stop_loss_price is not None
    if order.side is Side.SELL:
        is_pair = order.role is OrderRole.TAKE_PROFIT and order.kind is OrderKind.LIMIT
        return OrderClass.OCO if is_pair and has_stop else OrderClass.SIMPLE
    if has_stop and order.take_profit_price is not None:
        return OrderClass.BRACKET
    return OrderClass.OTO if has_stop or order.take_profit_price else OrderClass.SIMPLE


def filled_before(order: VenueOrder, state: VenueState) -> Decimal:
    """Return what the orders had filled that this one replaces: to the bot they are one order."""
    filled, replaced_id = ZERO, order.replaces
    while replaced_id is not None:
        replaced = state.orders[replaced_id]
        filled += replaced.filled_quantity
        replaced_id = replaced.replaces
    return filled


def ticket_of(order: VenueOrder, approved: ApprovedOrder, state: VenueState) -> OrderTicket:
    """Return an order as the bot knows orders; a leg's reference is the price it waits at."""
    earlier = filled_before(order, state)
    waits_at = order.limit_price or order.stop_price
    role, exit_reason = approved.role, approved.exit_reason
    reference_price = approved.reference_price
    if order.client_order_id != approved.client_order_id:
        role, exit_reason = _LEG_ROLES[order.role]
        reference_price = waits_at or reference_price
    status = _STATUS[order.status]
    filled = earlier + order.filled_quantity
    if status is OrderStatus.WORKING and filled:
        status = OrderStatus.PARTIALLY_FILLED
    return OrderTicket(
        client_order_id=order.client_order_id,
        broker_order_id=EmbeddedNames().order_id(order.client_order_id),
        trade_id=approved.trade_id,
        catalyst_id=approved.catalyst_id,
        strategy_id=approved.strategy_id,
        symbol=order.symbol,
        role=role,
        side=order.side,
        kind=order.kind,
        status=status,
        quantity=earlier + order.quantity,
        filled_quantity=filled,
        reference_price=reference_price,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        exit_reason=exit_reason,
        submitted_at=order.live_from,
    )


def rejected_ticket(rejection: Rejection) -> OrderTicket:
    """Return the ticket of an order that never was at the venue."""
    order = rejection.order
    is_stop = order.kind is OrderKind.STOP
    return OrderTicket(
        client_order_id=order.client_order_id,
        broker_order_id=EmbeddedNames().order_id(order.client_order_id),
        trade_id=order.trade_id,
        catalyst_id=order.catalyst_id,
        strategy_id=order.strategy_id,
        symbol=order.symbol,
        role=order.role,
        side=order.side,
        kind=order.kind,
        status=OrderStatus.REJECTED,
        quantity=order.quantity,
        filled_quantity=ZERO,
        reference_price=order.reference_price,
        limit_price=order.limit_price if order.kind is OrderKind.LIMIT else None,
        stop_price=order.stop_loss_price if is_stop else None,
        exit_reason=order.exit_reason,
        submitted_at=rejection.at,
    )
