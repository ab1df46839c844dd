"""One client's WebSocket: a bounded outbox and one writer, so nobody waits for a slow reader."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from catalyst_bot.exchange.faults.rules import StreamAction
from catalyst_bot.exchange.streams.wire import (
    MSGPACK_MEDIA_TYPE,
    BadFrame,
    Encoding,
    decode,
    encode,
)
from catalyst_bot.exchange.wire.connections import transport_of

NORMAL_CLOSE: Final = 1000
INTERNAL_CLOSE: Final = 1011
SLOW_GRACE_S: Final = 5.0


OnFrame = Callable[[Any], None]
"""Takes what a client sent; None stands for a frame that is not readable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWords:
    """What a stream says before it closes a socket: to a slow client, and at a fault of its own."""

    slow: Any
    internal: Any


class StreamSocket:
    """A connection after its handshake. Sending and closing return at once.

    A client that leaves more than `outbox_bytes` unread hears so in its last words. `name` is what
    the handshake's answer called the connection, `sent_count` and `heard_count` are whole frames.
    """

    def __init__(
        self,
        socket: WebSocket,
        encoding: Encoding,
        *,
        name: str,
        outbox_bytes: int,
        last_words: LastWords,
    ) -> None:
        self.name = name
        self.sent_count = 0
        self.heard_count = 0
        self.encoding = encoding
        self.is_muted = False
        self._socket = socket
        self._outbox: deque[bytes] = deque()
        self._outbox_bytes = 0
        self._outbox_limit_bytes = outbox_bytes
        self._last_words = last_words
        self._work = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()
        self._close_code: int | None = None
        self._giving_up: asyncio.TimerHandle | None = None

    @property
    def is_closing(self) -> bool:
        """Whether nothing more will be taken."""
        return self._close_code is not None

    def send(self, message: Any) -> None:
        """Put a message in the outbox."""
        self.send_frame(encode(message, self.encoding))

    def send_frame(self, frame: bytes) -> None:
        """Put an encoded frame in the outbox; give up on the client when that is full."""
        if self.is_muted or self.is_closing:
            return
        if self._outbox and self._outbox_bytes + len(frame) > self._outbox_limit_bytes:
            self.give_up()
            return
        self._outbox.append(frame)
        self.sent_count += 1
        self._count(len(frame))
        self._work.set()

    def close(self, code: int = NORMAL_CLOSE) -> None:
        """Close after what is in the outbox."""
        if self._close_code is None:
            self._close_code = code
            self._work.set()

    def give_up(self) -> None:
        """Forget what a slow client has not taken, say why, close, and cut it if it still waits."""
        if self.is_closing:
            return
        self._outbox.clear()
        self._count(-self._outbox_bytes)
        self.send(self._last_words.slow)
        self.close()
        self._giving_up = asyncio.get_running_loop().call_later(SLOW_GRACE_S, self.cut)

    def cut(self) -> None:
        """End the connection without a word."""
        self._close_code = self._close_code or NORMAL_CLOSE
        transport = transport_of(self._socket.scope)
        if transport is not None:
            transport.abort()

    @property
    def is_roomy(self) -> bool:
        """Whether the outbox is less than half full, or the connection is over."""
        return self._roomy.is_set()

    async def roomy(self) -> None:
        """Wait until the outbox is less than half full, or the connection is over."""
        await self._roomy.wait()

    def befall(self, action: StreamAction | None) -> None:
        """Suffer a fault: fall silent, or close."""
        if action is not None and action.mute:
            self.is_muted = True
        if action is not None and action.error:
            self.send(self._last_words.internal)
            self.close(INTERNAL_CLOSE)
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
            self.heard_count += 1
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
