"""The three streams served on a free port of this machine, and raw clients for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgpack
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from websockets.asyncio.client import ClientConnection, connect

from catalyst_bot.exchange.fault_gate import FaultGate
from catalyst_bot.exchange.fault_rules import rules_from
from catalyst_bot.exchange.faults import FaultBook
from catalyst_bot.exchange.serve import listen, serve
from catalyst_bot.exchange.streams.hub import StreamHub
from catalyst_bot.exchange.streams.limits import StreamLimits

NOW = datetime(2025, 10, 22, 14, 30, tzinfo=UTC)
KEYS = {("KEY1", "secret1"): "account-1", ("KEY2", "secret2"): "account-2"}
ANSWER_S = 5.0  # how long a test waits for what must come


class TwoAccounts:
    """Knows the accounts of `KEYS`."""

    def __init__(self, keys: dict[tuple[str, str], str] | None = None) -> None:
        self._keys = KEYS if keys is None else keys

    def account_id_of(self, key_id: str, secret: str) -> str | None:
        return self._keys.get((key_id, secret))

    def account_count(self) -> int:
        return len(set(self._keys.values()))


@dataclass
class Served:
    hub: StreamHub
    faults: FaultBook
    port: int
    now: list[datetime]

    def ws(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    def http(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@asynccontextmanager
async def streams(
    *,
    rules: Sequence[dict[str, Any]] = (),
    seed: int = 1,
    limits: StreamLimits | None = None,
    keys: dict[tuple[str, str], str] | None = None,
    routes: Sequence[BaseRoute] = (),
) -> AsyncIterator[Served]:
    """Serve the streams, with faults, beside other routes."""
    now = [NOW]
    faults = FaultBook(seed=seed, now=lambda: now[0])
    faults.add(rules_from({"rules": list(rules)}, "test"))
    hub = StreamHub(
        register=TwoAccounts(keys), limits=limits or StreamLimits(has_sip=True), faults=faults
    )
    app = FaultGate(Starlette(routes=[*hub.routes(), *routes]), faults=faults)
    listener = listen("127.0.0.1", 0)
    served = Served(hub, faults, listener.getsockname()[1], now)
    ready, stop = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        serve(app, listener, beside=[hub.run], on_ready=ready.set, stop=stop)
    )
    await ready.wait()
    try:
        yield served
    finally:
        stop.set()
        await serving


class Client:
    """A raw client that speaks JSON or MessagePack."""

    def __init__(self, socket: ClientConnection, *, speaks_msgpack: bool) -> None:
        self.socket = socket
        self._speaks_msgpack = speaks_msgpack

    async def say(self, message: Any) -> None:
        if self._speaks_msgpack:
            await self.socket.send(msgpack.packb(message))
        else:
            await self.socket.send(json.dumps(message))

    async def raw(self) -> str | bytes:
        async with asyncio.timeout(ANSWER_S):
            return await self.socket.recv()

    async def hear(self) -> Any:
        frame = await self.raw()
        return msgpack.unpackb(frame) if self._speaks_msgpack else json.loads(frame)

    async def ask(self, message: Any) -> Any:
        await self.say(message)
        return await self.hear()

    async def closed(self) -> int:
        """Wait for the end and return its code."""
        async with asyncio.timeout(ANSWER_S):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code


@asynccontextmanager
async def client(
    url: str, *, msgpack_: bool = False, headers: dict[str, str] | None = None
) -> AsyncIterator[Client]:
    more = {"Content-Type": "application/msgpack"} if msgpack_ else {}
    async with connect(url, additional_headers={**more, **(headers or {})}) as socket:
        yield Client(socket, speaks_msgpack=msgpack_)


async def until(is_so: Callable[[], object]) -> None:
    """Let the server work until something is so."""
    async with asyncio.timeout(ANSWER_S):
        while not is_so():  # noqa: ASYNC110 - the server does not tell
            await asyncio.sleep(0)


def trade_update(number: int, *, event: str = "fill", symbol: str = "AAPL") -> dict[str, Any]:
    """A trade update as the exchange publishes it, short of most fields of its order."""
    return {
        "event": event,
        "event_id": f"event-{number}",
        "timestamp": "2025-10-22T14:30:00.1Z",
        "order": {"id": f"order-{number}", "symbol": symbol},
        "price": "10.5",
        "qty": "1",
    }


def trade(number: int, symbol: str = "AAPL") -> dict[str, Any]:
    """A trade as the market publishes it."""
    at = NOW.replace(microsecond=123456)
    return {
        "T": "t", "S": symbol, "i": number, "x": "V", "p": 10.25, "s": 100, "t": at,
        "c": ["@"], "z": "C",
    }  # fmt: skip
