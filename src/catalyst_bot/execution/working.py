"""The moves of the execution stage: send, cancel, come back to it, release what waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, SessionPhase, Side
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.commands import CancelOrder, SetTimer, SubmitOrder, WatchSymbol
from catalyst_bot.domain.messages.decisions import MismatchFound, OrderWithdrawn
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import ApprovedOrder, OrderTicket
from catalyst_bot.execution.brackets import LEGS
from catalyst_bot.execution.hours import phase_now, watches_itself
from catalyst_bot.execution.order_states import OrderEvent, advance, is_at_broker
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import State
from catalyst_bot.ports.desk import Desk

TIMEOUT = "timeout:"
ASK = "ask:"
NOT_COMPARED = "our books are not compared with the broker's yet"


def submit(order: ApprovedOrder, desk: Desk) -> list[Message]:
    """Send the order and set the time by which it has to be filled.

    What protects a position has no such time. A limit entry follows the quote, so its symbol is
    watched.
    """
    until = desk.now + timedelta(seconds=order.valid_for_s)
    sent: list[Message] = [SubmitOrder(order=order, valid_until=until)]
    if order.role in LEGS:
        return sent
    due_at = _works_from(order, desk) + timedelta(seconds=order.cancel_after_s)
    sent.append(SetTimer(timer_id=f"{TIMEOUT}{order.client_order_id}", due_at=due_at))
    if order.role is OrderRole.ENTRY and order.kind is OrderKind.LIMIT:
        sent.append(WatchSymbol(symbol=order.symbol))
    return sent


def _works_from(order: ApprovedOrder, desk: Desk) -> datetime:
    """When the order can fill: one that waits for the open is not late before it."""
    if order.extended_hours or phase_now(desk) is SessionPhase.REGULAR:
        return desk.now
    try:
        return desk.calendar.next_session(desk.now).opens_at
    except BadData:  # outside the table of sessions
        return desk.now


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


def at_broker(state: State, symbol: str, *, but: frozenset[str] = frozenset()) -> list[OrderTicket]:
    """Orders in the symbol that the broker has or may have, except those named. One that is being
    sent counts: the message stands in line.

    A symbol, not a trade: shares are shares to a broker, and a person's position may have been
    adopted while our own entry was under way.
    """
    return [
        ticket
        for order_id, ticket in state.open_tickets.items()
        if ticket.symbol == symbol
        and order_id not in but
        and (is_at_broker(ticket) or not state.waits(order_id))
    ]


def legs_at_broker(
    state: State, symbol: str, *, but: frozenset[str] = frozenset()
) -> list[OrderTicket]:
    """Protective orders in the symbol at the broker: they reserve the shares."""
    return [t for t in at_broker(state, symbol, but=but) if t.role in LEGS]


def is_planned_twice(state: State, order: ApprovedOrder) -> bool:
    """True when another exit of the trade, or another stop, is planned and not sent yet."""
    roles = LEGS if order.role in LEGS else {order.role}
    return order.role is not OrderRole.ENTRY and any(
        ticket.trade_id == order.trade_id
        and ticket.role in roles
        and ticket.status is OrderStatus.PLANNED
        for ticket in state.open_tickets.values()
    )


def in_the_way(state: State, order: ApprovedOrder) -> list[OrderTicket]:
    """Orders at the broker that have to go before this one: of an exit all in its symbol, of what
    protects the orders that protected before.
    """
    if order.role in LEGS:
        return legs_at_broker(state, order.symbol)
    return at_broker(state, order.symbol) if order.role is OrderRole.EXIT else []


def has_to_wait(state: State, order: ApprovedOrder) -> bool:
    """True when the order cannot be sent yet: the books are not compared, something is in its way,
    its symbol is halted, or an exit goes before the stop. An entry never waits for any of these.
    """
    if order.role is not OrderRole.ENTRY and state.books.holds(order.symbol):
        return True
    if order.role is OrderRole.EXIT and order.symbol in state.halted_symbols:
        return True
    leaving = state.pending_exits.get(order.trade_id) if order.role in LEGS else None
    goes_first = leaving is not None and leaving.client_order_id not in state.queued
    return goes_first or bool(in_the_way(state, order))


def send(state: State, order: ApprovedOrder, desk: Desk, rules: Rules) -> list[Message]:
    """Send an entry or exit, or clear its way first; while the books are not compared an exit
    waits, and an entry was decided on numbers that may be wrong.
    """
    is_held = state.books.holds(order.symbol)
    if order.role is not OrderRole.EXIT:
        return [withdrawn(order, NOT_COMPARED)] if is_held else submit(order, desk)
    if is_held:
        return []
    outcome = _drop_stop(state, order)
    working = in_the_way(state, order)
    if working:
        return outcome + cancel_new(state, working, desk, rules)
    return outcome + submit(order, desk)


def _drop_stop(state: State, order: ApprovedOrder) -> list[Message]:
    """A stop that waits to be sent is not needed for what an exit sells."""
    waiting = state.pending_stops.get(order.trade_id)
    if waiting is None or waiting.quantity > order.quantity:
        return []
    return [withdrawn(waiting, "an exit goes first")]


def withdrawn(order: ApprovedOrder, reason: str) -> OrderWithdrawn:
    """Say that an order that waited is not sent after all."""
    return OrderWithdrawn(
        client_order_id=order.client_order_id,
        catalyst_id=order.catalyst_id,
        symbol=order.symbol,
        reason=reason,
    )


def release(
    state: State,
    position: Position | None,
    desk: Desk,
    rules: Rules,
    *,
    ended: frozenset[str] = frozenset(),
) -> list[Message]:
    """Send what waited, when nothing is left in its way at the broker.

    An exit waits for everything else in its symbol, what protects a position for the orders that
    protected it before. Meanwhile some of the position may have been sold: then the order shrinks
    to what is held. It never grows, so what risk approved is never exceeded. A stop that comes too
    late for the session is not sent where the bot watches; at the open it is asked for again.
    """
    if position is None or state.books.holds(position.symbol):
        return []
    leaving = state.pending_exits.get(position.trade_id)
    guarding = state.pending_stops.get(position.trade_id)
    outcome: list[Message] = []
    held = position.quantity
    if leaving is not None and _is_free(state, leaving, ended):
        sent = replace(leaving, quantity=min(leaving.quantity, held))
        outcome += submit(sent, desk)
    if guarding is not None and not legs_at_broker(state, position.symbol, but=ended):
        left = held - promised(state, position.symbol, but=ended)
        if watches_itself(desk, rules):
            outcome.append(withdrawn(guarding, "the bot watches until the open"))
        elif left > 0:
            outcome += submit(
                with_raised_stop(state, replace(guarding, quantity=min(guarding.quantity, left))),
                desk,
            )
    return outcome


def sent_in(released: list[Message]) -> frozenset[str]:
    """Return the ids of orders that go out together with what is being decided."""
    return frozenset(m.order.client_order_id for m in released if isinstance(m, SubmitOrder))


def _is_free(state: State, order: ApprovedOrder, ended: frozenset[str]) -> bool:
    is_queued = order.client_order_id in state.queued
    return not is_queued and not at_broker(state, order.symbol, but=ended)


def promised(state: State, symbol: str, *, but: frozenset[str] = frozenset()) -> Decimal:
    """Shares of the symbol that exits will still sell, those not sent yet included."""
    return sum(
        (
            t.quantity - t.filled_quantity
            for t in state.open_tickets.values()
            if t.symbol == symbol
            and t.role is OrderRole.EXIT
            and t.side is Side.SELL
            and t.client_order_id not in but
        ),
        start=ZERO,
    )


def with_raised_stop(state: State, order: ApprovedOrder) -> ApprovedOrder:
    """Return a protective order with the stop as it was raised while the order waited."""
    raised = state.raised_stops.get(order.trade_id)
    if raised is None or order.stop_loss_price is None or raised <= order.stop_loss_price:
        return order
    return replace(order, stop_loss_price=raised)


def contradiction(state: State, client_order_id: str, event: OrderEvent) -> list[Message]:
    """Tell of a step that cannot be, given what was recorded of the order."""
    ticket = state.ticket(client_order_id)
    if ticket is not None and advance(ticket.status, event) is not None:
        return []
    ours = ticket.status.value if ticket is not None else "no such order"
    return [MismatchFound(subject=f"order {client_order_id}", ours=ours, theirs=event.value)]
