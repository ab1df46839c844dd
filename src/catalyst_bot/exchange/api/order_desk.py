"""Orders and positions of an account as requests change them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.domain.money import ZERO, whole_shares
from catalyst_bot.exchange.books.account import Account
from catalyst_bot.exchange.books.day_trades import (
    LEAST_EQUITY_USD,
    MOST_DAY_TRADES,
    day_trade_refusal,
    day_trading_power_refusal,
)
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.knobs import DayTradeRule
from catalyst_bot.exchange.market.assets import Asset
from catalyst_bot.exchange.wire.errors import (
    ApiError,
    forbidden,
    invalid_field,
    not_found,
    refusal_error,
    unprocessable,
)
from catalyst_bot.exchange.wire.order_fields import OrderFields, read_changes, read_order
from catalyst_bot.market_data.calendar_table import NEW_YORK
from catalyst_bot.simulation.events import (
    CancelRequested,
    OrderCanceled,
    OrderEntered,
    VenueEvent,
)
from catalyst_bot.simulation.market_now import MarketNow
from catalyst_bot.simulation.order_request import OrderRequest
from catalyst_bot.simulation.refusals import Refused
from catalyst_bot.simulation.venue_order import VenueOrder, VenueStatus

_AUCTIONS_FROM: Final = time(19, 0)
_OPEN_LEAD: Final = timedelta(minutes=2)
_CLOSE_LEAD: Final = timedelta(minutes=5)  # observed; the documents say ten
_SHARE_STEP: Final = Decimal("0.000000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What became of one position when all were to be closed."""

    symbol: str
    order: dict[str, Any] | None
    error: ApiError | None


class OrderDesk:
    """Does what the trading routes ask for; raises `ApiError` for what it does not."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def place(self, account: Account, body: Mapping[str, Any]) -> dict[str, Any]:
        """Take an order and return it as it stands before it meets a price."""
        if account.record.configuration.suspend_trade:
            raise forbidden("new orders are rejected by user request")
        fields = read_order(body)
        at = self._exchange.now()
        asset = self._tradable(fields.symbol, at)
        self._fractions_allowed(account, fields, asset)
        market = self._exchange.market_now(asset.symbol, at)
        self._in_time_for_auction(fields.time_in_force, at)
        self._may_borrow(account, fields, asset)
        request = fields.request(
            asset.symbol,
            fields.client_order_id or account.names.fresh(),
            self._reference_price(fields, market),
        )
        return self._submit(account, request, at, market)

    def replace(self, account: Account, order_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace an order and return the new one."""
        exchange = self._exchange
        order = self.order(account, order_id)
        changes = read_changes(body, order)
        at = exchange.now()
        market = exchange.market_now(order.symbol, at)
        try:
            events = account.engine.replace(order_id, changes, at, market=market)
        except Refused as refused:
            raise refusal_error(refused.refusal) from refused
        successor = next(event for event in events if isinstance(event, OrderEntered))
        new = account.engine.state.orders[successor.order_id]
        reply = exchange.reporter.order(account, new, with_legs=True, is_reply=True)
        exchange.show_price(account, [new.order_id], new.symbol, at, market)
        exchange.settle()
        return reply

    def cancel(self, account: Account, order_id: str) -> None:
        """Ask for the cancel of an order."""
        order = self.order(account, order_id)
        at = self._exchange.now()
        try:
            self._cancel(account, order, at)
        except Refused as refused:
            raise refusal_error(refused.refusal) from refused
        self._exchange.settle()

    def cancel_all(self, account: Account, symbol: str | None = None) -> list[str]:
        """Ask for the cancel of every order that can be; return their ids."""
        at = self._exchange.now()
        asked: dict[str, None] = {}
        for order in account.engine.state.all_open_orders():
            if symbol not in {None, order.symbol} or order.is_ended:
                continue
            if order.status is VenueStatus.PENDING_CANCEL:
                continue
            try:
                events = self._cancel(account, order, at)
            except Refused:
                continue  # what cannot be cancelled is not in the list
            asked |= dict.fromkeys(_cancelled(events))
        self._exchange.settle()
        return list(asked)

    def close(
        self,
        account: Account,
        key: str,
        *,
        quantity: Decimal | None = None,
        percentage: Decimal | None = None,
    ) -> dict[str, Any]:
        """Close a position, or a part of it, with a market order; return the order."""
        asset = self._exchange.market.asset(key, self._exchange.now())
        if asset is None:
            raise not_found(f"symbol not found: {key}")
        held = account.engine.state.account.held(asset.symbol)
        if held == 0:
            raise not_found("position does not exist")
        return self._close(account, asset.symbol, _part(held, quantity, percentage))

    def close_all(self, account: Account, *, with_orders: bool) -> list[Closed]:
        """Close every position; with `with_orders` all orders are cancelled before."""
        if with_orders:
            self.cancel_all(account)
        closed: list[Closed] = []
        for symbol, holding in sorted(account.engine.state.account.holdings.items()):
            try:
                order = self._close(account, symbol, abs(holding.quantity))
                closed.append(Closed(symbol=symbol, order=order, error=None))
            except ApiError as error:
                closed.append(Closed(symbol=symbol, order=None, error=error))
        return closed

    def order(self, account: Account, order_id: str) -> VenueOrder:
        """Return an order of the account; raises `ApiError` 404."""
        order = account.order(order_id)
        if order is None:
            raise not_found(f"order not found for {order_id}")
        return order

    def _submit(
        self, account: Account, request: OrderRequest, at: datetime, market: MarketNow
    ) -> dict[str, Any]:
        exchange, engine = self._exchange, account.engine
        if exchange.knobs.pdt_mode is DayTradeRule.LEGACY:
            self._few_day_trades(account, request, at)
        is_acknowledged = exchange.knobs.ack_delay_s == 0
        try:
            events = engine.submit(request, at, market=market, is_acknowledged=is_acknowledged)
        except Refused as refused:
            raise refusal_error(refused.refusal) from refused
        entered = [event.order_id for event in events if isinstance(event, OrderEntered)]
        order = engine.state.orders[entered[0]]
        reply = exchange.reporter.order(account, order, with_legs=True, is_reply=True)
        if exchange.reporter.is_unacknowledged(order):
            exchange.acknowledge_later(account, order)
        else:
            exchange.show_price(account, entered, request.symbol, at, market)
        exchange.settle()
        return reply

    def _few_day_trades(self, account: Account, request: OrderRequest, at: datetime) -> None:
        """Refuse a day trade too many of a small account, and what opens after too many."""
        held = account.engine.state.account.held(request.symbol)
        is_closing = held < 0 if request.side is Side.BUY else held > 0
        trades = account.day_trades
        made = trades.count(at, self._exchange.market.hours)
        if made < MOST_DAY_TRADES:
            return
        if self._exchange.figures(account, at).equity_usd >= LEAST_EQUITY_USD:
            return
        if trades.would_be_one(request.symbol, at, is_closing=is_closing):
            raise day_trade_refusal()
        if not is_closing and made > MOST_DAY_TRADES:
            raise day_trading_power_refusal()

    def _close(self, account: Account, symbol: str, quantity: Decimal) -> dict[str, Any]:
        at = self._exchange.now()
        market = self._exchange.market_now(symbol, at)
        side = Side.SELL if account.engine.state.account.held(symbol) > 0 else Side.BUY
        fields = read_order(
            {
                "symbol": symbol,
                "qty": quantity,
                "side": side.value,
                "type": OrderKind.MARKET.value,
                "time_in_force": TimeInForce.DAY.value,
            }
        )
        reference = self._reference_price(fields, market)
        request = fields.request(symbol, account.names.fresh(), reference)
        try:
            return self._submit(account, request, at, market)
        except ApiError as error:
            error.context.pop("related_orders", None)
            raise

    def _cancel(self, account: Account, order: VenueOrder, at: datetime) -> list[VenueEvent]:
        exchange, engine = self._exchange, account.engine
        if exchange.knobs.cancel_latency_s == 0 or not exchange.reporter.trades_at(order, at):
            return engine.cancel(order.order_id, at, phase=exchange.market.phase(at))
        events = engine.request_cancel(order.order_id, at)
        exchange.confirm_cancel_later(account, order)
        return events

    def _tradable(self, key: str, at: datetime) -> Asset:
        asset = self._exchange.market.asset(key, at)
        if asset is None:
            raise unprocessable(f'asset "{key}" not found')
        if not asset.is_active:
            raise invalid_field(f"asset {asset.symbol} is not active")
        if not asset.is_tradable:
            raise unprocessable(f"asset {asset.symbol} is not tradable")
        return asset

    def _fractions_allowed(self, account: Account, fields: OrderFields, asset: Asset) -> None:
        if not fields.is_fractional:
            return
        if not account.record.configuration.fractional_trading:
            raise forbidden("fractional trading is disabled for this account")
        if not asset.is_fractionable:
            raise forbidden(f'asset "{asset.symbol}" is not fractionable')

    def _may_borrow(self, account: Account, fields: OrderFields, asset: Asset) -> None:
        """Only what can be borrowed is sold short, and what is hard to borrow only for a day."""
        is_short = account.engine.state.account.held(asset.symbol) <= 0
        if fields.side is Side.BUY or not is_short:
            return
        if not asset.is_shortable:
            raise unprocessable(f'asset "{asset.symbol}" cannot be sold short')
        if not asset.is_easy_to_borrow and fields.time_in_force is not TimeInForce.DAY:
            raise unprocessable(
                f"only day orders are allowed for hard-to-borrow asset {asset.symbol}"
            )

    def _in_time_for_auction(self, lives: TimeInForce, at: datetime) -> None:
        """Orders for an auction are taken from 19:00 of the day before until shortly before it."""
        day = self._exchange.market.hours.day_at(at)
        if day is None or at.astimezone(NEW_YORK).time() >= _AUCTIONS_FROM:
            return
        if lives is TimeInForce.OPG and at >= day.opens_at - _OPEN_LEAD:
            raise forbidden("opg orders must be submitted after 7:00pm and before 9:28am")
        if lives is TimeInForce.CLS and at >= day.closes_at - _CLOSE_LEAD:
            raise forbidden("cls orders must be submitted after 7:00pm and before 3:55pm")

    def _reference_price(self, fields: OrderFields, market: MarketNow) -> Decimal:
        """Return what a share is worth: the far side in the session, the middle around it, the
        last trade when closed.
        """
        bid, ask = market.bid, market.ask
        price = market.last
        if bid is not None and ask is not None:
            if market.phase is SessionPhase.REGULAR:
                price = ask if fields.side is Side.BUY else bid
            elif market.phase is not SessionPhase.CLOSED:
                price = (bid + ask) / 2
        price = price or fields.limit_price or fields.stop_price
        if price is None:
            raise unprocessable(f"no price is known for {fields.symbol}")
        return price


def _cancelled(events: Iterable[VenueEvent]) -> list[str]:
    return [
        event.order_id for event in events if isinstance(event, CancelRequested | OrderCanceled)
    ]


def _part(held: Decimal, quantity: Decimal | None, percentage: Decimal | None) -> Decimal:
    """Return how many shares are to be closed; whole ones of a whole position."""
    size = abs(held)
    if quantity is not None and percentage is not None:
        raise invalid_field("only one of qty or percentage is accepted")
    if quantity is not None:
        return quantity
    if percentage is None:
        return size
    if not ZERO < percentage <= 100:
        raise invalid_field("percentage must be between 0 and 100")
    part = (size * percentage / 100).quantize(_SHARE_STEP)
    return part if size % 1 else whole_shares(part)
