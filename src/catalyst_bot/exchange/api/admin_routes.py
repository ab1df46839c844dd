"""Routes for whoever runs the exchange: accounts, halts, corporate actions, a look inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.domain.money import ZERO
from catalyst_bot.exchange.api.desk_of import exchange_of
from catalyst_bot.exchange.books.account import Account
from catalyst_bot.exchange.books.market_changes import AssetChange, MarketChange
from catalyst_bot.exchange.conductor import Conductor
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.market.assets import asset_body
from catalyst_bot.exchange.market.market_events import action_from, halt_from
from catalyst_bot.exchange.streams.hub import StreamHub
from catalyst_bot.exchange.wire.errors import invalid_field, not_found
from catalyst_bot.exchange.wire.raw_fields import number, text
from catalyst_bot.exchange.wire.replies import (
    decimal_text,
    json_reply,
    parse_object,
    require_admin,
    rfc3339,
)

_MOST_CASH_USD: Final = 10**12


def routes() -> list[BaseRoute]:
    """Return the routes."""
    return [
        Route("/admin/state", state, methods=["GET"]),
        Route("/admin/accounts", open_account, methods=["POST"]),
        Route("/admin/reset", reset, methods=["POST"]),
        Route("/admin/halt", halt, methods=["POST"]),
        Route("/admin/resume", resume, methods=["POST"]),
        Route("/admin/corporate_actions", corporate_action, methods=["POST"]),
        Route("/admin/assets", change_asset, methods=["POST"]),
        Route("/admin/streams", streams, methods=["GET"]),
    ]


async def state(request: Request) -> Response:
    """Show every account with its books, and what is halted."""
    require_admin(request)
    exchange = exchange_of(request)
    at = exchange.now()
    return json_reply(
        {
            "accounts": [_account_body(exchange, account) for account in exchange.accounts],
            "halted": [s for s in exchange.market.symbols(at) if exchange.market.halt_of(s, at)],
            "now": rfc3339(at),
            "profile": exchange.knobs.profile.value,
            "seed": exchange.knobs.seed,
        }
    )


async def open_account(request: Request) -> Response:
    """Open an account and tell its keys."""
    body = await _body(request)
    exchange = exchange_of(request)
    try:
        account, key = exchange.open_account(
            text(body, "key"), text(body, "secret"), cash_usd=_cash(body)
        )
    except ConfigError as error:
        raise invalid_field(str(error)) from error
    return json_reply(
        {
            "account_number": account.record.number,
            "id": account.account_id,
            "key": key.key_id,
            "secret": key.secret,
        }
    )


async def reset(request: Request) -> Response:
    """Put a fresh account in the place of one, under the same keys; its id is another."""
    body = await _body(request)
    exchange = exchange_of(request)
    account = _chosen(exchange, body)
    fresh = exchange.reset_account(account, cash_usd=_cash(body))
    return json_reply(
        {
            "account_number": fresh.record.number,
            "id": fresh.account_id,
            "keys": [key.key_id for key in exchange.accounts.keys_of(fresh.account_id)],
            "replaces": account.account_id,
        }
    )


async def halt(request: Request) -> Response:
    """Stop trading in a symbol, now or at a time, for a while or until it is resumed."""
    body = await _body(request)
    row = {"starts_at": rfc3339(exchange_of(request).now()), **body}
    try:
        made = _conductor(request).halt(halt_from(row))
    except BadData as error:
        raise invalid_field(str(error)) from error
    return json_reply(
        {
            "code": made.code,
            "ends_at": None if made.ends_at is None else rfc3339(made.ends_at),
            "starts_at": rfc3339(made.starts_at),
            "symbol": made.symbol,
        }
    )


async def resume(request: Request) -> Response:
    """Let a halted symbol trade again."""
    body = await _body(request)
    try:
        ended = _conductor(request).resume(text(body, "symbol") or "")
    except BadData as error:
        raise invalid_field(str(error)) from error
    return json_reply(
        {
            "ends_at": None if ended.ends_at is None else rfc3339(ended.ends_at),
            "symbol": ended.symbol,
        }
    )


async def corporate_action(request: Request) -> Response:
    """Let a company split its shares or change its symbol before the trading of a day."""
    body = await _body(request)
    try:
        action = action_from(body)
        at = _conductor(request).take_action(action)
    except BadData as error:
        raise invalid_field(str(error)) from error
    return json_reply({"effective_at": rfc3339(at)})


async def change_asset(request: Request) -> Response:
    """Say whether an asset can be traded, sold short, borrowed easily or bought in fractions."""
    body = await _body(request)
    exchange = exchange_of(request)
    try:
        change = msgspec.convert(body, AssetChange)
        asset = change.apply(exchange.market.world.assets)
    except (msgspec.ValidationError, BadData) as error:
        raise invalid_field(str(error)) from error
    exchange.remember_change(MarketChange(asset=change))
    exchange.settle()
    return json_reply(asset_body(asset))


async def streams(request: Request) -> Response:
    """Tell how many frames went each way on every open stream: who counts its own knows when it
    has heard everything. The answer to a handshake names the connection (`X-Request-ID`).
    """
    require_admin(request)
    hub = request.app.state.streams
    assert isinstance(hub, StreamHub)
    now = rfc3339(exchange_of(request).now())
    return json_reply({"now": now, "streams": hub.frame_counts()})


async def _body(request: Request) -> dict[str, Any]:
    """Return the body of an administrator's request; an empty one says nothing."""
    require_admin(request)
    content = await request.body()
    return parse_object(content) if content else {}


def _conductor(request: Request) -> Conductor:
    conductor = request.app.state.conductor
    assert isinstance(conductor, Conductor)
    return conductor


def _cash(body: Mapping[str, Any]) -> Any:
    cash = number(body, "cash")
    if cash is not None and not ZERO < cash <= _MOST_CASH_USD:
        raise invalid_field("cash must be > 0")
    return cash


def _chosen(exchange: Exchange, body: Mapping[str, Any]) -> Account:
    """Return the account named by id or key; without a name the only one there is."""
    account_id, key_id = text(body, "account_id"), text(body, "key")
    if account_id is None and key_id is None:
        if len(exchange.accounts) == 1:
            return next(iter(exchange.accounts))
        raise invalid_field("account_id or key is required where there are several accounts")
    for account in exchange.accounts:
        names = {key.key_id for key in exchange.accounts.keys_of(account.account_id)}
        if account.account_id == account_id or key_id in names:
            return account
    raise not_found("account not found")


def _account_body(exchange: Exchange, account: Account) -> dict[str, Any]:
    books = account.engine.state.account
    figures = exchange.figures(account, exchange.now())
    return {
        "account_number": account.record.number,
        "cash": decimal_text(books.cash_usd),
        "cash_at_start": decimal_text(account.record.cash_usd),
        "equity": decimal_text(figures.equity_usd),
        "events": account.seq,
        "fees": decimal_text(books.fees_usd),
        "fills": len(account.activities),
        "id": account.account_id,
        "keys": [key.key_id for key in exchange.accounts.keys_of(account.account_id)],
        "open_orders": len(account.engine.state.all_open_orders()),
        "orders": len(account.engine.state.orders),
        "positions": {
            symbol: {
                "cost": decimal_text(holding.cost_usd),
                "qty": decimal_text(holding.quantity),
            }
            for symbol, holding in sorted(books.holdings.items())
        },
        "realised": decimal_text(books.realised_usd),
        "reserved": decimal_text(figures.reserved_usd),
    }
