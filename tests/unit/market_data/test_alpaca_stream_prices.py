"""Prices over real sockets: what the stream brings, what REST fills in, what is told of faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalyst_bot.alpaca import stream as stream_module
from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.client import AlpacaClient
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import RequestMarketView, UnwatchSymbol, WatchSymbol
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.market_data import alpaca as module
from catalyst_bot.market_data.alpaca import AlpacaMarketData
from tests.builders import NOON, bar, calendar
from tests.fake_alpaca import KEY, SECRET, FakeAlpaca, served
from tests.fake_orders import rfc3339_of

PATIENCE_S = 10.0
IEX = "/v2/iex"
MINUTE = timedelta(minutes=1)


@dataclass
class Bench:
    """Prices of ACME and SPY from a service; the time is what the test sets."""

    time: datetime = NOON
    feed: str = "iex"
    silence_s: float = 60.0
    said: list[Any] = field(default_factory=list)
    records: list[Recorded] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)
    bars: list[Bar] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = FakeAlpaca(
            now=self.now, bars=lambda symbol: [b for b in self.bars if b.symbol == symbol]
        )
        self.prices: AlpacaMarketData

    def now(self) -> datetime:
        return self.time

    @property
    def place(self) -> str:
        return f"/v2/{self.feed}"

    @asynccontextmanager
    async def running(self, *watched: str) -> AsyncIterator[Bench]:
        environ = {"ALPACA_API_KEY": KEY, "ALPACA_SECRET": SECRET}
        with served(self.service.app) as url:
            access = access_of(base_url=url, environ=environ)
            async with AlpacaClient(access, pace=self.pace) as client:
                self.prices = AlpacaMarketData(
                    client,
                    calendar=calendar(),
                    clock=self,
                    sink=self.said.append,
                    benchmark="SPY",
                    feed=self.feed,
                    silence_s=self.silence_s,
                )
                self.prices.learn(self.records)
                for symbol in watched:
                    self.prices.watch(symbol)
                task = asyncio.ensure_future(self.prices.run())
                try:
                    yield self
                finally:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    def wants(self) -> set[str]:
        return set(self.service.streams.wanted[self.place])

    async def is_up(self) -> None:
        await until(lambda: self.service.streams.count(self.place) == 1)
        await until(lambda: self.prices.stream.is_up)

    def push(self, *rows: dict[str, Any]) -> None:
        self.service.streams.push(self.place, list(rows))

    def of(self, kind: type) -> list[Any]:
        return [fact for fact in self.said if isinstance(fact, kind)]

    async def until_said(self, kind: type, count: int = 1) -> list[Any]:
        await until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - the other side has no event
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(stream_module, "BUSY_PAUSE_S", 0.02)
    monkeypatch.setattr(module, "CHECK_EVERY_S", 0.05)
    monkeypatch.setattr(module, "FLUSH_EVERY_S", 0.02)
    monkeypatch.setattr(module, "ASK_QUOTES_EVERY_S", 0.05)


def minute(number: int, symbol: str = "ACME", **given: Any) -> dict[str, Any]:
    at = rfc3339_of(NOON + number * MINUTE)
    shape = {"o": 100.0, "h": 101.0, "l": 99.0, "c": 100.0 + number, "v": 10, "n": 1, "vw": 100.0}
    return {"T": "b", "S": symbol, "t": at} | shape | {"h": 101.0 + number} | given


def quote(symbol: str = "ACME", bid: float = 99.9, at: datetime = NOON) -> dict[str, Any]:
    return {"T": "q", "S": symbol, "t": rfc3339_of(at), "bp": bid, "ap": 100.1, "bs": 1, "as": 1}


async def test_what_is_watched_is_subscribed_and_what_is_not_any_more_is_left():
    bench = Bench()
    async with bench.running("ACME"):
        await bench.is_up()
        assert bench.wants() == {
            "bars:SPY", "bars:ACME", "quotes:SPY", "quotes:ACME", "statuses:*",
        }  # fmt: skip
        bench.prices.watch("BRK-B")
        bench.prices.unwatch("ACME")
        await until(lambda: "bars:BRK.B" in bench.wants())
        assert not {"bars:ACME", "quotes:ACME"} & bench.wants()


async def test_a_bar_is_told_with_its_last_minute_and_not_again_by_rest():
    bench = Bench()
    async with bench.running("ACME"):
        await bench.is_up()
        bench.time = NOON + 5 * MINUTE
        for number in range(5):
            bench.push(minute(number))
        (closed,) = await bench.until_said(f.BarClosed)
        assert (closed.bar.opened_at, closed.bar.close) == (NOON, 104.0)
        bench.bars = [bar(opened_at=NOON, close=104.0, high=105.0)]
        bench.time += timedelta(seconds=10)
        await asyncio.sleep(0.3)
    assert len(bench.of(f.BarClosed)) == 1


async def test_a_bar_with_a_missing_minute_comes_by_rest():
    bench = Bench(bars=[bar(opened_at=NOON)])
    async with bench.running("ACME"):
        await bench.is_up()
        for number in (0, 1, 3, 4):
            bench.push(minute(number))
        await asyncio.sleep(0.2)
        assert bench.of(f.BarClosed) == []
        bench.time = NOON + 5 * MINUTE + timedelta(seconds=4)
        (closed,) = await bench.until_said(f.BarClosed)
    assert closed.bar == bench.bars[0]


async def test_a_bar_of_the_stream_waits_for_the_one_before_it():
    """The first bar was not whole; were the second told now, the first would be lost."""
    bench = Bench(time=NOON - MINUTE)
    async with bench.running("ACME"):
        await bench.is_up()
        for number in range(1, 10):
            bench.push(minute(number))
        await asyncio.sleep(0.2)
        assert bench.of(f.BarClosed) == []
        bench.bars = [bar(opened_at=NOON), bar(opened_at=NOON + 5 * MINUTE)]
        bench.time = NOON + 10 * MINUTE + timedelta(seconds=4)
        told = await bench.until_said(f.BarClosed, 2)
    assert [fact.bar.opened_at for fact in told] == [NOON, NOON + 5 * MINUTE]


async def test_quotes_of_watched_symbols_are_sampled():
    bench = Bench()
    async with bench.running("ACME"):
        await bench.is_up()
        bench.push(quote(), quote("SPY"), quote("OTHER"), quote(bid=0.0), quote(bid=-1.0))
        (told,) = await bench.until_said(f.QuoteSampled)
        assert (told.quote.symbol, told.quote.bid, told.quote.is_synthetic) == ("ACME", 99.9, False)
        bench.push(*[quote(bid=99.0 + n / 100) for n in range(50)])
        await asyncio.sleep(0.2)
        assert len(bench.of(f.QuoteSampled)) == 1  # a second has not passed
        bench.time += timedelta(seconds=1)
        told = await bench.until_said(f.QuoteSampled, 2)
    assert told[1].quote.bid == 99.49


async def test_quotes_come_by_rest_while_the_stream_is_down():
    bench = Bench()
    bench.service.streams.refuse[IEX] = 503
    bench.service.quotes["ACME"] = quote()
    async with bench.running("ACME"):
        (told,) = await bench.until_said(f.QuoteSampled)
        assert told.quote.bid == 99.9
        (failed,) = bench.of(f.AdapterFailed)
        assert failed.adapter == "market data stream"
        bench.service.streams.refuse.clear()
        await bench.until_said(f.AdapterRecovered)


async def test_a_quote_that_stands_unchanged_is_told_again_to_who_asks():
    bench = Bench()
    bench.service.quotes["ACME"] = quote()
    async with bench.running("ACME"):
        await bench.is_up()
        bench.push(quote())
        await bench.until_said(f.QuoteSampled)
        bench.time += MINUTE
        await asyncio.sleep(0.2)
        assert len(bench.of(f.QuoteSampled)) == 1
        bench.prices.watch("ACME")
        told = await bench.until_said(f.QuoteSampled, 2)
    assert [fact.at for fact in told] == [NOON, NOON + MINUTE]
    assert told[0].quote == told[1].quote


async def test_a_quote_that_nobody_confirms_is_not_told_again():
    bench = Bench()
    async with bench.running("ACME"):
        await bench.is_up()
        bench.push(quote())
        await bench.until_said(f.QuoteSampled)
        bench.prices.watch("ACME")
        await bench.prices.idle()
        await asyncio.sleep(0.1)
    assert len(bench.of(f.QuoteSampled)) == 1


async def test_no_quotes_are_asked_for_at_night():
    bench = Bench(time=NOON + timedelta(hours=10))
    bench.service.streams.refuse[IEX] = 503
    async with bench.running("ACME"):
        await asyncio.sleep(0.3)
    assert not any("quotes" in line for line in bench.service.asked)


async def test_halts_of_every_symbol_are_told():
    bench = Bench()
    async with bench.running():
        await bench.is_up()
        bench.push({"T": "s", "S": "OTHER", "sc": "H", "rc": "T1", "t": rfc3339_of(NOON)})
        (halted,) = await bench.until_said(f.SymbolHalted)
        bench.push({"T": "s", "S": "OTHER", "sc": "T", "rc": "", "t": rfc3339_of(NOON)})
        await bench.until_said(f.SymbolResumed)
    assert (halted.symbol, halted.code) == ("OTHER", "T1")


async def test_a_mute_stream_is_made_anew_in_the_session_only():
    bench = Bench(silence_s=0.1)
    async with bench.running("ACME"):
        await until(lambda: bench.service.streams.connections[IEX] >= 3)
    night = Bench(silence_s=0.1, time=NOON + timedelta(hours=10))
    async with night.running("ACME"):
        await night.is_up()
        await asyncio.sleep(0.4)
        assert night.service.streams.connections[IEX] == 1


async def test_a_stream_that_is_not_paid_for_is_said_and_left_and_rest_goes_on():
    bench = Bench(feed="sip")
    bench.service.streams.say["/v2/sip"] = (409, "insufficient subscription")
    bench.service.quotes["ACME"] = quote()
    async with bench.running("ACME"):
        await bench.until_said(f.QuoteSampled)
        await until(lambda: bench.service.streams.connections["/v2/sip"] == 3)
        await asyncio.sleep(0.3)
        assert bench.service.streams.connections["/v2/sip"] == 3
    (failed,) = bench.of(f.AdapterFailed)
    assert "not in the subscription" in failed.error


async def test_another_connection_is_waited_for():
    bench = Bench()
    bench.service.streams.say[IEX] = (406, "connection limit exceeded")
    async with bench.running("ACME"):
        await until(lambda: bench.service.streams.connections[IEX] > 3)
        bench.service.streams.say.clear()
        await bench.is_up()


async def test_no_more_than_thirty_symbols_are_asked_for_on_the_free_feed():
    bench = Bench()
    names = [f"S{n}" for n in range(40)]
    async with bench.running(*names):
        await bench.is_up()
        quoted = {want for want in bench.wants() if want.startswith("quotes:")}
        assert len(quoted) == 30
        assert len([want for want in bench.wants() if want.startswith("bars:")]) == 41


async def test_fewer_symbols_are_asked_for_when_the_service_says_so():
    bench = Bench()
    async with bench.running(*[f"S{n}" for n in range(20)]):
        await bench.is_up()
        bench.push({"T": "subscription", "bars": [], "quotes": ["SPY"], "statuses": ["*"]})
        bench.push({"T": "error", "code": 405, "msg": "symbol limit exceeded"})
        await until(lambda: bench.prices._talk._max_quotes == 10)
        await until(lambda: len(bench.prices._talk._asked["quotes"]) == 10)
    assert bench.service.streams.connections[IEX] == 1


async def test_rows_that_cannot_be_right_are_left_out():
    bench = Bench()
    async with bench.running("ACME"):
        await bench.is_up()
        bench.push({"T": "b", "S": "ACME"}, {"T": "q", "S": "ACME", "bp": "x", "ap": 1}, {"T": "s"})
        bench.push({"T": "of next year"}, {})
        bench.push(quote())
        await bench.until_said(f.QuoteSampled)
    assert bench.service.streams.connections[IEX] == 1


async def test_a_split_of_what_is_watched_is_told_at_the_start_but_not_to_who_bought_today():
    before = NOON - timedelta(days=3)
    bench = Bench(
        records=[
            recorded(1, before, WatchSymbol(symbol="ACME")),
            recorded(2, before, WatchSymbol(symbol="GONE")),
            recorded(3, before, UnwatchSymbol(symbol="GONE")),
        ]
    )
    row = {"old_rate": 1, "new_rate": 2, "ex_date": "2025-10-06"}
    names = ("ACME", "GONE", "NEW")
    bench.service.actions = {"forward_splits": [row | {"symbol": name} for name in names]}
    async with bench.running(*names):
        await bench.until_said(f.SplitApplied)
        await asyncio.sleep(0.2)
    (split,) = bench.of(f.SplitApplied)
    assert (split.symbol, split.at) == ("ACME", NOON)


def recorded(seq: int, at: datetime, body: Any) -> Recorded:
    return Recorded(seq=seq, at=at.astimezone(UTC), cause_seq=None, trail_id="", body=body)


async def test_where_we_move_the_time_everything_is_told_when_it_is_asked_for():
    bench = Bench(feed="sip", pace=Pace(is_stepped=True))
    async with bench.running("ACME"):
        await bench.is_up()
        prices = bench.prices
        bench.bars = [bar("ACME", opened_at=NOON, closed_at=NOON + 5 * MINUTE)]
        bench.time = NOON + 6 * MINUTE
        bench.push(quote(at=bench.time), {"T": "s", "S": "ACME", "sc": "H", "t": ""})
        before = prices.stream.line.heard_count
        await until(lambda: prices.stream.line.heard_count > before)
        await prices.idle()
        assert bench.said == []
        await prices.stream.read()
        assert [type(fact) for fact in bench.said] == [f.SymbolHalted]
        await prices.look()
        assert [type(fact) for fact in bench.said[1:]] == [f.BarClosed, f.QuoteSampled]
        prices.watch("MORE")
        await prices.idle()
        assert not prices._wants_changed.is_set()
        await until(lambda: "bars:MORE" in bench.wants())


async def test_where_we_move_the_time_answers_come_in_the_order_of_the_questions(
    monkeypatch: pytest.MonkeyPatch,
):
    bench = Bench(pace=Pace(is_stepped=True))
    async with bench.running():
        prices = bench.prices
        asked = prices._rest.closed_bars

        async def closed_bars(symbols: list[str], start: datetime, end: datetime) -> Any:
            await asyncio.sleep(0.2 if "SLOW" in symbols else 0.0)
            return await asked(symbols, start, end)

        monkeypatch.setattr(prices._rest, "closed_bars", closed_bars)
        for symbol in ("SLOW", "ACME"):
            question = RequestMarketView(request_id=symbol, catalyst_id=symbol, symbol=symbol)
            prices.request_view(question)
        await prices.idle()
    answers = [fact.catalyst_id for fact in bench.said if hasattr(fact, "catalyst_id")]
    assert answers == ["SLOW", "ACME"]
