"""The sockets of the small Alpaca: the account's events, prices and news, and what can go wrong.

`push` hands a message to every listener of a path, from any thread. The switches are read at each
connection or message: `refuse` a handshake with a status, `say` an error code to who logs in,
`mute` a socket, `drop` or `repeat` messages, `close` connections.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

TRADING = "/stream"
CLOSE = object()


@dataclass(eq=False)
class Listener:
    """One connection that is logged in."""

    path: str
    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    def put(self, item: Any) -> None:
        self.loop.call_soon_threadsafe(self.queue.put_nowait, item)


class FakeStreams:
    """Three protocols on one door."""

    def __init__(self, key: str, secret: str) -> None:
        self._keys = (key, secret)
        self.listeners: list[Listener] = []
        self.connections: defaultdict[str, int] = defaultdict(int)
        self.wanted: defaultdict[str, set[str]] = defaultdict(set)  # channels of the last listener
        self.refuse: dict[str, int] = {}
        self.say: dict[str, tuple[int, str]] = {}
        self.mute: set[str] = set()
        self.drop: Callable[[Any], bool] = lambda _: False
        self.repeat = 1

    def push(self, path: str, message: Any) -> None:
        """Send a message to everyone who listens on a path."""
        if path in self.mute or self.drop(message):
            return
        for listener in [each for each in self.listeners if each.path == path]:
            for _ in range(self.repeat):
                listener.put(message)

    def close(self, path: str) -> None:
        """Drop the connections of a path."""
        for listener in [each for each in self.listeners if each.path == path]:
            listener.put(CLOSE)

    def count(self, path: str) -> int:
        return sum(listener.path == path for listener in self.listeners)

    async def serve(self, socket: WebSocket) -> None:
        path = socket.url.path
        self.connections[path] += 1
        if path in self.refuse:
            await socket.send_denial_response(Response(status_code=self.refuse[path]))
            return
        await socket.accept()
        with suppress(WebSocketDisconnect, RuntimeError):
            log_in = self._log_in_trading if path == TRADING else self._log_in_data
            if await log_in(socket, path):
                await self._talk(socket, path)

    async def _talk(self, socket: WebSocket, path: str) -> None:
        listener = Listener(path, asyncio.get_running_loop())
        hearing = asyncio.ensure_future(self._hear(socket, path))
        self.listeners.append(listener)
        try:
            while True:
                asking = asyncio.ensure_future(listener.queue.get())
                await asyncio.wait({asking, hearing}, return_when=asyncio.FIRST_COMPLETED)
                if hearing.done():
                    asking.cancel()
                    return
                item = asking.result()
                if item is CLOSE:
                    await socket.close(1012)
                    return
                raw = item if isinstance(item, bytes) else json.dumps(item).encode()
                await socket.send_bytes(raw)
        finally:
            self.listeners.remove(listener)
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _hear(self, socket: WebSocket, path: str) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                self._subscribe(path, json.loads(await socket.receive_text()))

    def _subscribe(self, path: str, message: dict[str, Any]) -> None:
        for channel, symbols in message.items():
            if channel == "action":
                continue
            names = {f"{channel}:{symbol}" for symbol in symbols}
            if message.get("action") == "subscribe":
                self.wanted[path] |= names
            else:
                self.wanted[path] -= names

    async def _log_in_trading(self, socket: WebSocket, path: str) -> bool:
        message = json.loads(await socket.receive_text())
        given = message.get("data", {})
        is_good = (given.get("key_id"), given.get("secret_key")) == self._keys
        status = "authorized" if is_good and path not in self.say else "unauthorized"
        data = {"status": status, "action": "authenticate"}
        await socket.send_bytes(json.dumps({"stream": "authorization", "data": data}).encode())
        if status != "authorized":
            await socket.close()
            return False
        listened = json.loads(await socket.receive_text())
        streams = listened["data"]["streams"]
        answer = {"stream": "listening", "data": {"streams": streams}}
        await socket.send_text(json.dumps(answer))  # text this time: both have to be read
        return True

    async def _log_in_data(self, socket: WebSocket, path: str) -> bool:
        await socket.send_text(json.dumps([{"T": "success", "msg": "connected"}]))
        message = json.loads(await socket.receive_text())
        code, text = self.say.get(path, (0, ""))
        if not code and (message.get("key"), message.get("secret")) != self._keys:
            code, text = 402, "auth failed"
        if code:
            await socket.send_text(json.dumps([{"T": "error", "code": code, "msg": text}]))
            await socket.close()
            return False
        await socket.send_text(json.dumps([{"T": "success", "msg": "authenticated"}]))
        self.wanted[path] = set()
        self._subscribe(path, json.loads(await socket.receive_text()))
        await socket.send_text(json.dumps([{"T": "subscription"}]))
        return True
