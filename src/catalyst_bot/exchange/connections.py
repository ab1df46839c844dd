"""uvicorn's connections, with their transport within reach of faults that cut it."""

from __future__ import annotations

import socket
import struct
from asyncio import Transport
from collections.abc import MutableMapping
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

TRANSPORT: Final = "catalyst.transport"
_LINGER_0: Final = struct.pack("ii", 1, 0)  # closing sends a reset instead of what is left


class HttpConnection(HttpToolsProtocol):
    """An HTTP connection that leaves its transport in the scope of each request."""

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]


class SocketConnection(WebSocketsSansIOProtocol):
    """A WebSocket that leaves its transport in its scope."""

    def handle_connect(self, event: Request) -> None:
        """Begin a handshake."""
        super().handle_connect(event)
        scope = getattr(self, "scope", None)
        if scope is not None:  # it has none where the handshake was wrong
            scope["extensions"][TRANSPORT] = self.transport


def transport_of(scope: MutableMapping[str, Any]) -> Transport | None:
    """Return the transport of a scope; None when the server is not ours."""
    transport = scope.get("extensions", {}).get(TRANSPORT)
    return transport if isinstance(transport, Transport) else None


def reset(transport: Transport) -> None:
    """Cut a connection so that the other side sees a reset."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
    transport.abort()
