"""Whose news it is: CIK, hinted symbols, exchange prefixes, cashtags and names, in this order.

Of several companies those count that a text is about: the title names them early, the first
lines name them again. A list of many is nobody's news.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from catalyst_bot.detection.companies import Companies
from catalyst_bot.detection.filings import is_by_another_party
from catalyst_bot.detection.mentions import is_bystander, positions, telling_mentions
from catalyst_bot.detection.reasons import (
    BYSTANDER,
    NO_TICKER,
    NOT_THE_SUBJECT,
    TOO_MANY_SYMBOLS,
    UNKNOWN_SYMBOL,
)
from catalyst_bot.detection.text import words
from catalyst_bot.domain.news import Headline

MAX_SYMBOLS = 4
MAX_PRIMARY_SYMBOLS = 2
SEARCHED_CHARACTERS = 600
LEAD_CHARACTERS = 300
TITLE_POINTS, LEAD_POINTS, FREQUENCY_POINTS = 50.0, 30.0, 20.0
MIN_RELEVANCE = 40.0
MAX_RELEVANCE_GAP = 30.0  # a second company this far behind is only mentioned
RECENT_SYMBOLS = 16_384  # whose spelling is remembered: more than there are
_LATE_WORDS = 24.0  # a title is rarely longer; the last word is worth half of the first
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,5}(?:-[A-Z]{1,2})?")
_EXCHANGE = re.compile(
    r"\b(?:NASDAQ(?:[ -]?(?:GS|GM|CM))?|NYSE(?:[ -]?(?:American|Arca|MKT))?|AMEX|CBOE)\s*:\s*"
    r"([A-Za-z]{1,5}(?:[.-][A-Za-z]{1,2})?)\b",
    re.IGNORECASE,
)
_CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z]{1,5}(?:\.[A-Za-z])?)\b")
_CAPITALS = re.compile(  # a word of 2 to 5 capitals, or one in brackets; begins with what is rare
    r"[A-Z](?:(?<=\b[A-Z])[A-Z]{1,4}\b|(?<=\([A-Z])(?=\)))"
)
_SHARE_CLASSES = frozenset("ABC")


class Owners(NamedTuple):
    """One or two symbols a headline is about; `beside` are others it names as well, which count
    where its words give them a part in the event.
    """

    symbols: tuple[str, ...]
    beside: tuple[str, ...] = ()


class NoOwner(NamedTuple):
    """Why a headline belongs to no symbol."""

    reason: str
    detail: str


def find_owners(headline: Headline, companies: Companies) -> Owners | NoOwner:
    """Return whose news a headline is, or why nobody's. Never raises."""
    if headline.form:
        return _of_filing(headline, companies)
    if len(headline.symbols) == 1 and headline.symbols[0] in companies.known:
        return _unless_bystanders(headline, headline.symbols, companies)
    hinted = normal_symbols(headline.symbols) or _in_text(headline, companies)
    if not hinted:
        return NoOwner(NO_TICKER, "no symbol hinted or written, no company named")
    listed = [symbol for symbol in common_shares(hinted) if companies.is_known(symbol)]
    if not listed:
        return NoOwner(UNKNOWN_SYMBOL, ", ".join(hinted))
    return _unless_bystanders(headline, listed, companies)


def _unless_bystanders(
    headline: Headline, symbols: Sequence[str], companies: Companies
) -> Owners | NoOwner:
    """Whoever a title names only beside another is not what it is about."""
    title = words(headline.title)
    if companies.relations.isdisjoint(title):
        return _most_relevant(headline, symbols, companies)
    about = [symbol for symbol in symbols if not is_bystander(title, symbol, companies)]
    if not about:
        return NoOwner(BYSTANDER, f"the title names {', '.join(symbols)} beside another company")
    return _most_relevant(headline, about, companies)


def _most_relevant(
    headline: Headline, symbols: Sequence[str], companies: Companies
) -> Owners | NoOwner:
    if len(symbols) == 1:
        return Owners(tuple(symbols))
    if len(symbols) > MAX_SYMBOLS:
        return NoOwner(TOO_MANY_SYMBOLS, ", ".join(symbols))
    points = {symbol: relevance(headline, symbol, companies) for symbol in symbols}
    ranked = sorted(symbols, key=lambda symbol: -points[symbol])
    about = [
        symbol
        for symbol in ranked
        if points[symbol] >= MIN_RELEVANCE
        and points[ranked[0]] - points[symbol] <= MAX_RELEVANCE_GAP
    ]
    first = tuple((about or ranked)[:MAX_PRIMARY_SYMBOLS])
    return Owners(first, tuple(symbol for symbol in ranked if symbol not in first))


def relevance(headline: Headline, symbol: str, companies: Companies) -> float:
    """Return how much a text is about a company, in [0, 100].

    Half is for the title (less the later it names it), the rest for the first 300 characters of
    the body and for being named more than once.
    """
    title, lead = words(headline.title), words(headline.body[:LEAD_CHARACTERS])
    in_title = positions(title, symbol, companies)
    in_lead = positions(lead, symbol, companies)
    points = 0.0
    if in_title:
        points += TITLE_POINTS * max(1.0 - in_title[0] / (2.0 * _LATE_WORDS), 0.5)
    if in_lead or (in_title and not lead):
        points += LEAD_POINTS
    times = len(in_title) + len(in_lead)
    return points + FREQUENCY_POINTS * (1.0 - 0.5**times)


def _of_filing(headline: Headline, companies: Companies) -> Owners | NoOwner:
    """A filing is about one company: its first symbol is the common share."""
    if is_by_another_party(headline):
        return NoOwner(NOT_THE_SUBJECT, headline.title)
    mapped = companies.by_cik.get(headline.cik, ()) if headline.cik is not None else ()
    symbols = common_shares(normal_symbols(mapped or headline.symbols))
    if not symbols:
        return NoOwner(NO_TICKER, f"CIK {headline.cik} has no listed symbol")
    known = [symbol for symbol in symbols if companies.is_known(symbol)]
    return Owners((known[0],)) if known else NoOwner(UNKNOWN_SYMBOL, ", ".join(symbols))


def normal_symbols(symbols: Iterable[str]) -> tuple[str, ...]:
    """Return well-formed symbols in upper case with hyphens, each once, in order."""
    return tuple(dict.fromkeys([known for symbol in symbols if (known := _normal(symbol))]))


@lru_cache(maxsize=RECENT_SYMBOLS)
def _normal(symbol: str) -> str:
    """Return a symbol as we spell it, empty when it is not well-formed."""
    spelled = symbol.strip().upper().replace(".", "-").replace("/", "-")
    return spelled if _SYMBOL.fullmatch(spelled) else ""


def common_shares(symbols: Sequence[str]) -> tuple[str, ...]:
    """Drop preferred shares, warrants, units and rights whose common share is in the list too.

    A symbol alone is never dropped: NOW, PLTR and MU end like warrants and are none.
    """
    if len(symbols) == 1:
        return tuple(symbols)
    listed = set(symbols)
    return tuple(symbol for symbol in symbols if not _is_derived(symbol, listed))


def _is_derived(symbol: str, listed: set[str]) -> bool:
    base, _, suffix = symbol.partition("-")
    if suffix:
        return base in listed and suffix not in _SHARE_CLASSES
    return len(symbol) == 5 and symbol[:4] in listed


def _in_text(headline: Headline, companies: Companies) -> tuple[str, ...]:
    """Symbols that the title writes as such; else those of the body with the companies that the
    title names; else the companies of the first lines.

    Whoever only comments on another company is left out.
    """
    written = _written(headline.title)
    if written:
        return written
    found = (
        *_written(headline.body[:SEARCHED_CHARACTERS]),
        *_of_piece(headline.title, companies),
    ) or _of_piece(headline.body[:LEAD_CHARACTERS], companies)
    if not found:
        return ()
    others = [symbol for symbol in found if symbol not in companies.commentators]
    return tuple(dict.fromkeys(others or found))


def _written(text: str) -> tuple[str, ...]:
    """Symbols after the name of an exchange, else those after a dollar sign."""
    found = _EXCHANGE.findall(text) if ":" in text else []
    return normal_symbols(found or (_CASHTAG.findall(text) if "$" in text else []))


def _of_piece(text: str, companies: Companies) -> tuple[str, ...]:
    """Companies of a piece of text: by their names, then by their symbols in capitals."""
    named = _names_in(words(text), companies)
    if text.isupper():
        return named
    known, generic = companies.known, companies.generic
    symbols = [s for s in _CAPITALS.findall(text) if s in known and s.lower() not in generic]
    return (*named, *symbols) if symbols else named


def _names_in(text: Sequence[str], companies: Companies) -> tuple[str, ...]:
    return tuple(mention.symbol for mention in telling_mentions(text, companies))
