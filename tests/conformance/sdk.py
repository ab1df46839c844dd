"""alpaca-py as it is, on an exchange; its import warns of the old `websockets` it still uses."""

from __future__ import annotations

import asyncio
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import requests

from tests.conformance.served import ANSWER_S, Exchange, Keys

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.data import requests as ask
    from alpaca.data.enums import MostActivesBy
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.data.historical.news import NewsClient
    from alpaca.data.historical.screener import ScreenerClient
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.data.live.news import NewsDataStream
    from alpaca.data.live.stock import StockDataStream
    from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
    from alpaca.trading import requests as order
    from alpaca.trading.client import TradingClient
    from alpaca.trading.models import Order
    from alpaca.trading.stream import TradingStream

__all__ = [
    "APIError",
    "Desk",
    "MostActivesBy",
    "NewsDataStream",
    "Order",
    "StockDataStream",
    "TimeFrame",
    "TimeFrameUnit",
    "TradingStream",
    "ask",
    "order",
    "running",
    "wait_for",
]


@dataclass
class Desk:
    """One account at an exchange, seen through alpaca-py."""

    exchange: Exchange
    keys: Keys

    def __post_init__(self) -> None:
        self.trading = self._made(TradingClient)
        self.stocks = self._made(StockHistoricalDataClient)
        self.news = self._made(NewsClient)
        self.screener = self._made(ScreenerClient)
        self.actions = self._made(CorporateActionsClient)

    def _made(self, client_class: Any) -> Any:
        client = client_class(self.keys.key, self.keys.secret, url_override=self.exchange.url)
        client._session.hooks["response"].append(self._look)
        return client

    def _look(self, response: requests.Response, *_: Any, **__: Any) -> None:
        asked = response.request
        media_type = response.headers.get("content-type", "")
        self.exchange.answers.look(
            str(asked.method), str(asked.url), response.status_code, response.content, media_type
        )

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        for client in (self.trading, self.stocks, self.news, self.screener, self.actions):
            client._session.close()

    def now(self) -> datetime:
        return self.exchange.now()

    def advance(self, **span: float) -> datetime:
        """Play the market for a while."""
        return self.exchange.advance_by(**span)

    def buy(self, symbol: str = "WAVE", quantity: float = 10) -> Order:
        """Buy at the market; filled when this returns."""
        return self.submit(
            order.MarketOrderRequest(symbol=symbol, qty=quantity, side="buy", time_in_force="day")
        )

    def submit(self, request: Any) -> Order:
        """Place an order and return it as it stands a moment later, with its legs."""
        return self.look_up(self.trading.submit_order(request))

    def look_up(self, known: Order) -> Order:
        """Return an order as it stands now, with its legs."""
        nested = order.GetOrderByIdRequest(nested=True)
        return self.trading.get_order_by_id(known.id, filter=nested)

    def quote(self, symbol: str = "WAVE") -> tuple[Decimal, Decimal]:
        """Return bid and ask."""
        asked = ask.StockLatestQuoteRequest(symbol_or_symbols=symbol, feed="iex")
        quote = self.stocks.get_stock_latest_quote(asked)[symbol]
        return Decimal(str(quote.bid_price)), Decimal(str(quote.ask_price))

    def current_price(self, symbol: str = "WAVE") -> Decimal:
        """Return the price of the last trade."""
        asked = ask.StockLatestTradeRequest(symbol_or_symbols=symbol, feed="iex")
        return Decimal(str(self.stocks.get_stock_latest_trade(asked)[symbol].price))

    def quantity(self, symbol: str = "WAVE") -> Decimal:
        """Return how many shares are held, below zero when short."""
        held = {position.symbol: position for position in self.trading.get_all_positions()}
        return Decimal(held[symbol].qty) if symbol in held else Decimal(0)

    def check_books(self) -> None:
        """Equity is cash and holdings; what is held is what was bought and not sold."""
        account = self.trading.get_account()
        positions = self.trading.get_all_positions()
        values = sum((Decimal(position.market_value) for position in positions), Decimal(0))
        assert Decimal(account.equity) == Decimal(account.cash) + values
        assert account.equity == account.portfolio_value
        longs = Decimal(account.long_market_value) + Decimal(account.short_market_value)
        assert longs == values
        traded: dict[str, Decimal] = {}
        for fill in self.trading.get("/account/activities/FILL", {"page_size": 100}):
            sign = 1 if fill["side"] == "buy" else -1
            traded[fill["symbol"]] = traded.get(fill["symbol"], Decimal(0)) + sign * Decimal(
                fill["qty"]
            )
        held = {position.symbol: Decimal(position.qty) for position in positions}
        assert {symbol: count for symbol, count in traded.items() if count} == held


def wait_for(check: Callable[[], Any], what: str) -> None:
    """Wait until something has come in over a stream."""
    end = time.monotonic() + ANSWER_S
    while not check():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.01)


@contextmanager
def running(stream: Any) -> Iterator[None]:
    """Run a stream of the SDK in a thread of its own, as its users do, and end it."""
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    wait_for(lambda: stream._running, "the stream's connection")
    try:
        yield
    finally:
        stream.stop()
        # It looks up from its socket once in five seconds, or when that is closed.
        asyncio.run_coroutine_threadsafe(stream.close(), stream._loop).result(ANSWER_S)
        thread.join(ANSWER_S)
        assert not thread.is_alive()
