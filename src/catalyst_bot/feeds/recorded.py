"""Recorded news as files of one JSON object a line (`.jsonl`, `.jsonl.zst`).

What a line holds: `feeds.rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import HeadlineReceived, HeadlineUnreadable
from catalyst_bot.feeds.lines import read_lines
from catalyst_bot.feeds.rows import day_of, headline_of, published_at_of, row_of

DELIVERY = timedelta(seconds=60)  # a feed brings an item a minute after its publication
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
