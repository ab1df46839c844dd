"""Remember where every order stands; each step goes through the table of `order_states`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from catalyst_bot.domain.enums import ExitReason, OrderRole, OrderStatus
from catalyst_bot.domain.messages.commands import CancelOrder, SubmitOrder
from catalyst_bot.domain.messages.decisions import OrderApproved, PositionClosed
from catalyst_bot.domain.messages.facts import (
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderLookedUp,
    OrderRejected,
    OrderReplaced,
    SubmitOutcomeUnknown,
    SubmitSuppressed,
)
from catalyst_bot.domain.trading import OrderTicket, stop_leg_id, target_leg_id
from catalyst_bot.execution.brackets import (
    entry_id_of,
    leg_tickets,
    planned_ticket,
    settle_leg,
)
from catalyst_bot.execution.look_up import event_of_look_up
from catalyst_bot.execution.order_states import OrderEvent, advance, fill_event, is_finished
from catalyst_bot.execution.state import State

MAX_FINISHED_TICKETS = 2_000
MAX_FILL_IDS = 10_000


def _put(state: State, ticket: OrderTicket) -> None:
    """Store the ticket where its status belongs; the oldest finished ones are forgotten."""
    order_id = ticket.client_order_id
    if not is_finished(ticket):
        state.open_tickets[order_id] = ticket
        return
    state.open_tickets.pop(order_id, None)
    state.valid_until.pop(order_id, None)
    state.cancelling.discard(order_id)
    state.finished_tickets[order_id] = ticket
    while len(state.finished_tickets) > MAX_FINISHED_TICKETS:
        del state.finished_tickets[next(iter(state.finished_tickets))]


def _settle_bracket(state: State, ticket: OrderTicket) -> None:
    """Adjust the unfinished legs of the bracket that the changed ticket belongs to."""
    if ticket.role is OrderRole.EXIT:
        return
    entry_id = entry_id_of(ticket)
    entry = state.ticket(entry_id)
    if entry is None:
        return
    stop_id, target_id = stop_leg_id(entry_id), target_leg_id(entry_id)
    for leg_id, sibling_id in ((stop_id, target_id), (target_id, stop_id)):
        leg = state.open_tickets.get(leg_id)
        if leg is not None:
            _put(state, settle_leg(leg, entry, state.ticket(sibling_id)))


def _step(state: State, ticket: OrderTicket, event: OrderEvent | None) -> None:
    """Take one step of the table; a refused one leaves everything as it was."""
    status = advance(ticket.status, event) if event is not None else None
    if status is None:
        return
    changed = replace(ticket, status=status)
    _put(state, changed)
    _settle_bracket(state, changed)


def _step_by_id(state: State, client_order_id: str, event: OrderEvent) -> None:
    ticket = state.ticket(client_order_id)
    if ticket is not None:
        _step(state, ticket, event)


def plan_order(state: State, message: OrderApproved, at: datetime) -> None:
    """The order is planned; an exit also waits in line until it is sent.

    A second exit of a trade whose first was not sent yet is abandoned: the first does its work.
    """
    order = message.order
    if state.ticket(order.client_order_id) is not None:
        return
    ticket = planned_ticket(order)
    if order.role is not OrderRole.EXIT:
        _put(state, ticket)
    elif order.trade_id in state.pending_exits:
        _put(state, replace(ticket, status=OrderStatus.ABANDONED))
    else:
        _put(state, ticket)
        state.pending_exits[order.trade_id] = order


def submit_order(state: State, message: SubmitOrder, at: datetime) -> None:
    """The order is on its way, with the legs it brings along held back until it fills."""
    order = message.order
    planned = state.open_tickets.get(order.client_order_id)
    if planned is None or planned.status is not OrderStatus.PLANNED:
        return
    sent = replace(planned, status=OrderStatus.SUBMITTED, quantity=order.quantity, submitted_at=at)
    state.valid_until[order.client_order_id] = message.valid_until
    if order.role is OrderRole.EXIT:
        state.pending_exits.pop(order.trade_id, None)
    for ticket in (sent, *leg_tickets(order, sent)):
        _put(state, ticket)


def drop_pending_exit(state: State, message: PositionClosed, at: datetime) -> None:
    """The position is flat before the waiting exit was sent: nothing is left to sell."""
    order = state.pending_exits.pop(message.trade.trade_id, None)
    if order is not None:
        _step_by_id(state, order.client_order_id, OrderEvent.SUPPRESS)


def accept_order(state: State, message: OrderAccepted, at: datetime) -> None:
    """The broker has the order; its own id is kept."""
    ticket = state.ticket(message.client_order_id)
    if ticket is not None:
        state.valid_until.pop(message.client_order_id, None)
        _step(state, replace(ticket, broker_order_id=message.broker_order_id), OrderEvent.ACCEPT)


def fill_order(state: State, message: OrderFilled, at: datetime) -> None:
    """Count the fill once; one that is more than the rest of the order is not counted."""
    fill = message.fill
    ticket = state.ticket(fill.client_order_id)
    if fill.fill_id in state.fill_ids or ticket is None:
        return
    state.fill_ids[fill.fill_id] = None
    while len(state.fill_ids) > MAX_FILL_IDS:
        del state.fill_ids[next(iter(state.fill_ids))]
    event = fill_event(ticket, fill.quantity)
    filled = replace(ticket, filled_quantity=ticket.filled_quantity + fill.quantity)
    _step(state, filled, event)


def reject_order(state: State, message: OrderRejected, at: datetime) -> None:
    """The broker refused the order."""
    _step_by_id(state, message.client_order_id, OrderEvent.REJECT)


def mark_cancelling(state: State, message: CancelOrder, at: datetime) -> None:
    """We asked to cancel the order, and ask again until it is finished."""
    if message.client_order_id in state.open_tickets:
        state.cancelling.add(message.client_order_id)


def cancel_order(state: State, message: OrderCancelled, at: datetime) -> None:
    """The rest of the order is cancelled."""
    _step_by_id(state, message.client_order_id, OrderEvent.CANCEL)


def expire_order(state: State, message: OrderExpired, at: datetime) -> None:
    """The rest of the order lapsed."""
    _step_by_id(state, message.client_order_id, OrderEvent.EXPIRE)


def replace_prices(state: State, message: OrderReplaced, at: datetime) -> None:
    """The order has a new price; a stop that was moved is a trailing stop from then on."""
    ticket = state.open_tickets.get(message.client_order_id)
    if ticket is None:
        return
    if message.limit_price is not None:
        ticket = replace(ticket, limit_price=message.limit_price)
    if message.stop_price is not None:
        ticket = replace(ticket, stop_price=message.stop_price)
        if ticket.role is OrderRole.STOP_LOSS:
            ticket = replace(ticket, exit_reason=ExitReason.TRAILING_STOP)
    _put(state, ticket)


def suppress_order(state: State, message: SubmitSuppressed, at: datetime) -> None:
    """The order was not sent on purpose."""
    _step_by_id(state, message.client_order_id, OrderEvent.SUPPRESS)


def lose_sight(state: State, message: SubmitOutcomeUnknown, at: datetime) -> None:
    """The broker did not answer."""
    _step_by_id(state, message.client_order_id, OrderEvent.LOSE_SIGHT)


def adopt_look_up(state: State, message: OrderLookedUp, at: datetime) -> None:
    """Take the broker's word for the status; fills are counted only from fills."""
    ticket = state.ticket(message.client_order_id)
    if ticket is None:
        return
    event = event_of_look_up(
        message.ticket, valid_until=state.valid_until.get(message.client_order_id), now=at
    )
    if message.ticket is not None:
        ticket = replace(ticket, broker_order_id=message.ticket.broker_order_id)
    _step(state, ticket, event)


EVOLVE: dict[type, Callable[[State, Any, datetime], None]] = {
    OrderApproved: plan_order,
    SubmitOrder: submit_order,
    PositionClosed: drop_pending_exit,
    OrderAccepted: accept_order,
    OrderFilled: fill_order,
    OrderRejected: reject_order,
    CancelOrder: mark_cancelling,
    OrderCancelled: cancel_order,
    OrderExpired: expire_order,
    OrderReplaced: replace_prices,
    SubmitSuppressed: suppress_order,
    SubmitOutcomeUnknown: lose_sight,
    OrderLookedUp: adopt_look_up,
}
