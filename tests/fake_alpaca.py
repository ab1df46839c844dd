"""A small Alpaca on this machine: the endpoints and sockets the bot uses, errors included.

`FakeAlpaca` answers one request at a time; `served` puts it on a real port with its sockets, and
`ServiceAdapter` lets the SDK reach it without one. Faults are scripted: each entry of `faults` is
used up by one `POST /v2/orders`, each of `delete_faults` by one `DELETE`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import NAMESPACE_URL, uuid5

import requests
import uvicorn
from requests.adapters import BaseAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from catalyst_bot.domain.market import Bar
from tests.fake_orders import FakeOrder, FakeOrders, Refusal, rfc3339_of
from tests.fake_streams import FakeStreams

KEY, SECRET = "PKTESTKEY", "test-secret-test-secret"
HTML = "<html><head><title>Forbidden</title></head><body>nginx</body></html>"
PRICE = 100.0  # of every symbol that has no other
FINAL_OR_HELD = {"filled", "canceled", "expired", "replaced", "held"}
METHODS = ["GET", "POST", "PATCH", "DELETE"]


@dataclass(frozen=True)
class Reply:
    """An answer on its way; `hangs` never arrives."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False


def told(body: Any, status: int = 200, **headers: str) -> Reply:
    kind = {"content-type": "application/json"}
    return Reply(status, json.dumps(body).encode(), kind | headers)


def page(status: int) -> Reply:
    return Reply(status, HTML.encode(), {"content-type": "text/html"})


@dataclass
class FakeAlpaca:
    """The service; `now` is its clock. With a price for a symbol its orders fill at every look."""

    now: Callable[[], datetime]
    cash_usd: Decimal = Decimal(100_000)
    participation: float | None = None
    account: dict[str, Any] = field(default_factory=dict)
    clock_ahead: timedelta = timedelta(0)
    replay_speed: str = ""
    prices: dict[str, float] = field(default_factory=dict)
    bars: Callable[[str], list[Bar]] = lambda _: []
    quotes: dict[str, dict[str, Any]] = field(default_factory=dict)
    news: list[dict[str, Any]] = field(default_factory=list)
    actions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    has_sip: bool = True
    unknown: tuple[str, ...] = ()  # symbols that nobody trades
    faults: list[str] = field(default_factory=list)
    delete_faults: list[str] = field(default_factory=list)
    failing: int = 0  # how many requests get no answer but a 502
    failing_paths: tuple[str, ...] = ()  # and these get none at all
    rate_headers: dict[str, str] = field(default_factory=dict)
    page_rows: int = 1_000
    asked: list[str] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    foreign_orders: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    on_post: Callable[[], object] = lambda: None  # before anything else is answered

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.streams = FakeStreams(KEY, SECRET)
        self.venue = FakeOrders(self.now, self.cash_usd, self._event, self.participation)
        self.app = Starlette(
            routes=[
                WebSocketRoute("/{path:path}", self.streams.serve),
                Route("/{path:path}", self._handle, methods=METHODS),
            ]
        )

    @property
    def orders(self) -> dict[str, FakeOrder]:
        return self.venue.orders

    # the market

    def trade(self, bar: Bar) -> None:
        """Match a bar."""
        with self.lock:
            self.venue.trade(bar)

    def by_hand(self, symbol: str, quantity: int, side: str = "buy", price: float = PRICE) -> str:
        """A person trades at the broker; returns the client id Alpaca made up."""
        body = {
            "symbol": symbol,
            "qty": str(quantity),
            "side": side,
            "type": "market",
            "time_in_force": "day",
        }
        with self.lock:
            order = self.venue.submit(body, price)
            self.venue.fill(order, order.quantity, Decimal(str(price)), self.now())
        return order.client_order_id

    def positions(self) -> dict[str, Decimal]:
        return {s: quantity for s, (quantity, _) in self.venue.holdings.items() if quantity}

    def _fill_at_prices(self) -> None:
        for symbol, price in self.prices.items():
            now = self.now()
            flat = dict.fromkeys(("open", "high", "low", "close"), price)
            bar = Bar(symbol=symbol, opened_at=now, closed_at=now, volume=1e9, **flat)
            self.venue.trade(bar)

    def _event(self, event: str, order: FakeOrder, execution: dict[str, Any] | None) -> None:
        """Tell it on the stream, as Alpaca does: without legs."""
        update = {
            "event": event,
            "event_id": f"{len(self.events):026d}",
            "at": rfc3339_of(self.now()),
            "timestamp": rfc3339_of(self.now()),
            "order": self.json_of(order, nested=False),
        }
        if execution is not None:
            update |= {
                "execution_id": execution["id"],
                "price": execution["price"],
                "qty": execution["qty"],
                "position_qty": str(self.venue.held(order.symbol)),
            }
        self.events.append(update)
        self.streams.push("/stream", {"stream": "trade_updates", "data": update})

    # the wire

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with self.lock:
            self.asked.append(f"{method} {parts.path}")
            self.queries.append(query)
            if self.failing or parts.path.startswith(self.failing_paths or "?"):
                self.failing = max(self.failing - 1, 0)
                return page(502)
            scripted = {"POST": self.faults, "DELETE": self.delete_faults}.get(method)
            fault = scripted.pop(0) if scripted else ""
            if reply := before(fault):
                return reply
            try:
                self._check_keys(headers)
                self._fill_at_prices()
                reply = self._route(method, parts.path, query, json.loads(body) if body else {})
            except Refusal as refusal:
                return told(refusal.body, refusal.status)
            headers_too = {**reply.headers, **self.rate_headers}
            return after(fault, Reply(reply.status, reply.content, headers_too))

    async def _handle(self, request: Request) -> Response:
        body = await request.body()
        url = f"{request.url.path}?{request.url.query}"
        reply = await asyncio.to_thread(self.answer, request.method, url, request.headers, body)
        if reply.hangs:
            await asyncio.sleep(3_600)
        return Response(reply.content, reply.status, dict(reply.headers))

    def _check_keys(self, headers: Mapping[str, str]) -> None:
        given = {name.lower(): value for name, value in headers.items()}
        keys = (given.get("apca-api-key-id"), given.get("apca-api-secret-key"))
        if keys != (KEY, SECRET):
            raise Refusal(401, 0, "unauthorized.")

    def _route(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Reply:
        match method, path:
            case "GET", "/v2/account":
                return told(self._account())
            case "GET", "/v2/clock":
                speed = {"X-Replay-Speed": self.replay_speed} if self.replay_speed else {}
                shown = (self.now() + self.clock_ahead).isoformat()
                return told({"timestamp": shown, "is_open": True}, **speed)
            case "GET", "/v2/positions":
                return told(self._positions())
            case "GET", "/v2/account/activities/FILL":
                return told(self._executions(query))
            case "POST", "/v2/orders":
                self.posts.append(body)
                order = self.venue.submit(body, self.prices.get(body["symbol"], PRICE))
                self.on_post()
                return told(self.json_of(order, nested=True) | {"status": "pending_new"})
            case "GET", "/v2/orders":
                return told(self._list(query))
            case "GET", "/v2/orders:by_client_order_id":
                order = self.by_client_id(query["client_order_id"])
                return told(self.json_of(order, nested=False))
            case "GET", _ if path.startswith(("/v2/stocks", "/v2/assets", "/v1")):
                return self._data(path, query)
        order = self.venue.by_id(path.removeprefix("/v2/orders/"))
        match method:
            case "GET":
                return told(self.json_of(order, nested=query.get("nested") == "true"))
            case "DELETE":
                self.venue.cancel(order)
                return Reply(204)
            case "PATCH":
                return told(self.json_of(self.venue.replace(order, body), nested=False))
        raise Refusal(404, 40410000, "endpoint not found.")

    def by_client_id(self, client_id: str) -> FakeOrder:
        return self.venue.by_client_id(client_id)

    # the account

    def _account(self) -> dict[str, Any]:
        worth = sum((q * cost for q, cost in self.venue.holdings.values()), Decimal(0))
        return {
            "id": str(uuid5(NAMESPACE_URL, "account")),
            "account_number": "PA3TEST",
            "status": "ACTIVE",
            "account_blocked": False,
            "trading_blocked": False,
            "trade_suspended_by_user": False,
            "currency": "USD",
            "cash": str(self.venue.cash_usd),
            "equity": str(self.venue.cash_usd + worth),
        } | self.account

    def _asset(self, symbol: str) -> Reply:
        if symbol in self.unknown:
            raise Refusal(404, 40410000, f"asset not found for {symbol}")
        return told({"symbol": symbol, "class": "us_equity", "status": "active", "tradable": True})

    def _positions(self) -> list[dict[str, Any]]:
        return [
            {"symbol": symbol, "qty": str(quantity), "side": "long", "avg_entry_price": str(cost)}
            for symbol, (quantity, cost) in self.venue.holdings.items()
            if quantity
        ]

    def _executions(self, query: dict[str, str]) -> list[dict[str, Any]]:
        since = datetime.fromisoformat(query["after"])
        rows = [
            row
            for row in self.venue.executions
            if datetime.fromisoformat(row["transaction_time"][:26] + "+00:00") > since
        ]
        if last := query.get("page_token"):
            ids = [row["id"] for row in rows]
            rows = rows[ids.index(last) + 1 :]
        return rows[: int(query.get("page_size", "100"))]

    # orders

    def _list(self, query: dict[str, str]) -> list[dict[str, Any]]:
        since = datetime.fromisoformat(query["after"]) if "after" in query else None
        wanted = query.get("status", "open")
        rows = [
            self.json_of(order, nested=query.get("nested") == "true")
            for order in self.orders.values()
            # a replacement of a leg is no leg of the parent here: clients must follow the chain
            if order.parent is None or order.replaces
            if since is None or order.submitted_at > since
        ]
        kept = [row for row in rows if wanted == "all" or row["status"] not in FINAL_OR_HELD]
        return [*self.foreign_orders, *kept][: int(query.get("limit", "50"))]

    def json_of(self, order: FakeOrder, *, nested: bool) -> dict[str, Any]:
        legs = [self.json_of(leg, nested=False) for leg in self.venue.legs(order)] if nested else []
        changed_at = rfc3339_of(order.changed_at or order.submitted_at)
        return {
            "id": order.order_id,
            "client_order_id": order.client_order_id,
            "created_at": rfc3339_of(order.submitted_at),
            "submitted_at": rfc3339_of(order.submitted_at),
            "updated_at": changed_at,
            "filled_at": changed_at if order.status == "filled" else None,
            "replaced_by": order.replaced_by,
            "replaces": order.replaces,
            "symbol": order.symbol,
            "qty": str(order.quantity),
            "filled_qty": str(order.filled),
            "filled_avg_price": str(order.spent_usd / order.filled) if order.filled else None,
            "order_class": order.order_class,
            "type": order.kind,
            "side": order.side,
            "time_in_force": order.time_in_force,
            "limit_price": _money(order.limit_price),
            "stop_price": _money(order.stop_price),
            "status": order.status,
            "legs": legs or None,
        }

    # prices and news

    def _data(self, path: str, query: dict[str, str]) -> Reply:
        if query.get("feed") == "sip" and not self.has_sip:
            raise Refusal(403, 42210000, "subscription does not permit querying recent SIP data")
        match path:
            case _ if path.startswith("/v2/assets/"):
                return self._asset(path.removeprefix("/v2/assets/"))
            case "/v2/stocks/bars":
                return told(self._bars(query))
            case "/v2/stocks/quotes/latest":
                names = query["symbols"].split(",")
                newest = {"t": self.now().isoformat()}  # where a quote names no time
                return told(
                    {"quotes": {n: newest | self.quotes[n] for n in names if n in self.quotes}}
                )
            case "/v1beta1/news":
                return told(self._news(query))
            case "/v1/corporate-actions":
                return told({"corporate_actions": self.actions, "next_page_token": None})
        raise Refusal(404, 40410000, "endpoint not found.")

    def _bars(self, query: dict[str, str]) -> dict[str, Any]:
        since = datetime.fromisoformat(query["start"])
        rows = [
            (symbol, bar_row(bar))
            for symbol in sorted(query["symbols"].split(","))
            for bar in self.bars(symbol)
            if bar.opened_at >= since
        ]
        page_of, token = self._page(rows, query)
        found: dict[str, list[dict[str, Any]]] = {}
        for symbol, row in page_of:
            found.setdefault(symbol, []).append(row)
        return {"bars": found, "next_page_token": token}

    def _news(self, query: dict[str, str]) -> dict[str, Any]:
        since = query.get("start", "")
        rows = sorted(
            (item for item in self.news if item["updated_at"] >= since[:19]),
            key=lambda item: item["updated_at"],
        )
        page_of, token = self._page(rows, query)
        return {"news": page_of, "next_page_token": token}

    def _page(self, rows: list[Any], query: dict[str, str]) -> tuple[list[Any], str | None]:
        start = int(base64.b64decode(query.get("page_token", "MA==")))
        more = start + self.page_rows < len(rows)
        token = base64.b64encode(str(start + self.page_rows).encode()).decode() if more else None
        return rows[start : start + self.page_rows], token


def before(fault: str) -> Reply | None:
    """What a fault answers instead of doing anything."""
    match fault:
        case "500 before":
            return told({"code": 50010000, "message": "internal server error"}, 500)
        case "401":
            return told({"message": "unauthorized."}, 401)
        case "403 page":
            return page(403)
        case "429":
            return told({"code": 42910000, "message": "rate limit exceeded"}, 429)
        case "302":
            return Reply(302, b"", {"Location": "http://localhost/elsewhere"})
    return None


def after(fault: str, reply: Reply) -> Reply:
    """What a fault answers after the request was carried out."""
    match fault:
        case "504 after":
            return page(504)
        case "429 after":
            return told({"code": 42910000, "message": "rate limit exceeded"}, 429)
        case "page after":
            return page(200)
        case "empty after":
            return Reply(200)
        case "hang after":
            return Reply(200, hangs=True)
    return reply


def bar_row(bar: Bar) -> dict[str, Any]:
    return {
        "t": rfc3339_of(bar.opened_at),
        "o": bar.open,
        "h": bar.high,
        "l": bar.low,
        "c": bar.close,
        "v": bar.volume,
        "n": 10,
        "vw": bar.close,
    }


def _money(price: Decimal | None) -> str | None:
    return None if price is None else str(price.normalize())


class ServiceAdapter(BaseAdapter):
    """Brings the SDK's requests straight to a service; what hangs is a time-out here."""

    def __init__(self, service: FakeAlpaca) -> None:
        super().__init__()
        self.service = service

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        reply = self.service.answer(str(request.method), str(request.url), request.headers, raw)
        if reply.hangs:
            raise requests.ReadTimeout("no answer")
        response = requests.Response()
        response.status_code, response.request = reply.status, request
        response.headers.update(reply.headers)
        response.url = str(request.url)
        response._content = reply.content
        response.encoding = "utf-8"
        return response

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an app on a free port in a thread; yield its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=1,
            ws="websockets-sansio",
            ws_ping_interval=None,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
