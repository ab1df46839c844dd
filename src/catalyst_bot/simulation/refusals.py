"""Why the venue would not do what it was asked, in Alpaca's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class RefusalKind(StrEnum):
    """The rule that was broken. One kind has one meaning, whatever its words."""

    BUYING_POWER = "buying_power"
    QUANTITY_AVAILABLE = "quantity_available"
    WASH_TRADE = "wash_trade"
    BASE_PRICE = "base_price"
    LEG_PRICES = "leg_prices"
    STOP_PRICE = "stop_price"
    PRICE_TICK = "price_tick"
    SHAPE = "shape"
    COST_BASIS = "cost_basis"
    SHORTING = "shorting"
    OPPOSITE_ORDER = "opposite_order"
    POSITION_INTENT = "position_intent"
    FRACTIONAL = "fractional"
    NOTIONAL = "notional"
    CLIENT_ORDER_ID = "client_order_id"
    CLOSING_ONLY = "closing_only"
    ORDER_UNKNOWN = "order_unknown"
    NOT_CANCELABLE = "not_cancelable"
    NOT_REPLACEABLE = "not_replaceable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A broken rule, the venue's message and the values that belong in the error body.

    `context` holds decimal strings as Alpaca writes them. `related_orders` are order ids, given
    with QUANTITY_AVAILABLE only.
    """

    kind: RefusalKind
    message: str
    context: Mapping[str, str] = field(default_factory=dict)
    related_orders: tuple[str, ...] = ()


class Refused(Exception):
    """The venue said no and changed nothing."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
