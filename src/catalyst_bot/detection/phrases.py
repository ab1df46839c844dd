"""Word-bounded phrases with alternatives and gaps, and an index that finds them in one pass.

A phrase is written as words: `beats .. estimates|expectations` is the word "beats", then at
most five other words of the same clause, then one of two words. `<results>` stands for a list
of words defined once per file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalyst_bot.detection.text import BREAKS, words

GAP_WORDS = 5
REACH = GAP_WORDS + 1  # the words among which the one after a gap is
# What a phrase is for.
CATEGORY, VETO, NOISE, FACT, HEDGE = "category", "veto", "noise", "fact", "hedge"
RETRACTION, CORRECTION = "retraction", "correction"
ROLE = "role"
_GAP: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sequence of slots (sets of words; the empty set is a gap) and what it stands for.

    `name` is the category it tells or vetoes, else the reason or relation it stands for.
    """

    slots: tuple[frozenset[str], ...]
    kind: str
    name: str


Match = tuple[Phrase, int, int]  # the phrase, and that words [start, end) of a text match it


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


_Places = frozenset[tuple[int, int]]  # the number of a phrase, and which of its slots comes next


@dataclass(frozen=True, slots=True)
class _Step:
    """Where a search stands after some words of a text.

    `ends` are the numbers of the phrases that are complete here, `next` the words that lead on
    when they come at once, `later` those that do after a gap. `later_words` are the keys of
    `later`, to be compared with many words at once.
    """

    ends: tuple[int, ...]
    next: Mapping[str, _Step]
    later: Mapping[str, _Step]
    later_words: frozenset[str]


_NOWHERE: Mapping[str, _Step] = {}  # most steps lead nowhere: one object, that stays at hand


@dataclass(frozen=True)
class PhraseIndex:
    """Finds all phrases in a list of words.

    The phrases are compiled to steps, so that what begins alike is followed once, word by word.
    Most words of a text begin no phrase, and most of the others are not followed by the next word
    of one: a text without any phrase costs little more than a look-up a word.
    """

    phrases: tuple[Phrase, ...]
    _begin: Mapping[str, _Step] = field(init=False, repr=False, compare=False)
    _firsts: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        begin = frozenset((number, 0) for number in range(len(self.phrases)))
        step = _compile(begin, self.phrases, {})
        object.__setattr__(self, "_begin", step.next)
        object.__setattr__(self, "_firsts", frozenset(step.next))

    def find(self, text: Sequence[str]) -> list[Match]:
        """Return the matches in the order of their first word, then in that of the phrases."""
        begin, phrases, size = self._begin, self.phrases, len(text)
        found: list[Match] = []
        for at, word in enumerate(text, start=1):
            if word not in begin:
                continue
            step = begin[word]
            ends = dict.fromkeys(step.ends, at) if step.ends else {}
            # What `_follow` does, in line: most first words lead nowhere.
            if at < size and text[at] in step.next:
                _follow(step.next[text[at]], text, at + 1, ends)
            if step.later and not step.later_words.isdisjoint(text[at : at + REACH]):
                _follow_later(step.later, text, at, ends)
            if ends:
                found += [(phrases[number], at - 1, ends[number]) for number in sorted(ends)]
        return found

    def holds_any(self, text: Sequence[str]) -> bool:
        """Tell whether any phrase is in the text. Most texts lack even the first words of a few."""
        return not self._firsts.isdisjoint(text) and bool(self.find(text))


def _compile(places: _Places, phrases: Sequence[Phrase], known: dict[_Places, _Step]) -> _Step:
    """Return the step at which the phrases are at these places; equal steps are made once."""
    if places in known:
        return known[places]
    ends: list[int] = []
    following: dict[str, set[tuple[int, int]]] = defaultdict(set)
    later: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for number, place in places:
        slots = phrases[number].slots
        if place == len(slots):
            ends.append(number)
        elif slots[place]:
            for word in slots[place]:
                following[word].add((number, place + 1))
        else:
            for word in slots[place + 1]:
                later[word].add((number, place + 2))
    known[places] = step = _Step(
        ends=tuple(sorted(ends)),
        next=_steps(following, phrases, known),
        later=_steps(later, phrases, known),
        later_words=frozenset(later),
    )
    return step


def _steps(
    places: Mapping[str, set[tuple[int, int]]],
    phrases: Sequence[Phrase],
    known: dict[_Places, _Step],
) -> Mapping[str, _Step]:
    if not places:
        return _NOWHERE
    return {word: _compile(frozenset(to), phrases, known) for word, to in places.items()}


def _follow(step: _Step, text: Sequence[str], at: int, ends: dict[int, int]) -> None:
    """Note under their numbers where phrases end that go on from a step with the word at `at`.

    Of several ends of a phrase the first found counts: that with the shortest first gap.
    """
    for number in step.ends:
        ends.setdefault(number, at)
    if step.next and at < len(text) and text[at] in step.next:
        _follow(step.next[text[at]], text, at + 1, ends)
    if step.later:
        _follow_later(step.later, text, at, ends)


def _follow_later(
    later: Mapping[str, _Step], text: Sequence[str], at: int, ends: dict[int, int]
) -> None:
    """Go on after a gap, which the end of a clause ends."""
    for after, word in enumerate(text[at : at + REACH], start=at + 1):
        if word in BREAKS:
            return
        if word in later:
            _follow(later[word], text, after, ends)
