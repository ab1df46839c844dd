"""What every HTTP request passes first: size, keys, and how many in a minute.

Answers are those of Alpaca's gateway: HTML where nginx speaks, JSON where the API does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalyst_bot.exchange.credentials import account_with, credentials_of
from catalyst_bot.exchange.errors import ApiError, rate_limited
from catalyst_bot.exchange.exchange import Exchange
from catalyst_bot.exchange.replies import error_reply

MOST_BODY_BYTES: Final = 1024 * 1024  # what nginx takes when nobody told it otherwise
ADMIN: Final = "/admin/"
_SLASHES: Final = re.compile("/{2,}")
_NGINX_PHRASES: Final = {HTTPStatus.UNAUTHORIZED: "Authorization Required"}
_DATA: Final = re.compile(r"/v2/stocks(/|$)|/v1beta\d+/|/v1/")


class Slashes:
    """Takes several slashes for one: clients join addresses carelessly."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one handshake."""
        if "//" in scope.get("path", ""):
            scope["path"] = _SLASHES.sub("/", scope["path"])
        await self._app(scope, receive, send)


class Doorway:
    """Lets requests of an account through and leaves it in `scope["state"]["account"]`."""

    def __init__(self, app: ASGIApp, *, exchange: Exchange) -> None:
        self._app = app
        self._exchange = exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; who opens a socket says later who they are."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "content-length" in headers or "transfer-encoding" in headers:
            body = await _body(headers, receive)
            if body is None:
                await gateway_reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)(scope, receive, send)
                return
            receive = _replay(body, receive)
        if scope["path"].startswith(ADMIN):
            await self._app(scope, receive, send)
            return
        credentials = credentials_of(headers)
        account = account_with(self._exchange, credentials) if credentials else None
        if account is None:
            reply = _refusal(scope["path"], has_keys=credentials is not None)
            await reply(scope, receive, send)
            return
        verdict = self._exchange.take_token(account)
        if verdict.limit:
            send = _with_headers(verdict.headers(), send)
        if not verdict.is_allowed:
            await error_reply(_too_many(scope["path"]))(scope, receive, send)
            return
        scope["state"]["account"] = account
        await self._app(scope, receive, send)


def gateway_reply(status: HTTPStatus) -> Response:
    """Return an error as nginx words it."""
    title = f"{status.value} {_NGINX_PHRASES.get(status, status.phrase)}"
    return HTMLResponse(
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>"
        "</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        status.value,
    )


def _refusal(path: str, *, has_keys: bool) -> Response:
    """Return the answer to missing or wrong keys: each host of Alpaca has its own."""
    if _DATA.match(path):
        return gateway_reply(HTTPStatus.FORBIDDEN)
    if not has_keys:
        return gateway_reply(HTTPStatus.UNAUTHORIZED)
    return Response(b'{"message":"unauthorized."}\n', 401, media_type="application/json")


def _too_many(path: str) -> ApiError:
    return ApiError(429, "too many requests.") if _DATA.match(path) else rate_limited()


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """Return the whole body of a request; None when it is too long."""
    announced = headers.get("content-length", "0")
    if not announced.isdigit() or int(announced) > MOST_BODY_BYTES:
        return None
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BODY_BYTES:
            return None
        more = message.get("more_body", False)
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body first."""
    is_given = False

    async def replayed() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _with_headers(more: Mapping[str, str], send: Send) -> Send:
    encoded = [(name.lower().encode(), value.encode()) for name, value in more.items()]

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *encoded]}
        await send(message)

    return sending
