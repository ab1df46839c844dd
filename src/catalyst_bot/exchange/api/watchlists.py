"""Watchlists: named lists of assets, found by their id or by their name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from catalyst_bot.exchange.api.desk_of import account_of, exchange_of
from catalyst_bot.exchange.books.account import Account
from catalyst_bot.exchange.books.records import Watchlist
from catalyst_bot.exchange.books.serialise import uuid_of
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.market.assets import asset_body
from catalyst_bot.exchange.wire.errors import invalid_field, malformed_body, not_found
from catalyst_bot.exchange.wire.raw_fields import text
from catalyst_bot.exchange.wire.replies import (
    Query,
    json_body,
    json_reply,
    no_content,
    read_uuid,
    rfc3339,
)

MOST_NAME_CHARACTERS: Final = 64
_NOT_FOUND: Final = "watchlist not found"
_ONE: Final = ["GET", "PUT", "POST", "DELETE"]


def routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        Route("/v2/watchlists", watchlists, methods=["GET", "POST"]),
        Route("/v2/watchlists:by_name", by_name, methods=_ONE),
        Route("/v2/watchlists/{watchlist_id}", by_id, methods=_ONE),
        Route("/v2/watchlists/{watchlist_id}/{symbol}", member, methods=["DELETE"]),
    ]


async def watchlists(request: Request) -> Response:
    """List the watchlists, without their assets, or make one."""
    account, exchange = account_of(request), exchange_of(request)
    if request.method == "GET":
        return json_reply([_body(account, each) for each in account.watchlists.values()])
    body = await json_body(request)
    symbols = _symbols(exchange, body) or ()
    name = _new_name(account, body)
    if name is None:
        raise invalid_field("watchlist name is required")
    at = exchange.now()
    number = str(len(account.watchlists) + account.watchlists_dropped)
    made = Watchlist(
        watchlist_id=uuid_of(account.account_id, "watchlist", name, number, rfc3339(at)),
        name=name,
        symbols=symbols,
        created_at=at,
        updated_at=at,
    )
    return _kept(exchange, account, made)


async def by_id(request: Request) -> Response:
    """Show, change, extend or delete the watchlist with an id."""
    account = account_of(request)
    watchlist_id = read_uuid(request.path_params["watchlist_id"], "watchlist_id is invalid")
    found = account.watchlists.get(watchlist_id)
    if found is None:
        raise not_found(_NOT_FOUND)
    return await _serve(request, account, found)


async def by_name(request: Request) -> Response:
    """Show, change, extend or delete the watchlist with a name."""
    account, name = account_of(request), Query(request).text("name")
    if name is None:
        raise invalid_field("watchlist name is required")
    found = _named(account, name)
    if found is None:
        raise not_found(_NOT_FOUND)
    return await _serve(request, account, found)


async def member(request: Request) -> Response:
    """Take a symbol out of a watchlist."""
    account, exchange = account_of(request), exchange_of(request)
    watchlist_id = read_uuid(request.path_params["watchlist_id"], "watchlist_id is invalid")
    found, symbol = account.watchlists.get(watchlist_id), request.path_params["symbol"]
    if found is None:
        raise not_found(_NOT_FOUND)
    if symbol not in found.symbols:
        raise not_found(f"symbol not found: {symbol}")
    left = tuple(each for each in found.symbols if each != symbol)
    return _kept(exchange, account, _changed(exchange, found, symbols=left))


async def _serve(request: Request, account: Account, found: Watchlist) -> Response:
    exchange = exchange_of(request)
    match request.method:
        case "GET":
            return json_reply(_body(account, found, exchange))
        case "DELETE":
            del account.watchlists[found.watchlist_id]
            account.watchlists_dropped += 1
            exchange.store.drop_watchlist(found.watchlist_id)
            exchange.settle()
            return no_content()
        case "POST":
            body = await json_body(request)
            symbol = _listed(exchange, text(body, "symbol") or "")
            if symbol in found.symbols:
                raise invalid_field(f"duplicate symbol {symbol}")
            symbols = (*found.symbols, symbol)
            return _kept(exchange, account, _changed(exchange, found, symbols=symbols))
        case _:
            body = await json_body(request)
            given = _symbols(exchange, body)
            name = _new_name(account, body, besides=found)
            changed = _changed(
                exchange,
                found,
                name=found.name if name is None else name,
                symbols=found.symbols if given is None else given,
            )
            return _kept(exchange, account, changed)


def _changed(exchange: Exchange, found: Watchlist, **changes: Any) -> Watchlist:
    return msgspec.structs.replace(found, updated_at=exchange.now(), **changes)


def _kept(exchange: Exchange, account: Account, watchlist: Watchlist) -> Response:
    account.watchlists[watchlist.watchlist_id] = watchlist
    exchange.store.put_watchlist(account.account_id, watchlist)
    exchange.settle()
    return json_reply(_body(account, watchlist, exchange))


def _body(
    account: Account, watchlist: Watchlist, exchange: Exchange | None = None
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": watchlist.watchlist_id,
        "account_id": account.account_id,
        "created_at": rfc3339(watchlist.created_at),
        "updated_at": rfc3339(watchlist.updated_at),
        "name": watchlist.name,
    }
    if exchange is not None:
        at, reporter = exchange.now(), exchange.reporter
        body["assets"] = [asset_body(reporter.asset(s, at)) for s in watchlist.symbols]
    return body


def _named(account: Account, name: str) -> Watchlist | None:
    return next((each for each in account.watchlists.values() if each.name == name), None)


def _new_name(
    account: Account, body: Mapping[str, Any], besides: Watchlist | None = None
) -> str | None:
    """Return the name a request gives; raises `ApiError` for one too long or taken."""
    name = text(body, "name")
    if not name:
        return None
    if len(name) > MOST_NAME_CHARACTERS:
        raise invalid_field(
            f"watchlist name must be no more than {MOST_NAME_CHARACTERS} characters"
        )
    taken = _named(account, name)
    if taken is not None and taken is not besides:
        raise invalid_field("watchlist name must be unique")
    return name


def _symbols(exchange: Exchange, body: Mapping[str, Any]) -> tuple[str, ...] | None:
    given = body.get("symbols")
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise malformed_body()
    return tuple(_without_repeats(_listed(exchange, each) for each in given))


def _without_repeats(symbols: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(symbols)


def _listed(exchange: Exchange, key: str) -> str:
    if not key:
        raise invalid_field("symbol is required")
    asset = exchange.market.asset(key, exchange.now())
    if asset is None:
        raise not_found(f"asset not found for {key}")
    return asset.symbol
