"""Where a text names companies: by names that tell them, by symbols, by what looks like one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from catalyst_bot.detection.companies import UNLISTED, Companies
from catalyst_bot.detection.text import BREAKS

_RELATING = frozenset({"of", "to", "by", "for"})  # "rival of Tesla", "backed by Amazon"
_MIN_LETTERS = 3  # of a symbol that stands for a name: fewer are in too many words
_MIN_LETTERS_SHARE = 0.4  # of the letters of a name that are in its symbol: MSFT has 4 of 9


class Mention(NamedTuple):
    """Words [start, end) of a text name a company."""

    start: int
    end: int
    symbol: str


def name_position(title: Sequence[str], symbol: str, companies: Companies) -> int | None:
    """Return at which word of a title the company is first named, or None."""
    return next(iter(positions(title, symbol, companies)), None)


def positions(text: Sequence[str], symbol: str, companies: Companies) -> list[int]:
    """Return at which words of a text a company is named."""
    return sorted({mention.start for mention in _mentions_of(text, symbol, companies)})


def _mentions_of(text: Sequence[str], symbol: str, companies: Companies) -> list[Mention]:
    """Return where a company is named.

    Its symbol counts as a name, unless that is a word of the language: NOW, ALL, A.
    """
    spelled = symbol.lower()
    names = companies.names.get(symbol, ())
    if spelled not in companies.generic and (len(spelled) > 1 or not names):
        names = ((spelled,), *names)
    return [
        Mention(start, start + len(name), symbol)
        for name in names
        if name[0] in text
        for start, word in enumerate(text)
        if word == name[0] and tuple(text[start : start + len(name)]) == name
    ]


def mentions_in(
    title: Sequence[str], symbols: Iterable[str], companies: Companies
) -> list[Mention]:
    """Return where a title names these companies, and any other by a name that tells it, in order.

    A mention goes on over what else is in the registered name ("Acme Pumps Inc"). A company whose
    name we were not told is the one word that its symbol looks like. Not counted are companies
    named only to say who another one is ("Nvidia supplier Acme"), and commentators that are none of
    these.
    """
    wanted = tuple(symbols)
    others = (
        found
        for found in telling_mentions(title, companies)
        if found.symbol not in wanted and found.symbol not in companies.commentators
    )
    named = [found for symbol in wanted for found in _named_as(symbol, title, companies)]
    mentions: list[Mention] = []
    for found in sorted((*named, *others), key=lambda one: (one.start, -one.end)):
        whole = _with_its_name(title, found, companies)
        is_apart = not mentions or found.start >= mentions[-1].end
        if is_apart and not _is_beside(title, whole, companies):
            mentions.append(whole)
    return mentions


def _named_as(symbol: str, title: Sequence[str], companies: Companies) -> list[Mention]:
    return _mentions_of(title, symbol, companies) or _look_alikes(title, symbol, companies)


def _look_alikes(title: Sequence[str], symbol: str, companies: Companies) -> list[Mention]:
    """Return where the word stands that a symbol looks like (PFE: Pfizer), if it is one word only.

    Only of companies whose name we were not told.
    """
    letters = symbol.partition("-")[0].lower()
    if symbol in companies.names or len(letters) < _MIN_LETTERS:
        return []
    alike = {word for word in title if _looks_like(letters, word) and word not in companies.generic}
    if len(alike) != 1:
        return []
    return [Mention(at, at + 1, symbol) for at, word in enumerate(title) if word in alike]


def _looks_like(letters: str, word: str) -> bool:
    """Tell whether a word begins with the first letter and holds all of them in their order."""
    if not word.startswith(letters[0]) or len(letters) < _MIN_LETTERS_SHARE * len(word):
        return False
    rest = iter(word)
    return all(letter in rest for letter in letters)


def _with_its_name(title: Sequence[str], mention: Mention, companies: Companies) -> Mention:
    own = companies.own_words.get(mention.symbol, frozenset())
    end = mention.end
    while end < len(title) and title[end] in own and title[end] not in BREAKS:
        end += 1
    return mention._replace(end=end)


def is_bystander(title: Sequence[str], symbol: str, companies: Companies) -> bool:
    """Tell whether a title names a company only to say who another one is: "Nvidia supplier Acme",
    "Acme, a rival of Tesla".
    """
    if companies.relations.isdisjoint(title):
        return False
    mentions = _mentions_of(title, symbol, companies)
    return bool(mentions) and all(_is_beside(title, one, companies) for one in mentions)


def _is_beside(title: Sequence[str], mention: Mention, companies: Companies) -> bool:
    relations = companies.relations
    before = title[max(mention.start - 2, 0) : mention.start]
    if len(before) == 2 and before[0] in relations and before[1] in _RELATING:
        return True
    after = title[mention.end : mention.end + 2]
    return bool(after) and after[0] in relations and after[-1] not in _RELATING


def telling_mentions(text: Sequence[str], companies: Companies) -> list[Mention]:
    """Return the companies that a text names by names that tell them in any text."""
    telling = companies.telling
    found: list[Mention] = []
    if telling.keys().isdisjoint(text):
        return found
    skip_to = 0
    for index, word in enumerate(text):
        if word not in telling or index < skip_to:
            continue
        names = telling[word]
        for length in names.lengths:
            symbol = names.symbols.get(tuple(text[index : index + length]))
            if symbol is not None:
                skip_to = index + length
                if symbol != UNLISTED and companies.is_known(symbol):
                    found.append(Mention(index, skip_to, symbol))
                break
    return found
