"""Every answer is one of three: usable, a no, or nothing we can rely on."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from catalyst_bot.alpaca import client as client_module
from catalyst_bot.alpaca import network, sdk
from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.wire import Host
from catalyst_bot.domain.errors import ConfigError

ACCESS = access_of(
    base_url="http://localhost",
    data_url="http://127.0.0.1",
    environ={"ALPACA_API_KEY": "key", "ALPACA_SECRET": "hidden-secret"},
)


class Canned(BaseAdapter):
    """Answers every request with one response, or with a fault of the network."""

    def __init__(self, status: int, body: str = "", fault: Exception | None = None) -> None:
        super().__init__()
        self.status, self.body, self.fault = status, body, fault
        self.requests: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.requests.append(request)
        if self.fault is not None:
            raise self.fault
        response = requests.Response()
        response.status_code, response.request = self.status, request
        response.headers["Location"] = "http://localhost/elsewhere"
        response._content = self.body.encode()
        return response

    def close(self) -> None:
        """Nothing is open."""


async def ask(status: int, body: str = "", method: str = "GET") -> object:
    adapter = Canned(status, body)
    async with AlpacaClient(ACCESS, adapter=adapter) as client:
        try:
            return await client.trading(method, "/v2/x", body={} if method == "POST" else None)
        finally:
            assert len(adapter.requests) == 1  # nothing is repeated


async def test_answers():
    assert await ask(200, '{"a": "1"}') == {"a": "1"}
    assert await ask(204) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, '{"code":50010000,"message":"internal server error"}'),
        (502, "<html>"),
        (504, ""),
        (302, ""),
        (200, "<html>"),
        (200, '{"qty": NaN}'),
        (200, '{"qty": -Infinity}'),
    ],
)
async def test_what_cannot_be_relied_on_is_silence(status: int, body: str):
    with pytest.raises(AlpacaSilent):
        await ask(status, body)


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, '{"message":"unauthorized."}\n', "keys"),
        (403, '{"message":"forbidden."}', "keys"),
        (403, "<html>nginx</html>", "keys"),
        (403, '{"code":40110000,"message":"request is not authorized"}', "keys"),
        (403, '{"code":40310000,"message":"insufficient buying power"}', "order"),
        (403, '{"message":"cannot have a short sell order open"}', "order"),
        (404, '{"code":40410000,"message":"order not found for x"}', "unknown"),
        (422, '{"code":40010001,"message":"client_order_id must be unique"}', "duplicate"),
        (422, '{"code":40010001,"message":"qty must be > 0"}', "order"),
        (429, '{"code":42910000,"message":"rate limit exceeded"}', "rate limit"),
        (429, "", "rate limit"),
        (400, "[]", "order"),
    ],
)
async def test_a_no_says_what_it_is_about(status: int, body: str, says: str):
    with pytest.raises(AlpacaRefused) as refused:
        await ask(status, body)
    error = refused.value
    found = {
        "keys": error.is_about_keys,
        "unknown": error.is_unknown,
        "duplicate": error.is_duplicate,
        "rate limit": error.is_rate_limit,
    }
    assert [name for name, is_so in found.items() if is_so] == ([says] if says != "order" else [])


async def test_a_long_message_is_one_bounded_line():
    with pytest.raises(AlpacaRefused) as refused:
        await ask(422, '{"message":"' + "word\\n" * 500 + '"}')
    assert len(str(refused.value)) <= 200
    assert "\n" not in str(refused.value)


async def test_a_broken_connection_is_silence_and_shows_no_key():
    adapter = Canned(0, fault=requests.ConnectionError("connection reset"))
    async with AlpacaClient(ACCESS, adapter=adapter) as client:
        with pytest.raises(AlpacaSilent, match="ConnectionError: connection reset") as silent:
            await client.trading("GET", "/v2/x")
    assert "hidden-secret" not in str(silent.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_an_order_is_never_posted_twice_by_the_sdk(status: int):
    with pytest.raises((AlpacaRefused, AlpacaSilent)):
        await ask(status, "{}", "POST")


async def test_the_keys_and_the_words_are_as_alpaca_wants_them():
    adapter = Canned(200, "{}")
    async with AlpacaClient(ACCESS, adapter=adapter) as client:
        await client.trading("POST", "/v2/orders", body={"qty": "1.5", "limit_price": "90.5"})
        await client.trading("GET", "/v2/orders", query={"nested": "true"})
        await client.data("/v1beta1/news", {"limit": "50"})
        await client.data("/v2/stocks/bars", {"symbols": "ACME,SPY"})
        await client.data("/v1/corporate-actions", {"symbols": "ACME"})
    assert [(r.method, r.url) for r in adapter.requests] == [
        ("POST", "http://localhost/v2/orders"),
        ("GET", "http://localhost/v2/orders?nested=true"),
        ("GET", "http://127.0.0.1/v1beta1/news?limit=50"),
        ("GET", "http://127.0.0.1/v2/stocks/bars?symbols=ACME%2CSPY"),
        ("GET", "http://127.0.0.1/v1/corporate-actions?symbols=ACME"),
    ]
    assert json.loads(adapter.requests[0].body or b"") == {"qty": "1.5", "limit_price": "90.5"}
    assert adapter.requests[0].headers["APCA-API-KEY-ID"] == "key"


def drip(listener: socket.socket, piece: bytes, gap_s: float) -> None:
    """Send a piece again and again, until the other side is gone."""
    with suppress(OSError):
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            for part in (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n", *[piece] * 10_000):
                connection.sendall(part)
                time.sleep(gap_s)


@pytest.mark.parametrize("piece", [b"X-Slow: 1\r\n", b"\r\n"])
async def test_a_drip_of_bytes_is_silence_and_frees_its_thread(
    piece: bytes, monkeypatch: pytest.MonkeyPatch
):
    """Headers that never end, and (after the blank line) a body that does not."""
    monkeypatch.setattr(client_module, "TIMEOUT_S", 0.2)
    monkeypatch.setattr(network, "THREADS", 1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        dripping = threading.Thread(target=drip, args=(listener, piece, 0.01))
        dripping.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with AlpacaClient(replace(ACCESS, base_url=url)) as client:
            with pytest.raises(AlpacaSilent, match="no answer"):
                await client.trading("GET", "/v2/x")
            freed = asyncio.get_running_loop().run_in_executor(
                client.wire._threads[Host.TRADING], int
            )
            assert await freed == 0  # the one thread works again
        await asyncio.to_thread(dripping.join)


async def test_a_gzip_bomb_is_silence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sdk, "MAX_BYTES", 2**20)

    class Bomb(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            packed = gzip.compress(bytes(50 * 2**20))
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(packed)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(packed)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bomb)
    threading.Thread(target=server.serve_forever).start()
    try:
        access = replace(ACCESS, base_url=f"http://127.0.0.1:{server.server_port}")
        async with AlpacaClient(access) as client:
            with pytest.raises(AlpacaSilent, match="more than"):
                await client.trading("GET", "/v2/x")
    finally:
        server.shutdown()
        server.server_close()


async def test_without_the_sdk_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "catalyst_bot.alpaca.sdk", None)
    with pytest.raises(ConfigError, match="make setup-alpaca"):
        AlpacaClient(ACCESS)
