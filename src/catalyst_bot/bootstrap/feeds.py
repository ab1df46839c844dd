"""The news feeds of a configuration: which ones, and the tasks and looks that follow them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.feeds.choice import Feed, Wanted, chosen_feeds, recordings
from catalyst_bot.feeds.fetch import make_client
from catalyst_bot.feeds.halts import HaltBoard
from catalyst_bot.feeds.poller import Poller, Shared
from catalyst_bot.feeds.recorded import RecordedNews, read_news
from catalyst_bot.feeds.tickers import load_companies
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.news_feed import NewsFeed
from catalyst_bot.ports.sink import Sink
from catalyst_bot.settings import Settings
from catalyst_bot.settings_sources import secret

START_BACK = timedelta(minutes=30)  # of a recording: as long as a signal lives
_END_OF_TIME = datetime(2030, 1, 1, tzinfo=UTC)  # of the table of sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is followed beside Alpaca's news: feeds to poll, and recorded files."""

    polled: tuple[Feed, ...] = ()
    recorded: tuple[Path, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing is followed."""
        return not (self.polled or self.recorded)

    def names(self) -> list[str]:
        """What a person is told is followed."""
        return [*(feed.name for feed in self.polled), *map(str, self.recorded)]


def feeds_of(settings: Settings) -> Chosen:
    """Return what the settings ask for. Raises `ConfigError` naming key and remedy."""
    wanted = Wanted(
        asked=settings.feeds.asked,
        contact=settings.feeds.edgar_contact,
        symbols=tuple(symbol.strip().upper() for symbol in settings.feeds.symbols),
        poll_s=settings.feeds.poll_s,
    )
    files = tuple(Path(path) for path in recordings(wanted.asked))
    for file in files:
        if not file.is_file():
            raise ConfigError(f"feeds.sources: recorded={file}: no such file")
    return Chosen(polled=chosen_feeds(wanted, ciks=_ciks(settings), secret=secret), recorded=files)


@asynccontextmanager
async def open_feeds(
    chosen: Chosen,
    *,
    calendar: TradingCalendar,
    clock: Clock,
    sink: Sink,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    history: Iterable[object] = (),
) -> AsyncIterator[Sequence[NewsFeed]]:
    """Make the feeds, with one client for all. `history` is what the journal holds: it tells which
    halts were told.
    """
    board = HaltBoard()
    board.learn(history)
    async with make_client() as client:
        shared = Shared(
            client=client, calendar=calendar, clock=clock, sink=sink, pause=pause, board=board
        )
        feeds: list[NewsFeed] = [Poller(feed, shared) for feed in chosen.polled]
        if chosen.recorded:
            start = clock.now() - START_BACK
            facts = read_news(chosen.recorded, calendar=calendar, start=start, end=_END_OF_TIME)
            feeds.append(RecordedNews(facts, clock=clock, sink=sink, pause=pause))
        yield feeds


def _ciks(settings: Settings) -> dict[str, int]:
    """The SEC's number of each symbol."""
    file = settings.detection.tickers_file
    if file is None or not settings.feeds.symbols:
        return {}
    listed = load_companies(file).symbols_by_cik
    return {symbol: cik for cik, symbols in listed.items() for symbol in symbols}
