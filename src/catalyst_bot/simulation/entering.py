"""What enters the venue for a request: the order, its legs, or the successor of a replaced one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.domain.money import ZERO
from catalyst_bot.simulation.events import OrderEntered, OrderReplaced
from catalyst_bot.simulation.fill_rules import buy_stop_collar
from catalyst_bot.simulation.market_now import MarketNow
from catalyst_bot.simulation.order_names import OrderNames
from catalyst_bot.simulation.order_request import (
    OrderChanges,
    OrderClass,
    OrderRequest,
    PositionIntent,
)
from catalyst_bot.simulation.venue_order import VenueOrder, VenueRole, VenueStatus
from catalyst_bot.simulation.venue_rules import VenueRules

_SHORT_MARGIN = Decimal("1.03")  # an opening short is counted at 3 % above the ask
_REVERSE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
_CLOSES = {Side.BUY: PositionIntent.BUY_TO_CLOSE, Side.SELL: PositionIntent.SELL_TO_CLOSE}
_OPENS = {Side.BUY: PositionIntent.BUY_TO_OPEN, Side.SELL: PositionIntent.SELL_TO_OPEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """How a venue takes orders in: who names them, by which rules, at which fees."""

    names: OrderNames
    rules: VenueRules
    commission_fraction: Decimal
    collars_buy_stops: bool

    def entered(
        self,
        request: OrderRequest,
        at: datetime,
        *,
        intent: PositionIntent,
        market: MarketNow,
        is_acknowledged: bool,
    ) -> list[OrderEntered]:
        """Return the events that take a request in: its order first, then its legs, stop first."""
        order_id = self.names.order_id(request.client_order_id)
        is_group = request.order_class is not OrderClass.SIMPLE
        group_id = order_id if is_group else None
        legs = [self._leg(request, role, at, parent_id=order_id) for role in _leg_roles(request)]
        collar = self._collar(request)
        order = OrderEntered(
            at=at,
            order_id=order_id,
            request=request,
            role=_role(request),
            status=entry_status(request, market.phase, is_acknowledged=is_acknowledged),
            position_intent=intent,
            reserve_price=self.reserve_price(request, intent, collar=collar, ask=market.ask),
            group_id=group_id,
            leg_ids=tuple(leg.order_id for leg in reversed(legs)),
            collar_price=collar,
            high_water_mark=_first_mark(request, market),
            expires_at=self._expires_at(request.time_in_force, at),
        )
        return [order, *legs]

    def succeeded(
        self, order: VenueOrder, changes: OrderChanges, at: datetime, *, ask: Decimal | None
    ) -> tuple[OrderReplaced, OrderEntered]:
        """Return the events that put a successor in the place of an order."""
        client_order_id, order_id = self.names.successor(order, order.replacement_count + 1)
        request = changed_request(order, changes, client_order_id)
        collar = self._collar(request)
        entered = OrderEntered(
            at=at,
            order_id=order_id,
            request=request,
            role=order.role,
            status=VenueStatus.HELD if order.status is VenueStatus.HELD else VenueStatus.NEW,
            position_intent=order.position_intent,
            reserve_price=self.reserve_price(
                request, order.position_intent, collar=collar, ask=ask
            ),
            group_id=order.group_id,
            parent_id=order.parent_id,
            leg_ids=order.leg_ids,
            replaces=order.order_id,
            collar_price=collar,
            high_water_mark=order.high_water_mark,
            expires_at=self._expires_at(request.time_in_force, at),
        )
        return OrderReplaced(at=at, order_id=order.order_id, successor_id=order_id), entered

    def reserve_price(
        self,
        request: OrderRequest,
        intent: PositionIntent,
        *,
        collar: Decimal | None,
        ask: Decimal | None,
    ) -> Decimal:
        """Return what a share of an opening order should cost, fees included; 0 when it closes.

        At its limit, or at the price it was sized at: what it really costs shows when it fills.
        """
        if intent.is_closing:
            return ZERO
        if intent is PositionIntent.SELL_TO_OPEN:
            market = (ask or request.reference_price) * _SHORT_MARGIN
            return max(request.limit_price or ZERO, market)
        price = collar or request.limit_price
        if price is None:
            price = max(request.stop_price or ZERO, request.reference_price)
        return price * (1 + self.commission_fraction)

    def _collar(self, request: OrderRequest) -> Decimal | None:
        is_buy_stop = request.kind is OrderKind.STOP and request.side is Side.BUY
        if not (self.collars_buy_stops and is_buy_stop and request.stop_price is not None):
            return None
        return buy_stop_collar(request.stop_price)

    def _expires_at(self, time_in_force: TimeInForce, at: datetime) -> datetime | None:
        if self.rules.gtc_days is None or time_in_force is not TimeInForce.GTC:
            return None
        return at + timedelta(days=self.rules.gtc_days)

    def _leg(
        self, entry: OrderRequest, role: VenueRole, at: datetime, *, parent_id: str
    ) -> OrderEntered:
        """Return how a leg enters: held until its entry (in an OCO: its target) lets it begin."""
        client_order_id, order_id = self.names.leg(entry, role)
        is_oco = entry.order_class is OrderClass.OCO
        is_stop = role is VenueRole.STOP_LOSS
        stop_limit = entry.stop_loss_limit_price
        kind = OrderKind.LIMIT
        if is_stop:
            kind = OrderKind.STOP if stop_limit is None else OrderKind.STOP_LIMIT
        side = entry.side if is_oco else _REVERSE[entry.side]
        time_in_force = self.rules.leg_time_in_force or entry.time_in_force
        request = OrderRequest(
            client_order_id=client_order_id,
            symbol=entry.symbol,
            side=side,
            kind=kind,
            time_in_force=time_in_force,
            quantity=entry.quantity,
            reference_price=entry.reference_price,
            limit_price=stop_limit if is_stop else entry.take_profit_price,
            stop_price=entry.stop_loss_price if is_stop else None,
            order_class=entry.order_class,
        )
        return OrderEntered(
            at=at,
            order_id=order_id,
            request=request,
            role=role,
            status=VenueStatus.HELD,
            position_intent=_CLOSES[side],
            reserve_price=ZERO,
            group_id=parent_id,
            parent_id=parent_id,
            collar_price=self._collar(request),
            expires_at=self._expires_at(time_in_force, at),
        )


def inferred_intent(side: Side, held: Decimal) -> PositionIntent:
    """Return what an order of `side` does to a position of `held` shares."""
    closes = held > 0 if side is Side.SELL else held < 0
    return _CLOSES[side] if closes else _OPENS[side]


def closing_intent(side: Side) -> PositionIntent:
    """Return the intent of an order of `side` that makes a position smaller."""
    return _CLOSES[side]


def entry_status(
    request: OrderRequest, phase: SessionPhase, *, is_acknowledged: bool
) -> VenueStatus:
    """Return `new` in a session the order trades in, else `accepted`: it waits for its session."""
    in_session = phase is SessionPhase.REGULAR or (
        request.extended_hours and phase is not SessionPhase.CLOSED
    )
    return VenueStatus.NEW if in_session and is_acknowledged else VenueStatus.ACCEPTED


def changed_request(order: VenueOrder, changes: OrderChanges, client_order_id: str) -> OrderRequest:
    """Return the request of the order that replaces another one."""
    request = order.request
    trail_price, trail_percent = order.trail_price, order.trail_percent
    if changes.trail is not None:
        is_percent = trail_percent is not None
        trail_price = None if is_percent else changes.trail
        trail_percent = changes.trail if is_percent else None
    is_trailing = request.kind is OrderKind.TRAILING_STOP
    return replace(
        request,
        symbol=order.symbol,
        client_order_id=changes.client_order_id or client_order_id,
        time_in_force=changes.time_in_force or order.time_in_force,
        quantity=order.remaining if changes.quantity is None else changes.quantity,
        limit_price=changes.limit_price or order.limit_price,
        stop_price=None if is_trailing else changes.stop_price or order.stop_price,
        trail_price=trail_price,
        trail_percent=trail_percent,
    )


def _leg_roles(request: OrderRequest) -> list[VenueRole]:
    """Return which legs a request has, stop first; the take profit of an OCO is its order."""
    if request.order_class is OrderClass.SIMPLE:
        return []
    roles = []
    if request.stop_loss_price is not None:
        roles.append(VenueRole.STOP_LOSS)
    if request.take_profit_price is not None and request.order_class is not OrderClass.OCO:
        roles.append(VenueRole.TAKE_PROFIT)
    return roles


def _role(request: OrderRequest) -> VenueRole:
    match request.order_class:
        case OrderClass.SIMPLE:
            return VenueRole.SIMPLE
        case OrderClass.OCO:
            return VenueRole.TAKE_PROFIT
        case OrderClass.BRACKET | OrderClass.OTO:
            return VenueRole.ENTRY


def _first_mark(request: OrderRequest, market: MarketNow) -> Decimal | None:
    if request.kind is not OrderKind.TRAILING_STOP:
        return None
    return market.last or request.reference_price
