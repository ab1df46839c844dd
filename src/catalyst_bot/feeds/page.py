"""What every parser returns, and what all of them need: plain text out of markup.

A broken entry is a `Problem` and does not cost the others; a broken page is `BadData`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import unescape

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.news import Headline

MAX_ENTRIES = 500
MAX_TITLE_CHARACTERS = 500
MAX_BODY_CHARACTERS = 4_000
_REPLACED = "\ufffd"  # what stands for bytes that are no text in the character set of a page
_HTML = re.compile(rb"<!doctype html|<html", re.IGNORECASE)
_HTML_TITLE = re.compile(rb"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
_SNIFFED_BYTES = 2_048
# Of XBRL filings ix:header holds once more, for programs, what stands in the text.
_TAG = re.compile(r"<!--|<script\b|<style\b|<ix:header\b|<(?=[a-z/!?])", re.IGNORECASE | re.ASCII)
_ENDS = {
    "<!--": re.compile("-->"),
    "<script": re.compile("(?=</script)", re.IGNORECASE),
    "<style": re.compile("(?=</style)", re.IGNORECASE),
    "<ix:header": re.compile("(?=</ix:header)", re.IGNORECASE),
    "<": re.compile(">"),
}
_ENTITY = re.compile(r"&#?[0-9a-zA-Z]{1,32};?")


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that is no news item: where it stands and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """A trading halt as an exchange lists it. `resumes_at` is None while nobody knows."""

    symbol: str
    company: str
    code: str
    halted_at: datetime
    resumes_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """The headlines of one answer of a feed, in its order, and what could not be read.

    A list of halts has no headlines: which of them are news depends on what was told before. Of
    every other page `halts` is None.
    """

    headlines: tuple[Headline, ...]
    problems: tuple[Problem, ...] = ()
    halts: tuple[Halt, ...] | None = None


def refuse_html(content: bytes, source: str) -> None:
    """Raise `BadData` when a feed answered with a web page, as overloaded servers do."""
    head = content[:_SNIFFED_BYTES].lstrip()
    if _HTML.match(head):
        found = _HTML_TITLE.search(content[:_SNIFFED_BYTES])
        title = one_line(found[1].decode("utf-8", "replace")) if found else "without a title"
        raise BadData(f"{source}: an HTML page instead of XML: {title!r}")


def one_line(text: str) -> str:
    """Join all white space, line breaks and NUL bytes to single spaces.

    Half a surrogate pair, which JSON can spell and nothing can store, becomes a question mark.
    """
    line = " ".join(text.replace("\x00", " ").split())
    return line if line.isascii() else line.encode(errors="replace").decode()


def undamaged(text: str, what: str) -> str:
    """Return a text. Raises `ValueError` where bytes of it were in another character set."""
    if _REPLACED in text:
        raise ValueError(f"has a {what} in another character set than its page says: {text[:80]!r}")
    return text


def plain_text(markup: str) -> str:
    """Return the text of an HTML fragment on one line. Never raises: browsers do not either.

    One pass from left to right: Python's own HTML parser needs ten seconds for 30 KB of "<a ".
    """
    if "<" not in markup and "&" not in markup:
        return one_line(markup)
    return one_line(" ".join(_ENTITY.sub(_character, text) for text in _between_tags(markup)))


def _between_tags(markup: str) -> Iterator[str]:
    """Yield the text between tags, but not comments and what scripts and styles hold."""
    at = 0
    while (tag := _TAG.search(markup, at)) is not None:
        yield markup[at : tag.start()]
        end = _ENDS[tag[0].lower()].search(markup, tag.end() - 1)
        if end is None:
            if tag[0] == "<":
                yield markup[tag.start() :]  # "margin <expected" is no tag
            return
        at = end.end()
    yield markup[at:]


def _character(entity: re.Match[str]) -> str:
    return unescape(entity[0])
