"""RSS and Atom feeds of news wires and media.

fastfeedparser does the XML: on hostile input it stays within a second where others need half a
minute. It cannot be handed a URL here, because it would fetch that itself.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import fastfeedparser

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.ids import item_id
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.page import (
    MAX_BODY_CHARACTERS,
    MAX_ENTRIES,
    MAX_TITLE_CHARACTERS,
    Page,
    Problem,
    plain_text,
    refuse_html,
)

GOOGLE_NEWS = "google"  # its titles end with " - Outlet", and the outlet is who said it
_STOCK_CATEGORY = "/rss/stock"  # GlobeNewswire: <category domain=".../rss/stock">Nasdaq:ACME
_US_EXCHANGES = frozenset({"nasdaq", "nyse", "nyse american", "nyse arca", "amex", "cboe"})


def parse_rss(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read a page of a feed. Raises `BadData` when the page as a whole is no feed."""
    refuse_html(content, source)
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise BadData(f"{source}: not XML: begins with {content[:40]!r}")
    try:
        entries = fastfeedparser.parse(content).entries
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BadData(f"{source}: not readable as a feed: {error}") from error
    headlines: list[Headline] = []
    problems: list[Problem] = []
    for number, entry in enumerate(entries[:MAX_ENTRIES], start=1):
        try:
            headlines.append(_headline(entry, source, received_at))
        except ValueError as error:
            problems.append(Problem(f"{source} entry {number}", str(error)))
    return Page(tuple(headlines), tuple(problems))


def _headline(entry: Any, source: str, received_at: datetime) -> Headline:
    title, outlet = _title_and_outlet(plain_text(entry.get("title") or ""), source)
    if not title:
        raise ValueError("has no title")
    url = str(entry.get("link") or "")
    return Headline(
        item_id=item_id(source, str(entry.get("id") or f"{url} {title}")),
        source=outlet,
        title=title[:MAX_TITLE_CHARACTERS],
        body=plain_text(entry.get("description") or "")[:MAX_BODY_CHARACTERS],
        url=url,
        symbols=_symbols(entry.get("tags") or ()),
        published_at=_time(entry.get("published") or entry.get("updated") or ""),
        received_at=received_at,
    )


def _title_and_outlet(title: str, source: str) -> tuple[str, str]:
    head, dash, outlet = title.rpartition(" - ")
    return (head, outlet) if source == GOOGLE_NEWS and dash and head else (title, source)


def _symbols(tags: Any) -> tuple[str, ...]:
    """US symbols of GlobeNewswire's stock categories; other categories are never tickers."""
    found = []
    for tag in tags:
        exchange, colon, symbol = str(tag.get("term") or "").partition(":")
        if (
            colon
            and str(tag.get("scheme") or "").endswith(_STOCK_CATEGORY)
            and exchange.strip().lower() in _US_EXCHANGES
        ):
            found.append(symbol.strip().upper())
    return tuple(dict.fromkeys(found))


def _time(text: str) -> datetime:
    """An item without a readable time is refused: taking "now" would make old news fresh."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"has no readable time of publication: {text!r}") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
