"""Offering prices to orders: who is asked, in which turn, and what is recorded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.domain.money import ZERO
from catalyst_bot.simulation.events import (
    OrderCanceled,
    OrderEvent,
    OrderFilled,
    StopTriggered,
    VenueEvent,
)
from catalyst_bot.simulation.group import follows_entry, leg_may_fill
from catalyst_bot.simulation.price_window import Phase, PriceWindow
from catalyst_bot.simulation.pricing import Offer, Pricing, unfilled
from catalyst_bot.simulation.recorder import Recorder
from catalyst_bot.simulation.stops import trail_moved, waits_for_stop
from catalyst_bot.simulation.venue_account import affordable_shares, fee_usd
from catalyst_bot.simulation.venue_order import VenueOrder
from catalyst_bot.simulation.venue_rules import MoneyRule
from catalyst_bot.simulation.venue_state import VenueState

NO_MONEY = "insufficient buying power"
NOT_AT_ONCE = "not filled at once"
AUCTIONS = frozenset({TimeInForce.OPG, TimeInForce.CLS})
_AT_ONCE = frozenset({TimeInForce.IOC, TimeInForce.FOK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Matches the open orders of a venue with price windows."""

    state: VenueState
    pricing: Pricing
    recorder: Recorder
    money: MoneyRule

    def match(
        self,
        window: PriceWindow,
        at: datetime,
        *,
        multiplier: Decimal,
        only: Collection[str] | None = None,
    ) -> list[VenueEvent]:
        """Offer a window to every order of its symbol, then to the legs these brought."""
        symbol = window.symbol
        orders = self._asked(symbol, only)
        if not orders:
            return []
        if symbol in self.state.halted:
            return self._end_at_once(orders, window, at)
        resumed_at = self.state.tradable_from.get(symbol)
        if resumed_at is not None and window.opened_at < resumed_at:
            return []
        events = self._offer(window, orders, at, multiplier)
        if events and window.phase is not Phase.TICK:
            known = {order.order_id for order in orders}
            legs = [o for o in self.state.open_orders(symbol) if o.order_id not in known]
            events += self._offer(window, legs, at, multiplier)
        return events + self._end_at_once(orders, window, at)

    def _asked(self, symbol: str, only: Collection[str] | None) -> list[VenueOrder]:
        if only is None:
            return self.state.open_orders(symbol)
        orders = (self.state.orders[order_id] for order_id in only)
        return [order for order in orders if order.is_open and order.symbol == symbol]

    def _offer(
        self, window: PriceWindow, orders: list[VenueOrder], at: datetime, multiplier: Decimal
    ) -> list[VenueEvent]:
        """Offer the window in the order of arrival; an entry is older than its legs.

        Each order is asked when its turn comes: what filled before may have ended it.
        """
        events: list[VenueEvent] = []
        near = [order for order in orders if not _is_far(order, window)]
        if len(near) > 1:
            near.sort(key=lambda order: (self.pricing.filled_at(order, window), order.place))
        for order in near:
            if order.is_working and self._may_fill(order, window):
                events += self._try_fill(order, window, at, multiplier)
        return events

    def _may_fill(self, order: VenueOrder, window: PriceWindow) -> bool:
        """Tell whether the order may look at these prices: none from before it was sent."""
        opened_at = window.opened_at
        if not _trades_in(order, window):
            return False
        if window.phase in {Phase.TICK, Phase.AUCTION}:
            if order.filled_in(opened_at, window.phase):
                return False
        elif order.filled_in(opened_at, Phase.OPEN) or order.filled_in(opened_at, Phase.RANGE):
            return False
        if follows_entry(order):
            return leg_may_fill(order, self.state.entry_of(order), window)
        if window.phase is Phase.RANGE and self.pricing.filled_at(order, window) > window.ends_at:
            return False  # it arrived when these prices were over
        return opened_at >= order.live_from

    def _try_fill(
        self, order: VenueOrder, window: PriceWindow, at: datetime, multiplier: Decimal
    ) -> list[VenueEvent]:
        offer = self.pricing.offer(order, window)
        if offer is None:
            return self._follow(order, window, at)
        filled_at = self.pricing.filled_at(order, window)
        known_at = max(at, filled_at)
        if offer.price is None:
            if window.volume == 0:
                return []
            return self.recorder.record(StopTriggered(at=known_at, order_id=order.order_id))
        full = self._full_quantity(order, offer.price)
        wanted = self.pricing.quantity(order, window, full)
        quantity = min(wanted, self._affordable(order, offer.price, multiplier, wanted))
        if order.time_in_force is TimeInForce.FOK and quantity < full:
            return []
        events: list[VenueEvent] = []
        if quantity > 0:
            fill = OrderFilled(
                at=known_at,
                order_id=order.order_id,
                execution_id=order.execution_id(window.opened_at, window.phase),
                quantity=quantity,
                price=offer.price,
                fee_usd=fee_usd(quantity * offer.price, self.pricing.commission_fraction),
                filled_at=filled_at,
                leaves_quantity=full - quantity,
            )
            events += self.recorder.record(*_with_trigger(offer, fill))
        if quantity < wanted:
            cancel = OrderCanceled(at=known_at, order_id=order.order_id, reason=NO_MONEY)
            events += self.recorder.record(cancel)
        return events

    def _full_quantity(self, order: VenueOrder, price: Decimal) -> Decimal:
        """Return what would complete the order; dollars never sell more than is held."""
        shares = unfilled(order, price)
        if order.is_notional and order.position_intent.is_closing:
            return min(shares, self.state.coverable_shares(order))
        return shares

    def _affordable(
        self, order: VenueOrder, price: Decimal, multiplier: Decimal, wanted: Decimal
    ) -> Decimal:
        """Return how many shares the account can pay for, apart from what others reserved."""
        if self.money is not MoneyRule.COST or order.position_intent.is_closing:
            return wanted
        spendable_usd = self.state.account.spendable_usd(multiplier)
        reserved = self.state.reservations
        others_usd = reserved.usd - reserved.usd_of.get(order.order_id, ZERO)
        return affordable_shares(
            price,
            available_usd=spendable_usd - others_usd,
            commission_fraction=self.pricing.commission_fraction,
        )

    def _follow(self, order: VenueOrder, window: PriceWindow, at: datetime) -> list[VenueEvent]:
        """Let a trailing stop that was not met follow the prices of the window."""
        if order.kind is not OrderKind.TRAILING_STOP or not waits_for_stop(order):
            return []
        moved = trail_moved(order, window, at)
        return [] if moved is None else self.recorder.record(moved)

    def _end_at_once(
        self, orders: list[VenueOrder], window: PriceWindow, at: datetime
    ) -> list[VenueEvent]:
        """End the orders that live for a moment, when that moment was theirs."""
        events: list[VenueEvent] = []
        if not window.is_moment:
            return events
        for order in orders:
            if order.time_in_force not in _AT_ONCE or not order.is_working:
                continue
            if _trades_in(order, window) and window.opened_at >= order.live_from:
                ended_at = self.recorder.not_before(order, at)
                events += self.recorder.record(
                    OrderCanceled(at=ended_at, order_id=order.order_id, reason=NOT_AT_ONCE)
                )
        return events


def _with_trigger(offer: Offer, fill: OrderFilled) -> tuple[OrderEvent, ...]:
    if not offer.triggers:
        return (fill,)
    return StopTriggered(at=fill.at, order_id=fill.order_id), fill


def _trades_in(order: VenueOrder, window: PriceWindow) -> bool:
    """Tell whether the order takes part in this session or auction at all."""
    if window.phase is Phase.AUCTION:
        return order.time_in_force in AUCTIONS
    if order.time_in_force in AUCTIONS:
        return False
    if window.session is SessionPhase.REGULAR:
        return True
    is_extended = order.extended_hours and order.kind is OrderKind.LIMIT
    return is_extended and window.session is not SessionPhase.CLOSED


def _is_far(order: VenueOrder, window: PriceWindow) -> bool:
    """Tell quickly that a waiting order is out of reach of the trades and the quote."""
    if len(order.prices) > 1:
        return False
    if order.kind is OrderKind.LIMIT:
        assert order.limit_price is not None
        limit = float(order.limit_price)
        if order.side is Side.BUY:
            return limit < (window.low if window.ask is None else min(window.low, window.ask))
        return limit > (window.high if window.bid is None else max(window.high, window.bid))
    if order.kind is OrderKind.STOP and order.triggered_at is None:
        assert order.stop_price is not None
        stop = float(order.stop_price)
        return stop > window.high if order.side is Side.BUY else stop < window.low
    return False
