"""What makes a headline no news (opinion, lists, previews, law-firm notices) or weakens it.

The lists are data (`noise.toml`); the key of a list is the reason a headline is ignored with.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalyst_bot.detection.phrases import FACT, HEDGE, NOISE, Phrase
from catalyst_bot.detection.tables import Table, load
from catalyst_bot.detection.taxonomy import parse_phrases

FILE = "noise.toml"


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Phrases of noise (named by the reason), facts and hedges, and the words that void."""

    phrases: tuple[Phrase, ...]
    voids: frozenset[str]


def parse_noise(text: str, file: str = FILE) -> Noise:
    """Read `noise.toml`. Raises `ConfigError` naming file, key and reason."""
    top = Table(load(text, file), file)
    top.only("words", "noise", "facts", "hedges", "voids")
    word_lists = top.table("words")
    lists = {key: frozenset(word_lists.text(key).split()) for key in word_lists.values}
    noise = top.table("noise")
    phrases: list[Phrase] = []
    for reason in noise.values:
        phrases += parse_phrases(noise, reason, NOISE, reason, lists)
    phrases += parse_phrases(top.table("facts"), "phrases", FACT, FACT, lists)
    phrases += parse_phrases(top.table("hedges"), "phrases", HEDGE, HEDGE, lists)
    voids = top.table("voids")
    return Noise(
        phrases=tuple(phrases),
        voids=frozenset(word for key in voids.values for word in voids.text(key).split()),
    )
