"""The life of an order as one table: the only place that knows which step may follow which.

The rule above the table: *a step that contradicts what was recorded is refused, a step that only
repeats it or comes late changes nothing.* Facts of one order may therefore come twice or in
another order than they happened in, and the order still ends in the same status.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from catalyst_bot.domain.enums import OrderStatus as S
from catalyst_bot.domain.trading import OrderTicket


class OrderEvent(StrEnum):
    """What can happen to an order."""

    SUBMIT = "submit"
    SUPPRESS = "suppress"
    ACCEPT = "accept"
    LOSE_SIGHT = "lose_sight"
    MISS = "miss"
    FILL_PART = "fill_part"
    FILL_REST = "fill_rest"
    CANCEL = "cancel"
    EXPIRE = "expire"
    REJECT = "reject"


E = OrderEvent

# fmt: off
TRANSITIONS: dict[S, dict[OrderEvent, S]] = {
    S.PLANNED: {E.SUBMIT: S.SUBMITTED, E.SUPPRESS: S.ABANDONED},
    S.SUBMITTED: {
        E.SUBMIT: S.SUBMITTED, E.SUPPRESS: S.ABANDONED, E.ACCEPT: S.WORKING,
        E.LOSE_SIGHT: S.UNKNOWN, E.MISS: S.ABANDONED, E.FILL_PART: S.PARTIALLY_FILLED,
        E.FILL_REST: S.FILLED, E.CANCEL: S.CANCELLED, E.EXPIRE: S.EXPIRED, E.REJECT: S.REJECTED,
    },
    S.UNKNOWN: {
        E.SUPPRESS: S.ABANDONED, E.ACCEPT: S.WORKING, E.LOSE_SIGHT: S.UNKNOWN,
        E.MISS: S.ABANDONED, E.FILL_PART: S.PARTIALLY_FILLED, E.FILL_REST: S.FILLED,
        E.CANCEL: S.CANCELLED, E.EXPIRE: S.EXPIRED, E.REJECT: S.REJECTED,
    },
    S.HELD: {
        E.ACCEPT: S.WORKING, E.FILL_PART: S.PARTIALLY_FILLED,
        E.FILL_REST: S.FILLED, E.CANCEL: S.CANCELLED, E.EXPIRE: S.EXPIRED, E.REJECT: S.REJECTED,
    },
    S.WORKING: {
        E.ACCEPT: S.WORKING, E.LOSE_SIGHT: S.WORKING,
        E.FILL_PART: S.PARTIALLY_FILLED, E.FILL_REST: S.FILLED,
        E.CANCEL: S.CANCELLED, E.EXPIRE: S.EXPIRED, E.REJECT: S.REJECTED,
    },
    S.PARTIALLY_FILLED: {
        E.ACCEPT: S.PARTIALLY_FILLED, E.LOSE_SIGHT: S.PARTIALLY_FILLED,
        E.FILL_PART: S.PARTIALLY_FILLED, E.FILL_REST: S.FILLED,
        E.CANCEL: S.CANCELLED, E.EXPIRE: S.EXPIRED,
    },
    S.FILLED: {
        E.ACCEPT: S.FILLED, E.LOSE_SIGHT: S.FILLED, E.MISS: S.FILLED,
        E.CANCEL: S.FILLED, E.EXPIRE: S.FILLED,
    },
    S.CANCELLED: {
        E.ACCEPT: S.CANCELLED, E.LOSE_SIGHT: S.CANCELLED, E.MISS: S.CANCELLED,
        E.FILL_PART: S.CANCELLED, E.FILL_REST: S.FILLED,
        E.CANCEL: S.CANCELLED, E.EXPIRE: S.CANCELLED,
    },
    S.EXPIRED: {
        E.ACCEPT: S.EXPIRED, E.LOSE_SIGHT: S.EXPIRED, E.MISS: S.EXPIRED,
        E.FILL_PART: S.EXPIRED, E.FILL_REST: S.FILLED,
        E.CANCEL: S.EXPIRED, E.EXPIRE: S.EXPIRED,
    },
    S.REJECTED: {
        E.LOSE_SIGHT: S.REJECTED, E.MISS: S.REJECTED, E.CANCEL: S.REJECTED, E.EXPIRE: S.REJECTED,
        E.REJECT: S.REJECTED,
    },
    S.ABANDONED: {
        E.SUPPRESS: S.ABANDONED, E.LOSE_SIGHT: S.ABANDONED, E.MISS: S.ABANDONED,
        E.CANCEL: S.ABANDONED, E.EXPIRE: S.ABANDONED, E.REJECT: S.ABANDONED,
    },
}
# fmt: on

UNANSWERED = frozenset({S.SUBMITTED, S.UNKNOWN})
FINISHED = frozenset({S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED, S.ABANDONED})


def advance(status: S, event: OrderEvent) -> S | None:
    """Return the status after the event, or None when it contradicts what was recorded."""
    return TRANSITIONS[status].get(event)


def is_finished(ticket: OrderTicket) -> bool:
    """True when the order trades no more."""
    return ticket.status in FINISHED


def is_at_broker(ticket: OrderTicket) -> bool:
    """True when the broker has the order, or may have it."""
    return ticket.status is not S.PLANNED and not is_finished(ticket)


def fill_event(ticket: OrderTicket, quantity: Decimal) -> OrderEvent | None:
    """Say whether a fill is a part or the rest of the order; None when it is more than the rest."""
    filled = ticket.filled_quantity + quantity
    if filled > ticket.quantity:
        return None
    return E.FILL_REST if filled == ticket.quantity else E.FILL_PART
