"""What every news feed promises, wherever its news comes from.

To add one, write a `Source` for it (how news is put there) and list it in `SOURCES`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    AdapterRecovered,
    HeadlineReceived,
    HeadlineUnreadable,
)
from catalyst_bot.feeds import fetch
from catalyst_bot.feeds.alpaca_news import AlpacaNews
from catalyst_bot.feeds.recorded import RecordedNews, read_news
from catalyst_bot.ports.news_feed import NewsFeed
from tests.alpaca_desk import client_for
from tests.builders import NOON, calendar
from tests.fake_alpaca import FakeAlpaca
from tests.feed_desk import Desk, SetClock
from tests.feed_samples import SUBMISSION, edgar_page, submissions
from tests.feed_server import Reply, Server, serving

MINUTE = timedelta(minutes=1)


@dataclass
class Source:
    """A place where news is published, a feed of it, and what the feed said."""

    clock: SetClock = field(default_factory=SetClock)
    said: list[Any] = field(default_factory=list)
    feed: NewsFeed = field(init=False)
    folder: Path = Path()

    async def open(self, stack: AsyncExitStack) -> None:
        raise NotImplementedError

    def publish(self, *numbers: int) -> None:
        """Put items there, of 11:58, 11:57, … in New York by their number."""
        raise NotImplementedError

    def spoil(self) -> None:
        """Make the last item there one that cannot be read."""
        raise NotImplementedError

    def fail(self) -> None:
        """Let the place give no answer from now on."""

    def recover(self) -> None:
        """Let it answer again."""


def at(number: int) -> datetime:
    return NOON - (2 + number) * MINUTE


class Polled(Source):
    """A place on a real HTTP server; what it holds is written by `body`."""

    kind = ""

    async def open(self, stack: AsyncExitStack) -> None:
        self.server: Server = stack.enter_context(serving())
        client = await stack.enter_async_context(fetch.make_client())
        self.desk = Desk(client, self.clock, self.said)
        asked = f"{self.kind}={self.server.origin}/x"
        self.feed = self.desk.poller(asked, symbols=["ACME"])

    def publish(self, *numbers: int) -> None:
        self.server.reply = Reply(body=self.body(numbers))

    def spoil(self) -> None:
        self.server.reply = Reply(body=soon(self.server.reply.body))

    def fail(self) -> None:
        self.kept, self.server.reply = self.server.reply, Reply(status=503)

    def recover(self) -> None:
        self.server.reply = self.kept

    def body(self, numbers: Sequence[int]) -> bytes:
        raise NotImplementedError


class Edgar(Polled):
    kind = "edgar"

    def body(self, numbers: Sequence[int]) -> bytes:
        entries = (
            f"<entry><title>4 - ACME (0000000101) (Issuer)</title><updated>{at(n).isoformat()}"
            f'</updated><category term="4"/><id>accession-number=0000000101-25-{n:06}</id></entry>'
            for n in numbers
        )
        return edgar_page(*entries)


class Submissions(Polled):
    kind = "edgar-submissions"

    def body(self, numbers: Sequence[int]) -> bytes:
        return submissions(
            *(
                SUBMISSION
                | {
                    "accessionNumber": f"0000000101-25-{n:06}",
                    "acceptanceDateTime": f"{at(n):%Y-%m-%dT%H:%M:%S.000Z}",
                }
                for n in numbers
            )
        )


class Rss(Polled):
    kind = "rss"

    def body(self, numbers: Sequence[int]) -> bytes:
        items = "".join(
            f"<item><guid>{n}</guid><title>Acme {n}</title>"
            f"<pubDate>{at(n).isoformat()}</pubDate></item>"
            for n in numbers
        )
        return f'<rss version="2.0"><channel>{items}</channel></rss>'.encode()


class JsonLines(Polled):
    kind = "json-lines"

    def body(self, numbers: Sequence[int]) -> bytes:
        return lines(numbers)


class Recorded(Source):
    async def open(self, stack: AsyncExitStack) -> None:
        return

    def publish(self, *numbers: int) -> None:
        self.feed = self._feed(lines(numbers))

    def spoil(self) -> None:
        self.feed = self._feed(soon((self.folder / "news.jsonl").read_bytes()))

    def _feed(self, content: bytes) -> NewsFeed:
        file = self.folder / "news.jsonl"
        file.write_bytes(content)
        day = timedelta(days=1)
        facts = read_news([file], calendar=calendar(), start=NOON - day, end=NOON + day)
        return RecordedNews(list(facts), clock=self.clock, sink=self.said.append)


class Alpaca(Source):
    async def open(self, stack: AsyncExitStack) -> None:
        self.service = FakeAlpaca(now=self.clock.now)
        client = await stack.enter_async_context(client_for(self.service))
        self.feed = AlpacaNews(client, clock=self.clock, sink=self.said.append)

    def publish(self, *numbers: int) -> None:
        self.service.news = [
            {
                "id": n,
                "headline": f"Acme {n}",
                "created_at": at(n).isoformat(),
                "updated_at": at(n).isoformat(),
                "symbols": ["ACME"],
            }
            for n in numbers
        ]

    def spoil(self) -> None:
        self.service.news[-1] = self.service.news[-1] | {"headline": ""}

    def fail(self) -> None:
        self.service.failing_paths = "/v1beta1/news"

    def recover(self) -> None:
        self.service.failing_paths = ""


def soon(content: bytes) -> bytes:
    """Make the time of the last item one that cannot be read."""
    head, _, tail = content.rpartition(b"2025-10-06T1")
    return head + b"soon" + tail


def lines(numbers: Sequence[int]) -> bytes:
    return "\n".join(
        f'{{"published_at": "{at(n).isoformat()}", "title": "Acme raises it {n}", "url": "{n}"}}'
        for n in numbers
    ).encode()


SOURCES: dict[str, Callable[[], Source]] = {
    "EDGAR": Edgar,
    "EDGAR of a company": Submissions,
    "RSS": Rss,
    "JSON lines": JsonLines,
    "recorded": Recorded,
    "Alpaca": Alpaca,
}


@pytest.fixture(params=SOURCES)
async def source(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Source]:
    made = SOURCES[request.param]()
    made.folder = tmp_path
    async with AsyncExitStack() as stack:
        await made.open(stack)
        yield made


def published(source: Source) -> list[datetime]:
    facts = [fact for fact in source.said if isinstance(fact, HeadlineReceived)]
    return [fact.headline.published_at for fact in facts]


async def test_news_is_told_newest_first_and_once(source: Source):
    source.publish(3, 1, 2)
    waits_s = [await source.feed.look() for _ in range(2)]
    assert published(source) == [at(1), at(2), at(3)]
    assert all(0 <= wait_s <= 600 for wait_s in waits_s)


async def test_news_is_received_when_it_is_told(source: Source):
    source.publish(1)
    await source.feed.look()
    (fact,) = source.said
    assert fact.at == fact.headline.received_at == NOON
    assert fact.headline.published_at == at(1)
    assert fact.headline.title
    assert fact.headline.source


async def test_an_item_that_is_none_is_told_once_and_costs_no_other(source: Source):
    source.publish(1, 2)
    source.spoil()
    for _ in range(2):
        await source.feed.look()
    assert published(source) == [at(1)]
    (told,) = [fact for fact in source.said if isinstance(fact, HeadlineUnreadable)]
    assert told.reason
    assert told.place


async def test_a_source_that_fails_is_told_once_and_when_it_is_back(source: Source):
    source.publish(1)
    source.fail()
    for _ in range(3):
        await source.feed.look()
    source.recover()
    await source.feed.look()
    kinds = [type(fact) for fact in source.said if not isinstance(fact, HeadlineReceived)]
    assert kinds in ([], [AdapterFailed, AdapterRecovered])
    assert published(source) == [at(1)]
    assert {fact.adapter for fact in source.said if hasattr(fact, "adapter")} <= {source.feed.name}


async def test_running_looks_until_it_is_cancelled(source: Source):
    source.publish(1)
    running = asyncio.ensure_future(source.feed.run())
    async with asyncio.timeout(30):
        while not published(source):  # noqa: ASYNC110  # the other side is a thread
            await asyncio.sleep(0.005)
    assert not running.done()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
