"""A news item as one JSON object: how recordings and JSON lines feeds write it.

Read: `published_at, title, source, symbols, body, url, form, items, cik, accession, time_known`.
Everything else stays outside, above all a vendor's own labels: they are answers, not news.
Every function raises `ValueError` that says what is wrong with the row.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from catalyst_bot.domain.ids import item_id
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.lines import json_of, kind_of
from catalyst_bot.feeds.page import MAX_BODY_CHARACTERS, MAX_TITLE_CHARACTERS, one_line
from catalyst_bot.feeds.times import EARLIEST

_DATE_CHARACTERS = len("2025-10-06")
_QUOTED_CHARACTERS = 40


def row_of(line: bytes) -> dict[str, Any]:
    """Return the object on a line."""
    row = json_of(line)
    if not isinstance(row, dict):
        raise ValueError("is not a JSON object")
    return row


def day_of(row: dict[str, Any]) -> date | None:
    """Return the day of an item that has no time of day, else None."""
    text = _published_text(row)
    if len(text) == _DATE_CHARACTERS or row.get("time_known") is False:
        return _date(text)
    return None


def published_at_of(row: dict[str, Any]) -> datetime:
    """Return when an item with a time of day was published."""
    return _time(_published_text(row))


def _published_text(row: dict[str, Any]) -> str:
    text = row.get("published_at")
    if not isinstance(text, str):
        raise ValueError("has no published_at")
    return text


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text[:_DATE_CHARACTERS])
    except ValueError as error:
        raise ValueError(f"has no readable published_at: {text[:_QUOTED_CHARACTERS]!r}") from error
    _after_the_first(day)
    return day


def _time(text: str) -> datetime:
    """Times are UTC unless they say otherwise. Only years 2 to 9998 leave room for zones."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"has no readable published_at: {text[:_QUOTED_CHARACTERS]!r}") from error
    if not 1 < at.year < 9999:
        raise ValueError(f"has a published_at outside all calendars: {text[:_QUOTED_CHARACTERS]!r}")
    _after_the_first(at.date())
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _after_the_first(day: date) -> None:
    if day < EARLIEST.date():
        raise ValueError(f"has a published_at before there were feeds: {day}")


def headline_of(row: dict[str, Any], received_at: datetime) -> Headline:
    """Return the item. Without a time of day it counts as published when it is received: age
    unknown, not old.
    """
    title = _text(row, "title")
    if not title:
        raise ValueError("has no title")
    source = _text(row, "source") or "unknown"
    url, accession = _text(row, "url"), _text(row, "accession")
    cik = row.get("cik")
    if cik is not None and (isinstance(cik, bool) or not isinstance(cik, int)):
        raise ValueError(f"has a cik that is no whole number but {kind_of(cik)}")
    day = day_of(row)
    published_at = received_at if day else published_at_of(row)
    spelled = day.isoformat() if day else published_at.isoformat()  # however the row writes it
    key = f"{accession}/{cik}" if accession else f"{url} {title} {spelled}"
    return Headline(
        item_id=item_id(source, key),
        source=source,
        title=title[:MAX_TITLE_CHARACTERS],
        body=_text(row, "body")[:MAX_BODY_CHARACTERS],
        url=url,
        symbols=_texts(row, "symbols"),
        published_at=published_at,
        received_at=received_at,
        form=_text(row, "form"),
        items=_texts(row, "items"),
        cik=cik,
        accession=accession,
    )


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"has a {key} that is no text but {kind_of(value)}")
    return one_line(value)


def _texts(row: dict[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"has {key} that are no list of texts but {kind_of(value)}")
    return tuple(one_line(item) for item in value)
