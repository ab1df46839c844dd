"""The streams of market data and news, spoken to by real clients over real sockets."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgpack
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from catalyst_bot.exchange.streams import fakepaca
from catalyst_bot.exchange.streams.limits import StreamLimits
from tests.exchange.sdk import NewsDataStream, StockDataStream
from tests.exchange.stream_server import NOW, Client, Served, client, streams, trade, until

CONNECTED = [{"T": "success", "msg": "connected"}]
AUTHENTICATED = [{"T": "success", "msg": "authenticated"}]
AUTH = {"action": "auth", "key": "KEY1", "secret": "secret1"}
HEADERS = {"APCA-API-KEY-ID": "KEY1", "APCA-API-SECRET-KEY": "secret1"}
NOTHING: dict[str, Any] = {
    "T": "subscription",
    "trades": [],
    "quotes": [],
    "bars": [],
    "updatedBars": [],
    "dailyBars": [],
    "statuses": [],
    "lulds": [],
    "corrections": [],
    "cancelErrors": [],
}


def subscribe(**channels: list[str]) -> dict[str, Any]:
    return {"action": "subscribe", **channels}


def error(code: int, message: str) -> list[dict[str, Any]]:
    return [{"T": "error", "code": code, "msg": message}]


async def signed_in(caller: Client) -> None:
    assert await caller.hear() == CONNECTED
    assert await caller.ask(AUTH) == AUTHENTICATED


@pytest.mark.parametrize("path", ["/v2/iex", "/v2/sip", "/v2/test", "/v1beta1/news"])
@pytest.mark.parametrize("speaks_msgpack", [False, True])
async def test_the_greeting_and_signing_in(path: str, speaks_msgpack: bool) -> None:
    async with streams() as served, client(served.ws(path), msgpack_=speaks_msgpack) as caller:
        await signed_in(caller)


async def test_keys_in_the_handshake_sign_in_at_once() -> None:
    async with streams() as served, client(served.ws("/v2/sip"), headers=HEADERS) as caller:
        assert await caller.hear() == CONNECTED
        assert await caller.hear() == AUTHENTICATED


async def test_wrong_keys_in_the_handshake_are_told() -> None:
    headers = {**HEADERS, "APCA-API-SECRET-KEY": "wrong"}
    async with streams() as served, client(served.ws("/v2/sip"), headers=headers) as caller:
        assert await caller.hear() == CONNECTED
        assert await caller.hear() == error(402, "auth failed")


async def test_every_acknowledgement_lists_the_full_state() -> None:
    async with streams() as served, client(served.ws("/v2/sip")) as caller:
        await signed_in(caller)
        assert await caller.ask(subscribe(trades=["AAPL"], bars=["*"])) == [
            {
                **NOTHING,
                "trades": ["AAPL"],
                "bars": ["*"],
                "corrections": ["AAPL"],
                "cancelErrors": ["AAPL"],
            }
        ]
        more = await caller.ask(subscribe(trades=["MSFT", "AAPL"], quotes=["SPY"]))
        assert more[0]["trades"] == ["AAPL", "MSFT"]
        assert more[0]["quotes"] == ["SPY"]
        assert more[0]["bars"] == ["*"]
        less = await caller.ask({"action": "unsubscribe", "trades": ["AAPL"], "bars": ["*"]})
        assert less[0]["trades"] == less[0]["cancelErrors"] == ["MSFT"]
        assert less[0]["bars"] == []
        assert await caller.ask({"action": "subscribe"}) == less


async def test_json_has_rfc_3339_times_in_text_frames() -> None:
    async with streams() as served, client(served.ws("/v2/sip")) as caller:
        await signed_in(caller)
        await caller.ask(subscribe(trades=["AAPL"]))
        served.hub.data.publish([trade(1)])
        frame = await caller.raw()
        assert isinstance(frame, str)
        assert json.loads(frame) == [{**trade(1), "t": "2025-10-22T14:30:00.123456Z"}]


async def test_messagepack_has_the_timestamp_extension() -> None:
    async with streams() as served, client(served.ws("/v2/sip"), msgpack_=True) as caller:
        await signed_in(caller)
        await caller.ask(subscribe(trades=["AAPL"]))
        served.hub.data.publish([trade(1)])
        frame = await caller.raw()
        assert isinstance(frame, bytes)
        assert msgpack.unpackb(frame)[0]["t"].to_datetime() == trade(1)["t"]


async def test_each_message_goes_to_its_channel_and_symbol() -> None:
    kinds = {"t": "trades", "q": "quotes", "b": "bars", "u": "updatedBars", "d": "dailyBars"}
    kinds |= {"s": "statuses", "l": "lulds"}
    messages = [{"T": kind, "S": "AAPL", "t": NOW} for kind in kinds]
    async with streams() as served, client(served.ws("/v2/sip")) as caller:
        await signed_in(caller)
        for kind, channel in kinds.items():
            await caller.ask(subscribe(**{channel: ["AAPL"]}))
            served.hub.data.publish([*messages, {"T": kind, "S": "MSFT", "t": NOW}])
            assert [message["T"] for message in await caller.hear()] == [kind]
            await caller.ask({"action": "unsubscribe", channel: ["AAPL"]})


async def test_corrections_and_cancels_follow_the_trades() -> None:
    async with streams() as served, client(served.ws("/v2/sip")) as caller:
        await signed_in(caller)
        await caller.ask(subscribe(trades=["*"]))
        served.hub.data.publish([{"T": kind, "S": "AAPL", "t": NOW} for kind in "cxq"])
        assert [message["T"] for message in await caller.hear()] == ["c", "x"]


async def test_both_market_feeds_get_the_market_and_the_test_feed_does_not() -> None:
    async with (
        streams() as served,
        client(served.ws("/v2/iex")) as iex,
        client(served.ws("/v2/sip")) as sip,
        client(served.ws("/v2/test")) as own,
    ):
        for caller in (iex, sip, own):
            await signed_in(caller)
            await caller.ask(subscribe(bars=["*"]))
        served.hub.data.publish([{"T": "b", "S": "AAPL", "t": NOW}])
        assert (await iex.hear())[0]["S"] == (await sip.hear())[0]["S"] == "AAPL"
        served.hub.data.put_on("test", fakepaca.stock_events([fakepaca.bar(NOW)]))
        assert (await own.hear())[0]["S"] == "FAKEPACA"


async def test_a_long_list_in_fragmented_frames_is_one_message() -> None:
    symbols = [f"SYM{number}" for number in range(9_000)]
    packed = msgpack.packb(subscribe(bars=symbols))
    pieces = [packed[start : start + 32_768] for start in range(0, len(packed), 32_768)]
    assert len(pieces) > 1
    async with streams() as served, client(served.ws("/v2/iex"), msgpack_=True) as caller:
        await signed_in(caller)
        await caller.socket.send(pieces)
        assert (await caller.hear())[0]["bars"] == symbols


async def test_many_messages_are_split_into_frames_that_clients_take() -> None:
    async with streams() as served, client(served.ws("/v2/sip"), msgpack_=True) as caller:
        await signed_in(caller)
        await caller.ask(subscribe(trades=["*"]))
        served.hub.data.publish([trade(number) for number in range(20_000)])
        numbers: list[int] = []
        while len(numbers) < 20_000:
            frame = await caller.raw()
            assert len(frame) < 1_048_576
            numbers += [message["i"] for message in msgpack.unpackb(frame)]
        assert numbers == list(range(20_000))


@pytest.mark.parametrize(
    ("frame", "code", "message"),
    [
        ("no json", 400, "invalid syntax"),
        (b"\xc1", 400, "invalid syntax"),
        ("[]", 400, "invalid syntax"),
        ('{"action": "dance"}', 400, "invalid syntax"),
        ('{"action": {"a": 1}}', 400, "invalid syntax"),
        ('{"action": "subscribe", "trades": "AAPL"}', 400, "invalid syntax"),
        ('{"action": "subscribe", "trades": [1]}', 400, "invalid syntax"),
        ('{"action": "subscribe", "trades": ["not a symbol"]}', 400, "invalid syntax"),
        ('{"action": "subscribe", "prices": ["AAPL"]}', 400, "invalid syntax"),
        ('{"action": "subscribe", "news": ["*"]}', 410, "invalid subscribe action for this feed"),
        (json.dumps(AUTH), 403, "already authenticated"),
    ],
)
async def test_what_is_wrong_has_its_code_and_changes_nothing(
    frame: str | bytes, code: int, message: str
) -> None:
    async with streams() as served, client(served.ws("/v2/iex")) as caller:
        await signed_in(caller)
        before = await caller.ask(subscribe(trades=["AAPL"]))
        await caller.socket.send(frame)
        assert await caller.hear() == error(code, message)
        assert await caller.ask({"action": "subscribe"}) == before


async def test_nothing_can_be_subscribed_to_before_signing_in() -> None:
    async with streams() as served, client(served.ws("/v2/iex")) as caller:
        await caller.hear()
        answer = await caller.ask(subscribe(trades=["AAPL"]))
        assert answer == error(401, "not authenticated")
        wrong = {"action": "auth", "key": "KEY1", "secret": "wrong"}
        assert await caller.ask(wrong) == error(402, "auth failed")
        assert await caller.ask(AUTH) == AUTHENTICATED


async def test_who_does_not_sign_in_meets_404_and_is_closed() -> None:
    limits = StreamLimits(auth_timeout_s=0.05)
    async with streams(limits=limits) as served, client(served.ws("/v2/iex")) as caller:
        assert await caller.hear() == CONNECTED
        assert await caller.hear() == error(404, "auth timeout")
        await caller.closed()


@pytest.mark.parametrize(
    "too_many",
    [
        {"trades": [f"S{number}" for number in range(31)]},
        {"trades": [f"S{n}" for n in range(16)], "quotes": [f"S{n}" for n in range(15)]},
        {"quotes": ["*"]},
    ],
)
async def test_iex_has_thirty_symbols_and_one_too_many_changes_nothing(
    too_many: dict[str, list[str]],
) -> None:
    thirty = [f"T{number}" for number in range(30)]
    async with streams() as served, client(served.ws("/v2/iex")) as caller:
        await signed_in(caller)
        assert await caller.ask(subscribe(**too_many)) == error(405, "symbol limit exceeded")
        assert await caller.ask({"action": "subscribe"}) == [NOTHING]
        assert (await caller.ask(subscribe(trades=thirty)))[0]["trades"] == thirty
        assert (await caller.ask(subscribe(bars=["*"])))[0]["bars"] == ["*"]


async def test_sip_has_no_limit_of_symbols() -> None:
    async with streams() as served, client(served.ws("/v2/sip")) as caller:
        await signed_in(caller)
        answer = await caller.ask(subscribe(trades=["*"], quotes=[f"S{n}" for n in range(99)]))
        assert len(answer[0]["quotes"]) == 99


async def test_sip_is_not_in_every_plan() -> None:
    async with streams(limits=StreamLimits()) as served, client(served.ws("/v2/sip")) as caller:
        await caller.hear()
        assert await caller.ask(AUTH) == error(409, "insufficient subscription")
        await caller.closed()


async def test_a_second_connection_to_a_feed_meets_406() -> None:
    async with streams() as served, client(served.ws("/v2/iex")) as first:
        await signed_in(first)
        async with client(served.ws("/v2/iex")) as second:
            await second.hear()
            assert await second.ask(AUTH) == error(406, "connection limit exceeded")
            await second.closed()
        async with client(served.ws("/v2/sip")) as elsewhere:
            await signed_in(elsewhere)


async def test_a_slow_client_is_told_407_where_it_still_listens() -> None:
    limits = StreamLimits(has_sip=True, outbox_bytes=10_000)
    async with streams(limits=limits) as served, client(served.ws("/v2/sip")) as caller:
        await signed_in(caller)
        await caller.ask(subscribe(trades=["*"]))
        for _ in range(3):  # faster than any writer: the loop gets no turn in between
            served.hub.data.publish([trade(number) for number in range(60)])
        assert await caller.hear() == error(407, "slow client")
        await caller.closed()


async def test_a_fast_clock_waits_for_clients() -> None:
    limits = StreamLimits(has_sip=True, outbox_bytes=100_000)
    async with streams(limits=limits) as served, client(served.ws("/v2/sip")) as caller:
        await signed_in(caller)
        await caller.ask(subscribe(trades=["*"]))
        for number in range(400):
            served.hub.data.publish([trade(number) for _ in range(100)])
            await served.hub.drained()
        numbers = [(await caller.hear())[0]["i"] for _ in range(400)]
        assert numbers == list(range(400))


async def test_what_is_wanted_is_known() -> None:
    async with streams() as served, client(served.ws("/v2/iex")) as caller:
        await signed_in(caller)
        await caller.ask(subscribe(trades=["AAPL", "MSFT"], bars=["*"]))
        assert served.hub.data.wanted("trades") == {"AAPL", "MSFT"}
        assert served.hub.data.wanted("bars") == {"*"}
        assert served.hub.data.wanted("lulds") == set()


async def test_fakepaca_trades_at_any_hour() -> None:
    async with streams() as served, client(served.ws("/v2/test"), msgpack_=True) as caller:
        await signed_in(caller)
        await caller.ask(subscribe(trades=["FAKEPACA"], quotes=["FAKEPACA"]))
        trade_, quote = await caller.hear()
        assert (trade_["T"], quote["T"]) == ("t", "q")
        assert abs(trade_["t"].to_datetime() - datetime.now(UTC)) < timedelta(minutes=1)
        assert quote["bp"] < trade_["p"] < quote["ap"]


def test_a_bar_of_fakepaca_is_its_trades() -> None:
    trades = [fakepaca.trade_and_quote(NOW + timedelta(seconds=n))[0] for n in range(60)]
    bar = fakepaca.bar(NOW)
    assert (bar["o"], bar["c"]) == (trades[0]["p"], trades[-1]["p"])
    assert (bar["h"], bar["l"]) == (max(t["p"] for t in trades), min(t["p"] for t in trades))
    assert (bar["v"], bar["n"]) == (sum(t["s"] for t in trades), 60)


def item(number: int, symbols: list[str]) -> dict[str, Any]:
    return {
        "id": number,
        "headline": f"Headline {number}",
        "author": "Somebody",
        "created_at": NOW,
        "updated_at": "2025-10-22T14:30:01Z",
        "summary": "",
        "content": "",
        "url": None,
        "images": [{"size": "thumb", "url": "http://127.0.0.1/picture"}],
        "symbols": symbols,
        "source": "test",
    }


async def test_news_goes_to_its_symbols_without_pictures() -> None:
    async with streams() as served, client(served.ws("/v1beta1/news")) as caller:
        await signed_in(caller)
        answer = await caller.ask(subscribe(news=["AAPL"]))
        assert answer == [{"T": "subscription", "news": ["AAPL"]}]
        for number, symbols in enumerate([["MSFT"], [], ["MSFT", "AAPL"]]):
            served.hub.news.publish(item(number, symbols))
        heard = (await caller.hear())[0]
        expected = {**item(2, ["MSFT", "AAPL"]), "T": "n", "created_at": "2025-10-22T14:30:00Z"}
        del expected["images"]
        assert heard == expected


async def test_news_of_no_symbol_goes_to_who_wants_all() -> None:
    async with streams() as served, client(served.ws("/v1beta1/news")) as caller:
        await signed_in(caller)
        await caller.ask(subscribe(news=["*"]))
        served.hub.news.publish(item(1, []))
        assert (await caller.hear())[0]["id"] == 1


async def test_news_has_no_trades() -> None:
    async with streams() as served, client(served.ws("/v1beta1/news")) as caller:
        await signed_in(caller)
        answer = await caller.ask(subscribe(trades=["AAPL"]))
        assert answer == error(410, "invalid subscribe action for this feed")


async def sdk_hears(
    served: Served, stream: Any, channel: str, publish: Any, heard: list[Any]
) -> None:
    """Run a stream of alpaca-py until it has heard something."""
    running = asyncio.create_task(stream._run_forever())
    hub = served.hub.news if channel == "news" else served.hub.data
    await until(lambda: any(s.subscription.symbols(channel) for s in hub._sessions))
    publish()
    await until(lambda: heard)
    await stream.stop_ws()
    await stream.close()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_the_sdk_of_alpaca_hears_trades_with_times() -> None:
    heard: list[Any] = []
    async with streams() as served:
        stream = StockDataStream("KEY1", "secret1", url_override=served.ws("/v2/iex"))

        async def on_trade(value: Any) -> None:
            heard.append(value)

        stream.subscribe_trades(on_trade, "AAPL")
        await sdk_hears(
            served, stream, "trades", lambda: served.hub.data.publish([trade(7)]), heard
        )
    assert (heard[0].id, heard[0].symbol, heard[0].price) == (7, "AAPL", 10.25)
    assert heard[0].timestamp == trade(7)["t"]


async def test_the_sdk_of_alpaca_hears_news() -> None:
    heard: list[Any] = []
    async with streams() as served:
        stream = NewsDataStream("KEY1", "secret1", url_override=served.ws("/v1beta1/news"))

        async def on_news(value: Any) -> None:
            heard.append(value)

        stream.subscribe_news(on_news, "*")
        news = item(3, ["AAPL"])
        await sdk_hears(served, stream, "news", lambda: served.hub.news.publish(news), heard)
    assert (heard[0].id, heard[0].symbols, heard[0].created_at) == (3, ["AAPL"], NOW)


async def test_a_plain_request_to_a_stream_is_no_fault_of_the_server() -> None:
    async with streams() as served:
        with pytest.raises(InvalidStatus):
            await connect(served.ws("/v2/otc"))
