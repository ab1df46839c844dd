"""Opinions on the tone of a text, and the one number they make.

sentiment = sum of (pull x value) / (neutral pull + sum of pulls)
pull      = weight x confidence x decay

A reader that says nothing pulls nowhere. The neutral pull is always there, so that a faint or old
opinion gives a faint sentiment; the result is in (-1, 1) and rises with every value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from operator import mul
from typing import NamedTuple

from catalyst_bot.detection.linear import LinearModel, predict
from catalyst_bot.detection.sentiment import Lexicon, sentiment
from catalyst_bot.domain.news import Headline, SentimentOpinion, TextOpinion

LEXICON, LINEAR = "lexicon", "linear"
WEIGHTS = {LEXICON: 0.25, LINEAR: 0.35, "sentences": 0.5, "finbert": 0.5, "llm": 0.4}
UNKNOWN_READER_WEIGHT = 0.2
LEXICON_CONFIDENCE = 0.6
NEUTRAL_PULL = 0.05
HALF_LIFE_S = 6 * 3600.0
DIGITS = 6
RECENT_AGES, RECENT_TONES = 1_024, 1_024  # remembered: news comes in bursts, and few tones differ


class Tone(NamedTuple):
    """A sentiment in [-1, 1] and the opinions that make it."""

    sentiment: float
    opinions: tuple[SentimentOpinion, ...]


def fuse(opinions: Sequence[SentimentOpinion]) -> float:
    """Return the sentiment in [-1, 1]; 0 without opinions. Numbers that are none count nothing."""
    if not opinions:
        return 0.0
    pulls = [pull(opinion) for opinion in opinions]
    values = [_bounded(opinion.value, -1.0) for opinion in opinions]
    total = NEUTRAL_PULL + math.fsum(pulls)
    return round(math.fsum(map(mul, pulls, values)) / total, DIGITS) + 0.0  # never -0.0


def pull(opinion: SentimentOpinion) -> float:
    """Return how much an opinion counts: weight x confidence x decay, each held to [0, 1]."""
    if not math.isfinite(opinion.value):
        return 0.0
    weight, confidence, decay = opinion.weight, opinion.confidence, opinion.decay
    if 0.0 <= weight <= 1.0 and 0.0 <= confidence <= 1.0 and 0.0 <= decay <= 1.0:
        return weight * confidence * decay
    return _bounded(weight, 0.0) * _bounded(confidence, 0.0) * _bounded(decay, 0.0)


@lru_cache(maxsize=RECENT_AGES)
def decay_of(age_s: float) -> float:
    """Return what is left of an opinion on a text of that age: half after six hours."""
    return round(math.pow(0.5, max(age_s, 0.0) / HALF_LIFE_S), DIGITS)


def own_tone(headline: Headline, lexicon: Lexicon, model: LinearModel | None) -> Tone:
    """Return what the core's own readers think: the word list, and the linear model if any."""
    decay = decay_of((headline.received_at - headline.published_at).total_seconds())
    listed = _by_list(sentiment(headline.title, headline.body, lexicon), decay)
    if model is None:
        return listed
    opinions = (*listed.opinions, _linear_opinion(headline.title, model, decay))
    return Tone(fuse(opinions), opinions)


def of_reader(opinion: TextOpinion, *, age_s: float, is_contaminated: bool) -> SentimentOpinion:
    """Return the answer of a reader outside as an opinion on the tone."""
    marks = [opinion.model, *(["knows the aftermath"] if is_contaminated else [])]
    return SentimentOpinion(
        name=opinion.reader,
        value=_bounded(opinion.value, -1.0),
        weight=WEIGHTS.get(opinion.reader, UNKNOWN_READER_WEIGHT),
        confidence=_bounded(opinion.confidence, 0.0),
        decay=decay_of(age_s),
        note=", ".join(marks),
    )


@lru_cache(maxsize=RECENT_TONES)
def _by_list(tone: float, decay: float) -> Tone:
    """Return the word list's opinion alone; it has none where no word of it occurs."""
    if tone == 0:
        return Tone(0.0, ())
    opinion = SentimentOpinion(
        name=LEXICON,
        value=round(tone, DIGITS),
        weight=WEIGHTS[LEXICON],
        confidence=LEXICON_CONFIDENCE,
        decay=decay,
        note="words of the list",
    )
    return Tone(fuse((opinion,)), (opinion,))


def _linear_opinion(title: str, model: LinearModel, decay: float) -> SentimentOpinion:
    found = predict(model, title)
    chance = dict(zip(model.labels, found.probabilities, strict=True))
    return SentimentOpinion(
        name=LINEAR,
        value=round(chance.get("positive", 0.0) - chance.get("negative", 0.0), DIGITS),
        weight=WEIGHTS[LINEAR],
        confidence=found.confidence,
        decay=decay,
        note=f"{found.label} {found.confidence:.2f}, {model.model_id}",
    )


def _bounded(value: float, low: float) -> float:
    """Hold a number to [low, 1]; what is no number is 0."""
    if low <= value <= 1.0:
        return value
    return min(max(value, low), 1.0) if math.isfinite(value) else 0.0
