"""RSS and Atom feeds of news wires and media, with a small table of what their senders do.

libxml2 does the XML, strictly: asked to recover it would drop every "&amp;" behind the first error.
What senders do break is mended by hand. Entities, external documents and floods are refused; times
are read by `times`, which guesses none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from lxml import etree

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.entries import Draft, read_page, refuse_flood
from catalyst_bot.feeds.page import Page, one_line, refuse_html
from catalyst_bot.feeds.times import of_rss


@dataclass(frozen=True, slots=True)
class Dialect:
    """In what a sender differs from plain RSS."""

    names_outlet: bool = False  # <source>Outlet</source> is who said it
    ends_with_outlet: bool = False  # and titles end with " - Outlet"
    has_stock_categories: bool = False  # <category domain=".../rss/stock">Nasdaq:ACME</category>


PLAIN = Dialect()
DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "globenewswire": Dialect(has_stock_categories=True),
        "prnewswire": PLAIN,  # its categories are subjects such as ERN, never symbols
        "businesswire": PLAIN,
        "accesswire": PLAIN,
        "yahoo": Dialect(names_outlet=True),
        "google": Dialect(names_outlet=True, ends_with_outlet=True),
    }
)
_MARKS = (b"<", b"&", b"=")
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r")
_BARE_AMPERSAND = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")
_OTHER_CHARSET = re.compile(rb"<\?xml[^>]{1,200}encoding=[\"'](?!utf-?8)", re.IGNORECASE)
_FEEDS = frozenset({"rss", "feed", "RDF"})
_ENTRIES = frozenset({"item", "entry"})
_NAMESPACES = frozenset(  # others name their own title or date: media:title is of a picture
    {
        "",
        "http://www.w3.org/2005/Atom",
        "http://purl.org/atom/ns#",
        "http://purl.org/rss/1.0/",
        "http://purl.org/rss/1.0/modules/content/",
        "http://purl.org/dc/elements/1.1/",
    }
)
_DATES = ("pubDate", "published", "issued", "date", "updated", "modified")
_BODIES = ("description", "summary", "encoded", "content")
_US_EXCHANGES = frozenset(
    {"nasdaq", "nyse", "nyse american", "nyse arca", "nyse mkt", "amex", "cboe"}
)


def parse_rss(
    content: bytes, *, source: str, received_at: datetime, dialect: Dialect | None = None
) -> Page:
    """Read a page of a feed; without a dialect, that of the source is taken, or plain RSS.

    Raises `BadData` when the page as a whole is no feed.
    """
    chosen = dialect or DIALECTS.get(source, PLAIN)
    return read_page(
        _entries(content, source),
        lambda entry: _draft(entry, chosen),
        source=source,
        received_at=received_at,
    )


def _entries(content: bytes, source: str) -> Iterator[Any]:
    refuse_html(content, source)
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise BadData(f"{source}: not XML: begins with {content[:40].decode(errors='replace')!r}")
    refuse_flood(content, source, _MARKS)
    if b"<!ENTITY" in content:
        raise BadData(f"{source}: declares entities, which no feed of news does")
    root = _root(content.lstrip(), source)
    if _local(root.tag) not in _FEEDS:
        raise BadData(f"{source}: not a feed, the document is a <{_local(root.tag)[:40]}>")
    return (element for element in root.iter(etree.Element) if _local(element.tag) in _ENTRIES)


def _root(content: bytes, source: str) -> Any:
    try:
        return etree.fromstring(content, _parser())
    except (etree.LxmlError, ValueError, LookupError):
        mended = _mended(content)
    try:
        return etree.fromstring(mended, _parser())
    except (etree.LxmlError, ValueError, LookupError) as error:
        raise BadData(f"{source}: not readable as XML: {one_line(str(error))}") from error


def _mended(content: bytes) -> bytes:
    """Drop control characters, escape a bare "&" and "&nbsp;", replace bytes that are no UTF-8: a
    title that has such bytes is refused, the others of the page are read.
    """
    text = _BARE_AMPERSAND.sub(b"&amp;", content.translate(None, _CONTROLS))
    return text if _OTHER_CHARSET.match(text) else text.decode(errors="replace").encode()


def _parser() -> Any:
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _draft(entry: Any, dialect: Dialect) -> Draft:
    fields = _fields(entry)
    title, outlet = fields.get("title", ""), ""
    if dialect.names_outlet:
        outlet = fields.get("source", "")
    if dialect.ends_with_outlet:
        title, outlet = _without_outlet(title, outlet)
    url = fields.get("link", "")
    return Draft(
        key=fields.get("guid") or fields.get("id") or url,
        title=title,
        published_at=of_rss(_first(fields, _DATES)),
        outlet=outlet,
        body=_first(fields, _BODIES),
        url=url,
        symbols=_stocks(entry) if dialect.has_stock_categories else (),
    )


def _fields(entry: Any) -> dict[str, str]:
    """Return the text of each child that has one, the first of a name."""
    fields: dict[str, str] = {}
    for child in entry.iterchildren(etree.Element):
        name = _local(child.tag)
        text = _link(child) if name == "link" else "".join(child.itertext())
        if text.strip() and _namespace(child.tag) in _NAMESPACES:
            fields.setdefault(name, text.strip())
    return fields


def _link(element: Any) -> str:
    """Return the address of an RSS link, or of Atom's link to the article."""
    if element.get("rel", "alternate") != "alternate":
        return ""
    return element.text or element.get("href") or ""


def _first(fields: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((fields[name] for name in names if name in fields), "")


def _without_outlet(title: str, outlet: str) -> tuple[str, str]:
    """Split "Title - Outlet"; the outlet may hold a hyphen, so the feed's own word for it wins."""
    if outlet and title.endswith(f" - {outlet}"):
        return title.removesuffix(f" - {outlet}"), outlet
    head, dash, ending = title.rpartition(" - ")
    return (head, ending) if dash and head else (title, outlet)


def _stocks(entry: Any) -> Iterator[str]:
    """Yield the US symbols among the listings an item names."""
    for category in entry.iterchildren("category"):
        exchange, colon, symbol = (category.text or "").partition(":")
        if (
            colon
            and category.get("domain", "").endswith("/rss/stock")
            and one_line(exchange).lower() in _US_EXCHANGES
        ):
            yield symbol


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _namespace(tag: str) -> str:
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""
