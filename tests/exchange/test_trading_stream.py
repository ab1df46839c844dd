"""The stream of trade updates, spoken to by real clients over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import msgpack
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from catalyst_bot.exchange.streams.limits import StreamLimits
from tests.exchange.sdk import TradingStream
from tests.exchange.stream_server import KEYS, Client, client, streams, trade_update, until

OLD_AUTH = {"action": "authenticate", "data": {"key_id": "KEY1", "secret_key": "secret1"}}
NEW_AUTH = {"action": "auth", "key": "KEY1", "secret": "secret1"}
AUTHORIZED = {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
UNAUTHORIZED = {
    "stream": "authorization",
    "data": {"status": "unauthorized", "action": "authenticate"},
}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}
LISTENING = {"stream": "listening", "data": {"streams": ["trade_updates"]}}


async def signed_in(caller: Client) -> None:
    assert await caller.ask(NEW_AUTH) == AUTHORIZED
    assert await caller.ask(LISTEN) == LISTENING


@pytest.mark.parametrize("path", ["/stream", "/stream/"])
@pytest.mark.parametrize("auth", [OLD_AUTH, NEW_AUTH])
async def test_both_forms_of_signing_in_on_both_paths(path: str, auth: dict[str, Any]) -> None:
    async with streams() as served, client(served.ws(path)) as caller:
        assert await caller.ask(auth) == AUTHORIZED
        assert await caller.ask(LISTEN) == LISTENING
        served.hub.trading.publish("account-1", trade_update(1))
        assert await caller.hear() == {"stream": "trade_updates", "data": trade_update(1)}


async def test_json_goes_out_in_binary_frames() -> None:
    async with streams() as served, client(served.ws("/stream")) as caller:
        await caller.say(OLD_AUTH)
        frame = await caller.raw()
        assert isinstance(frame, bytes)
        assert json.loads(frame) == AUTHORIZED


async def test_content_type_chooses_messagepack() -> None:
    async with streams() as served, client(served.ws("/stream"), msgpack_=True) as caller:
        await signed_in(caller)
        served.hub.trading.publish("account-1", trade_update(1))
        frame = await caller.raw()
        assert isinstance(frame, bytes)
        assert msgpack.unpackb(frame)["data"] == trade_update(1)


async def test_a_messagepack_client_may_send_json_text() -> None:
    async with streams() as served, client(served.ws("/stream"), msgpack_=True) as caller:
        await caller.socket.send(json.dumps(OLD_AUTH))
        assert await caller.hear() == AUTHORIZED


@pytest.mark.parametrize(
    "auth",
    [
        {"action": "authenticate", "data": {"key_id": "KEY1", "secret_key": "wrong"}},
        {"action": "auth", "key": "KEY9", "secret": "secret1"},
        {"action": "auth", "key": 1, "secret": None},
        {"action": "authenticate"},
        {"action": "authenticate", "data": "KEY1"},
    ],
)
async def test_wrong_keys_are_unauthorized_and_may_try_again(auth: dict[str, Any]) -> None:
    async with streams() as served, client(served.ws("/stream")) as caller:
        assert await caller.ask(auth) == UNAUTHORIZED
        assert await caller.ask(NEW_AUTH) == AUTHORIZED


async def test_listening_before_signing_in_is_unauthorized() -> None:
    async with streams() as served, client(served.ws("/stream")) as caller:
        answer = await caller.ask(LISTEN)
        assert answer["data"] == {"status": "unauthorized", "action": "listen"}


async def test_keys_in_the_handshake_sign_in() -> None:
    headers = {"APCA-API-KEY-ID": "KEY1", "APCA-API-SECRET-KEY": "secret1"}
    async with streams() as served, client(served.ws("/stream"), headers=headers) as caller:
        assert await caller.ask(LISTEN) == LISTENING


async def test_a_new_list_replaces_the_old_one_and_unknown_streams_are_left_out() -> None:
    async with streams() as served, client(served.ws("/stream")) as caller:
        await signed_in(caller)
        empty = {"action": "listen", "data": {"streams": []}}
        assert (await caller.ask(empty))["data"] == {"streams": []}
        served.hub.trading.publish("account-1", trade_update(1))
        both = {"action": "listen", "data": {"streams": ["account_updates", "trade_updates"]}}
        assert (await caller.ask(both))["data"] == {"streams": ["trade_updates"]}
        served.hub.trading.publish("account-1", trade_update(2))
        assert (await caller.hear())["data"]["event_id"] == "event-2"


@pytest.mark.parametrize(
    "frame",
    [
        "no json",
        "[]",
        "null",
        '{"action": "dance"}',
        '{"action": ["listen"]}',
        b"\xc1",
        b"",
        '{"action": "listen", "data": {"streams": "trade_updates"}}',
    ],
)
async def test_a_bad_frame_is_told_and_the_socket_closed(frame: str | bytes) -> None:
    async with streams() as served, client(served.ws("/stream")) as caller:
        await caller.ask(NEW_AUTH)
        await caller.socket.send(frame)
        answer = await caller.hear()
        assert answer["action"] == "error"
        assert answer["data"]["error_message"]
        await caller.closed()


async def test_accounts_hear_only_of_their_own_orders_in_order() -> None:
    async with (
        streams() as served,
        client(served.ws("/stream")) as one,
        client(served.ws("/stream")) as two,
    ):
        await signed_in(one)
        await two.ask({"action": "auth", "key": "KEY2", "secret": "secret2"})
        await two.ask(LISTEN)
        for number in range(200):
            served.hub.trading.publish(f"account-{1 + number % 2}", trade_update(number))
        heard = [(await one.hear())["data"]["event_id"] for _ in range(100)]
        assert heard == [f"event-{number}" for number in range(0, 200, 2)]
        heard = [(await two.hear())["data"]["event_id"] for _ in range(100)]
        assert heard == [f"event-{number}" for number in range(1, 200, 2)]


async def test_a_second_connection_of_the_only_account_meets_429_until_the_first_is_gone() -> None:
    one_account = {("KEY1", "secret1"): "account-1"}
    async with streams(keys=one_account) as served:
        async with client(served.ws("/stream")) as first:
            await signed_in(first)
            with pytest.raises(InvalidStatus) as refused:
                await connect(served.ws("/stream"))
            assert refused.value.response.status_code == 429
        async with client(served.ws("/stream")) as again:
            await signed_in(again)


async def test_an_account_named_in_the_handshake_meets_429_alone() -> None:
    headers = {"APCA-API-KEY-ID": "KEY1", "APCA-API-SECRET-KEY": "secret1"}
    async with streams() as served, client(served.ws("/stream")) as first:
        await signed_in(first)
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.ws("/stream"), additional_headers=headers)
        assert refused.value.response.status_code == 429
        async with client(served.ws("/stream")) as other:
            auth = {"action": "auth", "key": "KEY2", "secret": "secret2"}
            assert await other.ask(auth) == AUTHORIZED


async def test_an_account_that_turns_out_to_be_connected_already_is_closed() -> None:
    async with (
        streams() as served,
        client(served.ws("/stream")) as first,
        client(served.ws("/stream")) as second,
    ):
        await signed_in(first)
        answer = await second.ask(NEW_AUTH)
        assert answer == {"action": "error", "data": {"error_message": "connection limit exceeded"}}
        await second.closed()
        served.hub.trading.publish("account-1", trade_update(1))
        assert (await first.hear())["data"]["event_id"] == "event-1"


async def test_without_a_limit_every_connection_hears_everything() -> None:
    limits = StreamLimits(connections=0)
    async with (
        streams(limits=limits, keys={("KEY1", "secret1"): "account-1"}) as served,
        client(served.ws("/stream")) as first,
        client(served.ws("/stream")) as second,
    ):
        await signed_in(first)
        await signed_in(second)
        served.hub.trading.publish("account-1", trade_update(1))
        assert await first.hear() == await second.hear()


async def test_who_does_not_sign_in_is_closed() -> None:
    limits = StreamLimits(auth_timeout_s=0.05)
    async with streams(limits=limits) as served, client(served.ws("/stream")) as caller:
        assert await caller.hear() == UNAUTHORIZED
        await caller.closed()


async def test_a_client_that_does_not_read_is_given_up_and_nobody_waits() -> None:
    limits = StreamLimits(outbox_bytes=20_000)
    async with streams(limits=limits) as served, client(served.ws("/stream")) as fast:
        auth = {"action": "auth", "key": "KEY2", "secret": "secret2"}
        await fast.ask(auth)
        await fast.ask(LISTEN)
        with socket.create_connection(("127.0.0.1", served.port)) as stalled:
            await asyncio.to_thread(_shake_hands, stalled)
            stalled.sendall(_frame(NEW_AUTH) + _frame(LISTEN))  # and never reads again
            await until(lambda: served.hub.trading.listeners("account-1"))
            number = 0
            while served.hub.trading.listeners("account-1"):
                update = trade_update(number) | {"pad": "x" * 10_000}
                served.hub.trading.publish("account-1", update)
                number += 1
                await asyncio.sleep(0)
        served.hub.trading.publish("account-2", trade_update(1))
        assert (await fast.hear())["data"]["event_id"] == "event-1"


async def test_the_sdk_of_alpaca_hears_its_updates() -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    stream = TradingStream(*next(iter(KEYS)), raw_data=True, url_override="ws://127.0.0.1")

    async def on_update(update: Any) -> None:
        await heard.put(update)

    async with streams() as served:
        stream._endpoint = served.ws("/stream")
        stream.subscribe_trade_updates(on_update)
        running = asyncio.create_task(stream._run_forever())
        await until(lambda: served.hub.trading.listeners("account-1"))
        served.hub.trading.publish("account-1", trade_update(1))
        async with asyncio.timeout(5):
            assert (await heard.get())["data"] == trade_update(1)
        await stream.stop_ws()
        await stream._ws.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _shake_hands(raw: socket.socket) -> None:
    raw.sendall(
        b"GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += raw.recv(1024)
    assert heard.startswith(b"HTTP/1.1 101 ")


def _frame(message: Any) -> bytes:
    payload = json.dumps(message).encode()
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload)]) + b"\0\0\0\0" + payload
