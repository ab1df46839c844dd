"""Word-bounded phrases with alternatives and gaps, and an index that finds them in one pass.

A phrase is written as words: `beats .. estimates|expectations` is the word "beats", then at
most five other words of the same clause, then one of two words. `<results>` stands for a list
of words defined once per file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from catalyst_bot.detection.text import BREAKS, words

GAP_WORDS = 5
_GAP: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sequence of slots (sets of words; the empty set is a gap) and what it stands for."""

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
        elif words(choice) != [choice]:
            raise ValueError(f"{choice!r} must be one plain lower-case word")
        else:
            slot.add(choice)
    return frozenset(slot)


class _Begun(NamedTuple):
    """The phrases that begin with one word, by what has to follow it.

    Most phrases die at their second word, so looking that up at once is what makes it fast.
    """

    alone: list[Phrase]
    by_next_word: dict[str, list[Phrase]]
    by_word_after_gap: dict[str, list[Phrase]]


@dataclass(frozen=True)
class PhraseIndex:
    """Finds all phrases in a list of words, with a few dictionary look-ups per word."""

    phrases: tuple[Phrase, ...]
    _begun: dict[str, _Begun] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        begun: dict[str, _Begun] = {}
        for phrase in self.phrases:
            for word in sorted(phrase.slots[0]):
                _file(begun.setdefault(word, _Begun([], {}, {})), phrase)
        object.__setattr__(self, "_begun", begun)

    def find(self, text: Sequence[str]) -> list[Match]:
        """Return the matches in the order of their first word."""
        begun, length = self._begun, len(text)
        matches: list[Match] = []
        for start, word in enumerate(text):
            if word not in begun:
                continue
            alone, by_next_word, by_word_after_gap = begun[word]
            if alone:
                matches += [Match(phrase, start, start + 1) for phrase in alone]
            at = start + 1
            if at < length and text[at] in by_next_word:
                matches += [
                    Match(phrase, start, end)
                    for phrase in by_next_word[text[at]]
                    if (end := _end(phrase.slots, 2, text, at + 1))
                ]
            if by_word_after_gap:
                matches += _across_gap(by_word_after_gap, text, start)
        return matches


def _file(begun: _Begun, phrase: Phrase) -> None:
    if len(phrase.slots) == 1:
        begun.alone.append(phrase)
    elif phrase.slots[1]:
        for word in sorted(phrase.slots[1]):
            begun.by_next_word.setdefault(word, []).append(phrase)
    else:
        for word in sorted(phrase.slots[2]):
            begun.by_word_after_gap.setdefault(word, []).append(phrase)


def _across_gap(by_word: dict[str, list[Phrase]], text: Sequence[str], start: int) -> list[Match]:
    """Match the phrases whose second slot is a gap; each at its first occurrence."""
    found: list[Match] = []
    for at, word in enumerate(text[start + 1 : start + GAP_WORDS + 2], start + 1):
        if word in by_word:
            found += [
                Match(phrase, start, end)
                for phrase in by_word[word]
                if all(match.phrase is not phrase for match in found)
                and (end := _end(phrase.slots, 3, text, at + 1))
            ]
        elif word in BREAKS:
            break
    return found


def merged(indexes: Iterable[PhraseIndex]) -> PhraseIndex:
    """Return one index over the phrases of several."""
    return PhraseIndex(tuple(phrase for index in indexes for phrase in index.phrases))


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
