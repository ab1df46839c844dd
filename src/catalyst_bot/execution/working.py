"""The moves of the execution stage: send, cancel, come back to it, release a waiting exit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.messages.commands import CancelOrder, SetTimer, SubmitOrder
from catalyst_bot.domain.messages.decisions import MismatchFound
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import ApprovedOrder, OrderTicket
from catalyst_bot.execution.order_states import OrderEvent, advance, is_at_broker
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import State
from catalyst_bot.ports.desk import Desk

TIMEOUT = "timeout:"
ASK = "ask:"
BOOKS = "books:"


def submit(order: ApprovedOrder, desk: Desk) -> list[Message]:
    """Send the order and set the time by which it has to be filled."""
    return [
        SubmitOrder(order=order, valid_until=desk.now + timedelta(seconds=order.valid_for_s)),
        SetTimer(
            timer_id=f"{TIMEOUT}{order.client_order_id}",
            due_at=desk.now + timedelta(seconds=order.cancel_after_s),
        ),
    ]


def ask_after(client_order_id: str, desk: Desk, wait_s: float) -> SetTimer:
    """Come back to the order when the broker has been silent for so long."""
    return SetTimer(timer_id=f"{ASK}{client_order_id}", due_at=desk.now + timedelta(seconds=wait_s))


def cancel(ticket: OrderTicket, desk: Desk, wait_s: float) -> list[Message]:
    """Cancel the order, and come back to it if the broker stays silent."""
    return [
        CancelOrder(client_order_id=ticket.client_order_id, catalyst_id=ticket.catalyst_id),
        ask_after(ticket.client_order_id, desk, wait_s),
    ]


def cancel_new(state: State, tickets: list[OrderTicket], desk: Desk, rules: Rules) -> list[Message]:
    """Cancel those that we have not asked to cancel yet."""
    return [
        message
        for ticket in tickets
        if ticket.client_order_id not in state.cancelling
        for message in cancel(ticket, desk, rules.first_ask_after_s)
    ]


def at_broker(state: State, trade_id: str, *, but: str = "") -> list[OrderTicket]:
    """Orders of the trade that the broker has or may have, except the one named."""
    return [
        ticket
        for ticket in state.open_tickets.values()
        if ticket.trade_id == trade_id and is_at_broker(ticket) and ticket.client_order_id != but
    ]


def release_exit(
    state: State, position: Position | None, desk: Desk, *, ended: str = ""
) -> list[Message]:
    """Send the exit that waited, when nothing else of its trade is left at the broker.

    A leg may have sold some of the position meanwhile: then the exit shrinks to what is held. It
    never grows, so what risk approved is never exceeded.
    """
    if position is None:
        return []
    order = state.pending_exits.get(position.trade_id)
    if order is None or at_broker(state, position.trade_id, but=ended):
        return []
    return submit(replace(order, quantity=min(order.quantity, position.quantity)), desk)


def contradiction(state: State, client_order_id: str, event: OrderEvent) -> list[Message]:
    """Tell of a step that cannot be, given what was recorded of the order."""
    ticket = state.ticket(client_order_id)
    if ticket is not None and advance(ticket.status, event) is not None:
        return []
    ours = ticket.status.value if ticket is not None else "no such order"
    return [MismatchFound(subject=f"order {client_order_id}", ours=ours, theirs=event.value)]


def lost_stop(
    state: State, ticket: OrderTicket, position: Position | None, *, reason: str
) -> list[Message]:
    """Tell when a position loses its stop and nobody asked for it."""
    is_ours = position is not None and position.trade_id == ticket.trade_id
    is_wanted = ticket.client_order_id in state.cancelling
    if ticket.role is not OrderRole.STOP_LOSS or not is_ours or is_wanted:
        return []
    return [
        MismatchFound(subject=f"stop of {ticket.symbol}", ours=ticket.status.value, theirs=reason)
    ]
