"""Why the venue would not take an order."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise

from catalyst_bot.domain.enums import OrderKind, Side
from catalyst_bot.domain.money import whole_shares
from catalyst_bot.domain.trading import ApprovedOrder
from catalyst_bot.simulation.fill_rules import is_on_tick
from catalyst_bot.simulation.venue_account import (
    VenueAccount,
    expected_cost_usd,
    reserved_shares,
    reserved_usd,
)
from catalyst_bot.simulation.venue_order import VenueOrder


def refusal(
    order: ApprovedOrder,
    *,
    account: VenueAccount,
    open_orders: Iterable[VenueOrder],
    commission_fraction: Decimal,
) -> str | None:
    """Return the reason to reject `order`, or None to take it."""
    return (
        _shape_refusal(order)
        or _bracket_refusal(order)
        or _means_refusal(
            order,
            account=account,
            open_orders=tuple(open_orders),
            commission_fraction=commission_fraction,
        )
    )


def _shape_refusal(order: ApprovedOrder) -> str | None:
    if not order.quantity > 0:
        return f"qty must be > 0 (requested: {order.quantity})"
    if order.quantity != whole_shares(order.quantity):
        return f"qty must be whole shares (requested: {order.quantity})"
    if order.kind is OrderKind.LIMIT and order.limit_price is None:
        return "limit orders require a limit price"
    if order.kind is OrderKind.STOP and order.side is Side.BUY:
        return "buy stop orders are not supported"
    if order.kind is OrderKind.STOP and order.stop_loss_price is None:
        return "stop orders require a stop price"
    for price in (order.limit_price, order.stop_loss_price, order.take_profit_price):
        if price is not None and not is_on_tick(price):
            return f"invalid price {price}: not above zero or not on a tick"
    return None


def _bracket_refusal(order: ApprovedOrder) -> str | None:
    """The stop must lie below what the entry costs, the target above, as far as given."""
    if order.side is not Side.BUY:
        return None
    base_price = order.limit_price or order.reference_price
    prices = (order.stop_loss_price, base_price, order.take_profit_price)
    given = [price for price in prices if price is not None]
    if any(not lower < upper for lower, upper in pairwise(given)):
        return f"bracket prices must lie on both sides of the base price {base_price}"
    return None


def _means_refusal(
    order: ApprovedOrder,
    *,
    account: VenueAccount,
    open_orders: tuple[VenueOrder, ...],
    commission_fraction: Decimal,
) -> str | None:
    if order.side is Side.SELL:
        own = (o for o in open_orders if o.symbol == order.symbol)
        free = account.held(order.symbol) - reserved_shares(own)
        if order.quantity > free:
            return (
                "insufficient qty available for order "
                f"(requested: {order.quantity}, available: {free})"
            )
        return None
    free_usd = account.buying_power_usd() - reserved_usd(open_orders, commission_fraction)
    cost_usd = expected_cost_usd(order, order.quantity, commission_fraction)
    if not free_usd > 0 or not cost_usd <= free_usd:
        return f"insufficient buying power (required: {cost_usd:.2f}, available: {free_usd:.2f})"
    return None
