"""What the venue remembers of one order.

Everything here follows from the venue's events, so that a venue can be rebuilt from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import OrderKind, Side, TimeInForce
from catalyst_bot.domain.money import ZERO
from catalyst_bot.simulation.order_request import OrderRequest, PositionIntent
from catalyst_bot.simulation.price_window import Phase


class VenueStatus(StrEnum):
    """Where an order stands, in Alpaca's words."""

    ACCEPTED = "accepted"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    HELD = "held"
    PENDING_CANCEL = "pending_cancel"
    REJECTED = "rejected"


class VenueRole(StrEnum):
    """What an order is in its group."""

    SIMPLE = "simple"
    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"


ENDED = frozenset(
    {
        VenueStatus.FILLED,
        VenueStatus.CANCELED,
        VenueStatus.EXPIRED,
        VenueStatus.REPLACED,
        VenueStatus.REJECTED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePoint:
    """The prices of an order from `since` on."""

    since: datetime
    limit_price: Decimal | None
    stop_price: Decimal | None


@dataclass(slots=True, kw_only=True)
class VenueOrder:
    """An order at the venue.

    `quantity` of a notional order is an estimate until it is filled. `live_from` is when prices
    began to count for it (a leg: its entry's fill). `prices` are all the prices it ever had, those
    of the orders it replaces too: in a bar that was already open a moved price does not count.
    `told_at` is when its owner learns of its last fill, which may be `latency_s` ahead. `is_live`:
    it watches prices, though a stop loss may be `held` meanwhile. `place` is its turn among the
    open orders. `origin` is the name by which chance knows the order; a successor keeps both.
    """

    order_id: str
    client_order_id: str
    request: OrderRequest
    role: VenueRole
    group_id: str | None
    parent_id: str | None
    leg_ids: tuple[str, ...]
    position_intent: PositionIntent
    side: Side
    kind: OrderKind
    symbol: str
    time_in_force: TimeInForce
    extended_hours: bool
    quantity: Decimal
    reserve_price: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    trail_price: Decimal | None
    trail_percent: Decimal | None
    high_water_mark: Decimal | None
    collar_price: Decimal | None
    status: VenueStatus
    origin: str
    created_at: datetime
    submitted_at: datetime
    live_from: datetime
    updated_at: datetime
    told_at: datetime
    expires_at: datetime | None
    prices: list[PricePoint] = field(default_factory=list)
    execution_ids: set[str] = field(default_factory=set)
    filled_quantity: Decimal = ZERO
    filled_usd: Decimal = ZERO
    is_live: bool = False
    place: int = 0
    triggered_at: datetime | None = None
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None
    failed_at: datetime | None = None
    replaced_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    replacement_count: int = 0
    reason: str = ""

    @property
    def is_ended(self) -> bool:
        """Tell whether nothing more can happen to the order."""
        return self.status in ENDED

    @property
    def is_open(self) -> bool:
        """Tell whether the order counts: all but ended ones and legs that are not live yet."""
        return (self.is_live or self.parent_id is None) and self.status not in ENDED

    @property
    def is_working(self) -> bool:
        """Tell whether the order may fill; one with a cancel under way still may."""
        return self.is_live and self.status not in ENDED

    @property
    def is_notional(self) -> bool:
        return self.request.notional_usd is not None

    @property
    def is_leg(self) -> bool:
        """Tell whether the order came with another one, not by a request of its own."""
        return self.parent_id is not None

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled_quantity

    @property
    def average_price(self) -> Decimal | None:
        return self.filled_usd / self.filled_quantity if self.filled_quantity else None

    @property
    def is_market(self) -> bool:
        """A stop that was triggered is a market order from then on, unless it has a limit."""
        if self.kind is OrderKind.MARKET:
            return True
        is_stop = self.kind in {OrderKind.STOP, OrderKind.TRAILING_STOP}
        return is_stop and self.triggered_at is not None and self.collar_price is None

    def prices_in(self, opened_at: datetime) -> PricePoint:
        """Return the prices that count in a bar: a change counts from the next bar on."""
        for point in reversed(self.prices):
            if point.since <= opened_at:
                return point
        return self.prices[0]

    def execution_id(self, opened_at: datetime, phase: Phase) -> str:
        """Return the id of this order's fill at one chance; the same chance gives the same id."""
        return ids.fill_id(self.origin, opened_at.isoformat(), phase)

    def filled_in(self, opened_at: datetime, phase: Phase) -> bool:
        """Tell whether the order was filled at this chance."""
        return bool(self.execution_ids) and self.execution_id(opened_at, phase) in (
            self.execution_ids
        )
