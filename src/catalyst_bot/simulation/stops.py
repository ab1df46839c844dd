"""When a stop is met, and how a trailing stop follows the price."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.enums import OrderKind, Side
from catalyst_bot.domain.money import to_decimal
from catalyst_bot.simulation import fill_rules
from catalyst_bot.simulation.events import TrailMoved
from catalyst_bot.simulation.price_window import PriceWindow
from catalyst_bot.simulation.venue_order import VenueOrder

_STOPS = frozenset({OrderKind.STOP, OrderKind.STOP_LIMIT, OrderKind.TRAILING_STOP})
_PERCENT = Decimal(100)


def waits_for_stop(order: VenueOrder) -> bool:
    """Tell whether the order has a stop price that was not met yet."""
    return order.kind in _STOPS and order.triggered_at is None


def stop_reference(order: VenueOrder, window: PriceWindow) -> float | None:
    """Return the price at which the window meets the stop, None when it does not.

    Stops look at trades, not at quotes. A trailing stop counts as it stood before the window.
    """
    stop_price = order.prices_in(window.opened_at).stop_price
    assert stop_price is not None
    if order.side is Side.BUY:
        return fill_rules.buy_stop_reference(
            float(stop_price), open_price=window.open, high=window.high
        )
    return fill_rules.sell_stop_reference(float(stop_price), open_price=window.open, low=window.low)


def trailing_stop_price(order: VenueOrder, high_water_mark: Decimal) -> Decimal:
    """Return where a trailing stop stands, unrounded as at Alpaca."""
    if order.trail_price is not None:
        distance = order.trail_price
    else:
        assert order.trail_percent is not None
        distance = high_water_mark * order.trail_percent / _PERCENT
    return high_water_mark + distance if order.side is Side.BUY else high_water_mark - distance


def trail_moved(order: VenueOrder, window: PriceWindow, at: datetime) -> TrailMoved | None:
    """Return how a trailing stop follows the best price of the window, None when it does not."""
    mark = order.high_water_mark
    assert mark is not None
    best = to_decimal(window.low if order.side is Side.BUY else window.high, "price")
    if best >= mark if order.side is Side.BUY else best <= mark:
        return None
    return TrailMoved(
        at=at,
        order_id=order.order_id,
        high_water_mark=best,
        stop_price=trailing_stop_price(order, best),
    )
