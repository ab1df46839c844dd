"""The faults of HTTP requests, handshakes of sockets included: an ASGI layer around everything."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalyst_bot.exchange.connections import reset, transport_of
from catalyst_bot.exchange.fault_rules import HttpAction, Stage
from catalyst_bot.exchange.faults import FaultBook

ADMIN: Final = "/admin/"  # out of reach of faults, so that they can be lifted
_STEPS_PER_S: Final = 10
_JSON: Final = "application/json; charset=UTF-8"


class FaultGate:
    """Lets requests through, or lets happen to them what the faults say."""

    def __init__(self, app: ASGIApp, *, faults: FaultBook) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one handshake."""
        action = self._action(scope)
        if action is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._shake_hands(action, scope, receive, send)
        else:
            await self._serve(action, scope, receive, send)

    def _action(self, scope: Scope) -> HttpAction | None:
        if scope["type"] not in {"http", "websocket"} or scope["path"].startswith(ADMIN):
            return None
        return self._faults.of_request(scope.get("method", "GET"), scope["path"])

    async def _serve(self, action: HttpAction, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request with its fault, before or after the exchange has done what was asked."""
        answer = _Answer()
        is_before = action.stage is Stage.BEFORE
        if is_before:
            await asyncio.sleep(action.delay_s)
            if action.only_waits:
                await self._app(scope, receive, send)
                return
        if not (is_before and action.replaces_answer):
            await self._app(scope, receive, answer.keep)
        if not is_before:
            await asyncio.sleep(action.delay_s)
        if action.status is not None:
            await reply_of(action)(scope, receive, send)
        elif action.hang:
            await _until_disconnect(receive)
        elif action.reset:
            await _cut(scope, receive)
        elif action.cut_body_at is not None:
            await answer.send_until(action.cut_body_at, scope, send)
        elif action.slow_body_bytes_per_s is not None:
            await answer.send_slowly(action.slow_body_bytes_per_s, send)
        else:
            await answer.send_all(send)

    async def _shake_hands(
        self, action: HttpAction, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Do to a handshake what the fault says; of its answer there is no body to spoil."""
        await asyncio.sleep(action.delay_s)
        if action.status is not None:
            await receive()
            await reply_of(action)(scope, receive, send)
        elif action.hang:
            await _until_disconnect(receive)
        elif action.reset:
            await _cut(scope, receive)
        else:
            await self._app(scope, receive, send)


class _Answer:
    """An answer of the exchange, held back."""

    def __init__(self) -> None:
        self._start: Message = {}
        self._body = b""

    async def keep(self, message: Message) -> None:
        """Take the place of the server's `send`."""
        if message["type"] == "http.response.start":
            self._start = message
        else:
            self._body += message.get("body", b"")

    async def send_all(self, send: Send) -> None:
        """Send it as it is."""
        await send(self._start)
        await send({"type": "http.response.body", "body": self._body})

    async def send_until(self, count: int, scope: Scope, send: Send) -> None:
        """Announce all of it, send `count` bytes of the body and close."""
        headers = MutableHeaders(raw=self._start["headers"])
        headers["content-length"] = str(len(self._body) or 1)
        await send(self._start)
        await send({"type": "http.response.body", "body": self._body[:count], "more_body": True})
        transport = transport_of(scope)
        if transport is not None:
            transport.close()

    async def send_slowly(self, bytes_per_s: int, send: Send) -> None:
        """Send it a few bytes at a time."""
        await send(self._start)
        step = max(1, bytes_per_s // _STEPS_PER_S)
        for begin in range(0, len(self._body), step):
            part = self._body[begin : begin + step]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(step / bytes_per_s)
        await send({"type": "http.response.body", "body": b""})


def reply_of(action: HttpAction) -> Response:
    """Return the answer a fault gives."""
    status, headers = action.status or 500, action.headers
    if action.html is not None:
        return HTMLResponse(action.html, status, headers)
    content = b"" if action.body is None else msgspec.json.encode(action.body)
    return Response(content, status, headers, media_type=_JSON if content else None)


async def _until_disconnect(receive: Receive) -> None:
    while (await receive())["type"] not in {"http.disconnect", "websocket.disconnect"}:
        pass


async def _cut(scope: Scope, receive: Receive) -> None:
    transport = transport_of(scope)
    if transport is not None:
        reset(transport)
    await _until_disconnect(receive)
