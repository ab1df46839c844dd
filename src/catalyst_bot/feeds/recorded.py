"""Recorded news as files of one JSON object a line (`.jsonl`, `.jsonl.zst`).

Read: `published_at, title, source, symbols, body, url, form, items, cik, accession, time_known`.
Everything else stays outside, above all a vendor's own labels: they are answers, not news.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.ids import item_id
from catalyst_bot.domain.messages.facts import HeadlineReceived, HeadlineUnreadable
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.lines import read_lines
from catalyst_bot.feeds.page import MAX_BODY_CHARACTERS, MAX_TITLE_CHARACTERS, one_line

DELIVERY = timedelta(seconds=60)  # a feed brings an item a minute after its publication
_LONGEST_CLOSURE = timedelta(days=10)
_DATE_CHARACTERS = len("2025-10-06")
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
            row = _row(line)
            received_at = _received_at(row, window)
        except ValueError as error:
            unreadable.append(_unreadable(path, number, window.start, error))
            continue
        if received_at is None or not window.start <= received_at < window.end:
            good += 1
            continue
        try:
            headline = _headline(row, received_at)
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


def _row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("is not a JSON object")
    return row


def _received_at(row: dict[str, Any], window: _Window) -> datetime | None:
    """Return when we could first act on it, or None for a time far outside the window.

    A date without time of day may mean its last minute, so it is received at the first open
    after that day.
    """
    text = row.get("published_at")
    if not isinstance(text, str):
        raise ValueError("has no published_at")
    if len(text) == _DATE_CHARACTERS or row.get("time_known") is False:
        day_end = datetime.combine(_date(text), time.max, tzinfo=UTC)
        if not window.start - _LONGEST_CLOSURE <= day_end < window.end:
            return None
        return window.calendar.next_session(day_end).opens_at
    return _time(text) + DELIVERY


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text[:_DATE_CHARACTERS])
    except ValueError as error:
        raise ValueError(f"has no readable published_at: {text!r}") from error


def _time(text: str) -> datetime:
    """Times are UTC unless they say otherwise. Only years 2 to 9998 leave room for zones."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"has no readable published_at: {text!r}") from error
    if not 1 < at.year < 9999:
        raise ValueError(f"has a published_at outside all calendars: {text!r}")
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _headline(row: dict[str, Any], received_at: datetime) -> Headline:
    title = one_line(_text(row, "title"))
    if not title:
        raise ValueError("has no title")
    source = _text(row, "source") or "unknown"
    url, accession = _text(row, "url"), _text(row, "accession")
    cik = row.get("cik")
    if cik is not None and (isinstance(cik, bool) or not isinstance(cik, int)):
        raise ValueError(f"has a cik that is no whole number: {cik!r}")
    key = f"{accession}/{cik}" if accession else f"{url} {title} {row['published_at']}"
    return Headline(
        item_id=item_id(source, key),
        source=source,
        title=title[:MAX_TITLE_CHARACTERS],
        body=one_line(_text(row, "body"))[:MAX_BODY_CHARACTERS],
        url=url,
        symbols=_texts(row, "symbols"),
        published_at=_published_at(row, received_at),
        received_at=received_at,
        form=_text(row, "form"),
        items=_texts(row, "items"),
        cik=cik,
        accession=accession,
    )


def _published_at(row: dict[str, Any], received_at: datetime) -> datetime:
    """Without a time of day it counts as published when it is received: age unknown, not old."""
    text = row["published_at"]
    if len(text) == _DATE_CHARACTERS or row.get("time_known") is False:
        return received_at
    return _time(text)


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"has a {key} that is no text: {value!r}")
    return value


def _texts(row: dict[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"has {key} that are no list of texts: {value!r}")
    return tuple(value)
