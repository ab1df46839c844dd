"""A load of orders over HTTP: `python -m benchmarks.exchange_load PORT KEY SECRET`.

Each connection posts a limit order far from the market and cancels it, so that the number of open
orders stays what it was. One JSON object comes out: requests a second and the latency of each
kind of request in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field

CONNECTIONS = 8


@dataclass
class Caller:
    """One connection that is kept alive."""

    port: int
    key: str
    secret: str
    milliseconds: dict[str, list[float]] = field(default_factory=dict)

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Ask once and keep how long it took."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAPCA-API-KEY-ID: {self.key}\r\n"
            f"APCA-API-SECRET-KEY: {self.secret}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        started = time.perf_counter()
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        status = int(answer[9:12])
        length = 0
        for line in answer.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        content = await self._reader.readexactly(length) if length else b""
        self.milliseconds.setdefault(method, []).append((time.perf_counter() - started) * 1000)
        return status, content

    async def order(self) -> str:
        """Post an order that rests; return its id."""
        body = {
            "symbol": self.symbol,
            "qty": "1",
            "side": "buy",
            "type": "limit",
            "limit_price": "1.00",
            "time_in_force": "gtc",
        }
        status, content = await self.ask("POST", "/v2/orders", json.dumps(body).encode())
        if status != 200:
            raise SystemExit(f"POST /v2/orders: {status} {content[:200]!r}")
        found: str = json.loads(content)["id"]
        return found

    symbol: str = ""


async def load(port: int, key: str, secret: str, *, open_orders: int, seconds: float) -> dict:
    """Fill the book, then post and cancel for so long."""
    callers = [Caller(port, key, secret) for _ in range(CONNECTIONS)]
    for caller in callers:
        await caller.open()
    _, assets = await callers[0].ask("GET", "/v2/assets")
    for caller in callers:
        caller.symbol = json.loads(assets)[0]["symbol"]
    for _ in range(open_orders):
        await callers[0].order()
    for caller in callers:
        caller.milliseconds.clear()
    until = time.perf_counter() + seconds

    async def work(caller: Caller) -> None:
        while time.perf_counter() < until:
            order_id = await caller.order()
            status, content = await caller.ask("DELETE", f"/v2/orders/{order_id}")
            if status != 204:
                raise SystemExit(f"DELETE: {status} {content[:200]!r}")

    started = time.perf_counter()
    await asyncio.gather(*(work(caller) for caller in callers))
    took_s = time.perf_counter() - started
    took_ms = {
        method: sorted(ms for caller in callers for ms in caller.milliseconds[method])
        for method in ("POST", "DELETE")
    }
    return {
        "requests_per_s": sum(map(len, took_ms.values())) / took_s,
        "post_p50_ms": took_ms["POST"][len(took_ms["POST"]) // 2],
        "post_p99_ms": took_ms["POST"][int(len(took_ms["POST"]) * 0.99)],
        "delete_p99_ms": took_ms["DELETE"][int(len(took_ms["DELETE"]) * 0.99)],
        "posts": len(took_ms["POST"]),
    }


if __name__ == "__main__":
    told = asyncio.run(
        load(int(sys.argv[1]), sys.argv[2], sys.argv[3], open_orders=500, seconds=5.0)
    )
    print(json.dumps(told))
