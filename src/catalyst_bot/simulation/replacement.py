"""Why the venue would not replace an order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from catalyst_bot.domain.enums import OrderKind, Side
from catalyst_bot.domain.money import whole_shares
from catalyst_bot.simulation.admission import Applicant, quantity_refusal
from catalyst_bot.simulation.alpaca_admission import (
    buying_power_refusal,
    stop_refusal,
    tick_refusal,
    wash_trade_refusal,
)
from catalyst_bot.simulation.fill_rules import is_on_tick
from catalyst_bot.simulation.group import Group
from catalyst_bot.simulation.order_request import OrderChanges, OrderClass
from catalyst_bot.simulation.refusals import Refusal, RefusalKind
from catalyst_bot.simulation.stops import waits_for_stop
from catalyst_bot.simulation.venue_order import VenueOrder, VenueStatus

_REPLACEABLE = frozenset({VenueStatus.NEW, VenueStatus.PARTIALLY_FILLED, VenueStatus.HELD})
_WITH_LIMIT = frozenset({OrderKind.LIMIT, OrderKind.STOP_LIMIT})
_WITH_STOP = frozenset({OrderKind.STOP, OrderKind.STOP_LIMIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """An order, what is to change, and the order it would become as an applicant.

    `reserved_usd` is what the order holds already.
    """

    order: VenueOrder
    changes: OrderChanges
    group: Group
    successor: Applicant
    reserved_usd: Decimal


def our_refusal(wanted: Replacement) -> Refusal | None:
    """Return why the embedded venue would not move a price, or None."""
    order, changes = wanted.order, wanted.changes
    if not order.is_open:
        return _not_replaceable(f'order is already in "{order.status}" state')
    if changes.stop_price is not None:
        if order.kind is not OrderKind.STOP or not waits_for_stop(order):
            return _not_replaceable("not a waiting stop order")
        if not _is_price_between_legs(wanted):
            return _not_replaceable(f"invalid stop price {changes.stop_price}")
    if changes.limit_price is not None:
        if order.kind is not OrderKind.LIMIT:
            return _not_replaceable("not a waiting limit order")
        if not _is_price_between_legs(wanted):
            return _not_replaceable(f"invalid limit price {changes.limit_price}")
    return _money_refusal(wanted)


def alpaca_refusal(wanted: Replacement) -> Refusal | None:
    """Return why Alpaca would not replace an order, or None."""
    if wanted.order.status not in _REPLACEABLE:
        return _not_replaceable("unable to replace order, order is not open")
    return (
        _foreign_fields(wanted)
        or _quantity_refusal(wanted)
        or _price_refusal(wanted)
        or wash_trade_refusal(wanted.successor)
        or _money_refusal(wanted)
    )


def _foreign_fields(wanted: Replacement) -> Refusal | None:
    """Only fields that the order has can be replaced."""
    order, changes = wanted.order, wanted.changes
    if order.request.order_class is OrderClass.OTO:
        return _not_replaceable("replace is not supported yet for oto orders")
    if changes.limit_price is not None and order.kind not in _WITH_LIMIT:
        return _shape(f"{order.kind} orders must not have limit_price")
    if changes.stop_price is not None and order.kind not in _WITH_STOP:
        return _shape(f"{order.kind} orders must not have stop_price")
    if changes.trail is not None and order.kind is not OrderKind.TRAILING_STOP:
        return _shape(f"{order.kind} orders must not have trail")
    is_moved = changes.trail is not None or changes.stop_price is not None
    if is_moved and not waits_for_stop(order):
        return _not_replaceable("unable to replace order, order was triggered")
    return None


def _quantity_refusal(wanted: Replacement) -> Refusal | None:
    order, quantity = wanted.order, wanted.changes.quantity
    if quantity is None:
        return None
    if not quantity > 0:
        return _shape("qty must be > 0")
    if order.is_notional or any(q != whole_shares(q) for q in (quantity, order.quantity)):
        return _not_replaceable("qty of notional and fractional orders cannot be replaced")
    if order.request.order_class is not OrderClass.SIMPLE:
        return _not_replaceable(f"qty of {order.request.order_class} orders cannot be replaced")
    if not order.position_intent.is_closing:
        return None
    held = wanted.successor.state.reservations.group_shares(order)
    return quantity_refusal(wanted.successor, freed=held)


def _price_refusal(wanted: Replacement) -> Refusal | None:
    order, changes, market = wanted.order, wanted.changes, wanted.successor.market
    for name, price in (("limit_price", changes.limit_price), ("stop_price", changes.stop_price)):
        if price is not None and not is_on_tick(price):
            return tick_refusal(name, price)
    if changes.stop_price is not None:
        refusal = stop_refusal(order.side, changes.stop_price, market.last)
        if refusal is not None:
            return refusal
    if not _is_price_between_legs(wanted):
        sign = ">" if _is_ascending(wanted.group) else "<"
        return Refusal(
            kind=RefusalKind.LEG_PRICES,
            message=f"take_profit.limit_price must be {sign} stop_loss.stop_price",
        )
    return None


def _is_price_between_legs(wanted: Replacement) -> bool:
    """Tell whether the new price is a tick and leaves stop, entry and target in their order."""
    group = wanted.group
    for changed in (wanted.changes.limit_price, wanted.changes.stop_price):
        if changed is not None and not is_on_tick(changed):
            return False
    rungs = [
        _rung(member, wanted)
        for member in (group.stop, group.entry, group.target)
        if member is not None and (member is not group.entry or not member.is_ended)
    ]
    steps = pairwise(price for price in rungs if price is not None)
    ascending = _is_ascending(group)
    return all(one < other if ascending else one > other for one, other in steps)


def _rung(member: VenueOrder, wanted: Replacement) -> Decimal | None:
    """Return the price of a member as it would be after the change."""
    changes = wanted.changes if member is wanted.order else OrderChanges()
    if member is wanted.group.stop:
        return changes.stop_price or member.stop_price
    return changes.limit_price or member.limit_price


def _is_ascending(group: Group) -> bool:
    """Tell whether the target is above the stop: the exits sell."""
    return any(leg.side is Side.SELL for leg in group.legs)


def _money_refusal(wanted: Replacement) -> Refusal | None:
    """While it is replaced, the larger of the old and the new order is held."""
    successor = wanted.successor
    if successor.intent.is_closing:
        return None
    free_usd = successor.figures.buying_power_usd + wanted.reserved_usd
    return buying_power_refusal(successor.cost_usd, free_usd)


def _not_replaceable(message: str) -> Refusal:
    return Refusal(kind=RefusalKind.NOT_REPLACEABLE, message=message)


def _shape(message: str) -> Refusal:
    return Refusal(kind=RefusalKind.SHAPE, message=message)
