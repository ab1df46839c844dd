"""Remember where every order stands; each step goes through the table of `order_states`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from catalyst_bot.domain.enums import ExitReason, OrderKind, OrderRole, OrderStatus
from catalyst_bot.domain.messages.commands import (
    UNDER_WAY,
    CancelOrder,
    ReplaceOrder,
    SubmitOrder,
)
from catalyst_bot.domain.messages.decisions import (
    OrderApproved,
    OrderRescaled,
    OrderWithdrawn,
    PositionClosed,
)
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
    LEGS,
    leg_tickets,
    parent_id_of,
    planned_ticket,
    settle_leg,
    settle_pair,
)
from catalyst_bot.execution.look_up import event_of_answer
from catalyst_bot.execution.order_states import (
    UNANSWERED,
    OrderEvent,
    advance,
    fill_event,
    is_finished,
)
from catalyst_bot.execution.repricing import is_followed
from catalyst_bot.execution.state import State
from catalyst_bot.execution.working import has_to_wait, is_planned_twice

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
    state.reprices.pop(order_id, None)
    state.priced_since.pop(order_id, None)
    state.cancelling.discard(order_id)
    state.finished_tickets[order_id] = ticket
    while len(state.finished_tickets) > MAX_FINISHED_TICKETS:
        del state.finished_tickets[next(iter(state.finished_tickets))]


def _settle_bracket(state: State, ticket: OrderTicket) -> None:
    """Adjust the unfinished legs of the bracket that the changed ticket belongs to."""
    if ticket.role is OrderRole.EXIT:
        return
    entry_id = parent_id_of(ticket)
    entry = state.ticket(entry_id)
    if entry is None or entry.role is not OrderRole.ENTRY:
        return
    stop_id, target_id = stop_leg_id(entry_id), target_leg_id(entry_id)
    for leg_id, sibling_id in ((stop_id, target_id), (target_id, stop_id)):
        leg = state.open_tickets.get(leg_id)
        if leg is not None:
            _put(state, settle_leg(leg, entry, state.ticket(sibling_id)))


def _other_half(state: State, ticket: OrderTicket) -> OrderTicket | None:
    """The unfinished other half of a protective pair, None for any other order."""
    parent_id = parent_id_of(ticket)
    parent = state.ticket(parent_id)
    if parent is None or parent.role is not OrderRole.TAKE_PROFIT:
        return None
    stop_id = stop_leg_id(parent_id)
    is_target = ticket.client_order_id == parent_id
    return state.open_tickets.get(stop_id if is_target else parent_id)


def _step(state: State, ticket: OrderTicket, event: OrderEvent | None) -> None:
    """Take one step of the table; a refused one leaves everything as it was."""
    status = advance(ticket.status, event) if event is not None else None
    if status is None:
        return
    changed = replace(ticket, status=status)
    _put(state, changed)
    _settle_bracket(state, changed)
    _settle_pair(state, changed, event)


def _settle_pair(state: State, ticket: OrderTicket, event: OrderEvent | None) -> None:
    """The two halves of a protective pair are one order: taken together, gone together when it
    never came to anything.
    """
    other = _other_half(state, ticket) if ticket.role in LEGS else None
    if other is None or ticket.role is not OrderRole.TAKE_PROFIT:
        return
    follows = {
        OrderEvent.ACCEPT: OrderEvent.ACCEPT,
        OrderEvent.REJECT: OrderEvent.CANCEL,
        OrderEvent.SUPPRESS: OrderEvent.CANCEL,
        OrderEvent.MISS: OrderEvent.CANCEL,
    }
    step = follows.get(event) if event is not None else None
    status = advance(other.status, step) if step is not None else None
    if status is not None:
        _put(state, replace(other, status=status))


def _step_by_id(state: State, client_order_id: str, event: OrderEvent) -> None:
    ticket = state.ticket(client_order_id)
    if ticket is not None:
        _step(state, ticket, event)


def plan_order(state: State, message: OrderApproved, at: datetime) -> None:
    """The order is planned; an exit, or what protects, may have to wait before it is sent.

    A second exit of a trade whose first was not sent yet is abandoned: the first does its work.
    """
    order = message.order
    if state.ticket(order.client_order_id) is not None:
        return
    ticket = planned_ticket(order)
    if is_planned_twice(state, order):
        _put(state, replace(ticket, status=OrderStatus.ABANDONED))
        return
    if has_to_wait(state, order):
        waiting = state.pending_stops if order.role in LEGS else state.pending_exits
        waiting[order.trade_id] = order
    _put(state, ticket)


def submit_order(state: State, message: SubmitOrder, at: datetime) -> None:
    """The order is on its way, with the legs it brings along held back until it fills."""
    order = message.order
    planned = state.open_tickets.get(order.client_order_id)
    if planned is None or planned.status is not OrderStatus.PLANNED:
        return
    sent = replace(planned, status=OrderStatus.SUBMITTED, quantity=order.quantity, submitted_at=at)
    if order.kind is OrderKind.STOP:
        sent = replace(sent, stop_price=order.stop_loss_price)
    state.valid_until[order.client_order_id] = message.valid_until + UNDER_WAY
    state.books.touched[order.symbol] = None
    _forget_waiting(state, order.client_order_id)
    for ticket in (sent, *leg_tickets(order, sent)):
        _put(state, ticket)


def _forget_waiting(state: State, client_order_id: str) -> None:
    """The order waits no more, whatever it waited for."""
    state.queued.pop(client_order_id, None)
    for waiting in (state.pending_exits, state.pending_stops):
        for trade_id, order in list(waiting.items()):
            if order.client_order_id == client_order_id:
                del waiting[trade_id]


def drop_pending(state: State, message: PositionClosed, at: datetime) -> None:
    """The position is flat before what waited was sent: nothing is left to sell or to protect."""
    for waiting in (state.pending_exits, state.pending_stops):
        order = waiting.pop(message.trade.trade_id, None)
        if order is not None:
            state.queued.pop(order.client_order_id, None)
            _step_by_id(state, order.client_order_id, OrderEvent.SUPPRESS)


def withdraw_order(state: State, message: OrderWithdrawn, at: datetime) -> None:
    """An order that waited is not sent after all."""
    ticket = state.open_tickets.get(message.client_order_id)
    if ticket is None:
        return
    if ticket.status is OrderStatus.PLANNED:
        _forget_waiting(state, message.client_order_id)
        _step(state, ticket, OrderEvent.SUPPRESS)
    elif state.books.trusts_broker:  # a person resumed: the broker does not have it
        _put(state, replace(ticket, status=OrderStatus.ABANDONED))


def count_reprice(state: State, message: ReplaceOrder, at: datetime) -> None:
    """Count how often a limit was moved."""
    order_id = message.client_order_id
    if message.limit_price is not None and order_id in state.open_tickets:
        state.reprices[order_id] = state.reprices.get(order_id, 0) + 1
        state.priced_since[order_id] = at


def rescale_order(state: State, message: OrderRescaled, at: datetime) -> None:
    """A split changed the numbers of the order; what waits to be sent is changed with it."""
    ticket = state.open_tickets.get(message.client_order_id)
    if ticket is None:
        return
    state.open_tickets[message.client_order_id] = replace(
        ticket,
        quantity=message.quantity,
        filled_quantity=message.filled_quantity,
        reference_price=message.reference_price,
        limit_price=message.limit_price,
        stop_price=message.stop_price,
        worst_price=message.worst_price,
    )
    for trade_id, order in state.pending_exits.items():
        if order.client_order_id == message.client_order_id:
            price = message.reference_price
            rescaled = replace(order, quantity=message.quantity, reference_price=price)
            state.pending_exits[trade_id] = rescaled


def accept_order(state: State, message: OrderAccepted, at: datetime) -> None:
    """The broker has the order; its own id is kept."""
    ticket = state.ticket(message.client_order_id)
    if ticket is not None:
        state.valid_until.pop(message.client_order_id, None)
        if is_followed(ticket) and ticket.status in UNANSWERED:
            state.priced_since[message.client_order_id] = at
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
    other = _other_half(state, ticket) if ticket.role in LEGS else None
    if event is not None and other is not None and advance(ticket.status, event) is not None:
        _put(state, settle_pair(other, fill.quantity))
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
    event = event_of_answer(state, message, at)
    if message.ticket is not None:
        ticket = replace(ticket, broker_order_id=message.ticket.broker_order_id)
    _step(state, ticket, event)


EVOLVE: dict[type, Callable[[State, Any, datetime], None]] = {
    OrderApproved: plan_order,
    SubmitOrder: submit_order,
    PositionClosed: drop_pending,
    OrderWithdrawn: withdraw_order,
    OrderRescaled: rescale_order,
    ReplaceOrder: count_reprice,
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
