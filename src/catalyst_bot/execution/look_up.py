"""What the answer to `LookUpOrder` means for our books.

The broker's word settles the status; quantities change only by fills, which carry prices.
"""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.enums import OrderStatus
from catalyst_bot.domain.trading import OrderTicket
from catalyst_bot.execution.order_states import OrderEvent

_EVENTS: dict[OrderStatus, OrderEvent] = {
    OrderStatus.WORKING: OrderEvent.ACCEPT,
    OrderStatus.PARTIALLY_FILLED: OrderEvent.ACCEPT,
    OrderStatus.FILLED: OrderEvent.ACCEPT,
    OrderStatus.CANCELLED: OrderEvent.CANCEL,
    OrderStatus.EXPIRED: OrderEvent.EXPIRE,
    OrderStatus.REJECTED: OrderEvent.REJECT,
}


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
