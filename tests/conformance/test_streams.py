"""The three sockets spoken to frame by frame: handshakes, channels, limits and error codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgpack
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.conformance.conftest import Serve
from tests.conformance.refusals import limit, market
from tests.conformance.served import ANSWER_S, Exchange, Keys

MSGPACK = {"Content-Type": "application/msgpack"}
STOCK_CHANNELS = ("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds")


class Talk:
    """One side of a conversation over a socket."""

    def __init__(self, socket: ClientConnection, *, speaks_msgpack: bool = False) -> None:
        self.socket = socket
        self._speaks_msgpack = speaks_msgpack

    async def say(self, message: Any) -> None:
        if not isinstance(message, str | bytes):
            message = msgpack.packb(message) if self._speaks_msgpack else json.dumps(message)
        await self.socket.send(message)

    async def frame(self) -> str | bytes:
        return await asyncio.wait_for(self.socket.recv(), ANSWER_S)

    async def hear(self) -> Any:
        frame = await self.frame()
        if self._speaks_msgpack:
            return msgpack.unpackb(frame, timestamp=3)
        return json.loads(frame)

    async def ask(self, message: Any) -> Any:
        await self.say(message)
        return await self.hear()

    async def until(self, kind: str) -> dict[str, Any]:
        """Listen until a message of a kind comes."""
        while True:
            for message in await self.hear():
                if message["T"] == kind:
                    return dict(message)


@asynccontextmanager
async def talk(
    exchange: Exchange, path: str, *, headers: dict[str, str] | None = None
) -> AsyncIterator[Talk]:
    url = exchange.ws(path)
    async with connect(url, additional_headers=headers or {}, max_queue=None) as socket:
        yield Talk(socket, speaks_msgpack=bool(headers and headers.items() >= MSGPACK.items()))


@asynccontextmanager
async def signed_in(
    exchange: Exchange, keys: Keys, path: str = "/v2/iex", headers: dict[str, str] | None = None
) -> AsyncIterator[Talk]:
    async with talk(exchange, path, headers=headers) as data:
        assert await data.hear() == [{"T": "success", "msg": "connected"}]
        assert await data.ask(auth(keys)) == [{"T": "success", "msg": "authenticated"}]
        yield data


def auth(keys: Keys) -> dict[str, str]:
    return {"action": "auth", "key": keys.key, "secret": keys.secret}


def authenticate(keys: Keys) -> dict[str, Any]:
    data = {"key_id": keys.key, "secret_key": keys.secret}
    return {"action": "authenticate", "data": data}


def authorization(status: str, action: str = "authenticate") -> dict[str, Any]:
    return {"stream": "authorization", "data": {"status": status, "action": action}}


def error(code: int, text: str) -> list[dict[str, Any]]:
    return [{"T": "error", "code": code, "msg": text}]


def fails_with(code: int, text: str) -> Any:
    return pytest.mark.proves(f"stream error: {code} {text}")


LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}
LISTENING = {"stream": "listening", "data": {"streams": ["trade_updates"]}}


@pytest.mark.proves("WS /stream", "WS /stream/", "stream: trade_updates")
@pytest.mark.parametrize("path", ["/stream", "/stream/"])
@pytest.mark.parametrize("headers", [{}, MSGPACK])
async def test_trade_updates_in_both_encodings(
    exchange: Exchange, keys: Keys, path: str, headers: dict[str, str]
):
    async with talk(exchange, path, headers=headers) as trading:
        assert await trading.ask(authenticate(keys)) == authorization("authorized")
        assert await trading.ask(LISTEN) == LISTENING
        with exchange.client(keys) as client:
            placed = client.post("/v2/orders", json=market(quantity=2)).json()
        frames = [await trading.frame() for _ in range(2)]
    assert all(isinstance(frame, bytes) for frame in frames)
    unpack = msgpack.unpackb if headers else json.loads
    told = [unpack(frame) for frame in frames]
    assert [update["stream"] for update in told] == ["trade_updates"] * 2
    assert [update["data"]["event"] for update in told] == ["new", "fill"]
    fill = told[1]["data"]
    assert fill["order"]["id"] == placed["id"]
    assert (fill["qty"], fill["position_qty"]) == ("2", "2")
    assert fill["price"] == fill["order"]["filled_avg_price"]
    assert {"event_id", "execution_id", "timestamp"} <= set(fill)


@pytest.mark.proves("WS /stream")
async def test_the_other_form_of_signing_in_and_a_list_that_replaces(
    exchange: Exchange, keys: Keys
):
    async with talk(exchange, "/stream") as trading:
        refused = await trading.ask(LISTEN)
        assert refused == authorization("unauthorized", "listen")
        wrong = {"action": "auth", "key": keys.key, "secret": "wrong"}
        assert (await trading.ask(wrong))["data"]["status"] == "unauthorized"
        assert (await trading.ask(auth(keys)))["data"]["status"] == "authorized"
        both = {"action": "listen", "data": {"streams": ["trade_updates", "weather"]}}
        assert await trading.ask(both) == LISTENING
        nothing = {"action": "listen", "data": {"streams": []}}
        assert (await trading.ask(nothing))["data"]["streams"] == []


@pytest.mark.proves("WS /stream")
async def test_a_second_connection_waits_for_the_end_of_the_first(exchange: Exchange, keys: Keys):
    async with talk(exchange, "/stream") as first:
        await first.ask(authenticate(keys))
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            async with talk(exchange, "/stream", headers=keys.headers) as second:
                await second.ask(authenticate(keys))
    async with talk(exchange, "/stream") as third:
        assert await third.ask(authenticate(keys)) == authorization("authorized")


@pytest.mark.proves("WS /v2/iex", *(f"stream: {channel}" for channel in STOCK_CHANNELS))
async def test_every_channel_of_stocks(exchange: Exchange, keys: Keys):
    async with signed_in(exchange, keys, headers=MSGPACK) as data:
        wanted = {channel: ["TREND"] for channel in STOCK_CHANNELS}
        (state,) = await data.ask({"action": "subscribe", **wanted})
        implied = {"corrections": ["TREND"], "cancelErrors": ["TREND"]}
        assert state == {"T": "subscription", **wanted, **implied}
        exchange.halt("TREND")
        exchange.advance_by(seconds=1)
        status = await data.until("s")
        exchange.resume("TREND")
        exchange.advance_by(minutes=1)
        found = {kind: await data.until(kind) for kind in ("s", "t", "q")}
        await asyncio.to_thread(exchange.advance_by, minutes=40)
        found |= {kind: await data.until(kind) for kind in ("b", "d", "l", "u")}
    assert status["sc"] in {"H", "2"}
    for kind, keys_of in {
        "t": "S i x p s t c z",
        "q": "S ax ap as bx bp bs t c z",
        "b": "S o h l c v n vw t",
        "u": "S o h l c v n vw t",
        "d": "S o h l c v n vw t",
        "s": "S sc sm rc rm t z",
        "l": "S u d i t z",
    }.items():
        assert set(found[kind]) == {"T", *keys_of.split()}, kind
        assert found[kind]["S"] == "TREND"
        assert found[kind]["t"].tzinfo is not None  # an extension of MessagePack, not text


@pytest.mark.proves("WS /v2/iex", "WS /v2/sip", "WS /v1beta1/news")
async def test_keys_in_the_handshake_and_json(serving: Serve):
    with serving(has_sip=True) as exchange:
        keys = exchange.new_account()
        for path in ("/v2/iex", "/v2/sip", "/v1beta1/news"):
            async with talk(exchange, path, headers=keys.headers) as data:
                assert await data.hear() == [{"T": "success", "msg": "connected"}]
                assert await data.hear() == [{"T": "success", "msg": "authenticated"}]
        async with signed_in(exchange, keys, "/v2/sip") as data:
            many = [f"S{number}" for number in range(200)]
            (state,) = await data.ask({"action": "subscribe", "trades": many, "quotes": ["WAVE"]})
            assert state["trades"] == many
            await asyncio.to_thread(exchange.advance_by, seconds=30)
            quote = await data.until("q")
            assert quote["t"].endswith("Z")
            await data.say({"action": "unsubscribe", "trades": many})
            state = await data.until("subscription")
            assert (state["trades"], state["quotes"]) == ([], ["WAVE"])


@fails_with(400, "invalid syntax")
@pytest.mark.parametrize(
    "frame",
    ["{", "[]", '{"action":"sing"}', '{"action":"subscribe","trades":"WAVE"}',
     '{"action":"subscribe","trades":[""]}', b"\xc1"],
)  # fmt: skip
async def test_what_is_no_message(exchange: Exchange, keys: Keys, frame: str | bytes):
    async with signed_in(exchange, keys) as data:
        assert await data.ask(frame) == error(400, "invalid syntax")
        assert (await data.ask({"action": "subscribe", "trades": ["WAVE"]}))[0]["trades"]


@fails_with(401, "not authenticated")
@fails_with(402, "auth failed")
@fails_with(403, "already authenticated")
async def test_the_order_of_signing_in(exchange: Exchange, keys: Keys):
    async with talk(exchange, "/v2/iex") as data:
        await data.hear()
        early = {"action": "subscribe", "trades": ["WAVE"]}
        assert await data.ask(early) == error(401, "not authenticated")
        wrong = {"action": "auth", "key": keys.key, "secret": "wrong"}
        assert await data.ask(wrong) == error(402, "auth failed")
        assert await data.ask(auth(keys)) == [{"T": "success", "msg": "authenticated"}]
        assert await data.ask(auth(keys)) == error(403, "already authenticated")


@fails_with(404, "auth timeout")
async def test_who_never_signs_in(serving: Serve):
    with serving(auth_timeout_s=0.2) as exchange:
        async with talk(exchange, "/v2/iex") as data:
            await data.hear()
            assert await data.hear() == error(404, "auth timeout")
            with pytest.raises(ConnectionClosed):
                await data.hear()


@fails_with(405, "symbol limit exceeded")
@fails_with(410, "invalid subscribe action for this feed")
async def test_limits_of_a_feed(exchange: Exchange, keys: Keys):
    async with signed_in(exchange, keys) as data:
        thirty = [f"S{number}" for number in range(30)]
        (state,) = await data.ask({"action": "subscribe", "trades": thirty})
        one_more = await data.ask({"action": "subscribe", "quotes": ["WAVE"]})
        assert one_more == error(405, "symbol limit exceeded")
        news = await data.ask({"action": "subscribe", "news": ["*"]})
        assert news == error(410, "invalid subscribe action for this feed")
        assert await data.ask({"action": "subscribe", "bars": ["*"]}) == [state | {"bars": ["*"]}]


@fails_with(406, "connection limit exceeded")
@fails_with(409, "insufficient subscription")
async def test_limits_of_an_account(exchange: Exchange, keys: Keys):
    async with signed_in(exchange, keys):
        async with talk(exchange, "/v2/iex") as second:
            await second.hear()
            assert await second.ask(auth(keys)) == error(406, "connection limit exceeded")
        async with talk(exchange, "/v2/sip") as sip:
            await sip.hear()
            assert await sip.ask(auth(keys)) == error(409, "insufficient subscription")
        async with signed_in(exchange, keys, "/v1beta1/news") as news:
            (state,) = await news.ask({"action": "subscribe", "news": ["WAVE"]})
            assert state["news"] == ["WAVE"]


@fails_with(500, "internal error")
async def test_a_fault_of_the_exchange_on_purpose(exchange: Exchange, keys: Keys):
    rule = {"stream": "data", "match": {"on": "connect"}, "action": {"error": True}}
    exchange.admin("POST", "/admin/faults", json={"rules": [rule | {"when": {"times": 1}}]})
    async with talk(exchange, "/v2/iex") as data:
        assert await data.hear() == error(500, "internal error")
        with pytest.raises(ConnectionClosed):
            await data.hear()
    async with signed_in(exchange, keys):
        pass


@pytest.mark.proves("WS /v2/test")
async def test_the_feed_for_tests(exchange: Exchange, keys: Keys):
    async with signed_in(exchange, keys, "/v2/test", MSGPACK) as data:
        await data.ask({"action": "subscribe", "trades": ["FAKEPACA"], "quotes": ["FAKEPACA"]})
        assert (await data.until("t"))["S"] == "FAKEPACA"


@pytest.mark.proves("GET /v2/events/trades")
async def test_trade_updates_as_server_sent_events(exchange: Exchange, keys: Keys):
    with exchange.client(keys) as client:
        before = exchange.now()
        client.post("/v2/orders", json=market())
        resting = client.post("/v2/orders", json=limit()).json()
        client.delete(f"/v2/orders/{resting['id']}")
        asked = {"since": before.isoformat(), "until": "2026-01-01T00:00:00Z"}
    told = []
    url = f"{exchange.url}/v2/events/trades"
    with httpx2.stream("GET", url, params=asked, headers=keys.headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            told += [json.loads(line[5:])] if line.startswith("data:") else []
            if len(told) == 4:
                break
    assert [update["event"] for update in told] == ["new", "fill", "new", "canceled"]
