"""Alpaca's news over real sockets: once each, corrected when it matters, found after faults."""

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
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.feeds import alpaca_news as module
from catalyst_bot.feeds.alpaca_news import AlpacaNews, read_item
from tests.builders import NOON
from tests.fake_alpaca import KEY, SECRET, FakeAlpaca, served

PATIENCE_S = 10.0
NEWS = "/v1beta1/news"


def item(number: int = 1, **given: Any) -> dict[str, Any]:
    """An item as Alpaca tells it; times are of the wall, as the stream's are."""
    at = given.pop("at", datetime.now(UTC)).isoformat().replace("+00:00", "Z")
    return {
        "id": number,
        "headline": f"Acme &amp; Co raises guidance {number}",
        "author": "A. Writer",
        "created_at": at,
        "updated_at": at,
        "summary": "",
        "content": "<p>Acme said <b>more</b>.</p>",
        "url": f"http://localhost/{number}",
        "symbols": ["ACME", "BRK.B"],
        "source": "benzinga",
    } | given


@dataclass
class Bench:
    said: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = FakeAlpaca(now=self.now)

    def now(self) -> datetime:
        return datetime.now(UTC)

    @asynccontextmanager
    async def running(self, pace: Pace | None = None) -> AsyncIterator[Bench]:
        environ = {"ALPACA_API_KEY": KEY, "ALPACA_SECRET": SECRET}
        with served(self.service.app) as url:
            access = access_of(base_url=url, environ=environ)
            async with AlpacaClient(access, per_min=10_000, pace=pace or Pace()) as client:
                self.news = AlpacaNews(client, clock=self, sink=self.said.append)
                task = asyncio.ensure_future(self.news.run())
                try:
                    yield self
                finally:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    async def is_up(self) -> None:
        await until(lambda: self.service.streams.count(NEWS) == 1)
        await until(lambda: self.news.stream.is_up)
        await asyncio.sleep(0.1)

    def push(self, *rows: dict[str, Any]) -> None:
        self.service.streams.push(NEWS, [{"T": "n", **row} for row in rows])

    def of(self, kind: type) -> list[Any]:
        return [fact for fact in self.said if isinstance(fact, kind)]

    async def headlines(self, count: int) -> list[Any]:
        await until(lambda: len(self.of(f.HeadlineReceived)) >= count)
        return [fact.headline for fact in self.of(f.HeadlineReceived)]


async def until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - the other side has no event
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.1)


async def test_an_item_is_told_as_it_comes_and_once():
    bench = Bench()
    async with bench.running():
        await bench.is_up()
        assert bench.service.streams.wanted[NEWS] == {"news:*"}
        told = item()
        bench.service.news = [told]
        bench.push(told, told)
        bench.push(told)
        (headline,) = await bench.headlines(1)
        bench.service.streams.close(NEWS)  # and REST finds it, too
        await until(lambda: bench.service.streams.connections[NEWS] == 2)
        await asyncio.sleep(0.3)
    assert len(bench.of(f.HeadlineReceived)) == 1
    assert headline.title == "Acme & Co raises guidance 1"
    assert headline.body == "Acme said more ."
    assert headline.symbols == ("ACME", "BRK-B")
    assert headline.source == "benzinga"
    assert headline.published_at <= headline.received_at


async def test_what_was_published_shortly_before_the_start_is_found():
    bench = Bench()
    now = datetime.now(UTC)
    bench.service.news = [
        item(1, at=now - timedelta(minutes=20)),
        item(2, at=now - timedelta(hours=2)),
    ]
    async with bench.running():
        (headline,) = await bench.headlines(1)
        await bench.is_up()
    assert headline.url.endswith("/1")
    assert len(bench.of(f.HeadlineReceived)) == 1


async def test_what_was_missed_while_the_stream_was_down_comes_by_rest_page_by_page():
    bench = Bench()
    bench.service.page_rows = 2
    async with bench.running():
        await bench.is_up()
        bench.service.streams.refuse[NEWS] = 503
        bench.service.streams.close(NEWS)
        await until(lambda: bench.of(f.AdapterFailed))
        bench.service.news = [item(n) for n in range(1, 6)]
        await bench.headlines(5)
        bench.service.streams.refuse.clear()
        await until(lambda: bench.of(f.AdapterRecovered))
        await bench.is_up()
    assert len(bench.of(f.HeadlineReceived)) == 5
    assert {fact.adapter for fact in bench.of(f.AdapterFailed)} == {"feed alpaca news stream"}


async def test_a_mute_stream_is_noticed_and_made_anew(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "CALM_EVERY_S", 0.2)
    monkeypatch.setattr(module, "STREAM_DELAY", timedelta(seconds=0.1))
    bench = Bench()
    async with bench.running():
        await bench.is_up()
        bench.service.streams.mute.add(NEWS)
        bench.service.news = [item()]
        await bench.headlines(1)
        await until(lambda: bench.service.streams.connections[NEWS] == 2)


async def test_a_correction_is_told_when_it_changes_what_is_said():
    bench = Bench()
    later = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    latest = (datetime.now(UTC) + timedelta(minutes=2)).isoformat()
    async with bench.running():
        await bench.is_up()
        bench.push(item())
        bench.push(item() | {"updated_at": later, "content": "more words"})
        bench.push(item(symbols=["OTHER"], updated_at=latest))
        bench.push(item(symbols=["ACME"], updated_at=later))  # an old one comes late
        bench.push(item(2))
        first, corrected, _ = await bench.headlines(3)
    assert corrected.symbols == ("OTHER",)
    assert corrected.item_id != first.item_id
    assert len(bench.of(f.HeadlineReceived)) == 3


async def test_an_item_that_cannot_be_read_is_told_once_and_the_others_come():
    bench = Bench()
    async with bench.running():
        await bench.is_up()
        broken = item(1, headline="")
        bench.push(broken, item(2))
        bench.push(broken)
        await bench.headlines(1)
        bench.push(item(3, created_at="soon"), item(4))
        await bench.headlines(2)
    told = bench.of(f.HeadlineUnreadable)
    assert [fact.place for fact in told] == ["item 1", "item 3"]
    assert "no headline" in told[0].reason
    assert bench.service.streams.connections[NEWS] == 1


@pytest.mark.parametrize("say", [(402, "auth failed"), (409, "insufficient subscription")])
async def test_without_a_stream_the_news_still_comes(say: tuple[int, str]):
    bench = Bench()
    bench.service.streams.say[NEWS] = say
    async with bench.running():
        await until(lambda: bench.service.streams.connections[NEWS] == 3)
        bench.service.news = [item()]
        await bench.headlines(1)
        await asyncio.sleep(0.2)
        assert bench.service.streams.connections[NEWS] == 3


async def test_a_silent_service_is_told_and_so_is_its_return():
    bench = Bench()
    bench.service.failing_paths = (NEWS,)
    bench.service.streams.refuse[NEWS] = 503
    async with bench.running():
        await until(lambda: len(bench.of(f.AdapterFailed)) == 2)
        bench.service.failing_paths = ()
        bench.service.news = [item()]
        await bench.headlines(1)
        assert bench.of(f.AdapterRecovered)


@pytest.mark.parametrize(
    "broken", [{"headline": None}, {"created_at": None}, {"symbols": "ACME"}, {"symbols": 1}]
)
def test_what_is_no_item_is_refused(broken: dict[str, Any]):
    with pytest.raises(BadData):
        read_item(item(**broken), NOON)


def test_what_is_left_out_is_empty():
    told, headline = read_item({"id": 1, "headline": "Hi", "created_at": NOON.isoformat()}, NOON)
    found = headline("news-1")
    assert (found.symbols, found.body, found.url, found.source) == ((), "", "", "alpaca")
    assert told.updated_at == NOON


async def test_where_we_move_the_time_it_is_told_in_its_turn():
    bench = Bench()
    async with bench.running(Pace(is_stepped=True)):
        await bench.is_up()
        await bench.news.poll()
        assert bench.service.asked.count("GET /v1beta1/news") == 1, "after it was opened"
        bench.push(item(7))
        before = bench.news.stream.line.heard_count
        await until(lambda: bench.news.stream.line.heard_count > before)
        assert bench.of(f.HeadlineReceived) == []
        await bench.news.poll()
        assert len(bench.of(f.HeadlineReceived)) == 1
        assert bench.service.asked.count("GET /v1beta1/news") == 1
