"""The wire of a real run: alpaca-py in threads for requests, websockets for streams."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect

from catalyst_bot.alpaca.access import Access
from catalyst_bot.alpaca.wire import Answer, Host, Socket
from catalyst_bot.domain.errors import ConfigError

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

    from catalyst_bot.alpaca.sdk import Sdk

THREADS = 4  # for each host, so that slow prices never hold up an order
OPEN_TIMEOUT_S = 5.0
PING_S = 10.0  # a half-open connection is noticed within twice this
CLOSE_TIMEOUT_S = 1.0
MAX_FRAME_BYTES = 4 * 2**20


class Network:
    """`Wire` over the network. Raises `ConfigError` when alpaca-py is not installed."""

    def __init__(self, access: Access, adapter: HTTPAdapter | None = None) -> None:
        self._sdk = _load_sdk(access, adapter)
        self._threads = {host: ThreadPoolExecutor(THREADS, f"alpaca-{host}") for host in Host}

    async def ask(
        self, host: Host, method: str, path: str, parts: Mapping[str, Any] | None
    ) -> Answer:
        """See `Wire.ask`: in a thread, which is free again when the request is broken off."""
        from catalyst_bot.alpaca.sdk import Call  # noqa: PLC0415 - loads pandas

        call = Call()

        def work() -> Answer:
            if host is Host.TRADING:
                return self._sdk.trading(call, method, path, parts)
            return self._sdk.data(call, path, parts or {})

        asking = asyncio.get_running_loop().run_in_executor(self._threads[host], work)
        try:
            return await asking
        finally:
            if not asking.done() or asking.cancelled():
                call.abandon()

    def listen(self, url: str) -> AbstractAsyncContextManager[Socket]:
        """See `Wire.listen`."""
        return over_websocket(url)

    def chance(self) -> float:
        """See `Wire.chance`."""
        return random.random()  # noqa: S311  # pauses, not secrets

    def unix_s(self) -> float:
        """See `Wire.unix_s`."""
        return time.time()

    def close(self) -> None:
        """See `Wire.close`."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        self._sdk.close()


class WebSocket:
    """`Socket` over a websocket."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @property
    def name(self) -> str:
        """See `Socket.name`."""
        response = self._connection.response
        return response.headers.get("X-Request-ID", "") if response else ""

    async def send(self, message: str) -> None:
        """See `Socket.send`."""
        await self._connection.send(message)

    async def recv(self) -> str | bytes:
        """See `Socket.recv`."""
        return await self._connection.recv()

    async def close(self) -> None:
        """See `Socket.close`."""
        await self._connection.close()


@asynccontextmanager
async def over_websocket(url: str) -> AsyncIterator[Socket]:
    """Open a websocket to the one host we mean. See `Wire.listen`."""
    async with _Connect(
        url,
        open_timeout=OPEN_TIMEOUT_S,
        ping_interval=PING_S,
        ping_timeout=PING_S,
        close_timeout=CLOSE_TIMEOUT_S,
        max_size=MAX_FRAME_BYTES,
        proxy=None,
        compression=None,
        user_agent_header="catalyst-bot",
    ) as connection:
        yield WebSocket(connection)


class _Connect(connect):
    """A connection to the one host we mean: who is sent elsewhere by a redirect does not go."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _load_sdk(access: Access, adapter: HTTPAdapter | None) -> Sdk:
    try:
        from catalyst_bot.alpaca.sdk import Sdk  # noqa: PLC0415 - loads pandas
    except ImportError as error:
        raise ConfigError(
            f"broker.kind = alpaca needs alpaca-py, which is not installed ({error}): run "
            "`make setup-alpaca`"
        ) from error
    return Sdk(access, adapter)
