"""What every parser returns, and what all of them need: plain text out of markup.

A broken entry is a `Problem` and does not cost the others; a broken page is `BadData`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.news import Headline

MAX_ENTRIES = 500
MAX_TITLE_CHARACTERS = 500
MAX_BODY_CHARACTERS = 4_000
_HTML = re.compile(rb"<!doctype html|<html", re.IGNORECASE)
_HTML_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
_SNIFFED_BYTES = 2_048


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that is no news item: where it stands and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """The headlines of one answer of a feed, in its order, and what could not be read."""

    headlines: tuple[Headline, ...]
    problems: tuple[Problem, ...] = ()


def refuse_html(content: bytes, source: str) -> None:
    """Raise `BadData` when a feed answered with a web page, as overloaded servers do."""
    head = content[:_SNIFFED_BYTES].lstrip()
    if _HTML.match(head):
        found = _HTML_TITLE.search(content[:_SNIFFED_BYTES])
        title = one_line(found[1].decode("utf-8", "replace")) if found else "without a title"
        raise BadData(f"{source}: an HTML page instead of XML: {title!r}")


def one_line(text: str) -> str:
    """Join all white space, line breaks and NUL bytes to single spaces."""
    return " ".join(text.replace("\x00", " ").split())


def plain_text(markup: str) -> str:
    """Return the text of an HTML fragment on one line. Never raises: browsers do not either."""
    if "<" not in markup and "&" not in markup:
        return one_line(markup)
    collector = _TextCollector()
    collector.feed(markup)
    collector.close()
    return one_line(" ".join(collector.parts))


class _TextCollector(HTMLParser):
    """Keeps the text between tags, but not that of scripts and styles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden_in = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in {"script", "style"}:
            self._hidden_in = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden_in:
            self._hidden_in = ""

    def handle_data(self, data: str) -> None:
        if not self._hidden_in:
            self.parts.append(data)
