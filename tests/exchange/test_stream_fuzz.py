"""Whatever arrives on a socket: Alpaca's error codes or a close, no fault of the server."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from catalyst_bot.exchange.streams.data import ERRORS
from catalyst_bot.exchange.streams.wire import BadFrame, decode
from tests.exchange.stream_server import Client, Served, client, streams, trade_update

AUTH = {"action": "auth", "key": "KEY1", "secret": "secret1"}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}
FEW = settings(max_examples=40, suppress_health_check=list(HealthCheck))

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["*", "AAPL", "trade_updates", "KEY1", "secret1"])
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
keys = st.sampled_from(
    ["action", "data", "key", "secret", "trades", "quotes", "bars", "news", "streams", "lulds"]
)
actions = st.sampled_from(["auth", "authenticate", "listen", "subscribe", "unsubscribe", "", "x"])
messages = st.dictionaries(keys, values, max_size=4) | st.builds(
    lambda action, more: {**more, "action": action}, actions, st.dictionaries(keys, values)
)
frames = (
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace").decode())
    | messages.map(json.dumps)
    | messages.map(lambda message: json.dumps(message).encode())
    | messages.map(_packed := lambda message: msgpack.packb(message, default=str))
    | st.just("[" * 100_000)
    | st.just(b"\x91" * 100_000)
    | st.just(b"\xdd\xff\xff\xff\xff")
)


@pytest.fixture
def server_errors(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What the server wrote down as a fault of its own."""
    caplog.set_level(logging.ERROR)
    return lambda: [record.getMessage() for record in caplog.records]


async def _pelt(url: str, sent: list[str | bytes], *, speaks_msgpack: bool) -> list[Any]:
    """Send frames to a socket until it closes; return what it said."""
    heard: list[Any] = []
    async with client(url, msgpack_=speaks_msgpack) as caller:
        try:
            for frame in sent:
                await caller.socket.send(frame)
            await caller.socket.send(json.dumps(AUTH))
            await caller.socket.ping()
            while True:
                frame = await asyncio.wait_for(caller.socket.recv(), 0.05)
                heard.append(decode(frame))
        except (ConnectionClosed, TimeoutError):
            return heard


async def _lives(served: Served, path: str, ask: Callable[[Client], Awaitable[None]]) -> None:
    async with client(served.ws(path)) as caller:
        await ask(caller)


@pytest.mark.parametrize("path", ["/v2/iex", "/v1beta1/news"])
def test_data_streams_answer_with_their_codes(
    path: str, server_errors: Callable[[], list[str]]
) -> None:
    @FEW
    @given(sent=st.lists(frames, min_size=1, max_size=4), speaks_msgpack=st.booleans())
    def pelted(sent: list[str | bytes], speaks_msgpack: bool) -> None:
        async def run() -> None:
            async with streams() as served:
                heard = await _pelt(served.ws(path), sent, speaks_msgpack=speaks_msgpack)
                for batch in heard:
                    for message in batch:
                        if message["T"] == "error":
                            assert message["msg"] == ERRORS[message["code"]]
                        else:
                            assert message["T"] in {"success", "subscription"}

                async def signs_in(caller: Client) -> None:
                    await caller.hear()
                    assert (await caller.ask(AUTH))[0]["msg"] == "authenticated"

                await _lives(served, path, signs_in)

        asyncio.run(run())

    pelted()
    assert server_errors() == []


def test_the_trading_stream_answers_or_closes(server_errors: Callable[[], list[str]]) -> None:
    @FEW
    @given(sent=st.lists(frames, min_size=1, max_size=4), speaks_msgpack=st.booleans())
    def pelted(sent: list[str | bytes], speaks_msgpack: bool) -> None:
        async def run() -> None:
            async with streams() as served:
                heard = await _pelt(served.ws("/stream"), sent, speaks_msgpack=speaks_msgpack)
                for message in heard:
                    assert message.get("stream") in {"authorization", "listening", None}
                    if "stream" not in message:
                        assert message["action"] == "error"

                async def hears(caller: Client) -> None:
                    await caller.ask(AUTH)
                    await caller.ask(LISTEN)
                    served.hub.trading.publish("account-1", trade_update(1))
                    assert (await caller.hear())["data"]["event_id"] == "event-1"

                await _lives(served, "/stream", hears)

        asyncio.run(run())

    pelted()
    assert server_errors() == []


@settings(max_examples=500)
@given(st.binary(max_size=64) | messages.map(_packed) | messages.map(json.dumps))
def test_a_frame_is_read_or_refused(frame: str | bytes) -> None:
    try:
        decode(frame)
    except BadFrame:
        return


@pytest.mark.parametrize("raw", [b"\xff\xfe not text", b"\x81\x05hello", b"\x83\x80\0\0\0\0"])
async def test_bytes_that_are_no_frames_end_the_connection_only(raw: bytes) -> None:
    async with streams() as served:
        async with client(served.ws("/v2/iex")) as caller:
            await caller.hear()
            caller.socket.transport.write(raw)
            assert await caller.closed() in {1002, 1006, 1007}
        async with client(served.ws("/v2/iex")) as again:
            await again.hear()
            assert (await again.ask(AUTH))[0]["msg"] == "authenticated"


async def test_a_message_that_is_too_long_ends_the_connection_only() -> None:
    async with streams() as served:
        async with client(served.ws("/v2/iex")) as caller:
            await caller.hear()
            await caller.socket.send("x" * 2_000_000)
            assert await caller.closed() in {1006, 1009}
        async with client(served.ws("/v2/iex")) as again:
            assert (await again.hear())[0]["msg"] == "connected"
