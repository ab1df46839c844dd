"""From entries as feeds wrote them to headlines: cleaned, bounded, believable.

A reader says where the entries of a page are and what each field means (`Draft`). What holds for
all of them is here: a broken entry is a `Problem`, a flood is refused before it is parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.ids import item_id
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.page import (
    MAX_BODY_CHARACTERS,
    MAX_ENTRIES,
    MAX_TITLE_CHARACTERS,
    Page,
    Problem,
    one_line,
    plain_text,
    undamaged,
)
from catalyst_bot.feeds.times import believable

MAX_PAGE_BYTES = 5 << 20
MAX_MARKS = 150_000  # signs that make elements, attributes and values; a page has thousands
MAX_URL_CHARACTERS = 2_000
MAX_OUTLET_CHARACTERS = 100
MAX_SYMBOL_CHARACTERS = 12
MAX_SYMBOLS = 50
_MAX_MARKUP_CHARACTERS = 10 * MAX_BODY_CHARACTERS
Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry as its feed wrote it. `key` is the feed's own and stable; `outlet` is who said it,
    where that is not the feed itself; texts may hold markup.
    """

    key: str
    title: str
    published_at: datetime
    outlet: str = ""
    body: str = ""
    url: str = ""
    symbols: Iterable[str] = ()


def refuse_flood(content: bytes, source: str, marks: Iterable[bytes]) -> None:
    """Raise `BadData` for a page whose parsing would cost more than any page of news does."""
    if len(content) > MAX_PAGE_BYTES:
        raise BadData(f"{source}: {len(content):,} bytes; at most {MAX_PAGE_BYTES:,} are read")
    count = sum(content.count(mark) for mark in marks)
    if count > MAX_MARKS:
        raise BadData(f"{source}: {count:,} elements and values; at most {MAX_MARKS:,} are read")


def read_page(
    entries: Iterable[Entry],
    draft_of: Callable[[Entry], Draft],
    *,
    source: str,
    received_at: datetime,
) -> Page:
    """Return the headlines of the first `MAX_ENTRIES` entries; feeds have the newest first.

    `draft_of` raises `ValueError` for an entry that is no news item.
    """
    headlines: list[Headline] = []
    problems: list[Problem] = []
    rest = iter(entries)
    for number, entry in enumerate(islice(rest, MAX_ENTRIES), start=1):
        try:
            headlines.append(headline_of(draft_of(entry), source, received_at))
        except ValueError as error:
            problems.append(Problem(f"{source} entry {number}", str(error)))
    if next(rest, None) is not None:
        problems.append(Problem(source, f"holds more than {MAX_ENTRIES} entries; not all are read"))
    return Page(tuple(headlines), tuple(problems))


def headline_of(draft: Draft, source: str, received_at: datetime) -> Headline:
    """Return the headline of a draft. Raises `ValueError` without a readable title or believable
    time.
    """
    title = undamaged(plain_text(draft.title[:_MAX_MARKUP_CHARACTERS]), "title")
    if not title:
        raise ValueError("has no title")
    url = web_address(draft.url)
    return Headline(
        item_id=item_id(source, one_line(draft.key) or f"{url} {title}"),
        source=plain_text(draft.outlet[:MAX_OUTLET_CHARACTERS]) or source,
        title=title[:MAX_TITLE_CHARACTERS],
        body=plain_text(draft.body[:_MAX_MARKUP_CHARACTERS])[:MAX_BODY_CHARACTERS],
        url=url,
        symbols=_symbols(draft.symbols),
        published_at=believable(draft.published_at, received_at),
        received_at=received_at,
    )


def web_address(text: str) -> str:
    """Return an address on one line, empty for what no browser should follow."""
    url = one_line(text[:MAX_URL_CHARACTERS])
    return url if url.startswith(("https://", "http://")) else ""


def _symbols(hints: Iterable[str]) -> tuple[str, ...]:
    """Hints in upper case, each once; a colon marks a currency, a coin or another exchange."""
    spelled = (one_line(hint).upper() for hint in islice(hints, MAX_SYMBOLS))
    return tuple(
        dict.fromkeys(
            symbol
            for symbol in spelled
            if symbol and ":" not in symbol and len(symbol) <= MAX_SYMBOL_CHARACTERS
        )
    )
