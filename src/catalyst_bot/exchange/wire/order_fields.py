"""Reads the fields of an order: what is wrong in itself is refused here, in Alpaca's words.

What depends on the account, the book or the market is the matching engine's business. Which
refusal comes first when several apply is not documented; here it is the order of this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import OrderKind, Side, TimeInForce
from catalyst_bot.domain.money import tick_size
from catalyst_bot.exchange.wire.errors import forbidden, invalid_field
from catalyst_bot.exchange.wire.errors import unprocessable as refused
from catalyst_bot.exchange.wire.raw_fields import flag, number, optional_word, table, text, word
from catalyst_bot.exchange.wire.replies import decimal_text
from catalyst_bot.simulation.order_request import (
    OrderChanges,
    OrderClass,
    OrderRequest,
    PositionIntent,
)
from catalyst_bot.simulation.venue_order import VenueOrder

MOST_ID_CHARACTERS = 128
MOST_DECIMALS = 9
_LEAST_TRAIL_PERCENT = Decimal("0.1")
_STOPS = frozenset({OrderKind.STOP, OrderKind.STOP_LIMIT, OrderKind.TRAILING_STOP})
_WITH_LIMIT = frozenset({OrderKind.LIMIT, OrderKind.STOP_LIMIT})
_WITH_STOP = frozenset({OrderKind.STOP, OrderKind.STOP_LIMIT})
_LASTING = frozenset({TimeInForce.DAY, TimeInForce.GTC})


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFields:
    """The fields of an order that are right in themselves; `symbol` is still as it was given."""

    symbol: str
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    quantity: Decimal | None
    notional_usd: Decimal | None
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_price: Decimal | None
    trail_percent: Decimal | None
    extended_hours: bool
    client_order_id: str | None
    order_class: OrderClass
    take_profit_price: Decimal | None
    stop_loss_price: Decimal | None
    stop_loss_limit_price: Decimal | None
    position_intent: PositionIntent | None

    @property
    def is_fractional(self) -> bool:
        """Tell whether the order may end in a fraction of a share."""
        return self.quantity is None or self.quantity % 1 != 0

    def request(self, symbol: str, client_order_id: str, reference_price: Decimal) -> OrderRequest:
        """Return the order for the engine; `symbol` is the asset's own.

        The take profit of an OCO is the order itself, so it has no other.
        """
        is_entry = self.order_class is not OrderClass.OCO
        return OrderRequest(
            client_order_id=client_order_id,
            symbol=symbol,
            side=self.side,
            kind=self.kind,
            time_in_force=self.time_in_force,
            quantity=self.quantity,
            reference_price=reference_price,
            notional_usd=self.notional_usd,
            limit_price=self.limit_price,
            stop_price=self.stop_price,
            trail_price=self.trail_price,
            trail_percent=self.trail_percent,
            extended_hours=self.extended_hours,
            order_class=self.order_class,
            take_profit_price=self.take_profit_price if is_entry else None,
            stop_loss_price=self.stop_loss_price,
            stop_loss_limit_price=self.stop_loss_limit_price,
            position_intent=self.position_intent,
        )


def read_order(body: Mapping[str, Any]) -> OrderFields:
    """Return the fields of a new order; raises `ApiError` for the first that is wrong."""
    if body.get("order_class") == "mleg":
        raise forbidden("account not eligible to trade options")
    take_profit, stop_loss = table(body, "take_profit"), table(body, "stop_loss")
    order_class = _order_class(body)
    _no_legs_of_simple(body, order_class)
    limit_price = number(body, "limit_price")
    target_price = number(take_profit, "limit_price")
    kind = word(OrderKind, body, "type", "invalid order type")
    if order_class is OrderClass.OCO:
        if kind is not OrderKind.LIMIT:
            raise refused("oco orders must be limit orders")
        limit_price = target_price = target_price or limit_price
    fields = OrderFields(
        symbol=text(body, "symbol") or "",
        side=word(Side, body, "side", "invalid side"),
        kind=kind,
        time_in_force=word(TimeInForce, body, "time_in_force", "invalid time_in_force"),
        quantity=number(body, "qty"),
        notional_usd=number(body, "notional"),
        limit_price=limit_price,
        stop_price=number(body, "stop_price"),
        trail_price=number(body, "trail_price"),
        trail_percent=number(body, "trail_percent"),
        extended_hours=flag(body, "extended_hours"),
        client_order_id=_client_order_id(body),
        order_class=order_class,
        take_profit_price=target_price,
        stop_loss_price=number(stop_loss, "stop_price"),
        stop_loss_limit_price=number(stop_loss, "limit_price"),
        position_intent=_intent(body),
    )
    for check in (_sizes, _prices, _legs, _hours, _fractions, _ticks):
        check(fields)
    return fields


def _no_legs_of_simple(body: Mapping[str, Any], order_class: OrderClass) -> None:
    """Even an empty leg is one: whoever sends it believes in a protection there would not be."""
    has_legs = any(body.get(name) is not None for name in ("take_profit", "stop_loss"))
    if order_class is OrderClass.SIMPLE and has_legs:
        raise invalid_field("simple orders must not have take_profit or stop_loss")


def _sizes(fields: OrderFields) -> None:
    if not fields.symbol:
        raise invalid_field("symbol is required")
    if fields.quantity is None and fields.notional_usd is None:
        raise invalid_field("qty or notional is required")
    if fields.quantity is not None and fields.notional_usd is not None:
        raise invalid_field("only one of qty or notional is accepted")
    for name, value in (("qty", fields.quantity), ("notional", fields.notional_usd)):
        if value is None:
            continue
        if value <= 0:
            raise invalid_field(f"{name} must be > 0")
        if _decimals(value) > MOST_DECIMALS:
            raise invalid_field(f"{name} must be limited to {MOST_DECIMALS} decimal places")


def _prices(fields: OrderFields) -> None:
    """Each type has its own prices, all above zero, and no others."""
    kind, limit, stop = fields.kind, fields.limit_price, fields.stop_price
    for name, price in (("limit", limit), ("stop", stop)):
        if price is not None and price <= 0:
            raise invalid_field(f"{name} price must be > 0")
    if kind is OrderKind.MARKET and (limit is not None or stop is not None):
        raise invalid_field("market orders require no stop or limit price")
    if kind is OrderKind.STOP_LIMIT and (limit is None or stop is None):
        raise invalid_field("stop limit orders require both stop and limit price")
    if kind is OrderKind.LIMIT and limit is None and fields.order_class is not OrderClass.OCO:
        raise invalid_field("limit orders require a limit price")
    if kind is OrderKind.STOP and stop is None:
        raise invalid_field("stop orders require a stop price")
    no_surplus_prices(kind, limit=limit, stop=stop)
    _trails(fields)


def no_surplus_prices(kind: OrderKind, *, limit: Decimal | None, stop: Decimal | None) -> None:
    """Raise `ApiError` for a price that orders of this kind do not have."""
    words = kind.value.replace("_", " ")
    if limit is not None and kind not in _WITH_LIMIT:
        raise invalid_field(f"{words} orders must not have limit_price")
    if stop is not None and kind not in _WITH_STOP:
        raise invalid_field(f"{words} orders must not have stop_price")


def _trails(fields: OrderFields) -> None:
    price, percent = fields.trail_price, fields.trail_percent
    if fields.kind is not OrderKind.TRAILING_STOP:
        if price is not None or percent is not None:
            raise invalid_field(
                f"{fields.kind.value.replace('_', ' ')} orders must not have trail_price "
                "or trail_percent"
            )
        return
    if (price is None) is (percent is None):
        raise invalid_field("trailing stop orders must specify one of trail_price or trail_percent")
    if price is not None and price <= 0:
        raise invalid_field("trail_price must be > 0")
    if percent is not None and percent < _LEAST_TRAIL_PERCENT:
        raise invalid_field("trail_percent must be greater than or equal to 0.1")
    if percent is not None and percent >= 100:
        raise invalid_field("trail_percent must be less than 100")


def _legs(fields: OrderFields) -> None:
    target, stop = fields.take_profit_price, fields.stop_loss_price
    for name, price in _leg_prices(fields):
        if price is not None and price <= 0:
            raise invalid_field(f"{name} must be > 0")
    match fields.order_class:
        case OrderClass.BRACKET | OrderClass.OCO as group:
            if target is None:
                raise refused(f"{group} orders require take_profit.limit_price")
            if stop is None:
                raise refused(f"{group} orders require stop_loss.stop_price")
        case OrderClass.OTO:
            if (target is None) is (stop is None):
                raise invalid_field("oto orders require either take_profit or stop_loss")


def _hours(fields: OrderFields) -> None:
    """What may be combined with a time in force, and with extended hours."""
    kind, lives = fields.kind, fields.time_in_force
    if fields.order_class is not OrderClass.SIMPLE:
        if kind is OrderKind.TRAILING_STOP:
            raise refused("trailing stop orders must be simple orders")
        if lives not in _LASTING:
            raise refused(f"{fields.order_class} orders must be DAY or GTC orders")
        if fields.extended_hours:
            raise refused(
                f"{fields.order_class} orders are not eligible for extended hours trading"
            )
    if kind in _STOPS and lives not in _LASTING:
        raise refused(f"{kind.value.replace('_', ' ')} orders must be DAY or GTC orders")
    if fields.extended_hours:
        if kind in _STOPS:
            raise refused("stop orders are not eligible for extended hours trading")
        if kind is not OrderKind.LIMIT or lives not in _LASTING:
            raise refused("extended hours order must be DAY or GTC limit orders")


def _fractions(fields: OrderFields) -> None:
    if not fields.is_fractional:
        return
    if fields.order_class is not OrderClass.SIMPLE:
        raise refused("fractional orders must be simple orders")
    if fields.time_in_force is not TimeInForce.DAY:
        raise refused("fractional orders must be DAY orders")
    if fields.notional_usd is not None and fields.kind is not OrderKind.MARKET:
        raise refused("notional orders must be market orders")
    if fields.kind is OrderKind.TRAILING_STOP:
        raise refused("fractional orders must be market, limit, stop or stop limit orders")


def _ticks(fields: OrderFields) -> None:
    names = (("limit_price", fields.limit_price), ("stop_price", fields.stop_price))
    for name, price in (*names, *_leg_prices(fields)):
        on_tick(name, price)


def on_tick(name: str, price: Decimal | None) -> None:
    """Raise `ApiError` for a price below the smallest step: a cent, or 0.0001 under a dollar."""
    if price is not None and price % tick_size(price) != 0:
        raise refused(
            f"invalid {name} {decimal_text(price)}. sub-penny increment does not fulfill "
            "minimum pricing criteria"
        )


def read_changes(body: Mapping[str, Any], order: VenueOrder) -> OrderChanges:
    """Return what a replacement changes of `order`; raises `ApiError` for what is wrong."""
    if body.get("notional") is not None:
        raise refused("notional can only be changed for ipo orders")
    quantity = number(body, "qty")
    changes = OrderChanges(
        quantity=quantity,
        time_in_force=optional_word(TimeInForce, body, "time_in_force", "invalid time_in_force"),
        limit_price=number(body, "limit_price"),
        stop_price=number(body, "stop_price"),
        trail=number(body, "trail"),
        client_order_id=_client_order_id(body),
    )
    if quantity is not None and quantity <= 0:
        raise invalid_field("qty must be > 0")
    if quantity is not None and quantity % 1 != 0:
        raise refused("qty must be a whole number when replacing an order")
    for name, price in (("limit", changes.limit_price), ("stop", changes.stop_price)):
        if price is not None and price <= 0:
            raise invalid_field(f"{name} price must be > 0")
    no_surplus_prices(order.kind, limit=changes.limit_price, stop=changes.stop_price)
    _new_trail(changes.trail, order)
    on_tick("limit_price", changes.limit_price)
    on_tick("stop_price", changes.stop_price)
    return changes


def _new_trail(trail: Decimal | None, order: VenueOrder) -> None:
    if trail is None:
        return
    if order.kind is not OrderKind.TRAILING_STOP:
        raise invalid_field(f"{order.kind.value.replace('_', ' ')} orders must not have trail")
    if order.trail_percent is None:
        if trail <= 0:
            raise invalid_field("trail_price must be > 0")
    elif trail < _LEAST_TRAIL_PERCENT:
        raise invalid_field("trail_percent must be greater than or equal to 0.1")
    elif trail >= 100:
        raise invalid_field("trail_percent must be less than 100")


def _leg_prices(fields: OrderFields) -> tuple[tuple[str, Decimal | None], ...]:
    return (
        ("take_profit.limit_price", fields.take_profit_price),
        ("stop_loss.stop_price", fields.stop_loss_price),
        ("stop_loss.limit_price", fields.stop_loss_limit_price),
    )


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _order_class(body: Mapping[str, Any]) -> OrderClass:
    given = optional_word(OrderClass, body, "order_class", "invalid order_class")
    return given or OrderClass.SIMPLE


def _intent(body: Mapping[str, Any]) -> PositionIntent | None:
    return optional_word(PositionIntent, body, "position_intent", "invalid position_intent")


def _client_order_id(body: Mapping[str, Any]) -> str | None:
    given = text(body, "client_order_id")
    if given is not None and len(given) > MOST_ID_CHARACTERS:
        raise invalid_field(f"client_order_id must be no more than {MOST_ID_CHARACTERS} characters")
    return given or None
