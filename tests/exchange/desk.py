"""A whole exchange in the test's own process: real market, real engine, real file, HTTP routes.

The market is made of flat one-minute bars, so a test says what the price is in which minute; the
clock moves when it is told. Every 2xx answer is held against Alpaca's OpenAPI documents.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from catalyst_bot.exchange.api import (
    account_routes,
    admin_routes,
    event_routes,
    position_routes,
    trading_routes,
    watchlists,
)
from catalyst_bot.exchange.books.store import ExchangeStore
from catalyst_bot.exchange.conductor import Conductor
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.knobs import Knobs
from catalyst_bot.exchange.market.clock import ExchangeClock
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.world import MarketSource, World
from catalyst_bot.exchange.serving.doorway import Doorway
from catalyst_bot.exchange.wire.errors import ApiError
from catalyst_bot.exchange.wire.replies import api_error_handler
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from tests.exchange import openapi

OPEN = datetime(2025, 10, 22, 13, 30, tzinfo=UTC)  # a Wednesday, 09:30 in New York
CLOSE = OPEN + timedelta(hours=6, minutes=30)
NEXT_OPEN = OPEN + timedelta(days=1)
PRICES = {"AAPL": 100.0, "MSFT": 50.0, "SPY": 400.0, "BRK.B": 20.0}
SPREAD = {"AAPL": 0.10, "MSFT": 0.05}  # what the market's spread model makes of such bars
ADMIN = {"X-Admin-Token": "let-me-in"}
MINUTE_S = 60


class Quiet:
    """A hub to which nobody is connected."""

    def wanted(self, _: object) -> Collection[str]:
        return ()

    def publish(self, _: object) -> None:
        pass


def minute_bars(prices: Mapping[str, float], moves: Mapping[str, Mapping[int, float]]) -> BarStore:
    """Return flat minute bars of two sessions; `moves`: from which minute on a price is another."""
    opens_s = [int(at.timestamp()) for at in (OPEN, NEXT_OPEN)]
    opened = np.concatenate([np.arange(s, s + 390 * MINUTE_S, MINUTE_S) for s in opens_s])
    columns = {}
    for symbol, price in prices.items():
        values = np.full(len(opened), price)
        for minute, moved in sorted(moves.get(symbol, {}).items()):
            values[minute:] = moved
        columns[symbol] = BarColumns(
            opened_s=opened,
            closed_s=opened + MINUTE_S,
            open=values,
            high=values,
            low=values,
            close=values,
            volume=np.full(len(opened), 1_000_000.0),
        )
    return BarStore(columns, interval_s=MINUTE_S)


def make_market(moves: Mapping[str, Mapping[int, float]] | None = None, seed: int = 0) -> Market:
    """Return the market of the minute bars."""
    store = minute_bars(PRICES, moves or {})
    return Market(World(MarketSource(stores=(store,), default_start=OPEN), seed=seed))


class Desk:
    """An exchange with one account, and the ways a client asks it."""

    def __init__(
        self,
        *,
        moves: Mapping[str, Mapping[int, float]] | None = None,
        path: Path | None = None,
        start: datetime = OPEN + timedelta(seconds=30),
        knobs: Knobs | None = None,
    ) -> None:
        self.store = ExchangeStore(path)
        self.clock = ExchangeClock.step(self.store.clock() or start)
        self.updates: list[dict[str, Any]] = []
        self.knobs = knobs or Knobs(partial_probability=0, rate_limit_per_min=0)  # type: ignore[arg-type]
        self.exchange = Exchange(
            make_market(moves), self.store, self.knobs, now=self.clock.now, publish=self._heard
        )
        self.conductor = Conductor(
            self.exchange.market,
            self.clock,
            venue=self.exchange,
            data_hub=Quiet(),
            news_hub=Quiet(),
            since=self.store.played(),
        )
        self.exchange.played = self.conductor.played
        self.account, key = self.exchange.open_account("PKTEST", "secret")
        self.keys = {"APCA-API-KEY-ID": key.key_id, "APCA-API-SECRET-KEY": key.secret}
        self.http = TestClient(self._app(), raise_server_exceptions=True)

    def _app(self) -> Starlette:
        modules = (
            trading_routes,
            position_routes,
            account_routes,
            watchlists,
            event_routes,
            admin_routes,
        )
        app = Starlette(
            routes=[route for module in modules for route in module.routes()],
            exception_handlers={ApiError: api_error_handler},
            middleware=[Middleware(Doorway, exchange=self.exchange)],
        )
        app.state.exchange = self.exchange
        app.state.clock = self.clock
        app.state.conductor = self.conductor
        app.state.admin_token = ADMIN["X-Admin-Token"]
        return app

    def _heard(self, account_id: str, message: dict[str, Any]) -> None:
        self.updates.append({**message, "account": account_id})

    def ask(self, method: str, path: str, *, keys: Mapping[str, str] | None = None, **rest: Any):
        """Send a request; a 2xx answer must be as Alpaca documents it."""
        headers = {**(keys or self.keys), **rest.pop("headers", {})}
        reply = self.http.request(method, path, headers=headers, **rest)
        if reply.is_success:
            template = documented(path.split("?", maxsplit=1)[0])
            if template is not None:
                body = reply.json() if reply.content else b""
                openapi.validate(method, template, reply.status_code, body)
        return reply

    def get(self, path: str, **params: Any) -> Any:
        """Return the body of a successful GET."""
        reply = self.ask("GET", path, params=params)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def order(self, **fields: Any) -> dict[str, Any]:
        """Place an order that is taken; by default one day order for one share of AAPL."""
        reply = self.ask("POST", "/v2/orders", json=_fields(fields))
        assert reply.status_code == 200, reply.text
        body: dict[str, Any] = reply.json()
        return body

    def refusal(self, **fields: Any) -> tuple[int, dict[str, Any]]:
        """Place an order that is not taken; return status and body."""
        reply = self.ask("POST", "/v2/orders", json=_fields(fields))
        assert reply.status_code >= 400, reply.text
        return reply.status_code, reply.json()

    def again(self, order: Mapping[str, Any], **params: Any) -> dict[str, Any]:
        """Return an order as it stands now."""
        body: dict[str, Any] = self.get(f"/v2/orders/{order['id']}", **params)
        return body

    def advance(self, to: datetime | timedelta) -> None:
        """Let the market go on, to a time or for a while."""
        self.conductor.advance(to if isinstance(to, datetime) else self.clock.now() + to)

    def minute(self, number: int) -> None:
        """Let the market go on to the middle of a minute of the first session."""
        self.advance(OPEN + timedelta(minutes=number, seconds=30))

    def events(self, order: Mapping[str, Any] | None = None) -> list[str]:
        """Return the names of the trade updates so far, of one order or all."""
        return [
            update["event"]
            for update in self.updates
            if order is None or update["order"]["id"] == order["id"]
        ]

    def close(self) -> None:
        """Close the exchange's file."""
        self.store.close()


def _fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    given = {"symbol": "AAPL", "side": "buy", "type": "market", "time_in_force": "day", **fields}
    if "qty" not in given and "notional" not in given:
        given["qty"] = "1"
    return {name: value for name, value in given.items() if value is not None}


def documented(path: str) -> str | None:
    """Return the document's own path of a path, None where it has none."""
    for template in sorted(openapi.document()["paths"], key=lambda each: each.count("{")):
        pattern = "".join(
            "[^/]+" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]+\})", template)
        )
        if re.fullmatch(pattern, path):
            return str(template)
    return None
