"""Routes of the trading API that place, change, cancel and show orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from catalyst_bot.exchange.account import Account
from catalyst_bot.exchange.desk_of import account_of, exchange_of
from catalyst_bot.exchange.errors import invalid_field, not_found
from catalyst_bot.exchange.order_desk import OrderDesk
from catalyst_bot.exchange.replies import Query, json_body, json_reply, no_content, read_uuid
from catalyst_bot.simulation.venue_order import VenueOrder, VenueStatus

MOST_LISTED: Final = 500
_LISTED: Final = 50
_NO_ID: Final = "order_id is missing"


def routes() -> list[BaseRoute]:
    """Return the routes; the busiest first."""
    return [
        Route("/v2/orders", orders, methods=["GET", "POST", "DELETE"]),
        Route("/v2/orders:by_client_order_id", order_by_client_id, methods=["GET"]),
        Route("/v2/orders/{order_id}", order, methods=["GET", "PATCH", "DELETE"]),
    ]


async def orders(request: Request) -> Response:
    """Place an order, list orders, or cancel all of them."""
    account, exchange = account_of(request), exchange_of(request)
    if request.method == "POST":
        body = await json_body(request)
        return json_reply(OrderDesk(exchange).place(account, body))
    if request.method == "DELETE":
        cancelled = OrderDesk(exchange).cancel_all(account)
        return json_reply([{"id": order_id, "status": 200} for order_id in cancelled], 207)
    asked = read_filter(Query(request))
    reporter = exchange.reporter
    return json_reply(
        [
            reporter.order(account, found, with_legs=asked.is_nested)
            for found in list_orders(account, asked)
        ]
    )


async def order(request: Request) -> Response:
    """Show, replace or cancel one order."""
    account, exchange = account_of(request), exchange_of(request)
    order_id = read_uuid(request.path_params["order_id"], _NO_ID)
    desk = OrderDesk(exchange)
    if request.method == "PATCH":
        body = await json_body(request)
        return json_reply(desk.replace(account, order_id, body))
    if request.method == "DELETE":
        desk.cancel(account, order_id)
        return no_content()
    is_nested = Query(request).flag("nested")
    found = desk.order(account, order_id)
    return json_reply(exchange.reporter.order(account, found, with_legs=is_nested))


async def order_by_client_id(request: Request) -> Response:
    """Show the order that has a client order id."""
    account, exchange = account_of(request), exchange_of(request)
    query = Query(request)
    client_order_id = query.text("client_order_id")
    if client_order_id is None:
        raise invalid_field("client_order_id is missing")
    order_id = account.index.named(client_order_id)
    found = None if order_id is None else account.order(order_id)
    if found is None:
        raise not_found(f"order not found for {client_order_id}")
    return json_reply(exchange.reporter.order(account, found, with_legs=query.flag("nested")))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders are asked for."""

    status: str
    limit: int
    after: datetime | None
    until: datetime | None
    is_ascending: bool
    is_nested: bool
    symbols: frozenset[str]
    side: str | None
    is_of_stocks: bool
    before_id: str | None
    after_id: str | None


def read_filter(query: Query) -> OrderFilter:
    """Return what a request asks for; raises `ApiError` for contradictions."""
    before_id, after_id = query.text("before_order_id"), query.text("after_order_id")
    if before_id is not None and after_id is not None:
        raise invalid_field("only one of before_order_id or after_order_id is accepted")
    side = query.text("side")
    if side not in {None, "buy", "sell"}:
        raise invalid_field("invalid side")
    classes = query.names("asset_class")
    return OrderFilter(
        status=query.word("status", "open", ("open", "closed", "all")),
        limit=query.whole("limit", _LISTED, most=MOST_LISTED),
        after=query.moment("after"),
        until=query.moment("until"),
        is_ascending=query.word("direction", "desc", ("asc", "desc")) == "asc",
        is_nested=query.flag("nested"),
        symbols=frozenset(query.names("symbols")),
        side=side,
        is_of_stocks=not classes or bool({"us_equity", "all"} & set(classes)),
        before_id=None if before_id is None else read_uuid(before_id, _NO_ID),
        after_id=None if after_id is None else read_uuid(after_id, _NO_ID),
    )


def list_orders(account: Account, asked: OrderFilter) -> list[VenueOrder]:
    """Return the orders asked for. Legs are listed under their parent where that is listed."""
    found: list[VenueOrder] = []
    if not asked.is_of_stocks:
        return found
    for candidate in _candidates(account, asked):
        if not _matches(candidate, asked):
            continue
        if asked.is_nested and _is_under_parent(account, candidate, asked):
            continue
        found.append(candidate)
        if len(found) == asked.limit:
            break
    return found


def _candidates(account: Account, asked: OrderFilter) -> Iterable[VenueOrder]:
    first, end = account.index.between(asked.after, asked.until)
    if asked.before_id is not None:
        end = min(end, _place(account, asked.before_id))
    if asked.after_id is not None:
        first = max(first, _place(account, asked.after_id) + 1)
    if asked.status != "open":
        return account.orders(first, end, is_ascending=asked.is_ascending)
    return _open_ones(account, first, end, is_ascending=asked.is_ascending)


def _open_ones(
    account: Account, first: int, end: int, *, is_ascending: bool
) -> Iterator[VenueOrder]:
    """Yield the open orders of a range without looking at all the ended ones."""
    placed = [
        (place, found)
        for found in account.engine.state.all_open_orders()
        if (place := account.index.place(found.order_id)) is not None and first <= place < end
    ]
    placed.sort(key=lambda pair: pair[0], reverse=not is_ascending)
    return (found for _, found in placed)


def _place(account: Account, order_id: str) -> int:
    place = account.index.place(order_id)
    if place is None:
        raise not_found(f"order not found for {order_id}")
    return place


def _matches(order: VenueOrder, asked: OrderFilter) -> bool:
    if asked.status == "open" and (order.is_ended or order.status is VenueStatus.HELD):
        return False
    if asked.status == "closed" and not order.is_ended:
        return False
    if asked.symbols and order.symbol not in asked.symbols:
        return False
    return asked.side is None or order.side == asked.side


def _is_under_parent(account: Account, order: VenueOrder, asked: OrderFilter) -> bool:
    parent = None if order.parent_id is None else account.order(order.parent_id)
    return parent is not None and order.order_id in parent.leg_ids and _matches(parent, asked)
