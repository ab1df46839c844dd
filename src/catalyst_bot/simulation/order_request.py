"""What somebody asks the venue to do: an order, or a change of one."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from catalyst_bot.domain.enums import OrderKind, Side, TimeInForce


class OrderClass(StrEnum):
    """How many orders one request makes: one, or a group of which one ends the other.

    BRACKET: an entry with a take profit and a stop loss. OCO: the same two exits for a position
    that is held already. OTO: an entry with one of the two.
    """

    SIMPLE = "simple"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"


class PositionIntent(StrEnum):
    """What an order does to the position of its symbol."""

    BUY_TO_OPEN = "buy_to_open"
    BUY_TO_CLOSE = "buy_to_close"
    SELL_TO_OPEN = "sell_to_open"
    SELL_TO_CLOSE = "sell_to_close"

    @property
    def is_closing(self) -> bool:
        """Tell whether the order makes a position smaller."""
        return self in {PositionIntent.BUY_TO_CLOSE, PositionIntent.SELL_TO_CLOSE}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """An order as it is sent to the venue.

    `quantity` has at most nine decimals and is None when `notional_usd` is given. In an OCO the
    request itself is the take profit: `kind` LIMIT at `limit_price`, with a `stop_loss_price`.
    `reference_price` is what a share is worth now: the far side of the quote, or the price the
    order was sized at. Reservations and the rules about a base price use it.
    """

    client_order_id: str
    symbol: str
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    quantity: Decimal | None
    reference_price: Decimal
    notional_usd: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    extended_hours: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit_price: Decimal | None = None
    stop_loss_price: Decimal | None = None
    stop_loss_limit_price: Decimal | None = None
    position_intent: PositionIntent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanges:
    """What a replacement changes; None leaves it as it is.

    `quantity` is the whole size of the new order; without it the new order is for the rest of the
    old one. `trail` is dollars or percent, whichever the order has. `client_order_id` names the
    new order.
    """

    quantity: Decimal | None = None
    time_in_force: TimeInForce | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    client_order_id: str | None = None
