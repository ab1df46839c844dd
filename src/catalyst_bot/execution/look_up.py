"""What the answer to `LookUpOrder` means for our books.

The broker's word settles the status; quantities change only by fills, which carry prices.
"""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.enums import OrderStatus
from catalyst_bot.domain.messages.facts import OrderLookedUp
from catalyst_bot.domain.trading import OrderTicket
from catalyst_bot.execution.brackets import parent_id_of
from catalyst_bot.execution.order_states import UNANSWERED, OrderEvent
from catalyst_bot.execution.state import State

_EVENTS: dict[OrderStatus, OrderEvent] = {
    OrderStatus.WORKING: OrderEvent.ACCEPT,
    OrderStatus.PARTIALLY_FILLED: OrderEvent.ACCEPT,
    OrderStatus.FILLED: OrderEvent.ACCEPT,
    OrderStatus.CANCELLED: OrderEvent.CANCEL,
    OrderStatus.EXPIRED: OrderEvent.EXPIRE,
    OrderStatus.REJECTED: OrderEvent.REJECT,
}
_SAYS_NOTHING_OF = frozenset(
    {OrderStatus.PLANNED, OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED}
)


def event_of_look_up(
    theirs: OrderTicket | None, *, valid_until: datetime | None, now: datetime
) -> OrderEvent | None:
    """Return the step an answer stands for, or None when it says nothing new.

    An order the broker does not know may still be on its way until `valid_until`; after that
    (or when the broker had already confirmed it: `valid_until` is None) it is gone.
    """
    if theirs is not None:
        return _EVENTS.get(theirs.status)
    if valid_until is not None and now < valid_until:
        return None
    return OrderEvent.MISS


def event_of_answer(state: State, message: OrderLookedUp, now: datetime) -> OrderEvent | None:
    """Return the step an answer stands for; None for an order that is not ours, too.

    That the broker does not know an order says nothing when it was not sent yet, nor when it was
    confirmed since: the question came there before the order. Of a leg it says nothing while it is
    unclear whether the order that brings it along ever came there.
    """
    order_id = message.client_order_id
    ticket = state.ticket(order_id)
    if ticket is None:
        return None
    parent_id = parent_id_of(ticket)
    parent = state.ticket(parent_id) if parent_id != order_id else None
    is_unclear = parent is not None and parent.status in UNANSWERED
    if message.ticket is None and (is_unclear or ticket.status in _SAYS_NOTHING_OF):
        return None
    return event_of_look_up(message.ticket, valid_until=state.valid_until.get(order_id), now=now)
