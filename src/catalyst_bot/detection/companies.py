"""Who is listed, and under which names headlines speak of them.

Symbols are spelled as the SEC does: upper case, share classes after a hyphen (BRK-B).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from catalyst_bot.detection.text import BREAKS, words

Name = tuple[str, ...]
UNLISTED = ""  # the symbol of a name that belongs to nobody we know
_MIN_DISTINCT_LETTERS = 4
_LARGE_RANK = 1_000
_FAR_LARGER = 3  # times the rank: "Boeing" is the largest company whose name begins with it


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRules:
    """How companies are called.

    `generic` words tell no company by themselves; `whole` are symbols whose name tells them, though
    it is made of such words, `in_context` names of one such word that tell before one of the words
    `context`. `legal` words end registered names and are left out always, `trades` often. `aliases`
    are other names, by symbol, and `others` names of companies that begin like one. `commentators`
    comment on others; `relations` say what one company is to another (supplier, rival).
    """

    generic: frozenset[str] = frozenset()
    legal: frozenset[str] = frozenset()
    trades: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    in_context: frozenset[str] = frozenset()
    context: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    commentators: frozenset[str] = frozenset()
    relations: frozenset[str] = frozenset()
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """Names that begin with one word, and how many words they have, the most first."""

    lengths: tuple[int, ...]
    symbols: Mapping[Name, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Companies:
    """What is known of listed companies.

    `known` empty means that every well-formed symbol is believed. `names` are the word sequences
    that mean a symbol where a feed already named it; `telling` are those that tell it in any
    text: by their first word, as symbol by name. `own_words` are all words of a company's names.
    """

    known: frozenset[str] = frozenset()
    by_cik: Mapping[int, tuple[str, ...]]
    names: Mapping[str, tuple[Name, ...]]
    telling: Mapping[str, Names] = field(default_factory=dict)
    generic: frozenset[str] = frozenset()
    commentators: frozenset[str] = frozenset()
    relations: frozenset[str] = frozenset()
    own_words: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_known(self, symbol: str) -> bool:
        """True when the symbol is listed, as far as we were told who is."""
        return not self.known or symbol in self.known


def make_companies(
    *,
    by_cik: Mapping[int, tuple[str, ...]],
    registered_names: Mapping[str, str],
    rules: NameRules,
    traded_symbols: frozenset[str],
) -> Companies:
    """Put together what is known of companies.

    Known are the symbols of the CIK map and those there are prices for (`traded_symbols`: a
    replayed year has companies that are gone by now). With neither, every symbol is believed.
    Of equal names the one that stands first in `registered_names` counts: the SEC lists the
    largest company first, and common shares before others.
    """
    cores = {symbol: _core(name, rules.legal) for symbol, name in registered_names.items()}
    aliases = {
        symbol: tuple(tuple(words(name)) for name in given)
        for symbol, given in rules.aliases.items()
    }
    names = {symbol: _names_of(core, rules.generic) for symbol, core in cores.items()}
    for symbol, extra in aliases.items():
        names[symbol] = (*extra, *names.get(symbol, ()))
    listed = frozenset(symbol for symbols in by_cik.values() for symbol in symbols)
    return Companies(
        known=listed | traded_symbols,
        by_cik=by_cik,
        names=names,
        telling=_telling(registered_names, cores, aliases, rules),
        generic=rules.generic,
        commentators=rules.commentators,
        relations=rules.relations,
        own_words=_own_words(registered_names, names),
    )


def _own_words(
    registered_names: Mapping[str, str], names: Mapping[str, Sequence[Name]]
) -> dict[str, frozenset[str]]:
    return {
        symbol: frozenset(
            (
                symbol.lower(),
                *words(registered_names.get(symbol, "")),
                *(word for name in called for word in name),
            )
        )
        for symbol, called in names.items()
    }


def _core(registered: str, legal: frozenset[str]) -> Name:
    """Words of a registered name without its legal form: "NVIDIA CORP" is "nvidia"."""
    plain = [word for word in words(registered) if word not in BREAKS]
    while plain and plain[0] == "the":
        del plain[0]
    while len(plain) > 1 and plain[-1] in legal:
        del plain[-1]
    return tuple(plain)


def _is_distinct(word: str, generic: frozenset[str]) -> bool:
    return len(word) >= _MIN_DISTINCT_LETTERS and word not in generic


def _names_of(core: Name, generic: frozenset[str]) -> tuple[Name, ...]:
    """Return what headlines call "NVIDIA CORP" (nvidia) or "GENERAL DYNAMICS CORP" (both words)."""
    if not core:
        return ()
    if len(core) == 1 or _is_distinct(core[0], generic):
        return (core[:1],)
    return (core[:2],)


def _telling(
    registered_names: Mapping[str, str],
    cores: Mapping[str, Name],
    aliases: Mapping[str, Sequence[Name]],
    rules: NameRules,
) -> dict[str, Names]:
    owners: dict[Name, str] = {}
    for symbol, extra in aliases.items():  # "3m" is also the end of "$736.3m"
        owners.update((name, symbol) for name in extra if not name[0][0].isdigit())
    for symbol, core in cores.items():
        common = _common_names(registered_names[symbol], symbol, core, rules)
        for name in (*_long_names(core, rules.generic), *common):
            owners.setdefault(name, symbol)
    for name, symbol in _first_words(cores, rules):
        owners.setdefault(name, symbol)
    for other in rules.others:
        owners.setdefault(tuple(words(other)), UNLISTED)
    by_first: dict[str, dict[Name, str]] = {}
    for name, symbol in owners.items():
        by_first.setdefault(name[0], {})[name] = symbol
    return {
        first: Names(tuple(sorted({len(name) for name in named}, reverse=True)), named)
        for first, named in by_first.items()
    }


def _long_names(core: Name, generic: frozenset[str]) -> tuple[Name, ...]:
    """The whole name, and its first two words when the first is no word of the language.

    "New York" would be a newspaper else, and "Natural Gas" a service company.
    """
    if len(core) < 2 or all(word in generic for word in core):
        return ()
    short = {core[:2]} if _is_distinct(core[0], generic) else set()
    drugs = {(*core[:-1], "pharma")} if core[-1] == "pharmaceuticals" else set()
    return tuple(sorted({core} | short | drugs))


def _common_names(registered: str, symbol: str, core: Name, rules: NameRules) -> tuple[Name, ...]:
    """What tells a company whose name is made of words of the language: the name with its legal
    form ("gap inc"), the plain name where that is one ("plug power"), and a single word with what
    only a company has behind it ("target shares").
    """
    if not core or not all(word in rules.generic for word in core):
        return ()
    formal = tuple(word for word in words(registered) if word not in BREAKS)[: len(core) + 1]
    names = {formal} if formal[:-1] == core and formal[-1] in rules.legal else set()
    if symbol in rules.whole:
        names.add(core)
    if len(core) == 1 and core[0] in rules.in_context:
        names |= {(core[0], word) for word in rules.context}
    return tuple(sorted(names))


def _first_words(cores: Mapping[str, Name], rules: NameRules) -> Iterable[tuple[Name, str]]:
    """First words that tell one company: the whole name but for its trade ("agilent"), or that
    of a large company, if no other begins with it or only far smaller ones do.
    """
    whole: dict[str, str] = {}
    ranks: dict[str, list[tuple[int, str]]] = {}
    for rank, (symbol, core) in enumerate(cores.items(), start=1):
        if not core or not _is_distinct(core[0], rules.generic):
            continue
        if all(word in rules.trades for word in core[1:]):
            whole.setdefault(core[0], symbol)
        same = ranks.setdefault(core[0], [])
        if not any(cores[other] == core for _, other in same):
            same.append((rank, symbol))
    for word, ((rank, symbol), *others) in ranks.items():
        is_alone = not others or rank * _FAR_LARGER <= others[0][0]
        if word in whole and (is_alone or len(cores[whole[word]]) == 1):
            yield (word,), whole[word]
        elif is_alone and rank <= _LARGE_RANK:
            yield (word,), symbol
