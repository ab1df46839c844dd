"""Decide how approved orders are worked: sent once, cancelled in time, asked about when silent.

Three habits keep it safe. An order is sent only while it is planned, and an id never twice. An
exit waits until nothing else in its symbol is at the broker, so that no share is promised twice.
Whatever we ask of the broker is asked again until the order is finished.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.messages.commands import (
    CancelOrder,
    ClearTimer,
    LookUpOrder,
    ReplaceOrder,
    SetTimer,
    SubmitOrder,
    TakeBrokerSnapshot,
    UnwatchSymbol,
)
from catalyst_bot.domain.messages.decisions import (
    MismatchFound,
    OrderApproved,
    OrderTimedOut,
    PositionChanged,
    PositionClosed,
    PositionOpened,
    StopMoved,
    TradingHalted,
    TradingReduced,
)
from catalyst_bot.domain.messages.facts import (
    ChangeRefused,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderLookedUp,
    OrderRejected,
    SubmitOutcomeUnknown,
    SubmitSuppressed,
    TimerFired,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import ApprovedOrder, OrderTicket, stop_leg_id, target_leg_id
from catalyst_bot.execution import halts, repricing
from catalyst_bot.execution.brackets import LEGS, parent_id_of
from catalyst_bot.execution.look_up import event_of_answer
from catalyst_bot.execution.order_states import UNANSWERED, OrderEvent, advance, fill_event
from catalyst_bot.execution.protection import (
    GUARD,
    LIVE,
    Change,
    is_without_orders,
    on_guard_timer,
    position_of,
    review,
)
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import State
from catalyst_bot.execution.working import (
    ASK,
    TIMEOUT,
    ask_after,
    at_broker,
    cancel,
    cancel_new,
    contradiction,
    has_to_wait,
    in_the_way,
    is_planned_twice,
    release,
    send,
    sent_in,
    submit,
    with_raised_stop,
    withdrawn,
)
from catalyst_bot.ports.desk import Desk

BOOKS = "books:"


def on_order_approved(
    state: State, message: OrderApproved, desk: Desk, rules: Rules
) -> list[Message]:
    """Send an entry at once; an exit once the other orders in its symbol are off the market.

    An id that is known already, to us or to the broker, is never sent again, and a trade has one
    waiting exit and one waiting stop at most. While the exchange halts the symbol, entries and
    exits wait.
    """
    order = message.order
    if state.ticket(order.client_order_id) is not None:
        return []
    if order.client_order_id in state.books.lost_order_ids:
        return [withdrawn(order, "the broker had an order with this id before")]
    if order.role in LEGS:
        return _guard(state, order, desk, rules)
    if is_planned_twice(state, order):
        return []
    if order.symbol in state.halted_symbols:
        return halts.queue(order, desk)
    return send(state, order, desk, rules)


def _guard(state: State, order: ApprovedOrder, desk: Desk, rules: Rules) -> list[Message]:
    """Send what protects a position once what protected it before is off the market, and after
    the exit that waits for the same.
    """
    if is_planned_twice(state, order):
        return [withdrawn(order, "another stop waits already")]
    if state.books.holds(order.symbol):
        return []
    if has_to_wait(state, order):
        return cancel_new(state, in_the_way(state, order), desk, rules)
    return submit(with_raised_stop(state, order), desk)


def on_submit(state: State, message: SubmitOrder, desk: Desk, rules: Rules) -> list[Message]:
    """An exit on its way is what bounds the loss of its position from now on."""
    order = message.order
    position = desk.positions.get(order.symbol) if order.role is OrderRole.EXIT else None
    if position is None:
        return []
    return review(state, position, desk, rules, Change(sent=frozenset({order.client_order_id})))


def on_order_accepted(
    state: State, message: OrderAccepted, desk: Desk, rules: Rules
) -> list[Message]:
    """An order we had given up is alive: tell, and cancel it. A confirmed stop protects."""
    order_id = message.client_order_id
    outcome = contradiction(state, order_id, OrderEvent.ACCEPT)
    ticket = state.ticket(order_id)
    if ticket is None:
        return outcome
    if outcome:
        return [*outcome, CancelOrder(client_order_id=order_id, catalyst_id=ticket.catalyst_id)]
    return _after_accept(state, ticket, desk, rules)


def _after_accept(state: State, ticket: OrderTicket, desk: Desk, rules: Rules) -> list[Message]:
    order_id = ticket.client_order_id
    position = desk.positions.get(ticket.symbol)
    if ticket.role in LEGS and position is not None and order_id in state.open_tickets:
        accepted = frozenset({order_id, *_pair_of(ticket)}) & state.open_tickets.keys()
        reviewed = review(state, position, desk, rules, Change(accepted=frozenset(accepted)))
        return [*reviewed, *_catch_up(state, accepted)]
    return repricing.on_accepted(ticket, desk, rules)


def _catch_up(state: State, accepted: frozenset[str]) -> list[Message]:
    """Move stops that were raised before they were at work."""
    tickets = [state.open_tickets[order_id] for order_id in sorted(accepted)]
    return [
        ReplaceOrder(
            client_order_id=ticket.client_order_id,
            catalyst_id=ticket.catalyst_id,
            stop_price=raised,
        )
        for ticket in tickets
        if ticket.role is OrderRole.STOP_LOSS and ticket.status not in LIVE
        if (raised := state.raised_stops.get(ticket.trade_id)) is not None
        and ticket.stop_price is not None
        and raised > ticket.stop_price
    ]


def _pair_of(ticket: OrderTicket) -> tuple[str, ...]:
    """The stop that is live with the target of a protective pair, both being one order."""
    is_parent = ticket.role in LEGS and parent_id_of(ticket) == ticket.client_order_id
    return (stop_leg_id(ticket.client_order_id),) if is_parent else ()


def on_order_filled(state: State, message: OrderFilled, desk: Desk, rules: Rules) -> list[Message]:
    """Tell of a fill that cannot be; when a leg sells, nothing more of its entry is bought.

    Fills of unknown orders are the ledger's to tell. What a fill does to a waiting exit follows
    from the position (`on_position_changed`).
    """
    fill = message.fill
    ticket = state.ticket(fill.client_order_id)
    if ticket is None or fill.fill_id in state.fill_ids:
        return []
    event = fill_event(ticket, fill.quantity)
    if event is None or advance(ticket.status, event) is None:
        return [
            MismatchFound(
                subject=f"fill of order {fill.client_order_id}",
                ours=f"{ticket.status.value}, {ticket.filled_quantity} of {ticket.quantity}",
                theirs=f"{fill.quantity} more",
            )
        ]
    entry = state.open_tickets.get(parent_id_of(ticket))
    if ticket.role in LEGS and entry is not None and entry.role is OrderRole.ENTRY:
        return cancel_new(state, [entry], desk, rules)
    return []


def _ended_with(ticket: OrderTicket, event: OrderEvent) -> tuple[str, ...]:
    """Legs that end with the order: those of an entry that bought nothing, and the stop of a pair
    that never was.
    """
    order_id = ticket.client_order_id
    if ticket.role is OrderRole.ENTRY and ticket.filled_quantity == 0:
        return stop_leg_id(order_id), target_leg_id(order_id)
    never_was = event in {OrderEvent.REJECT, OrderEvent.SUPPRESS, OrderEvent.MISS}
    return _pair_of(ticket) if never_was else ()


def _after_end(
    state: State,
    client_order_id: str,
    event: OrderEvent,
    desk: Desk,
    rules: Rules,
) -> list[Message]:
    """What follows when an order ends unfilled or in part."""
    outcome = contradiction(state, client_order_id, event)
    ticket = state.open_tickets.get(client_order_id)
    if outcome or ticket is None:
        return outcome
    position = desk.positions.get(ticket.symbol)
    ended = frozenset({client_order_id, *_ended_with(ticket, event)})
    released = release(state, position, desk, rules, ended=ended)
    if position is not None:
        change = Change(ended=ended, sent=sent_in(released))
        return [*released, *review(state, position, desk, rules, change)]
    is_watched = ticket.kind in repricing.LIMITS or ticket.symbol in state.quotes
    is_watched = is_watched and ticket.symbol not in desk.positions
    if ticket.role is OrderRole.ENTRY and is_watched and ticket.filled_quantity == 0:
        released.append(UnwatchSymbol(symbol=ticket.symbol))
    return released


def on_order_cancelled(
    state: State, message: OrderCancelled, desk: Desk, rules: Rules
) -> list[Message]:
    """The rest of an order is cancelled."""
    return _after_end(state, message.client_order_id, OrderEvent.CANCEL, desk, rules)


def on_order_expired(
    state: State, message: OrderExpired, desk: Desk, rules: Rules
) -> list[Message]:
    """The rest of an order lapsed."""
    return _after_end(state, message.client_order_id, OrderEvent.EXPIRE, desk, rules)


def on_order_rejected(
    state: State, message: OrderRejected, desk: Desk, rules: Rules
) -> list[Message]:
    """The broker refused an order."""
    return _after_end(state, message.client_order_id, OrderEvent.REJECT, desk, rules)


def on_submit_suppressed(
    state: State, message: SubmitSuppressed, desk: Desk, rules: Rules
) -> list[Message]:
    """An order was not sent on purpose."""
    return _after_end(state, message.client_order_id, OrderEvent.SUPPRESS, desk, rules)


def on_outcome_unknown(
    state: State, message: SubmitOutcomeUnknown, desk: Desk, rules: Rules
) -> list[Message]:
    """Look the order up, now and when it can no longer be on its way; never send it again."""
    ticket = state.open_tickets.get(message.client_order_id)
    if ticket is None or ticket.status not in UNANSWERED:
        return contradiction(state, message.client_order_id, OrderEvent.LOSE_SIGHT)
    again_at = desk.now + timedelta(seconds=rules.first_ask_after_s)
    due_at = max(again_at, state.valid_until.get(ticket.client_order_id, again_at))
    return [
        LookUpOrder(client_order_id=ticket.client_order_id),
        SetTimer(timer_id=f"{ASK}{ticket.client_order_id}", due_at=due_at),
    ]


def on_order_looked_up(
    state: State, message: OrderLookedUp, desk: Desk, rules: Rules
) -> list[Message]:
    """Draw the consequences of the broker's word; missing fills lead to a look at its books."""
    order_id, theirs = message.client_order_id, message.ticket
    ticket = state.ticket(order_id)
    event = event_of_answer(state, message, desk.now)
    if ticket is None or event is None:
        return []
    outcome: list[Message] = []
    if theirs is not None and theirs.filled_quantity > ticket.filled_quantity:
        due_at = desk.now + timedelta(seconds=rules.first_ask_after_s)
        outcome.append(SetTimer(timer_id=f"{BOOKS}{order_id}", due_at=due_at))
    if event is not OrderEvent.ACCEPT:
        return outcome + _after_end(state, order_id, event, desk, rules)
    told = contradiction(state, order_id, event)
    return outcome + (told or _after_accept(state, ticket, desk, rules))


def on_timer(state: State, message: TimerFired, desk: Desk, rules: Rules) -> list[Message]:
    """Time is up for an order or a grace, or an answer is overdue."""
    kind, colon, subject = message.timer_id.partition(":")
    match f"{kind}{colon}":
        case "books:":
            return [TakeBrokerSnapshot(reason=f"fills of {subject} are missing")]
        case "guard:":
            return on_guard_timer(state, position_of(desk, subject), desk, rules)
        case "queue:":
            return halts.on_queue_timer(state, subject)
    ticket = state.open_tickets.get(subject)
    return _on_order_timer(state, f"{kind}{colon}", ticket, desk, rules) if ticket else []


def _on_order_timer(
    state: State, kind: str, ticket: OrderTicket, desk: Desk, rules: Rules
) -> list[Message]:
    order_id = ticket.client_order_id
    if kind == TIMEOUT:
        timed_out = OrderTimedOut(client_order_id=order_id, catalyst_id=ticket.catalyst_id)
        return [timed_out, *cancel_new(state, [ticket], desk, rules)]
    if kind == repricing.REPRICE:
        return repricing.on_timer(state, ticket, desk, rules)
    if kind == ASK and order_id in state.cancelling:
        return cancel(ticket, desk, rules.ask_again_after_s)
    if kind == ASK and ticket.status in UNANSWERED:
        return [
            LookUpOrder(client_order_id=order_id),
            ask_after(order_id, desk, rules.ask_again_after_s),
        ]
    return []


def on_change_refused(
    state: State, message: ChangeRefused, desk: Desk, rules: Rules
) -> list[Message]:
    """The broker would not cancel or change an order that we think is open: ask how it stands."""
    if message.client_order_id not in state.open_tickets:
        return []
    return [LookUpOrder(client_order_id=message.client_order_id)]


def on_stop_moved(state: State, message: StopMoved, desk: Desk, rules: Rules) -> list[Message]:
    """Move the stop that is at the broker; never down, and not while it is being cancelled."""
    return [
        ReplaceOrder(
            client_order_id=ticket.client_order_id,
            catalyst_id=ticket.catalyst_id,
            stop_price=message.stop_price,
        )
        for ticket in at_broker(state, message.symbol)
        if ticket.role is OrderRole.STOP_LOSS
        and ticket.client_order_id not in state.cancelling
        and (ticket.stop_price is None or message.stop_price > ticket.stop_price)
    ]


def on_entries_off(
    state: State, message: TradingHalted | TradingReduced, desk: Desk, rules: Rules
) -> list[Message]:
    """Cancel every open entry. Protective legs stay; where positions are closed, the exits that
    risk approves take them off.
    """
    entries = [t for t in state.open_tickets.values() if t.role is OrderRole.ENTRY]
    sent = [t for t in entries if t.client_order_id not in state.queued]
    waiting = [q.order for q in state.queued.values() if q.order.role is OrderRole.ENTRY]
    return [
        *cancel_new(state, sent, desk, rules),
        *(withdrawn(order, "trading is not active") for order in waiting),
    ]


def on_position_changed(
    state: State, message: PositionOpened | PositionChanged, desk: Desk, rules: Rules
) -> list[Message]:
    """Send what waited when the fill ended the last order in its way; look at the protection."""
    position = message.position
    is_adopted = isinstance(message, PositionOpened) and is_without_orders(state, position)
    released = release(state, position, desk, rules)
    change = Change(sent=sent_in(released))
    reviewed = review(state, position, desk, rules, change, is_adopted=is_adopted)
    return [*released, *reviewed]


def on_position_closed(
    state: State, message: PositionClosed, desk: Desk, rules: Rules
) -> list[Message]:
    """Flat: whatever else of the trade is at the broker has to go, and whatever would sell."""
    trade = message.trade
    guard = (
        [ClearTimer(timer_id=f"{GUARD}{trade.trade_id}")] if trade.trade_id in state.guards else []
    )
    surplus = [
        ticket
        for ticket in at_broker(state, trade.symbol)
        if ticket.trade_id == trade.trade_id or ticket.role is not OrderRole.ENTRY
    ]
    return [*cancel_new(state, surplus, desk, rules), *guard]


DECIDE: dict[type, Callable[[State, Any, Desk, Rules], list[Message]]] = {
    OrderApproved: on_order_approved,
    SubmitOrder: on_submit,
    OrderAccepted: on_order_accepted,
    OrderFilled: on_order_filled,
    OrderCancelled: on_order_cancelled,
    OrderExpired: on_order_expired,
    OrderRejected: on_order_rejected,
    SubmitSuppressed: on_submit_suppressed,
    SubmitOutcomeUnknown: on_outcome_unknown,
    OrderLookedUp: on_order_looked_up,
    ChangeRefused: on_change_refused,
    TimerFired: on_timer,
    StopMoved: on_stop_moved,
    TradingHalted: on_entries_off,
    TradingReduced: on_entries_off,
    PositionOpened: on_position_changed,
    PositionChanged: on_position_changed,
    PositionClosed: on_position_closed,
}
