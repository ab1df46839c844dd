"""Tone of a text from a word list: weights, negation, intensifiers.

A second, independent opinion beside the category: it can confirm or contradict the sign.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalyst_bot.detection.tables import Table, load
from catalyst_bot.detection.text import holds_in_clause, words

FILE = "lexicon.toml"
BODY_CHARACTERS = 400
BODY_WEIGHT = 0.25
NEGATION_REACH_WORDS = 3
NEGATED = -0.7  # "not good" is less bad than "bad"
_SATURATION = 4.0  # one strong word (2.0) gives 0.71; the scale of VADER's normalisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Words with weights in [-3, 3], words that turn them, words that stretch them.

    `turning` are the words that do either.
    """

    weights: Mapping[str, float]
    negators: frozenset[str]
    intensifiers: Mapping[str, float]
    turning: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "turning", self.negators | self.intensifiers.keys())


def parse_lexicon(text: str, file: str = FILE) -> Lexicon:
    """Read `lexicon.toml`. Raises `ConfigError` naming file, key and reason."""
    top = Table(load(text, file), file)
    top.only("words", "negators", "intensifiers")
    groups = top.table("words")
    weights: dict[str, float] = {}
    for name in groups.values:
        group = groups.table(name)
        group.only("weight", "list")
        weight = group.number("weight", -3, 3)
        for word in group.text("list").split():
            if word in weights:
                raise group.fail("list", f"{word!r} is in two lists")
            weights[word] = weight
    factors = top.table("intensifiers")
    return Lexicon(
        weights=weights,
        negators=frozenset(top.table("negators").text("list").split()),
        intensifiers={word: factors.number(word, 0.1, 3) for word in factors.values},
    )


def sentiment(title: str, body: str, lexicon: Lexicon) -> float:
    """Return the tone in [-1, 1]; 0 when no known word occurs. Never raises.

    `s / sqrt(s^2 + k)` of the summed weights, the body counting less than the title.
    """
    total = _tone(title, lexicon)
    if body:
        total += BODY_WEIGHT * _tone(body[:BODY_CHARACTERS], lexicon)
    return total / math.sqrt(total * total + _SATURATION)


def tone_words(text: str, lexicon: Lexicon) -> list[tuple[str, float]]:
    """Return the listed words of a text with what each adds, turned and stretched."""
    found, weights = words(text), lexicon.weights
    return [
        (word, weights[word] * _turn(found, index, lexicon))
        for index, word in enumerate(found)
        if word in weights
    ]


def _tone(text: str, lexicon: Lexicon) -> float:
    """Sum what the listed words of a text add. Most texts turn and stretch none of them."""
    found, weights = words(text), lexicon.weights
    if lexicon.turning.isdisjoint(found):
        return sum(filter(None, map(weights.get, found)))
    return sum([weight for _, weight in tone_words(text, lexicon)])


def _turn(text: Sequence[str], at: int, lexicon: Lexicon) -> float:
    """Factor that the words before `at` in its clause give it."""
    factor = lexicon.intensifiers.get(text[at - 1], 1.0) if at else 1.0
    before = text[max(at - NEGATION_REACH_WORDS, 0) : at]
    return factor * NEGATED if holds_in_clause(before, lexicon.negators) else factor
