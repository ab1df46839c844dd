"""The web application of an exchange: what every request passes, and all routes behind it.

From the outside in: several slashes are one, faults strike, the doorway asks for keys and counts,
then the routes. Errors are worded as Alpaca words them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from catalyst_bot.exchange import (
    account_routes,
    admin_routes,
    event_routes,
    fault_routes,
    position_routes,
    trading_routes,
    watchlists,
)
from catalyst_bot.exchange.clock import ExchangeClock
from catalyst_bot.exchange.clock_routes import ClockDesk
from catalyst_bot.exchange.conductor import Conductor
from catalyst_bot.exchange.credentials import Credentials, account_with
from catalyst_bot.exchange.data_query import Entitlement
from catalyst_bot.exchange.data_routes import DataDesk
from catalyst_bot.exchange.doorway import Doorway, Slashes
from catalyst_bot.exchange.errors import ApiError, internal_error, not_found
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.fault_gate import FaultGate
from catalyst_bot.exchange.faults import FaultBook
from catalyst_bot.exchange.news_routes import NewsDesk
from catalyst_bot.exchange.replies import api_error_handler, error_reply
from catalyst_bot.exchange.streams.doors import turn_away
from catalyst_bot.exchange.streams.hub import StreamHub

_NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What an exchange is made of, for its routes."""

    exchange: Exchange
    clock: ExchangeClock
    conductor: Conductor
    streams: StreamHub
    faults: FaultBook
    admin_token: str


class Accounts:
    """The accounts of an exchange as its streams ask for them."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def account_id_of(self, key_id: str, secret: str) -> str | None:
        """Return the id of the account with this key and secret, or None."""
        account = account_with(self._exchange, Credentials(key_id, secret))
        return None if account is None else account.account_id

    def account_count(self) -> int:
        """Return how many accounts there are."""
        return len(self._exchange.accounts)


def create_app(parts: Parts) -> ASGIApp:
    """Return the application over an exchange."""
    app = Starlette(
        routes=_routes(parts),
        exception_handlers={
            ApiError: api_error_handler,
            HTTPException: _http_error,
            Exception: _fault_of_ours,
        },
    )
    app.router.redirect_slashes = False
    app.router.default = _nothing_there
    app.state.exchange = parts.exchange
    app.state.clock = parts.clock
    app.state.conductor = parts.conductor
    app.state.streams = parts.streams
    app.state.faults = parts.faults
    app.state.admin_token = parts.admin_token
    guarded = Doorway(app, exchange=parts.exchange)
    return Slashes(FaultGate(guarded, faults=parts.faults))


def _routes(parts: Parts) -> list[BaseRoute]:
    """All routes, the busiest first."""
    exchange = parts.exchange
    entitlement = Entitlement(has_sip=exchange.knobs.has_sip)
    return [
        *trading_routes.routes(),
        *position_routes.routes(),
        *account_routes.routes(),
        *watchlists.routes(),
        *event_routes.routes(),
        *DataDesk(exchange.market, now=exchange.now, entitlement=entitlement).routes(),
        *NewsDesk(exchange.market, now=exchange.now).routes(),
        *parts.streams.routes(),
        *admin_routes.routes(),
        *ClockDesk(parts.clock, parts.conductor).routes(),
        *fault_routes.routes(),
    ]


async def _nothing_there(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await turn_away(WebSocket(scope, receive, send), _NOT_FOUND)
        return
    await error_reply(not_found("endpoint not found"))(scope, receive, send)


async def _http_error(_: Request, error: Exception) -> Response:
    """Word what the router refuses: a method that a route does not have."""
    assert isinstance(error, HTTPException)
    reply = error_reply(
        ApiError(error.status_code, error.detail.lower(), code=error.status_code * 100_000 + 10_000)
    )
    reply.headers.update(error.headers or {})
    return reply


async def _fault_of_ours(_: Request, __: Exception) -> Response:
    return error_reply(internal_error())
