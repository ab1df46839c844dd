"""What the stream of trade updates tells of each event of an account."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from catalyst_bot.domain.money import ZERO
from catalyst_bot.exchange.replies import decimal_text, rfc3339, rfc3339_or_none
from catalyst_bot.exchange.serialise import uuid_of
from catalyst_bot.simulation.events import (
    CancelRequested,
    OrderActivated,
    OrderCanceled,
    OrderEntered,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    VenueEvent,
)
from catalyst_bot.simulation.venue_order import VenueStatus

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WORDS: Final[dict[type, str]] = {
    OrderActivated: "new",
    CancelRequested: "pending_cancel",
    OrderCanceled: "canceled",
    OrderExpired: "expired",
    OrderReplaced: "replaced",
    OrderRejected: "rejected",
}
_ENTERED: Final = {VenueStatus.NEW, VenueStatus.ACCEPTED, VenueStatus.HELD}


def event_word(event: VenueEvent) -> str | None:
    """Return Alpaca's name of an event; nothing for what its stream does not tell."""
    if isinstance(event, OrderFilled):
        return "fill" if event.leaves_quantity == ZERO else "partial_fill"
    if isinstance(event, OrderEntered):
        return event.status.value if event.status in _ENTERED else None
    return _WORDS.get(type(event))


def update_message(
    event: VenueEvent,
    word: str,
    *,
    event_id: str,
    order: dict[str, Any],
    cancel_requested_at: datetime | None,
    position_quantity: str,
) -> dict[str, Any]:
    """Return the message; `order` is the order's body as it stood at the event."""
    at = rfc3339(event.at)
    message: dict[str, Any] = {
        "at": at,
        "event": word,
        "event_id": event_id,
        "order": {**order, "cancel_requested_at": rfc3339_or_none(cancel_requested_at)},
        "timestamp": at,
    }
    if isinstance(event, OrderFilled):
        message |= {
            "execution_id": execution_uuid(event),
            "position_qty": position_quantity,
            "price": decimal_text(event.price),
            "qty": decimal_text(event.quantity),
        }
    return message


def execution_uuid(event: OrderFilled) -> str:
    """Return the id of an execution as clients know it."""
    return uuid_of("execution", event.order_id, event.execution_id)


class EventIds:
    """Ids of an account's events: ULIDs that rise with the log and are the same in every replay.

    The first ten characters are milliseconds, which never go back; then the number of the event
    and a mark of the account.
    """

    def __init__(self, account_id: str) -> None:
        digest = blake2b(account_id.encode(), digest_size=5).digest()
        self._mark = int.from_bytes(digest, "big")
        self._last_ms = 0

    def pass_by(self, at: datetime) -> None:
        """Take notice of the time of an event; to be told of every one in turn."""
        self._last_ms = max(self._last_ms, int(at.timestamp() * 1000))

    def of(self, seq: int) -> str:
        """Return the id of the event that was passed last; `seq` is its number."""
        return _base32((self._last_ms << 80) | (seq << 40) | self._mark, 26)


def first_event_id(at: datetime) -> str:
    """Return the smallest id an event at `at` could have."""
    return _base32(max(0, int(at.timestamp() * 1000)) << 80, 26)


def _base32(value: int, length: int) -> str:
    digits = []
    for _ in range(length):
        digits.append(_DIGITS[value & 31])
        value >>= 5
    return "".join(reversed(digits))
