"""The three streams of an exchange together, as the rest of it sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from catalyst_bot.exchange.faults.book import FaultBook
from catalyst_bot.exchange.streams import fakepaca
from catalyst_bot.exchange.streams.channels import Feed
from catalyst_bot.exchange.streams.data import DataHub, FeedHub
from catalyst_bot.exchange.streams.limits import Register, StreamLimits
from catalyst_bot.exchange.streams.news import NewsHub
from catalyst_bot.exchange.streams.socket import StreamSocket
from catalyst_bot.exchange.streams.trading import TradingHub

PATIENCE_S: Final = 5.0


class StreamHub:
    """`trading`, `data` and `news`: publishing on each returns at once."""

    def __init__(self, *, register: Register, limits: StreamLimits, faults: FaultBook) -> None:
        self.joined = asyncio.Event()  # set once the first client listens to something
        self.trading = TradingHub(register=register, limits=limits, faults=faults)
        self.data = DataHub(register=register, limits=limits, faults=faults)
        self.news = NewsHub(register=register, limits=limits, faults=faults)
        for hub in (self.trading, self.data, self.news):
            hub.on_listener = self.joined.set

    async def run(self) -> None:
        """Feed the stream that is always on, until cancelled."""
        await fakepaca.run(self.data)

    async def breathe(self) -> None:
        """Let everybody else work, and wait until every client has taken most of what it was sent.

        For a clock that runs as fast as it can: it would outrun any client. One that has not
        taken half of its outbox within `PATIENCE_S` is too slow.
        """
        await asyncio.sleep(0)
        full = [socket for socket in self._sockets() if not socket.is_roomy]
        if full:
            waits = {asyncio.create_task(socket.roomy()): socket for socket in full}
            _, late = await asyncio.wait(waits, timeout=PATIENCE_S)
            for wait in late:
                wait.cancel()
                waits[wait].give_up()

    def frame_counts(self) -> list[dict[str, Any]]:
        """Return how many frames went each way on every open connection."""
        return [
            {"id": socket.name, "heard": socket.heard_count, "sent": socket.sent_count}
            for socket in self._sockets()
            if not socket.is_closing
        ]

    def routes(self) -> list[BaseRoute]:
        """Return the WebSocket routes."""
        feeds = {f"/v2/{name}": feed for name, feed in self.data.feeds.items()}
        return [
            WebSocketRoute("/stream", self.trading.endpoint),
            WebSocketRoute("/stream/", self.trading.endpoint),
            WebSocketRoute("/v1beta1/news", _endpoint(self.news, self.news.feed)),
            *(WebSocketRoute(path, _endpoint(self.data, feed)) for path, feed in feeds.items()),
        ]

    def _sockets(self) -> list[StreamSocket]:
        return [*self.trading.sockets(), *self.data.sockets(), *self.news.sockets()]


def _endpoint(hub: FeedHub, feed: Feed) -> Callable[[WebSocket], Awaitable[None]]:
    async def endpoint(websocket: WebSocket) -> None:
        await hub.serve(websocket, feed)

    return endpoint
