"""Routes of the trading API that show and close positions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from catalyst_bot.domain.money import to_decimal
from catalyst_bot.exchange.account import Account
from catalyst_bot.exchange.desk_of import account_of, exchange_of
from catalyst_bot.exchange.errors import not_found
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.order_desk import Closed, OrderDesk
from catalyst_bot.exchange.replies import Query, json_reply
from catalyst_bot.exchange.serialise import position_body
from catalyst_bot.simulation.venue_account import Holding


def routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        Route("/v2/positions", positions, methods=["GET", "DELETE"]),
        Route("/v2/positions/{key}", position, methods=["GET", "DELETE"]),
    ]


async def positions(request: Request) -> Response:
    """List the positions, or close all of them."""
    account, exchange = account_of(request), exchange_of(request)
    if request.method == "DELETE":
        with_orders = Query(request).flag("cancel_orders")
        closed = OrderDesk(exchange).close_all(account, with_orders=with_orders)
        return json_reply([_closed_body(each) for each in closed], 207)
    at = exchange.now()
    holdings = account.engine.state.account.holdings
    return json_reply(
        [_body(exchange, account, symbol, holdings[symbol], at) for symbol in sorted(holdings)]
    )


async def position(request: Request) -> Response:
    """Show a position, or close it or a part of it."""
    account, exchange = account_of(request), exchange_of(request)
    key = request.path_params["key"]
    if request.method == "DELETE":
        query = Query(request)
        quantity, percentage = query.number("qty"), query.number("percentage")
        order = OrderDesk(exchange).close(account, key, quantity=quantity, percentage=percentage)
        return json_reply(order)
    at = exchange.now()
    asset = exchange.market.asset(key, at)
    if asset is None:
        raise not_found(f"symbol not found: {key}")
    holding = account.engine.state.account.holdings.get(asset.symbol)
    if holding is None:
        raise not_found("position does not exist")
    return json_reply(_body(exchange, account, asset.symbol, holding, at))


def _body(
    exchange: Exchange, account: Account, symbol: str, holding: Holding, at: datetime
) -> dict[str, Any]:
    """Return a position at the prices of a time; where none are known, at what it cost."""
    market = exchange.market
    last, before = market.last_price(symbol, at), market.previous_close(symbol, at)
    price = holding.average_cost if last is None else to_decimal(last)
    reserved = account.engine.state.reservations.shares.get(symbol, Decimal(0))
    sign = 1 if holding.quantity > 0 else -1
    return position_body(
        exchange.reporter.asset(symbol, at),
        quantity=holding.quantity,
        available=holding.quantity - sign * reserved,
        cost_usd=holding.cost_usd,
        overnight=account.overnight_shares(symbol, holding.quantity),
        price=price,
        price_before=price if before is None else to_decimal(before),
    )


def _closed_body(closed: Closed) -> dict[str, Any]:
    if closed.error is not None:
        return {
            "symbol": closed.symbol,
            "status": closed.error.status,
            "body": closed.error.body(),
        }
    return {"symbol": closed.symbol, "status": 200, "body": closed.order}
