"""A small Alpaca on this machine: the endpoints the bot uses, over our own matching engine.

Orders behave as documented where that matters to a client: legs have client ids of Alpaca's own
and stay `held` until the entry is completely filled (a stop even longer), a replaced order is a
new order, a taken client id is refused, errors have the real bodies. Faults are scripted: each
entry of `faults` is used up by one `POST /v2/orders`, each of `delete_faults` by one `DELETE`.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, Side, TimeInForce
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.domain.trading import OrderTicket, stop_leg_id, target_leg_id
from catalyst_bot.simulation.fill_profile import FillProfile
from tests.builders import approved_order

KEY, SECRET = "PKTESTKEY", "test-secret-test-secret"
HTML = "<html><head><title>Forbidden</title></head><body>nginx</body></html>"
_STATUS = {
    OrderStatus.HELD: "held",
    OrderStatus.WORKING: "new",
    OrderStatus.PARTIALLY_FILLED: "partially_filled",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "canceled",
    OrderStatus.EXPIRED: "expired",
}
_OPEN = {OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED}


class Refusal(Exception):
    """An error answer."""

    def __init__(self, status: int, code: int, message: str, **context: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {**({"code": code} if code else {}), "message": message, **context}


@dataclass
class FakeOrder:
    """One order as Alpaca numbers them; `venue_id` names it in the matching engine."""

    order_id: str
    client_order_id: str
    venue_id: str
    body: dict[str, Any]
    submitted_at: datetime
    parent: FakeOrder | None = None
    stop_price: Decimal | None = None
    filled: Decimal = Decimal(0)
    spent_usd: Decimal = Decimal(0)
    changed_at: datetime | None = None
    replaces: str | None = None
    replaced_by: str | None = None


@dataclass
class FakeAlpaca:
    """The service; `now` is its clock. With a price for a symbol its orders fill at every look."""

    now: Callable[[], datetime]
    profile: FillProfile = FillProfile.ALPACA
    cash_usd: Decimal = Decimal(100_000)
    account: dict[str, Any] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    bars: Callable[[str], list[Bar]] = lambda _: []
    quotes: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    delete_faults: list[str] = field(default_factory=list)
    failing: int = 0  # how many requests get no answer but a 502
    page_rows: int = 1_000
    asked: list[str] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    foreign_orders: list[dict[str, Any]] = field(default_factory=list)
    orders: dict[str, FakeOrder] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engine = EmbeddedVenue(
            CostRules(), self.profile, seed=1, starting_cash_usd=self.cash_usd
        )
        self.app = FastAPI()
        self.app.add_api_route("/{path:path}", self._handle, methods=ALL_METHODS)

    # the market

    def trade(self, bar: Bar) -> None:
        """Match a bar."""
        self._book(self.engine.on_bar(bar, bar.closed_at))

    def _fill_at_prices(self) -> None:
        for symbol in sorted(self.engine.working_symbols() & self.prices.keys()):
            opening = OpenPrint(symbol=symbol, price=self.prices[symbol])
            self._book(self.engine.on_open_print(opening, self.now()))

    def _book(self, facts: list[Fact]) -> list[Fact]:
        for fact in facts:
            order_id = getattr(fact, "client_order_id", "")
            if isinstance(fact, f.OrderFilled):
                order_id = fact.fill.client_order_id
                order = self._current(order_id)
                order.filled += fact.fill.quantity
                order.spent_usd += fact.fill.quantity * fact.fill.price
            if any(order.venue_id == order_id for order in self.orders.values()):
                self._current(order_id).changed_at = fact.at
        return facts

    def _current(self, venue_id: str) -> FakeOrder:
        return [order for order in self.orders.values() if order.venue_id == venue_id][-1]

    # the wire

    async def _handle(self, request: Request, path: str) -> Response:
        self.asked.append(f"{request.method} /{path}")
        if self.failing:
            self.failing -= 1
            return Response(HTML, 502, media_type="text/html")
        scripted = {"POST": self.faults, "DELETE": self.delete_faults}.get(request.method)
        fault = scripted.pop(0) if scripted else ""
        if answer := _before(fault):
            return answer
        try:
            self._check_keys(request)
            self._fill_at_prices()
            answer = await self._route(request, request.method, f"/{path}")
        except Refusal as refusal:
            return JSONResponse(refusal.body, refusal.status)
        return await _after(fault, answer)

    def _check_keys(self, request: Request) -> None:
        given = request.headers
        if (given.get("APCA-API-KEY-ID"), given.get("APCA-API-SECRET-KEY")) != (KEY, SECRET):
            raise Refusal(401, 0, "unauthorized.")

    async def _route(self, request: Request, method: str, path: str) -> Response:
        query = dict(request.query_params)
        match method, path:
            case "GET", "/v2/account":
                return JSONResponse(self._account())
            case "GET", "/v2/positions":
                return JSONResponse(self._positions())
            case "POST", "/v2/orders":
                return JSONResponse(self._submit(await request.json()))
            case "GET", "/v2/orders":
                return JSONResponse(self._list(query))
            case "GET", "/v2/orders:by_client_order_id":
                return JSONResponse(self._json(self._by_client_id(query), nested=False))
            case "GET", "/v2/stocks/bars":
                return JSONResponse(self._bars(query))
            case "GET", "/v2/stocks/quotes/latest":
                names = query["symbols"].split(",")
                return JSONResponse(
                    {"quotes": {n: self.quotes[n] for n in names if n in self.quotes}}
                )
        order = self._by_id(path.removeprefix("/v2/orders/"))
        match method:
            case "GET":
                return JSONResponse(self._json(order, nested=query.get("nested") == "true"))
            case "DELETE":
                return self._cancel(order)
            case "PATCH":
                return JSONResponse(self._replace(order, await request.json()))
        raise Refusal(404, 40410000, "endpoint not found.")

    # the account

    def _account(self) -> dict[str, Any]:
        snapshot = self.engine.snapshot()
        held = sum((p.quantity * p.average_cost for p in snapshot.positions), Decimal(0))
        return {
            "id": str(uuid5(NAMESPACE_URL, "account")),
            "account_number": "PA3TEST",
            "status": "ACTIVE",
            "account_blocked": False,
            "trading_blocked": False,
            "trade_suspended_by_user": False,
            "currency": "USD",
            "cash": str(snapshot.cash_usd),
            "equity": str(snapshot.cash_usd + held),
        } | self.account

    def _positions(self) -> list[dict[str, Any]]:
        return [
            {
                "symbol": position.symbol,
                "qty": str(position.quantity),
                "side": "long",
                "avg_entry_price": str(position.average_cost),
            }
            for position in self.engine.snapshot().positions
        ]

    # orders

    def _submit(self, body: dict[str, Any]) -> dict[str, Any]:
        self.posts.append(body)
        client_id = body["client_order_id"]
        if any(order.client_order_id == client_id for order in self.orders.values()):
            raise Refusal(422, 40010001, "client_order_id must be unique")
        is_entry = body.get("order_class") in {"bracket", "oto"}
        if is_entry and body["time_in_force"] not in {"day", "gtc"}:
            raise Refusal(422, 42210000, "bracket orders must be day or gtc")
        now = self.now()
        stop = body.get("stop_loss", {}).get("stop_price") or body.get("stop_price")
        target = body.get("take_profit", {}).get("limit_price")
        order = approved_order(
            client_order_id=client_id,
            symbol=body["symbol"],
            role=OrderRole.ENTRY if body["side"] == "buy" else OrderRole.EXIT,
            side=Side(body["side"]),
            kind=OrderKind(body["type"]),
            quantity=Decimal(body["qty"]),
            time_in_force=TimeInForce(body["time_in_force"]),
            limit_price=Decimal(body["limit_price"]) if "limit_price" in body else None,
            stop_loss_price=Decimal(stop) if stop else None,
            take_profit_price=Decimal(target) if target else None,
            approved_at=now,
        )
        self.engine.memory.refused.pop(client_id, None)  # at Alpaca a refused id is still free
        for fact in self.engine.submit(order, now):
            if isinstance(fact, f.OrderRejected):
                raise _refused(fact.reason)
        parent = self._new(client_id, client_id, body, None)
        if is_entry:
            for leg_id in (target_leg_id(client_id), stop_leg_id(client_id)):
                if leg_id in self.engine.memory.approved:
                    self._new(f"alpaca-made-{leg_id[-2:]}-{len(self.orders)}", leg_id, body, parent)
        return self._json(parent, nested=True) | {"status": "pending_new"}

    def _new(
        self, client_id: str, venue_id: str, body: dict[str, Any], parent: FakeOrder | None
    ) -> FakeOrder:
        order_id = str(uuid5(NAMESPACE_URL, f"{client_id}|{len(self.orders)}"))
        submitted_at = self.now() + timedelta(microseconds=len(self.orders))
        order = FakeOrder(order_id, client_id, venue_id, body, submitted_at, parent)
        order.stop_price = self._ticket(venue_id).stop_price
        self.orders[order_id] = order
        return order

    def _cancel(self, order: FakeOrder) -> Response:
        for fact in self._book(self.engine.cancel(order.venue_id, self.now())):
            if isinstance(fact, f.ChangeRefused):
                raise Refusal(422, 42210000, fact.reason.replace("cancelled", "canceled"))
        return Response(status_code=204)

    def _replace(self, order: FakeOrder, body: dict[str, Any]) -> dict[str, Any]:
        price = Decimal(body["stop_price"])
        for fact in self._book(self.engine.replace(order.venue_id, self.now(), stop_price=price)):
            if isinstance(fact, f.ChangeRefused):
                raise Refusal(422, 42210000, "unable to replace order, order is not open")
        new = self._new(f"alpaca-made-{len(self.orders)}", order.venue_id, order.body, order.parent)
        new.replaces, order.replaced_by = order.order_id, new.order_id
        return self._json(new, nested=False)

    def _ticket(self, venue_id: str) -> OrderTicket:
        ticket = self.engine.ticket(venue_id)
        assert ticket is not None
        return ticket

    def _by_id(self, order_id: str) -> FakeOrder:
        if order_id not in self.orders:
            raise Refusal(404, 40410000, f"order not found for {order_id}")
        return self.orders[order_id]

    def _by_client_id(self, query: dict[str, str]) -> FakeOrder:
        wanted = query["client_order_id"]
        for order in self.orders.values():
            if order.client_order_id == wanted:
                return order
        raise Refusal(404, 40410000, f"order not found for {wanted}")

    def _list(self, query: dict[str, str]) -> list[dict[str, Any]]:
        after = datetime.fromisoformat(query["after"]) if "after" in query else None
        wanted = query.get("status", "open")
        rows = [
            self._json(order, nested=query.get("nested") == "true")
            for order in self.orders.values()
            # a replacement of a leg is no leg of the parent here: clients must follow the chain
            if order.parent is None or order.replaces
            if after is None or order.submitted_at > after
        ]
        final = {"filled", "canceled", "expired", "replaced", "held"}
        kept = [row for row in rows if wanted == "all" or row["status"] not in final]
        return [*self.foreign_orders, *kept][: int(query.get("limit", "50"))]

    def _status(self, order: FakeOrder) -> str:
        ticket = self._ticket(order.venue_id)
        if order.replaced_by:
            return "replaced"
        if order.parent is not None and ticket.status in _OPEN and not order.filled:
            parent = self._ticket(order.parent.venue_id)
            is_stop = ticket.kind is OrderKind.STOP
            return "held" if is_stop or parent.status in _OPEN else "new"
        return _STATUS[ticket.status]

    def _json(self, order: FakeOrder, *, nested: bool) -> dict[str, Any]:
        ticket = self._ticket(order.venue_id)
        legs = [o for o in self.orders.values() if o.parent is order and not o.replaces]
        average = str(order.spent_usd / order.filled) if order.filled else None
        is_filled = ticket.status is OrderStatus.FILLED
        return {
            "id": order.order_id,
            "client_order_id": order.client_order_id,
            "created_at": _text(order.submitted_at),
            "submitted_at": _text(order.submitted_at),
            "updated_at": _text(order.changed_at or order.submitted_at),
            "filled_at": _text(order.changed_at) if is_filled and order.changed_at else None,
            "replaced_by": order.replaced_by,
            "replaces": order.replaces,
            "symbol": ticket.symbol,
            "qty": str(ticket.quantity),
            "filled_qty": str(order.filled),
            "filled_avg_price": average,
            "order_class": order.body.get("order_class", ""),
            "type": ticket.kind.value,
            "side": ticket.side.value,
            "time_in_force": order.body["time_in_force"],
            "limit_price": _money(ticket.limit_price),
            "stop_price": _money(order.stop_price),
            "status": self._status(order),
            "legs": [self._json(leg, nested=False) for leg in legs] if nested and legs else None,
        }

    # prices

    def _bars(self, query: dict[str, str]) -> dict[str, Any]:
        since = datetime.fromisoformat(query["start"])
        rows = [
            (symbol, _bar_row(bar))
            for symbol in sorted(query["symbols"].split(","))
            for bar in self.bars(symbol)
            if bar.opened_at >= since
        ]
        start = int(base64.b64decode(query.get("page_token", "MA==")))
        page = rows[start : start + self.page_rows]
        found: dict[str, list[dict[str, Any]]] = {}
        for symbol, row in page:
            found.setdefault(symbol, []).append(row)
        more = start + self.page_rows < len(rows)
        token = base64.b64encode(str(start + self.page_rows).encode()).decode() if more else None
        return {"bars": found, "next_page_token": token}


ALL_METHODS = ["GET", "POST", "PATCH", "DELETE"]


def _before(fault: str) -> Response | None:
    """What a fault answers instead of doing anything."""
    match fault:
        case "500 before":
            return JSONResponse({"code": 50010000, "message": "internal server error"}, 500)
        case "401":
            return JSONResponse({"message": "unauthorized."}, 401)
        case "403 page":
            return Response(HTML, 403, media_type="text/html")
        case "429":
            return JSONResponse({"code": 42910000, "message": "rate limit exceeded"}, 429)
        case "302":
            return Response(status_code=302, headers={"Location": "http://localhost/elsewhere"})
    return None


async def _after(fault: str, answer: Response) -> Response:
    """What a fault answers after the request was carried out."""
    match fault:
        case "504 after":
            return Response(HTML, 504, media_type="text/html")
        case "429 after":
            return JSONResponse({"code": 42910000, "message": "rate limit exceeded"}, 429)
        case "page after":
            return Response(HTML, 200, media_type="text/html")
        case "hang after":
            await asyncio.sleep(3_600)
    return answer


def _refused(reason: str) -> Refusal:
    if "buying power" in reason:
        return Refusal(403, 40310000, "insufficient buying power", buying_power="0")
    if "insufficient qty" in reason:
        return Refusal(403, 40310000, reason, existing_qty="0")
    return Refusal(422, 42210000, reason)


def _bar_row(bar: Bar) -> dict[str, Any]:
    return {
        "t": _text(bar.opened_at),
        "o": bar.open,
        "h": bar.high,
        "l": bar.low,
        "c": bar.close,
        "v": bar.volume,
        "n": 10,
        "vw": bar.close,
    }


def _text(at: datetime) -> str:
    """With nine digits, as Alpaca writes times."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond:06d}000Z"


def _money(price: Decimal | None) -> str | None:
    return None if price is None else str(price.normalize())


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an app on a free port in a thread; yield its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
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
