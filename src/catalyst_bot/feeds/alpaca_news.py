"""Alpaca's news: a stream as it comes, and REST for what the stream left out.

Each item is told once, by its number. A correction is told when it changes the headline or the
symbols, as a headline of its own, because that can change what it means. When REST finds an item
that a healthy stream should have told, the stream is mute and is made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from catalyst_bot.alpaca.access import Access
from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.health import Health
from catalyst_bot.alpaca.reading import optional_time, our_symbol, rfc3339, time_of
from catalyst_bot.alpaca.stream import Line
from catalyst_bot.alpaca.talk import log_in, refusal, rows_of
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.ids import item_id
from catalyst_bot.domain.messages.facts import HeadlineReceived, HeadlineUnreadable
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.page import MAX_BODY_CHARACTERS, MAX_TITLE_CHARACTERS, plain_text
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

SOURCE = "alpaca"
ADAPTER = "feed alpaca news"
STREAM = "feed alpaca news stream"
WHAT = "news"
START_BACK = timedelta(minutes=30)  # as long as a signal lives
OVERLAP = timedelta(minutes=2)
STREAM_DELAY = timedelta(seconds=10)  # a stream that is later than this is mute
ASK_EVERY_S = 15.0  # while the stream is down
CALM_EVERY_S = 60.0
PAGE = "50"
MAX_PAGES = 20
REMEMBERED_ITEMS = 5_000
FAILURES = (AlpacaRefused, AlpacaSilent, BadData)


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of an item."""

    updated_at: datetime
    title: str
    symbols: tuple[str, ...]


class AlpacaNews:
    """Follows the news: a `NewsFeed`. `run` listens to the stream, too."""

    name = ADAPTER

    def __init__(self, client: AlpacaClient, *, clock: Clock, sink: Sink) -> None:
        self._client = client
        self._pace = client.pace
        self._clock = clock
        self._sink = sink
        self._health = Health(ADAPTER, sink=sink, clock=clock)
        self._stream_health = Health(STREAM, sink=sink, clock=clock)
        self._told: dict[str, Told] = {}  # oldest first
        self._read_until = clock.now() - START_BACK + OVERLAP
        self._look_now = asyncio.Event()
        talk = NewsTalk(
            client.access, on_item=self.take, on_open=self._opened, on_close=self._closed
        )
        self.stream = client.stream(talk)

    async def run(self) -> None:
        """Listen and look until cancelled; where we move the time, `poll` tells what was heard."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.stream.run())
            if not self._pace.is_stepped:
                group.create_task(self._look_forever())

    async def poll(self) -> None:
        """Tell what the stream brought, and ask by REST if it was down."""
        await self.stream.read()
        if self._look_now.is_set():
            self._look_now.clear()
            await self.look()

    def take(self, row: Mapping[str, Any]) -> bool:
        """Tell an item if it is news; return whether it was."""
        now = self._clock.now()
        number = str(row.get("id") or "")
        try:
            told, headline = read_item(row, now)
        except BadData as error:
            self._refuse(number, str(error))
            return False
        known = self._told.get(number)
        if known is not None and not _is_correction(known, told):
            return False
        self._remember(number, told)
        key = number if known is None else f"{number} {rfc3339(told.updated_at)}"
        self._sink(HeadlineReceived(at=now, headline=headline(item_id(SOURCE, key))))
        return True

    async def look(self) -> float:
        """Ask for what was published or changed since the last look, and tell what is new.

        Rarer while the stream is up, which tells it sooner.
        """
        asked_at = self._clock.now()
        try:
            rows = await self._rows_since(self._read_until - OVERLAP)
        except FAILURES as error:
            self._health.failed(error)
            return self._pause_s()
        self._health.worked()
        missed = []
        for row in reversed(rows):
            if self.take(row):
                missed.append(row)
                await asyncio.sleep(0)  # let the core keep pace with a full page
        self._read_until = asked_at
        if any(self._should_have_been_told(row) for row in missed):
            await self.stream.renew()
        return self._pause_s()

    def _pause_s(self) -> float:
        return self._health.pause_s(CALM_EVERY_S if self.stream.is_up else ASK_EVERY_S)

    async def _rows_since(self, since: datetime) -> list[Mapping[str, Any]]:
        query = {
            "start": rfc3339(since),
            "sort": "asc",
            "limit": PAGE,
            "include_content": "true",
        }
        found: list[Mapping[str, Any]] = []
        for _ in range(MAX_PAGES):
            told = await self._client.data("/v1beta1/news", query)
            rows = told.get("news") if isinstance(told, Mapping) else None
            if not isinstance(rows, list):
                raise BadData("the answer holds no news")
            found += [row for row in rows if isinstance(row, Mapping)]
            token = told.get("next_page_token")
            if not token:
                return found
            query["page_token"] = str(token)
        return found  # the rest is found by the next look

    async def _look_forever(self) -> None:
        while True:
            wait_s = await self.look()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.on_the_wall(wait_s)):
                    await self._look_now.wait()
            self._look_now.clear()

    def _should_have_been_told(self, row: Mapping[str, Any]) -> bool:
        """True for an item that came while the stream was up, some time ago."""
        now = self._clock.now()
        up_since = now - timedelta(seconds=self.stream.up_for_s())
        updated_at = optional_time(row, "updated_at")
        return (
            self.stream.is_up
            and updated_at is not None
            and up_since < updated_at < now - STREAM_DELAY
        )

    def _remember(self, number: str, told: Told) -> None:
        self._told.pop(number, None)
        self._told[number] = told
        if len(self._told) > REMEMBERED_ITEMS:
            del self._told[next(iter(self._told))]

    def _refuse(self, number: str, reason: str) -> None:
        """Tell an item that cannot be read, once."""
        now = self._clock.now()
        if number not in self._told:
            self._remember(number, Told(now, "", ()))
            self._sink(
                HeadlineUnreadable(at=now, source=SOURCE, place=f"item {number}", reason=reason)
            )

    def _opened(self) -> None:
        self._stream_health.worked()
        self._look_now.set()

    def _closed(self, why: Exception) -> None:
        self._stream_health.failed(why)
        self._look_now.set()


class NewsTalk:
    """`Talk` of `/v1beta1/news`: every item."""

    def __init__(
        self,
        access: Access,
        *,
        on_item: Callable[[Mapping[str, Any]], object],
        on_open: Callable[[], None],
        on_close: Callable[[Exception], None],
    ) -> None:
        self.url = f"{access.data_stream_url}/v1beta1/news"
        self._access = access
        self._on_item = on_item
        self._on_open = on_open
        self._on_close = on_close

    async def begin(self, line: Line) -> None:
        """See `Talk.begin`."""
        await log_in(line, self._access, what=WHAT)
        await line.say({"action": "subscribe", "news": ["*"]})

    def take(self, message: Any) -> None:
        """See `Talk.take`."""
        for row in rows_of(message):
            if row.get("T") == "n":
                self._on_item(row)
            elif row.get("T") == "error":
                raise refusal(row, what=WHAT)

    def opened(self) -> None:
        """See `Talk.opened`."""
        self._on_open()

    def closed(self, why: Exception) -> None:
        """See `Talk.closed`."""
        self._on_close(why)

    def longest_silence_s(self) -> float | None:
        """See `Talk.longest_silence_s`: a quiet night is no fault."""
        return None


def read_item(
    row: Mapping[str, Any], received_at: datetime
) -> tuple[Told, Callable[[str], Headline]]:
    """Read an item; the headline still needs its id. Raises `BadData`."""
    title = plain_text(str(row.get("headline") or ""))[:MAX_TITLE_CHARACTERS]
    if not title:
        raise BadData("has no headline")
    published_at = time_of(row, "created_at")
    symbols = row.get("symbols") or ()
    if not isinstance(symbols, list | tuple):
        raise BadData(f"symbols are {symbols!r}")
    told = Told(
        optional_time(row, "updated_at") or published_at,
        title,
        tuple(our_symbol(str(symbol)) for symbol in symbols),
    )
    text = str(row.get("content") or row.get("summary") or "")

    def headline(of_item: str) -> Headline:
        return Headline(
            item_id=of_item,
            source=str(row.get("source") or SOURCE),
            title=title,
            body=plain_text(text)[:MAX_BODY_CHARACTERS],
            url=str(row.get("url") or ""),
            symbols=told.symbols,
            published_at=published_at,
            received_at=received_at,
        )

    return told, headline


def _is_correction(known: Told, told: Told) -> bool:
    is_later = told.updated_at > known.updated_at
    return is_later and (told.title, told.symbols) != (known.title, known.symbols)
