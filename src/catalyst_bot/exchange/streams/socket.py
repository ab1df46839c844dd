"""One client's WebSocket: a bounded outbox and one writer, so nobody waits for a slow reader."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from catalyst_bot.exchange.connections import transport_of
from catalyst_bot.exchange.fault_rules import StreamAction
from catalyst_bot.exchange.streams.wire import (
    MSGPACK_MEDIA_TYPE,
    BadFrame,
    Encoding,
    decode,
    encode,
)

NORMAL_CLOSE: Final = 1000
SLOW_GRACE_S: Final = 5.0


OnFrame = Callable[[Any], None]
"""Takes what a client sent; None stands for a frame that is not readable."""


class StreamSocket:
    """A connection after its handshake. All methods but `serve` return at once."""

    def __init__(self, socket: WebSocket, encoding: Encoding, *, outbox_bytes: int) -> None:
        self.encoding = encoding
        self.is_muted = False
        self._socket = socket
        self._outbox: deque[bytes] = deque()
        self._outbox_bytes = 0
        self._outbox_limit_bytes = outbox_bytes
        self._work = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._close_code: int | None = None
        self._giving_up: asyncio.TimerHandle | None = None

    @property
    def is_closing(self) -> bool:
        """Whether nothing more will be taken."""
        return self._close_code is not None

    def send(self, message: Any) -> bool:
        """Put a message in the outbox; False where the client is too slow for it."""
        return self.send_frame(encode(message, self.encoding))

    def send_frame(self, frame: bytes) -> bool:
        """Put an encoded frame in the outbox; False where the client is too slow for it."""
        if self.is_muted or self.is_closing:
            return True
        if self._outbox and self._outbox_bytes + len(frame) > self._outbox_limit_bytes:
            return False
        self._outbox.append(frame)
        self._count(len(frame))
        self._work.set()
        return True

    def close(self, code: int = NORMAL_CLOSE) -> None:
        """Close after what is in the outbox."""
        if self._close_code is None:
            self._close_code = code
            self._work.set()

    def give_up(self, last_words: Any) -> None:
        """Forget what a slow client has not taken, say why, close, and cut it if it still waits."""
        self._outbox.clear()
        self._count(-self._outbox_bytes)
        self.send(last_words)
        self.close()
        if self._giving_up is None:
            self._giving_up = asyncio.get_running_loop().call_later(SLOW_GRACE_S, self.cut)

    def cut(self) -> None:
        """End the connection without a word."""
        self._close_code = self._close_code or NORMAL_CLOSE
        transport = transport_of(self._socket.scope)
        if transport is not None:
            transport.abort()

    async def roomy(self) -> None:
        """Wait until the outbox is less than half full, or the connection is over."""
        await self._roomy.wait()

    def befall(self, action: StreamAction | None) -> None:
        """Suffer a fault: fall silent, or close."""
        if action is not None and action.mute:
            self.is_muted = True
        if action is not None and action.close:
            self.close(action.close)

    async def serve(self, on_frame: OnFrame) -> None:
        """Pass frames to `on_frame` and send the outbox, until either side is done."""
        tasks = [
            asyncio.create_task(self._read(on_frame), name="stream-reader"),
            asyncio.create_task(self._write(), name="stream-writer"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._close_code = self._close_code or NORMAL_CLOSE
            self._roomy.set()
            if self._giving_up is not None:
                self._giving_up.cancel()
        for task in done:
            task.result()

    async def _read(self, on_frame: OnFrame) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if self.is_muted or self.is_closing:
                continue
            text: str | None = message.get("text")
            data: bytes | None = message.get("bytes")
            try:
                value = decode(text if text is not None else data or b"")
            except BadFrame:
                value = None
            on_frame(value)

    async def _write(self) -> None:
        try:
            while True:
                while self._outbox:
                    frame = self._outbox.popleft()
                    self._count(-len(frame))
                    await self._send(frame)
                if self._close_code is not None:
                    await self._socket.close(self._close_code)
                    return
                self._work.clear()
                await self._work.wait()
        except (WebSocketDisconnect, RuntimeError):  # the latter: the server has closed meanwhile
            return

    def _count(self, more_bytes: int) -> None:
        self._outbox_bytes += more_bytes
        if 2 * self._outbox_bytes < self._outbox_limit_bytes:
            self._roomy.set()
        else:
            self._roomy.clear()

    async def _send(self, frame: bytes) -> None:
        if self.encoding is Encoding.JSON_TEXT:
            await self._socket.send_text(frame.decode())
        else:
            await self._socket.send_bytes(frame)


def asks_for_msgpack(socket: WebSocket) -> bool:
    """Whether the handshake chose MessagePack."""
    media_type = socket.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == MSGPACK_MEDIA_TYPE
