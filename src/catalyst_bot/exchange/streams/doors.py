"""Handshakes: the keys they carry, and how one is turned away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from uuid import uuid4

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect


def header_keys(socket: WebSocket) -> tuple[str, str] | None:
    """Return key and secret of a handshake that carries them."""
    key_id = socket.headers.get("apca-api-key-id")
    secret = socket.headers.get("apca-api-secret-key")
    return None if key_id is None or secret is None else (key_id, secret)


async def let_in(socket: WebSocket) -> str:
    """Accept a handshake; return the name that its answer gives the connection."""
    name = str(uuid4())
    await socket.accept(headers=[(b"x-request-id", name.encode())])
    return name


async def turn_away(socket: WebSocket, status: int = HTTPStatus.TOO_MANY_REQUESTS) -> None:
    """Answer a handshake with an HTTP status."""
    try:
        await socket.receive()
        await socket.send_denial_response(Response(f"{HTTPStatus(status).phrase}\n", status))
    except WebSocketDisconnect:
        return


def later(delay_s: float, call: Callable[[], None]) -> asyncio.TimerHandle:
    """Call something in `delay_s`; cancel the handle when it is no longer wanted."""
    return asyncio.get_running_loop().call_later(delay_s, call)


def nothing() -> None:
    """Stand where nobody wants to be told."""
