"""Whose news it is: CIK, hinted symbols, exchange prefixes and cashtags, in this order.

Symbols are spelled as the SEC does: upper case, share classes after a hyphen (BRK-B).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalyst_bot.detection.filings import is_by_another_party
from catalyst_bot.detection.reasons import (
    NO_TICKER,
    NOT_THE_SUBJECT,
    TOO_MANY_SYMBOLS,
    UNKNOWN_SYMBOL,
)
from catalyst_bot.detection.text import BREAKS, words
from catalyst_bot.domain.news import Headline

MAX_HINTED_SYMBOLS = 4
MAX_PRIMARY_SYMBOLS = 2
SEARCHED_CHARACTERS = 600
_SYMBOL = re.compile(r"[A-Z][A-Z0-9]{0,5}(?:-[A-Z]{1,2})?")
_EXCHANGE = re.compile(
    r"\b(?:NASDAQ(?:[ -]?(?:GS|GM|CM))?|NYSE(?:[ -]?(?:American|Arca|MKT))?|AMEX|CBOE)\s*:\s*"
    r"([A-Za-z]{1,5}(?:[.-][A-Za-z]{1,2})?)\b",
    re.IGNORECASE,
)
_CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z]{1,5}(?:\.[A-Za-z])?)\b")
_SHARE_CLASSES = frozenset("ABC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Companies:
    """What is known of listed companies.

    `known` empty means that every well-formed symbol is believed; `names` are word sequences
    under which headlines speak of a symbol.
    """

    known: frozenset[str] = frozenset()
    by_cik: Mapping[int, tuple[str, ...]]
    names: Mapping[str, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True)
class Owners:
    """One or two symbols a headline is about."""

    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoOwner:
    """Why a headline belongs to no symbol."""

    reason: str
    detail: str


def find_owners(headline: Headline, companies: Companies) -> Owners | NoOwner:
    """Return whose news a headline is, or why nobody's. Never raises."""
    if headline.form:
        return _of_filing(headline, companies)
    hinted = normal_symbols(headline.symbols) or _from_text(headline)
    if not hinted:
        return NoOwner(NO_TICKER, "no symbol hinted or written in the text")
    listed = [symbol for symbol in common_shares(hinted) if _is_known(symbol, companies)]
    if not listed:
        return NoOwner(UNKNOWN_SYMBOL, ", ".join(hinted))
    if len(listed) > MAX_HINTED_SYMBOLS:
        return NoOwner(TOO_MANY_SYMBOLS, ", ".join(listed))
    title = words(headline.title)
    named = [symbol for symbol in listed if name_position(title, symbol, companies) is not None]
    return Owners(tuple((named or listed)[:MAX_PRIMARY_SYMBOLS]))


def _of_filing(headline: Headline, companies: Companies) -> Owners | NoOwner:
    """A filing is about one company: its first symbol is the common share."""
    if is_by_another_party(headline):
        return NoOwner(NOT_THE_SUBJECT, headline.title)
    mapped = companies.by_cik.get(headline.cik, ()) if headline.cik is not None else ()
    symbols = common_shares(normal_symbols(mapped or headline.symbols))
    if not symbols:
        return NoOwner(NO_TICKER, f"CIK {headline.cik} has no listed symbol")
    known = [symbol for symbol in symbols if _is_known(symbol, companies)]
    return Owners((known[0],)) if known else NoOwner(UNKNOWN_SYMBOL, ", ".join(symbols))


def normal_symbols(symbols: Iterable[str]) -> tuple[str, ...]:
    """Return well-formed symbols in upper case with hyphens, each once, in order."""
    spelled = (symbol.strip().upper().replace(".", "-").replace("/", "-") for symbol in symbols)
    return tuple(dict.fromkeys(symbol for symbol in spelled if _SYMBOL.fullmatch(symbol)))


def common_shares(symbols: Sequence[str]) -> tuple[str, ...]:
    """Drop preferred shares, warrants, units and rights whose common share is in the list too.

    A symbol alone is never dropped: NOW, PLTR and MU end like warrants and are none.
    """
    listed = set(symbols)
    return tuple(symbol for symbol in symbols if not _is_derived(symbol, listed))


def _is_derived(symbol: str, listed: set[str]) -> bool:
    base, _, suffix = symbol.partition("-")
    if suffix:
        return base in listed and suffix not in _SHARE_CLASSES
    return len(symbol) == 5 and symbol[:4] in listed


def name_position(title: Sequence[str], symbol: str, companies: Companies) -> int | None:
    """Return at which word of a title the company is first named, or None."""
    names = ((symbol.lower(),), *companies.names.get(symbol, ()))
    positions = (_find(title, name) for name in names)
    return min((position for position in positions if position is not None), default=None)


def _find(text: Sequence[str], name: Sequence[str]) -> int | None:
    first, length = name[0], len(name)
    for index, word in enumerate(text):
        if word == first and tuple(text[index : index + length]) == tuple(name):
            return index
    return None


def make_companies(
    *,
    by_cik: Mapping[int, tuple[str, ...]],
    registered_names: Mapping[str, str],
    aliases: Mapping[str, tuple[str, ...]],
    generic_words: frozenset[str],
    traded_symbols: frozenset[str],
) -> Companies:
    """Put together what is known of companies.

    Known are the symbols of the CIK map and those there are prices for (`traded_symbols`: a
    replayed year has companies that are gone by now). With neither, every symbol is believed.
    """
    names = {symbol: _short_names(name, generic_words) for symbol, name in registered_names.items()}
    for symbol, extra in aliases.items():
        names[symbol] = (*(tuple(words(name)) for name in extra), *names.get(symbol, ()))
    listed = frozenset(symbol for symbols in by_cik.values() for symbol in symbols)
    return Companies(known=listed | traded_symbols, by_cik=by_cik, names=names)


def _short_names(registered: str, generic_words: frozenset[str]) -> tuple[tuple[str, ...], ...]:
    """Return what headlines call "NVIDIA CORP" (nvidia) or "GENERAL DYNAMICS CORP" (two words)."""
    plain = [word for word in words(registered) if word not in BREAKS]
    if not plain:
        return ()
    if plain[0] in generic_words or len(plain[0]) < 4:
        return (tuple(plain[:2]),) if len(plain) > 1 else ()
    return ((plain[0],),)


def _from_text(headline: Headline) -> tuple[str, ...]:
    text = f"{headline.title} {headline.body[:SEARCHED_CHARACTERS]}"
    found = _EXCHANGE.findall(text) if ":" in text else []
    return normal_symbols(found or (_CASHTAG.findall(text) if "$" in text else []))


def _is_known(symbol: str, companies: Companies) -> bool:
    return not companies.known or symbol in companies.known
