"""What happens at the venue. Its state changes by these events and by nothing else.

`at` is when the venue's owner learns of it. Every event can be written with msgspec; `EVENT_TYPES`
names the classes for reading them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalyst_bot.simulation.order_request import OrderRequest, PositionIntent
from catalyst_bot.simulation.venue_order import VenueRole, VenueStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEntered:
    """The venue took an order, a leg, or the successor of a replaced order.

    Legs have a request of their own. `reserve_price` is how much money each share reserves (0 for
    an order that closes). `collar_price` is the worst price of a triggered buy stop at Alpaca.
    """

    at: datetime
    order_id: str
    request: OrderRequest
    role: VenueRole
    status: VenueStatus
    position_intent: PositionIntent
    reserve_price: Decimal
    group_id: str | None = None
    parent_id: str | None = None
    leg_ids: tuple[str, ...] = ()
    replaces: str | None = None
    collar_price: Decimal | None = None
    high_water_mark: Decimal | None = None
    expires_at: datetime | None = None

    @property
    def client_order_id(self) -> str:
        """The owner's name of the order."""
        return self.request.client_order_id


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderActivated:
    """An accepted or held order began to work: `new`. `quantity`: what a leg works for."""

    at: datetime
    order_id: str
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegArmed:
    """A held stop loss watches prices from now on; it stays `held` until it triggers."""

    at: datetime
    order_id: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilled:
    """An execution. `leaves_quantity` is what is still to be filled, 0 at the last one."""

    at: datetime
    order_id: str
    execution_id: str
    quantity: Decimal
    price: Decimal
    fee_usd: Decimal
    filled_at: datetime
    leaves_quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested:
    """A cancel was asked for and is not yet done: `pending_cancel`."""

    at: datetime
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCanceled:
    """The order, or its rest, is cancelled."""

    at: datetime
    order_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderExpired:
    """The order, or its rest, lapsed at the end of its session."""

    at: datetime
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReplaced:
    """The order ended because `successor_id` takes its place; `OrderEntered` follows."""

    at: datetime
    order_id: str
    successor_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRejected:
    """An order that was taken could not be worked after all."""

    at: datetime
    order_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTriggered:
    """The stop price was met: a stop is a market order from now on, a stop limit a limit order."""

    at: datetime
    order_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailMoved:
    """The best price since a trailing stop began moved, and its stop price with it."""

    at: datetime
    order_id: str
    high_water_mark: Decimal
    stop_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolHalted:
    """A symbol stopped trading."""

    at: datetime
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolResumed:
    """Trading in a halted symbol goes on."""

    at: datetime
    symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitApplied:
    """One old share became `shares_per_share` new ones; a fraction left over was paid out."""

    at: datetime
    symbol: str
    shares_per_share: Decimal
    cash_in_lieu_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRenamed:
    """Holdings and open orders carry a new symbol."""

    at: datetime
    symbol: str
    new_symbol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRolled:
    """A trading day ended: what the account is worth is the base of the next day's margin."""

    at: datetime
    equity_usd: Decimal
    maintenance_margin_usd: Decimal


OrderEvent = (
    OrderEntered
    | OrderActivated
    | LegArmed
    | OrderFilled
    | CancelRequested
    | OrderCanceled
    | OrderExpired
    | OrderReplaced
    | OrderRejected
    | StopTriggered
    | TrailMoved
)
VenueEvent = OrderEvent | SymbolHalted | SymbolResumed | SplitApplied | SymbolRenamed | DayRolled
EVENT_TYPES: dict[str, type[VenueEvent]] = {
    kind.__name__: kind
    for kind in (
        OrderEntered,
        OrderActivated,
        LegArmed,
        OrderFilled,
        CancelRequested,
        OrderCanceled,
        OrderExpired,
        OrderReplaced,
        OrderRejected,
        StopTriggered,
        TrailMoved,
        SymbolHalted,
        SymbolResumed,
        SplitApplied,
        SymbolRenamed,
        DayRolled,
    )
}
