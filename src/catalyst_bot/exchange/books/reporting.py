"""How an order looks from outside: its body with all that the engine does not know."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from catalyst_bot.domain.enums import SessionPhase, TimeInForce
from catalyst_bot.exchange.books.account import Account
from catalyst_bot.exchange.books.serialise import order_body
from catalyst_bot.exchange.books.trade_updates import event_word, update_message
from catalyst_bot.exchange.knobs import Knobs
from catalyst_bot.exchange.market.assets import Asset, new_asset
from catalyst_bot.exchange.market.calendar import TradingDay
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.wire.replies import decimal_text
from catalyst_bot.market_data.calendar_table import NEW_YORK
from catalyst_bot.simulation.events import OrderCanceled, OrderEvent
from catalyst_bot.simulation.group import ONE_CANCELS_OTHER
from catalyst_bot.simulation.venue_order import VenueOrder, VenueRole, VenueStatus

PENDING_NEW = "pending_new"
_AUCTIONS = frozenset({TimeInForce.OPG, TimeInForce.CLS})


class Reporter:
    """Makes bodies of orders and messages of events."""

    def __init__(self, market: Market, knobs: Knobs) -> None:
        self._market = market
        self._knobs = knobs
        self._assets: dict[str, Asset] = {}
        self._ends: dict[bool, tuple[datetime, datetime]] = {}

    def order(
        self,
        account: Account,
        order: VenueOrder,
        *,
        with_legs: bool = False,
        is_reply: bool = False,
    ) -> dict[str, Any]:
        """Return an order; `is_reply`: as the answer to the request that made it."""
        legs = None
        if with_legs and order.leg_ids:
            orders = account.engine.state.orders
            legs = [self.order(account, orders[leg_id]) for leg_id in order.leg_ids]
        return order_body(
            order,
            self.asset(order.symbol, order.updated_at).asset_id,
            status=self._status(order, is_reply=is_reply),
            expires_at=self._day_ends_at(order),
            legs=legs,
        )

    def is_unacknowledged(self, order: VenueOrder) -> bool:
        """Tell whether an order waits for its acknowledgement, not for its session."""
        if order.status is not VenueStatus.ACCEPTED or order.time_in_force in _AUCTIONS:
            return False
        return self.trades_at(order, order.created_at)

    def trades_at(self, order: VenueOrder, at: datetime) -> bool:
        """Tell whether a time is in the part of the day an order trades in."""
        phase = self._market.phase(at)
        if phase is SessionPhase.REGULAR:
            return True
        return order.extended_hours and phase is not SessionPhase.CLOSED

    def message(self, account: Account, event: OrderEvent) -> dict[str, Any] | None:
        """Return what the stream tells of an event, nothing for most of the engine's own."""
        word = event_word(event)
        if word is None:
            return None
        order = account.engine.state.orders[event.order_id]
        if isinstance(event, OrderCanceled) and event.reason == ONE_CANCELS_OTHER:
            word = self._word_of_sibling(order)
            if word is None:
                return None
        held = account.engine.state.account.held(order.symbol)
        body = self.order(account, order)
        return update_message(
            event,
            PENDING_NEW if word == "accepted" and body["status"] == PENDING_NEW else word,
            event_id=account.event_id(),
            order=body,
            cancel_requested_at=order.cancel_requested_at,
            position_quantity=decimal_text(held),
        )

    def _word_of_sibling(self, order: VenueOrder) -> str | None:
        """Return how the cancel of the other exit is told.

        Observed at Alpaca: not at all for a stop loss, as `replaced` for a take profit.
        """
        if self._knobs.emits_sibling_cancel:
            return "canceled"
        return "replaced" if order.role is VenueRole.TAKE_PROFIT else None

    def _status(self, order: VenueOrder, *, is_reply: bool) -> str | None:
        if is_reply and order.status is VenueStatus.NEW:
            return PENDING_NEW
        if order.status is VenueStatus.ACCEPTED and self.is_unacknowledged(order):
            return PENDING_NEW
        return None

    def _day_ends_at(self, order: VenueOrder) -> datetime:
        """Return when an order lapses that lives for its session only."""
        at, is_extended = order.created_at, order.extended_hours
        known = self._ends.get(is_extended)
        if known is None or not known[0] <= at < known[1]:
            known = (at, self._session_end(at, is_extended=is_extended))
            self._ends[is_extended] = known
        return known[1]

    def _session_end(self, at: datetime, *, is_extended: bool) -> datetime:
        hours = self._market.hours
        day = hours.day_at(at)
        ends_at = at if day is None else _end(day, is_extended=is_extended)
        if at < ends_at:
            return ends_at
        following = hours.day_after(at.astimezone(NEW_YORK).date())
        return _end(following, is_extended=is_extended)

    def asset(self, symbol: str, at: datetime) -> Asset:
        """Return the asset that carries a symbol at a time, or carried it once."""
        found = self._assets.get(symbol)
        if found is None:
            found = self._market.asset(symbol, at) or new_asset(symbol)
            self._assets[symbol] = found
        return found

    def forget_assets(self) -> None:
        """Look assets up again: a symbol may have gone to another company."""
        self._assets.clear()


def _end(day: TradingDay, *, is_extended: bool) -> datetime:
    return day.post_closes_at if is_extended else day.closes_at
