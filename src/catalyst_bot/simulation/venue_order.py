"""What the venue remembers of one order or bracket leg.

Everything here follows from journalled messages, so that a venue can be rebuilt from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import (
    ExitReason,
    OrderKind,
    OrderRole,
    OrderStatus,
    Side,
    TimeInForce,
)
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import ApprovedOrder, OrderTicket, stop_leg_id, target_leg_id
from catalyst_bot.simulation.price_window import Phase

_OPEN = frozenset({OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED})


def venue_order_id(client_order_id: str) -> str:
    """Return the venue's own name for an order: one and the same in every replay."""
    return ids.content_id("ven", client_order_id)


@dataclass(slots=True, kw_only=True)
class VenueOrder:
    """An order at the venue.

    `order` is the approved order it came from: for a leg, the entry's. `live_from` is when it
    reached the venue (a leg: its entry's first fill). `stop_prices` are all it ever had with the
    time from which each counts. `told_at` is when the bot learns of its last fill, which may be
    `latency_s` ahead. `is_acknowledged` tells whether its `OrderAccepted` was recorded.
    """

    client_order_id: str
    order: ApprovedOrder
    role: OrderRole
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    quantity: Decimal
    status: OrderStatus
    live_from: datetime
    told_at: datetime
    limit_price: Decimal | None = None
    stop_prices: list[tuple[datetime, Decimal]] = field(default_factory=list)
    exit_reason: ExitReason | None = None
    filled_quantity: Decimal = ZERO
    fill_ids: set[str] = field(default_factory=set)
    is_acknowledged: bool = False
    reason: str = ""

    @property
    def symbol(self) -> str:
        return self.order.symbol

    @property
    def is_leg(self) -> bool:
        return self.client_order_id != self.order.client_order_id

    @property
    def is_open(self) -> bool:
        return self.status in _OPEN

    @property
    def is_finished(self) -> bool:
        return not self.is_open and self.status is not OrderStatus.HELD

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.filled_quantity

    @property
    def stop_price(self) -> Decimal | None:
        return self.stop_prices[-1][1] if self.stop_prices else None

    @property
    def is_market(self) -> bool:
        """A stop that was triggered but filled only in part is a market order from then on."""
        return self.kind is OrderKind.MARKET or (
            self.kind is OrderKind.STOP and self.filled_quantity > 0
        )

    def stop_price_in(self, opened_at: datetime) -> Decimal:
        """Return the stop price that counts in a bar: a change counts from the next bar on."""
        known = [price for since, price in self.stop_prices if since <= opened_at]
        return known[-1] if known else self.stop_prices[0][1]

    def fill_id(self, opened_at: datetime, phase: Phase) -> str:
        """Return the id of this order's fill in one bar; the same chance gives the same id."""
        return ids.fill_id(self.client_order_id, opened_at.isoformat(), phase)

    def filled_in(self, opened_at: datetime, phase: Phase) -> bool:
        """Tell whether the order was filled in this part of the bar."""
        return bool(self.fill_ids) and self.fill_id(opened_at, phase) in self.fill_ids

    def ticket(self) -> OrderTicket:
        """Return the order as the bot knows orders; a leg's reference is the price it waits at."""
        waits_at = self.limit_price or self.stop_price
        reference_price = self.order.reference_price
        return OrderTicket(
            client_order_id=self.client_order_id,
            broker_order_id=venue_order_id(self.client_order_id),
            trade_id=self.order.trade_id,
            catalyst_id=self.order.catalyst_id,
            strategy_id=self.order.strategy_id,
            symbol=self.symbol,
            role=self.role,
            side=self.side,
            kind=self.kind,
            status=self.status,
            quantity=self.quantity,
            filled_quantity=self.filled_quantity,
            reference_price=waits_at if self.is_leg and waits_at else reference_price,
            limit_price=self.limit_price,
            stop_price=self.stop_price,
            exit_reason=self.exit_reason,
            submitted_at=self.live_from,
        )


def plain_order(order: ApprovedOrder, *, status: OrderStatus, live_from: datetime) -> VenueOrder:
    """Return the venue's record of an approved order; a stop order waits at `stop_loss_price`."""
    waits_at = order.stop_loss_price if order.kind is OrderKind.STOP else None
    return VenueOrder(
        client_order_id=order.client_order_id,
        order=order,
        role=order.role,
        side=order.side,
        kind=order.kind,
        time_in_force=order.time_in_force,
        quantity=order.quantity,
        status=status,
        live_from=live_from,
        told_at=live_from,
        limit_price=order.limit_price if order.kind is OrderKind.LIMIT else None,
        stop_prices=[(live_from, waits_at)] if waits_at else [],
        exit_reason=order.exit_reason,
    )


def held_legs(order: ApprovedOrder, live_from: datetime) -> list[VenueOrder]:
    """Return the legs of an entry, stop first; they wait for its first fill. Others have none."""
    legs: list[VenueOrder] = []
    if order.side is not Side.BUY:
        return legs
    if order.stop_loss_price is not None:
        stop = _held_leg(order, OrderRole.STOP_LOSS, live_from)
        stop.stop_prices.append((live_from, order.stop_loss_price))
        legs.append(stop)
    if order.take_profit_price is not None:
        target = _held_leg(order, OrderRole.TAKE_PROFIT, live_from)
        target.limit_price = order.take_profit_price
        legs.append(target)
    return legs


def _held_leg(order: ApprovedOrder, role: OrderRole, live_from: datetime) -> VenueOrder:
    is_stop = role is OrderRole.STOP_LOSS
    leg_id = stop_leg_id if is_stop else target_leg_id
    return VenueOrder(
        client_order_id=leg_id(order.client_order_id),
        order=order,
        role=role,
        side=Side.SELL,
        kind=OrderKind.STOP if is_stop else OrderKind.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=order.quantity,
        status=OrderStatus.HELD,
        live_from=live_from,
        told_at=live_from,
        exit_reason=ExitReason.STOP_LOSS if is_stop else ExitReason.TAKE_PROFIT,
    )
