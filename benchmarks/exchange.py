"""Order requests over HTTP at 500 open orders: the real command, the client beside it.

Four connections, one request under way on each; three of four requests place a limit order, the
fourth cancels one. The exchange keeps everything in a file.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.line import ROUNDS, Line, quantile

RESTING, REQUESTS, CONNECTIONS = 500, 4_000, 4
_CHUNK_BYTES = 65_536
_ID = slice(7, 43)  # an order's body begins with {"id":"
_KNOBS = "rate_limit_per_min = 0\n"


def lines() -> list[Line]:
    """Measure requests per second and the slowest hundredth."""
    rounds = [_measure() for _ in range(ROUNDS)]
    rates = sorted(rate for rate, _ in rounds)
    slowest = sorted(p99_ms for _, p99_ms in rounds)
    job = f"exchange, {RESTING} open orders, {CONNECTIONS} connections"
    return [
        Line(
            job=f"{job}: order requests over HTTP",
            unit="requests/s",
            value=rates[len(rates) // 2],
            target=1_500,
            note="each in one SQLite transaction; client on the same machine",
        ),
        Line(
            job=f"{job}: answer, p99",
            unit="ms",
            value=slowest[len(slowest) // 2],
            target=10,
            is_less_better=True,
        ),
    ]


@dataclass
class _Client:
    """Sends requests on one connection and reads the answers."""

    address: tuple[str, int]
    keys: tuple[str, str]
    buffer: bytes = b""
    sent_at: float = 0.0
    socket: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.socket = socket.create_connection(self.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: exchange\r\nAPCA-API-KEY-ID: {self.keys[0]}\r\n"
            f"APCA-API-SECRET-KEY: {self.keys[1]}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self.sent_at = time.perf_counter()
        self.socket.sendall(head.encode() + content)

    def read(self) -> tuple[int, bytes]:
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(_CHUNK_BYTES)
        head, _, rest = self.buffer.partition(b"\r\n\r\n")
        length = 0
        for header in head.split(b"\r\n"):
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(rest) < length:
            rest += self.socket.recv(_CHUNK_BYTES)
        self.buffer = rest[length:]
        return int(head[9:12]), rest[:length]

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        self.send(method, path, body)
        status, answer = self.read()
        assert status < 300, answer
        return answer


def _measure() -> tuple[float, float]:
    """Return requests per second, and the milliseconds within which 99 % were answered."""
    with tempfile.TemporaryDirectory() as folder, _served(Path(folder)) as (address, keys):
        clients = [_Client(address, keys) for _ in range(CONNECTIONS)]
        symbols = [row["symbol"] for row in json.loads(clients[0].ask("GET", "/v2/assets"))]
        for number in range(RESTING):
            order = _order(symbols[number % len(symbols)], "gtc", "1.50")
            clients[0].ask("POST", "/v2/orders", order)
        start = time.perf_counter()
        waits_s = _drive(clients, symbols)
        seconds = time.perf_counter() - start
        for client in clients:
            client.socket.close()
        return len(waits_s) / seconds, 1_000 * quantile(waits_s, 0.99)


def _drive(clients: list[_Client], symbols: list[str]) -> list[float]:
    """Keep one request under way on every connection; return how long each took."""
    waits_s: list[float] = []
    ids: list[str] = []
    numbers = iter(range(REQUESTS))

    def go_on(client: _Client) -> None:
        number = next(numbers, None)
        if number is None:
            return
        if number % 4 == 3 and ids:
            client.send("DELETE", f"/v2/orders/{ids.pop()}")
        else:
            client.send("POST", "/v2/orders", _order(symbols[number % len(symbols)], "day", "1.25"))

    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
            go_on(client)
        while len(waits_s) < REQUESTS:
            for ready, _ in selector.select():
                status, body = ready.data.read()
                waits_s.append(time.perf_counter() - ready.data.sent_at)
                assert status in {200, 204}, body
                if body:
                    ids.append(body[_ID].decode())
                go_on(ready.data)
    return waits_s


def _order(symbol: str, lives: str, limit_price: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "qty": "1",
        "side": "buy",
        "type": "limit",
        "time_in_force": lives,
        "limit_price": limit_price,
    }


@contextmanager
def _served(folder: Path) -> Iterator[tuple[tuple[str, int], tuple[str, str]]]:
    """Serve the generated session; yield address and keys."""
    knobs = folder / "knobs.toml"
    knobs.write_text(_KNOBS, encoding="utf-8")
    flags = ("--port", "0", "--db", str(folder / "exchange.db"), "--knobs", str(knobs))
    command = (sys.executable, "-m", "catalyst_bot", "exchange", "serve", *flags)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        given = dict(word.split("=", 1) for word in words if "=" in word)
        host, _, port = words[2].removeprefix("http://").rpartition(":")
        try:
            yield (host, int(port)), (given["key"], given["secret"])
        finally:
            process.terminate()
