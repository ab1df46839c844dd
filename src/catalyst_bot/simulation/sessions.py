"""What the end of a session or an auction means to an order."""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.enums import SessionPhase, TimeInForce
from catalyst_bot.simulation.events import OrderCanceled, OrderEvent, OrderExpired
from catalyst_bot.simulation.market_now import AuctionKind
from catalyst_bot.simulation.venue_order import VenueOrder, VenueStatus

BY_REQUEST = "cancelled by request"
TOO_OLD = "good until cancelled has a last day"
AUCTION_OVER = "not filled in the auction"
_AUCTION_OF = {TimeInForce.OPG: AuctionKind.OPEN, TimeInForce.CLS: AuctionKind.CLOSE}


def is_for_auction(order: VenueOrder, kind: AuctionKind) -> bool:
    """Tell whether the order takes part in an auction."""
    return _AUCTION_OF.get(order.time_in_force) is kind


def is_for_session(order: VenueOrder, phase: SessionPhase) -> bool:
    """Tell whether the order trades in a part of the day."""
    if phase is SessionPhase.REGULAR:
        return True
    return order.extended_hours and phase is not SessionPhase.CLOSED


def end_of_session(
    order: VenueOrder, closed_at: datetime, phase: SessionPhase, *, told_at: datetime
) -> OrderEvent | None:
    """Return how an order that was there before the close ends with it, None when it stays.

    POST ends the orders for extended hours, REGULAR all others.
    """
    if order.extended_hours is not (phase is SessionPhase.POST):
        return None
    if order.time_in_force is not TimeInForce.GTC and order.live_from < closed_at:
        if order.status is VenueStatus.PENDING_CANCEL:
            return canceled(order, BY_REQUEST, told_at)
        return OrderExpired(at=told_at, order_id=order.order_id)
    if order.expires_at is not None and order.expires_at <= closed_at:
        return canceled(order, TOO_OLD, told_at)
    return None


def canceled(order: VenueOrder, reason: str, at: datetime) -> OrderCanceled:
    """Return the end of an order, or of its rest, for a reason."""
    return OrderCanceled(at=at, order_id=order.order_id, reason=reason)
