"""Word-bounded phrases with alternatives and gaps, and an index that finds them in one pass.

A phrase is written as words: `beats .. estimates|expectations` is the word "beats", then at
most five other words of the same clause, then one of two words. `<results>` stands for a list
of words defined once per file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from catalyst_bot.detection.text import BREAKS, words

GAP_WORDS = 5
# What a phrase is for.
CATEGORY, VETO, NOISE, FACT, HEDGE = "category", "veto", "noise", "fact", "hedge"
RETRACTION, CORRECTION = "retraction", "correction"
ROLE = "role"
_GAP: frozenset[str] = frozenset()
_START = itemgetter(1)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sequence of slots (sets of words; the empty set is a gap) and what it stands for.

    `name` is the category it tells or vetoes, else the reason or relation it stands for.
    """

    slots: tuple[frozenset[str], ...]
    kind: str
    name: str


class Match(NamedTuple):
    """Words [start, end) of a text matched a phrase."""

    phrase: Phrase
    start: int
    end: int


def parse_phrase(text: str, kind: str, name: str, lists: Mapping[str, frozenset[str]]) -> Phrase:
    """Read one phrase. Raises `ValueError` with the reason."""
    slots = tuple(_parse_slot(part, lists) for part in text.split())
    if not slots or slots[0] == _GAP or slots[-1] == _GAP:
        raise ValueError(f"{text!r} must begin and end with a word")
    return Phrase(slots, kind, name)


def _parse_slot(part: str, lists: Mapping[str, frozenset[str]]) -> frozenset[str]:
    if part == "..":
        return _GAP
    slot: set[str] = set()
    for choice in part.split("|"):
        if choice.startswith("<"):
            if choice[1:-1] not in lists:
                raise ValueError(f"{choice} is not in [words]")
            slot |= lists[choice[1:-1]]
        elif words(choice) != (choice,):
            raise ValueError(f"{choice!r} must be one plain lower-case word")
        else:
            slot.add(choice)
    return frozenset(slot)


@dataclass(frozen=True)
class PhraseIndex:
    """Finds all phrases in a list of words.

    Most texts hold most phrases not even in part. Every word knows, as bits of one number, which
    slots of which phrases it fills; the numbers of a text's words together tell in a microsecond
    the few phrases of which all slots are filled, and only those are looked for.
    """

    phrases: tuple[Phrase, ...]
    _fills: dict[str, int] = field(init=False, repr=False, compare=False)
    _not_needed: int = field(init=False, repr=False, compare=False)
    _widths: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _all: int = field(init=False, repr=False, compare=False)
    _firsts: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        width = len(self.phrases)
        needed = [[slot for slot in phrase.slots if slot] for phrase in self.phrases]
        most = max((len(slots) for slots in needed), default=0)
        fills: dict[str, int] = {}
        not_needed = 0
        for number, slots in enumerate(needed):
            for place in range(most):
                bit = 1 << (place * width + number)
                if place >= len(slots):
                    not_needed |= bit
                    continue
                for word in slots[place]:
                    fills[word] = fills.get(word, 0) | bit
        object.__setattr__(self, "_fills", fills)
        object.__setattr__(self, "_not_needed", not_needed)
        object.__setattr__(self, "_widths", tuple(place * width for place in range(1, most)))
        object.__setattr__(self, "_all", (1 << width) - 1)
        firsts = frozenset(word for phrase in self.phrases for word in phrase.slots[0])
        object.__setattr__(self, "_firsts", firsts)

    def find(self, text: Sequence[str]) -> list[Match]:
        """Return the matches in the order of their first word."""
        possible = self._possible(text)
        if not possible:
            return []
        matches: list[Match] = []
        while possible:
            lowest = possible & -possible
            possible ^= lowest
            phrase = self.phrases[lowest.bit_length() - 1]
            first = phrase.slots[0]
            for start, word in enumerate(text):
                if word in first and (end := _end(phrase.slots, 1, text, start + 1)):
                    matches.append(Match(phrase, start, end))
        if len(matches) > 1:
            matches.sort(key=_START)
        return matches

    def holds_any(self, text: Sequence[str]) -> bool:
        """Tell whether any phrase is in the text. Most texts lack even the first words."""
        return not self._firsts.isdisjoint(text) and bool(self.find(text))

    def _possible(self, text: Sequence[str]) -> int:
        """Return as bits the phrases of which every slot is filled by some word of the text."""
        fills, filled = self._fills, self._not_needed
        for word in text:
            if word in fills:
                filled |= fills[word]
        possible = filled & self._all
        for width in self._widths:
            possible &= filled >> width
        return possible


def _end(slots: Sequence[frozenset[str]], slot: int, text: Sequence[str], at: int) -> int:
    """Return the position after the match of `slots[slot:]` at `at`, 0 when there is none."""
    for index in range(slot, len(slots)):
        if not slots[index]:
            return _end_after_gap(slots, index + 1, text, at)
        if at >= len(text) or text[at] not in slots[index]:
            return 0
        at += 1
    return at


def _end_after_gap(slots: Sequence[frozenset[str]], slot: int, text: Sequence[str], at: int) -> int:
    for start in range(at, min(at + GAP_WORDS + 1, len(text))):
        if text[start] in BREAKS:
            return 0
        if text[start] in slots[slot] and (end := _end(slots, slot + 1, text, start + 1)):
            return end
    return 0
