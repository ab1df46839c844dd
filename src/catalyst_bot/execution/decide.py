"""Decide how approved orders are worked: sent once, cancelled in time, asked about when silent.

Three habits keep it safe. An order is sent only while it is planned, and an id never twice. An
exit waits until nothing else of its trade is at the broker, so that no share is promised twice.
Whatever we ask of the broker is asked again until the order is finished.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import OrderRole, Side
from catalyst_bot.domain.messages.commands import (
    CancelOrder,
    LookUpOrder,
    ReplaceOrder,
    SetTimer,
    TakeBrokerSnapshot,
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
)
from catalyst_bot.domain.messages.facts import (
    BrokerSnapshotReceived,
    ChangeRefused,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderLookedUp,
    OrderRejected,
    RunStarted,
    SubmitOutcomeUnknown,
    SubmitSuppressed,
    TimerFired,
)
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.execution.brackets import LEGS, entry_id_of
from catalyst_bot.execution.look_up import event_of_look_up
from catalyst_bot.execution.order_states import UNANSWERED, OrderEvent, advance, fill_event
from catalyst_bot.execution.reconcile import mismatches
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import State
from catalyst_bot.execution.working import (
    ASK,
    BOOKS,
    TIMEOUT,
    ask_after,
    at_broker,
    cancel,
    cancel_new,
    contradiction,
    lost_stop,
    release_exit,
    submit,
)
from catalyst_bot.ports.desk import Desk


def on_order_approved(
    state: State, message: OrderApproved, desk: Desk, rules: Rules
) -> list[Message]:
    """Send an entry at once; an exit once the other orders of its trade are off the market.

    An id that is known already is never sent again, and a trade has one waiting exit at most.
    """
    order = message.order
    if state.ticket(order.client_order_id) is not None:
        return []
    if order.role is OrderRole.EXIT:
        if order.trade_id in state.pending_exits:
            return []
        working = at_broker(state, order.trade_id)
        if working:
            return cancel_new(state, working, desk, rules)
    return submit(order, desk)


def on_order_accepted(
    state: State, message: OrderAccepted, desk: Desk, rules: Rules
) -> list[Message]:
    """An order we had given up is alive: tell, and cancel it."""
    outcome = contradiction(state, message.client_order_id, OrderEvent.ACCEPT)
    ticket = state.ticket(message.client_order_id)
    if outcome and ticket is not None:
        outcome.append(
            CancelOrder(client_order_id=ticket.client_order_id, catalyst_id=ticket.catalyst_id)
        )
    return outcome


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
    entry = state.open_tickets.get(entry_id_of(ticket))
    if ticket.role in LEGS and entry is not None:
        return cancel_new(state, [entry], desk, rules)
    return []


def _after_end(
    state: State, client_order_id: str, event: OrderEvent, desk: Desk, *, reason: str
) -> list[Message]:
    """What follows when an order ends unfilled or in part."""
    outcome = contradiction(state, client_order_id, event)
    ticket = state.open_tickets.get(client_order_id)
    if outcome or ticket is None:
        return outcome
    position = desk.positions.get(ticket.symbol)
    return [
        *lost_stop(state, ticket, position, reason=reason),
        *release_exit(state, position, desk, ended=client_order_id),
    ]


def on_order_cancelled(
    state: State, message: OrderCancelled, desk: Desk, rules: Rules
) -> list[Message]:
    """The rest of an order is cancelled."""
    return _after_end(
        state, message.client_order_id, OrderEvent.CANCEL, desk, reason=message.reason
    )


def on_order_expired(
    state: State, message: OrderExpired, desk: Desk, rules: Rules
) -> list[Message]:
    """The rest of an order lapsed."""
    return _after_end(state, message.client_order_id, OrderEvent.EXPIRE, desk, reason="expired")


def on_order_rejected(
    state: State, message: OrderRejected, desk: Desk, rules: Rules
) -> list[Message]:
    """The broker refused an order."""
    return _after_end(
        state, message.client_order_id, OrderEvent.REJECT, desk, reason=message.reason
    )


def on_submit_suppressed(
    state: State, message: SubmitSuppressed, desk: Desk, rules: Rules
) -> list[Message]:
    """An order was not sent on purpose."""
    return _after_end(
        state, message.client_order_id, OrderEvent.SUPPRESS, desk, reason=message.reason
    )


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
    event = event_of_look_up(theirs, valid_until=state.valid_until.get(order_id), now=desk.now)
    if ticket is None or event is None:
        return []
    outcome: list[Message] = []
    if theirs is not None and theirs.filled_quantity > ticket.filled_quantity:
        due_at = desk.now + timedelta(seconds=rules.first_ask_after_s)
        outcome.append(SetTimer(timer_id=f"{BOOKS}{order_id}", due_at=due_at))
    if event is OrderEvent.ACCEPT:
        return outcome + contradiction(state, order_id, event)
    return outcome + _after_end(state, order_id, event, desk, reason=f"looked up: {event.value}")


def on_timer(state: State, message: TimerFired, desk: Desk, rules: Rules) -> list[Message]:
    """Time is up for an order, or an answer is overdue."""
    kind, _, order_id = message.timer_id.partition(":")
    if f"{kind}:" == BOOKS:
        return [TakeBrokerSnapshot(reason=f"fills of {order_id} are missing")]
    ticket = state.open_tickets.get(order_id)
    if ticket is None:
        return []
    if f"{kind}:" == TIMEOUT:
        timed_out = OrderTimedOut(client_order_id=order_id, catalyst_id=ticket.catalyst_id)
        return [timed_out, *cancel_new(state, [ticket], desk, rules)]
    if f"{kind}:" == ASK and order_id in state.cancelling:
        return cancel(ticket, desk, rules.ask_again_after_s)
    if f"{kind}:" == ASK and ticket.status in UNANSWERED:
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
        for ticket in at_broker(state, message.trade_id)
        if ticket.role is OrderRole.STOP_LOSS
        and ticket.client_order_id not in state.cancelling
        and (ticket.stop_price is None or message.stop_price > ticket.stop_price)
    ]


def on_trading_halted(
    state: State, message: TradingHalted, desk: Desk, rules: Rules
) -> list[Message]:
    """Cancel every open entry. Protective legs stay; where positions are closed, the exits that
    risk approves take them off.
    """
    entries = [t for t in state.open_tickets.values() if t.role is OrderRole.ENTRY]
    return cancel_new(state, entries, desk, rules)


def on_position_changed(
    state: State, message: PositionOpened | PositionChanged, desk: Desk, rules: Rules
) -> list[Message]:
    """Send a waiting exit when the fill ended the last order in its way.

    A bracket's position with nothing at the broker to sell it (a late fill, a race) is told.
    """
    position = message.position
    if position.trade_id in state.pending_exits:
        return release_exit(state, position, desk)
    working = at_broker(state, position.trade_id)
    if any(ticket.side is Side.SELL for ticket in working) or not _had_stop(state, position):
        return []
    return [
        MismatchFound(
            subject=f"stop of {position.symbol}",
            ours=f"{position.quantity} held",
            theirs="nothing at the broker to sell them",
        )
    ]


def _had_stop(state: State, position: Position) -> bool:
    return any(
        ticket.trade_id == position.trade_id and ticket.role is OrderRole.STOP_LOSS
        for ticket in state.finished_tickets.values()
    )


def on_position_closed(
    state: State, message: PositionClosed, desk: Desk, rules: Rules
) -> list[Message]:
    """Flat: whatever else of the trade is at the broker has to go."""
    return cancel_new(state, at_broker(state, message.trade.trade_id), desk, rules)


def on_run_started(state: State, message: RunStarted, desk: Desk, rules: Rules) -> list[Message]:
    """Every start begins with a look at the broker's books."""
    return [TakeBrokerSnapshot(reason="start")]


def on_snapshot(
    state: State, message: BrokerSnapshotReceived, desk: Desk, rules: Rules
) -> list[Message]:
    """Tell every difference between the books."""
    return list(
        mismatches(message.snapshot, positions=desk.positions, open_tickets=state.open_tickets)
    )


DECIDE: dict[type, Callable[[State, Any, Desk, Rules], list[Message]]] = {
    OrderApproved: on_order_approved,
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
    TradingHalted: on_trading_halted,
    PositionOpened: on_position_changed,
    PositionChanged: on_position_changed,
    PositionClosed: on_position_closed,
    RunStarted: on_run_started,
    BrokerSnapshotReceived: on_snapshot,
}
