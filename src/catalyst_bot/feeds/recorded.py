"""Recorded news as files of one JSON object a line (`.jsonl`, `.jsonl.zst`).

What a line holds: `feeds.rows`. A replay plays them on its tape; a live run follows them by the
broker's clock, which may be that of an exchange that replays the same days.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import HeadlineReceived, HeadlineUnreadable
from catalyst_bot.feeds.lines import read_lines
from catalyst_bot.feeds.rows import day_of, headline_of, published_at_of, row_of
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

DELIVERY = timedelta(seconds=60)  # a feed brings an item a minute after its publication
MAX_PAUSE_S = 60.0  # a clock may be put forward
_LONGEST_CLOSURE = timedelta(days=10)
NewsFact = HeadlineReceived | HeadlineUnreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """What of a file is wanted, and the sessions that dates without a time refer to."""

    start: datetime
    end: datetime
    calendar: TradingCalendar


def read_news(
    paths: Iterable[Path], *, calendar: TradingCalendar, start: datetime, end: datetime
) -> Iterator[NewsFact]:
    """Yield what was received in [start, end), in the order of receipt.

    A line that is no news item becomes a `HeadlineUnreadable` with "file:line" and the reason; it
    counts as received at its time, or at `start` when that is what cannot be read. Raises
    `BadData` for a file that as a whole is none (no readable line, a truncated archive).
    """
    window = _Window(start=start, end=end, calendar=calendar)
    facts = [fact for path in paths for fact in _read_file(path, window)]
    yield from sorted(facts, key=lambda fact: fact.at)


class RecordedNews:
    """Tells recorded news when it is due by a clock: a `NewsFeed`."""

    name = "feed recorded news"

    def __init__(
        self,
        facts: Iterable[NewsFact],
        *,
        clock: Clock,
        sink: Sink,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take the facts in the order of receipt, as `read_news` gives them."""
        self._left = deque(facts)
        self._clock = clock
        self._sink = sink
        self._pause = pause

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await self._pause(await self.look())

    async def look(self) -> float:
        """Tell what is due, newest first; return the seconds to the next item, at most a minute."""
        due: list[NewsFact] = []
        while self._left and self._left[0].at <= self._clock.now():
            due.append(self._left.popleft())
        for fact in reversed(due):
            self._sink(_told(fact, self._clock.now()))
            await asyncio.sleep(0)  # let the core keep pace with a full recording
        if not self._left:
            return MAX_PAUSE_S
        wait_s = (self._left[0].at - self._clock.now()).total_seconds()
        return min(max(wait_s, 0.0), MAX_PAUSE_S)


def _told(fact: NewsFact, now: datetime) -> NewsFact:
    """The fact as of the time it is told: nothing is learned before the clock says so."""
    if isinstance(fact, HeadlineUnreadable):
        return replace(fact, at=now)
    return replace(fact, at=now, headline=replace(fact.headline, received_at=now))


def _read_file(path: Path, window: _Window) -> Iterator[NewsFact]:
    good, unreadable = 0, []
    for number, line in read_lines(path):
        try:
            row = row_of(line)
            received_at = _received_at(row, window)
        except ValueError as error:
            unreadable.append(_unreadable(path, number, window.start, error))
            continue
        if received_at is None or not window.start <= received_at < window.end:
            good += 1
            continue
        try:
            headline = headline_of(row, received_at)
        except ValueError as error:
            unreadable.append(_unreadable(path, number, received_at, error))
            continue
        good += 1
        yield HeadlineReceived(at=received_at, headline=headline)
    if unreadable and not good:
        raise BadData(
            f"{unreadable[0].place}: {unreadable[0].reason}; no line of the file is a news item: "
            "expected one JSON object a line with published_at and title"
        )
    yield from unreadable


def _unreadable(path: Path, number: int, at: datetime, error: ValueError) -> HeadlineUnreadable:
    return HeadlineUnreadable(
        at=at, source=path.name, place=f"{path.name}:{number}", reason=str(error)
    )


def _received_at(row: dict[str, Any], window: _Window) -> datetime | None:
    """Return when we could first act on it, or None for a time far outside the window.

    A date without time of day may mean its last minute, so it is received at the first open
    after that day.
    """
    day = day_of(row)
    if day is None:
        return published_at_of(row) + DELIVERY
    day_end = datetime.combine(day, time.max, tzinfo=UTC)
    if not window.start - _LONGEST_CLOSURE <= day_end < window.end:
        return None
    return window.calendar.next_session(day_end).opens_at
