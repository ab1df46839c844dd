"""Whose part in an event is whose: buyer and bought, plaintiff and defendant, and who stands by.

A title is read as one event. Which company it happens to is said by grammar: who stands before the
words that tell it, and who behind them. The rows are data (`roles.toml`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from catalyst_bot.detection.mentions import Mention
from catalyst_bot.detection.phrases import ROLE, Phrase, PhraseIndex
from catalyst_bot.detection.tables import Table, load
from catalyst_bot.detection.taxonomy import Taxonomy, parse_phrases
from catalyst_bot.detection.text import BREAKS, words

FILE = "roles.toml"
AS_READ, NOBODY, UNKNOWN = "as_read", "nobody", "unknown"
REACH_WORDS = 9  # from the words of a row to the company behind them
COMMA = ","
_COMMA = re.compile(r"\.?,\s")
_NAME_IS_OVER = frozenset({COMMA, "for", "in", "to", "at", "by", "on"})  # "Beta for $5 billion"
_NAMING = ":"  # "Acme: record sales" is one clause here
_BREAKING = BREAKS - {_NAMING}


class Match(NamedTuple):
    """Words [start, end) of a title are those of a row."""

    phrase: Phrase
    start: int
    end: int


class Part(NamedTuple):
    """What an event is for a company (a category, `AS_READ`, `NOBODY` or `UNKNOWN`), why, and
    whether the title names the company there.
    """

    category: str
    note: str
    is_named: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What events of these categories are for the company before and the one after some words;
    `in_part` for the one after when only a part of it is meant, `alone` for the one before when no
    company comes after.
    """

    of: frozenset[str]
    before: str
    after: str
    in_part: str
    alone: str


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The rows in their order, their phrases in one index (named by the number of their row), the
    categories that all named companies share, and the lists of words.
    """

    rows: tuple[Role, ...]
    index: PhraseIndex
    shared: frozenset[str]
    apart: frozenset[str]
    joining: frozenset[str]
    pronouns: frozenset[str]


def parse_roles(text: str, taxonomy: Taxonomy, file: str = FILE) -> Roles:
    """Read `roles.toml`. Raises `ConfigError` naming file, key and reason."""
    top = Table(load(text, file), file)
    top.only("words", "shared", "role")
    word_lists = top.table("words")
    lists = {key: frozenset(word_lists.text(key).split()) for key in word_lists.values}
    rows = top.values.get("role")
    if not isinstance(rows, list) or not rows:
        raise top.fail("role", "must hold at least one [[role]]")
    roles, phrases = [], []
    for number, values in enumerate(rows):
        table = Table(values, f"{file}: role {number + 1}")
        roles.append(_role(table, taxonomy))
        phrases += parse_phrases(table, "phrases", ROLE, str(number), lists)
    shared = top.table("shared")
    return Roles(
        rows=tuple(roles),
        index=PhraseIndex(tuple(phrases)),
        shared=_known(shared, "categories", shared.texts("categories"), taxonomy),
        apart=frozenset(word_lists.text("apart").split()),
        joining=frozenset(word_lists.text("joining").split()),
        pronouns=frozenset(word_lists.text("pronouns").split()),
    )


def _role(table: Table, taxonomy: Taxonomy) -> Role:
    table.only("of", "phrases", "before", "after", "in_part", "alone")
    before = _part(table, "before", taxonomy)
    after = _part(table, "after", taxonomy)
    return Role(
        of=_known(table, "of", table.texts("of"), taxonomy),
        before=before,
        after=after,
        in_part=_part(table, "in_part", taxonomy, after),
        alone=_part(table, "alone", taxonomy, before),
    )


def _part(table: Table, key: str, taxonomy: Taxonomy, otherwise: str = "") -> str:
    if otherwise and key not in table.values:
        return otherwise
    name = table.text(key)
    if name not in {AS_READ, NOBODY}:
        _known(table, key, (name,), taxonomy)
    return name


def _known(table: Table, key: str, names: Iterable[str], taxonomy: Taxonomy) -> frozenset[str]:
    for name in names:
        if name not in taxonomy.categories:
            raise table.fail(key, f"{name!r} is not a category of categories.toml")
    return frozenset(names)


def words_and_commas(title: str) -> tuple[str, ...]:
    """Return the words of a title with the commas between them: behind one a name is over."""
    first, *others = (words(piece) for piece in _COMMA.split(title))
    return sum(((COMMA, *other) for other in others), first)


def parts_of(
    title: Sequence[str],
    category: str,
    evidence: Sequence[str],
    mentions: Sequence[Mention],
    roles: Roles,
    *,
    owners: Sequence[str] = (),
) -> Mapping[str, Part]:
    """Return what an event is for companies, by symbol; who is not in it has it as it was read.

    `title` are `words_and_commas`, `mentions` are in its order, `evidence` are the words that tell
    the event. Of the `owners` those that the title does not name ("the chip giant is to acquire
    Acme") have the part that nobody else has.
    """
    if not mentions:
        return {}
    match = _telling(title, category, roles)
    if match is not None:
        return _by_row(title, match, mentions, roles, owners)
    if category in roles.shared or len({mention.symbol for mention in mentions}) == 1:
        return {}
    return _by_distance(title, evidence, mentions, roles)


def parts_by_position(
    title: Sequence[str], category: str, owners: Sequence[str], roles: Roles
) -> Mapping[str, Part]:
    """Return what an event is for companies whose names we do not know, by the wording alone.

    One company is taken for the one before the words, of which a title speaks; of several nobody
    can tell which is which, unless the event is the same for both sides.
    """
    match = _telling(title, category, roles)
    if match is None:
        return {}
    row = _row(match, roles)
    if NOBODY in {row.before, row.after}:
        return {}
    quote = " ".join(title[match.start : match.end])
    if len(owners) == 1:
        return {owners[0]: Part(row.before, f"is taken for who stands before {quote!r}")}
    if row.before == row.after:
        return {}
    unknown = Part(UNKNOWN, f"may stand before or after {quote!r}: its name is not known")
    return dict.fromkeys(owners, unknown)


def _telling(title: Sequence[str], category: str, roles: Roles) -> Match | None:
    """The first words of the first row that speaks of a category."""
    found = [Match(*found) for found in roles.index.find(title)]
    matches = [match for match in found if category in _row(match, roles).of]
    return min(matches, key=lambda one: (int(one.phrase.name), one.start), default=None)


def _row(match: Match, roles: Roles) -> Role:
    return roles.rows[int(match.phrase.name)]


def _by_row(
    title: Sequence[str],
    match: Match,
    mentions: Sequence[Mention],
    roles: Roles,
    owners: Sequence[str],
) -> dict[str, Part]:
    row = _row(match, roles)
    quote = " ".join(title[match.start : match.end])
    subject = _last_before(title, match.start, mentions)
    behind = _object(title, match, mentions, subject, roles)
    parts = dict.fromkeys((m.symbol for m in mentions), Part(NOBODY, f"stands beside {quote!r}"))
    if behind is not None and subject is not None and subject.symbol == behind.symbol:
        if row.before == NOBODY:
            subject = None  # "Acme gains as a broker upgrades ACME"
        else:
            behind = None  # "Acme sued over the past of Acme Pumps"
    if behind is not None:
        after = row.in_part if _is_in_part(title, match, behind, roles) else row.after
        for symbol in _joined(title, behind, mentions, roles, is_behind=True):
            parts[symbol] = Part(after, f"comes after {quote!r}")
    if subject is not None:
        before = row.before if behind is not None else row.alone
        for symbol in _joined(title, subject, mentions, roles):
            parts[symbol] = Part(before, f"comes before {quote!r}")
    if subject is None and behind is None:
        return {}
    if subject is None or behind is None:
        free = row.before if subject is None else row.after
        unnamed = Part(free, f"is on the other side of {quote!r}", is_named=False)
        for symbol in owners:
            parts.setdefault(symbol, unnamed)
    return parts


def _last_before(title: Sequence[str], start: int, mentions: Sequence[Mention]) -> Mention | None:
    """The company named last before a word, in its clause."""
    found = next((m for m in reversed(mentions) if m.end <= start), None)
    if found is None or not _BREAKING.isdisjoint(title[found.end : start]):
        return None
    return found


def _object(
    title: Sequence[str],
    match: Match,
    mentions: Sequence[Mention],
    subject: Mention | None,
    roles: Roles,
) -> Mention | None:
    """The company named first after the first word of the phrase; or, where a pronoun stands
    there, the one before the subject ("Acme jumps as Beta is to acquire it"), which may be the only
    one ("Acme falls as a user sues it").
    """
    if subject is not None and not roles.pronouns.isdisjoint(title[match.end : match.end + 1]):
        earlier = (m for m in mentions if m.end <= subject.start and m.symbol != subject.symbol)
        return next(earlier, subject)
    found = next((m for m in mentions if m.start > match.start), None)
    if found is None or found.start - match.end > REACH_WORDS:
        return None
    between = title[match.end : found.start]
    if not _BREAKING.isdisjoint(between):
        return None
    return None if not roles.apart.isdisjoint(between) and "from" not in between else found


def _is_in_part(title: Sequence[str], match: Match, behind: Mention, roles: Roles) -> bool:
    between = title[match.end : behind.start]
    if "from" in between or between[-1:] == ("of",):  # "acquires pumps from Beta", "half of Beta"
        return True
    if behind.start < match.end:  # "takes Beta private"
        return False
    return not _is_over(title, behind, roles)


def _is_over(title: Sequence[str], mention: Mention, roles: Roles) -> bool:
    """True when what follows a name cannot belong to it, nor do something."""
    following = title[mention.end : mention.end + 1]
    return _NAME_IS_OVER.union(BREAKS, roles.apart, roles.joining).issuperset(following)


def _joined(
    title: Sequence[str],
    mention: Mention,
    mentions: Sequence[Mention],
    roles: Roles,
    *,
    is_behind: bool = False,
) -> list[str]:
    """The companies in one list with a company: nothing but joining words stands between them.

    Behind the words of an event a comma alone may begin another clause: "sues Acme, Beta over
    patents" is a list, "to buy Acme, Beta falls" is none.
    """
    joining = roles.joining | {_NAMING, COMMA}
    first = last = mentions.index(mention)

    def gap(at: int) -> Sequence[str]:
        return title[mentions[at].end : mentions[at + 1].start]

    while first > 0 and joining.issuperset(gap(first - 1)):
        first -= 1
    while last + 1 < len(mentions) and joining.issuperset(gap(last)):
        last += 1
    is_comma_only = all(COMMA in gap(at) and "and" not in gap(at) for at in range(first, last))
    if is_behind and is_comma_only and not _is_over(title, mentions[last], roles):
        return [mention.symbol]
    return [each.symbol for each in mentions[first : last + 1]]


def _by_distance(
    title: Sequence[str], evidence: Sequence[str], mentions: Sequence[Mention], roles: Roles
) -> dict[str, Part]:
    """The event is of the company named last before the words that tell it, else first after."""
    start = next((at for quote in evidence if (at := _position(title, quote)) is not None), None)
    if start is None:
        return {}
    quote = evidence[0]
    nearest = (
        _last_before(title, start, mentions)
        or next((m for m in mentions if m.start >= start), None)
        or mentions[-1]
    )
    parts = dict.fromkeys((m.symbol for m in mentions), Part(NOBODY, f"stands beside {quote!r}"))
    for symbol in _joined(title, nearest, mentions, roles, is_behind=nearest.start >= start):
        parts[symbol] = Part(AS_READ, f"is named nearest to {quote!r}")
    return parts


def _position(title: Sequence[str], quote: str) -> int | None:
    """Where the words of a quote stand, which was made without commas."""
    wanted = quote.split()
    places = [at for at, word in enumerate(title) if word != COMMA]
    plain = [title[at] for at in places]
    found = (at for at in range(len(plain)) if plain[at : at + len(wanted)] == wanted)
    first = next(found, None)
    return None if first is None else places[first]
