"""EDGAR's Atom feeds: the market-wide `getcurrent` and the feed of one company.

`getcurrent` lists a filing once per party ("Issuer", "Reporting", "Filer", ...), each with its
own CIK in the title. The feed of one company names the CIK once, at the top.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from defusedxml import ElementTree

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.ids import item_id
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.entries import refuse_flood, web_address
from catalyst_bot.feeds.page import (
    MAX_BODY_CHARACTERS,
    MAX_ENTRIES,
    MAX_TITLE_CHARACTERS,
    Page,
    Problem,
    one_line,
    plain_text,
    refuse_html,
)
from catalyst_bot.feeds.times import believable, iso

_ATOM = "{http://www.w3.org/2005/Atom}"
_ACCESSION = re.compile(r"accession-number=(\d{10}-\d{2}-\d{6})")
_PARTY = re.compile(r"\((\d{10})\) \([^()]+\)$")
_ITEM = re.compile(r"\bItem (\d{1,2}\.\d{2})\b")
_ITEM_LIST = re.compile(r"\b\d{1,2}\.\d{2}\b")


@dataclass(frozen=True, slots=True)
class _Company:
    """The company a feed is of; empty for `getcurrent`."""

    name: str
    cik: int | None


def parse_edgar_atom(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read a page of EDGAR. Raises `BadData` when the page as a whole is no EDGAR feed.

    Times carry their offset and are turned into UTC; a time without offset is a problem, because
    New York and UTC are hours apart.
    """
    refuse_html(content, source)
    refuse_flood(content, source, (b"<", b"&", b"="))
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise BadData(f"{source}: not readable as XML: {error}") from error
    if root.tag != f"{_ATOM}feed":
        raise BadData(f"{source}: not an Atom feed, the document is a <{root.tag}>")
    company = _company(root)
    headlines: list[Headline] = []
    problems: list[Problem] = []
    for number, entry in enumerate(root.findall(f"{_ATOM}entry")[:MAX_ENTRIES], start=1):
        try:
            headlines.append(_headline(entry, company, source, received_at))
        except ValueError as error:
            problems.append(Problem(f"{source} entry {number}", str(error)))
    return Page(tuple(headlines), tuple(problems))


def _headline(entry: Any, company: _Company, source: str, received_at: datetime) -> Headline:
    title = one_line(_text(entry, "title"))
    accession = _ACCESSION.search(_text(entry, "id"))
    if not title or not accession:
        raise ValueError("has no title or no accession number")
    party = _PARTY.search(title)
    cik = int(party[1]) if party else company.cik
    category, link = entry.find(f"{_ATOM}category"), entry.find(f"{_ATOM}link")
    form = category.get("term", "") if category is not None else ""
    if not form:
        raise ValueError("has no form type")
    if not party and company.name:
        title = f"{form} - {company.name} ({company.cik:010d}) (Filer)"
    summary = plain_text(_text(entry, "summary"))
    return Headline(
        item_id=item_id(source, f"{accession[1]}/{cik}"),
        source=source,
        title=title[:MAX_TITLE_CHARACTERS],
        body=summary[:MAX_BODY_CHARACTERS],
        url=web_address(link.get("href", "") if link is not None else ""),
        published_at=believable(iso(_text(entry, "updated")), received_at),
        received_at=received_at,
        form=form,
        items=tuple(dict.fromkeys(_ITEM.findall(summary) or _listed_items(entry))),
        cik=cik,
        accession=accession[1],
    )


def _listed_items(entry: Any) -> list[str]:
    """Items as the feed of one company gives them: "items 1.01 and 9.01"."""
    return _ITEM_LIST.findall(entry.findtext(f"{_ATOM}content/{_ATOM}items-desc") or "")


def _company(root: Any) -> _Company:
    info = root.find(f"{_ATOM}company-info")
    cik = info.findtext(f"{_ATOM}cik", "") if info is not None else ""
    if not cik.isascii() or not cik.isdigit():
        return _Company("", None)
    return _Company(one_line(info.findtext(f"{_ATOM}conformed-name") or ""), int(cik))


def _text(entry: Any, tag: str) -> str:
    return str(entry.findtext(f"{_ATOM}{tag}") or "")
