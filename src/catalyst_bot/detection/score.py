"""How sure we are of a reading and how much it matters: two bounded numbers with their parts.

raw        = certainty x source x place x subject x tone x wording x freshness
confidence = the calibrated curve of raw (for headlines read by their words)
score      = confidence x (0.7 x weight + 0.3 x |sentiment|)

Every factor is in (0, 1], so both results are in [0, 1]. `certainty` is the category's precision
with a fifth of the doubt removed by every further phrase. The other factors are hand-set; the
curve, which only rises, makes of their product the share of readings that are right.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import prod
from operator import attrgetter
from typing import NamedTuple

from catalyst_bot.detection.calibration import PLAIN, Curve
from catalyst_bot.domain.news import ScoreFactor

IN_BODY_ONLY = 0.7
NAMED_LATE = 0.8
NOT_NAMED = 0.75
EARLY_WORDS = 3
TONE_DEAD_ZONE = 0.15
NEUTRAL_TONE = 0.97
CONTRARY_TONE = 0.8
HEDGED = 0.85
CONTESTED = 0.8
FRESH_S = 600.0
STALE_FRESHNESS = 0.8
WEIGHT_SHARE = 0.7
RECENT = 1_024  # factors that are remembered: news comes in bursts, and few of them differ

_VALUE = attrgetter("value")
_NAMED_FIRST = ScoreFactor(name="subject", value=1.0, note="the title begins with it")
_NAMED_LATE = ScoreFactor(name="subject", value=NAMED_LATE, note="the title names it late")
_NOT_NAMED = ScoreFactor(name="subject", value=NOT_NAMED, note="the title does not name it")
_NO_SIGN = ScoreFactor(name="tone", value=1.0, note="no sign to check")
_AGREES = ScoreFactor(name="tone", value=1.0, note="agrees")
_NEUTRAL = ScoreFactor(name="tone", value=NEUTRAL_TONE, note="neutral")
_CONTRADICTS = ScoreFactor(name="tone", value=CONTRARY_TONE, note="contradicts the category")
_IN_TITLE = ScoreFactor(name="place", value=1.0, note="title")
_IN_BODY = ScoreFactor(name="place", value=IN_BODY_ONLY, note="body")
_PLAIN_WORDS = ScoreFactor(name="wording", value=1.0, note="plain")
_HEDGED = ScoreFactor(name="wording", value=HEDGED, note="hedged")
_CONTESTED = ScoreFactor(name="wording", value=CONTESTED, note="contested")
_BOTH = ScoreFactor(name="wording", value=HEDGED * CONTESTED, note="hedged, contested")


class Assessment(NamedTuple):
    """Score and confidence in [0, 1] with the numbers they were made of."""

    score: float
    confidence: float
    factors: tuple[ScoreFactor, ...]


def raw_confidence(factors: Iterable[ScoreFactor]) -> float:
    """Return the product of the factors, cut to [0, 1]."""
    return _bounded(prod(map(_VALUE, factors)))


def assess(
    *,
    weight: float,
    sentiment: float,
    factors: tuple[ScoreFactor, ...],
    curve: Curve = PLAIN,
) -> Assessment:
    """Multiply the factors, calibrate the product to the confidence, weigh it to the score.

    Both are in [0, 1] and rise with every factor.
    """
    confidence, calibrated = _on_curve(raw_confidence(factors), curve.offset, curve.slope)
    score = confidence * (WEIGHT_SHARE * weight + (1 - WEIGHT_SHARE) * abs(sentiment))
    return Assessment(
        score=_bounded(score),
        confidence=confidence,
        factors=(*factors, *calibrated, *_into_the_score(weight, sentiment)),
    )


def _bounded(value: float) -> float:
    return value if 0.0 <= value <= 1.0 else min(max(value, 0.0), 1.0)


@lru_cache(maxsize=RECENT)
def _on_curve(raw: float, offset: float, slope: float) -> tuple[float, tuple[ScoreFactor, ...]]:
    """Return the confidence, and what tells of the curve where it changes anything."""
    curve = Curve(offset=offset, slope=slope)
    confidence = curve.of(raw)
    if curve.is_plain:
        return confidence, ()
    note = f"from {raw:.3f}, the product of the above"
    return confidence, (ScoreFactor(name="calibrated", value=confidence, note=note),)


@lru_cache(maxsize=RECENT)
def _into_the_score(weight: float, sentiment: float) -> tuple[ScoreFactor, ...]:
    return (
        ScoreFactor(name="weight", value=weight, note="of the category, into the score"),
        ScoreFactor(name="sentiment", value=sentiment, note="of the words, into the score"),
    )


@lru_cache(maxsize=RECENT)
def certain(precision: float, evidence: tuple[str, ...]) -> ScoreFactor:
    """How sure the words make us that category and sign are right."""
    return ScoreFactor(name="certainty", value=precision, note=", ".join(evidence))


@lru_cache(maxsize=RECENT)
def source(credibility: float, name: str) -> ScoreFactor:
    """How far a source is believed."""
    return ScoreFactor(name="source", value=credibility, note=name)


@lru_cache(maxsize=RECENT)
def of_reading(
    polarity: int, sentiment: float, *, is_in_title: bool, is_hedged: bool, is_contested: bool
) -> tuple[ScoreFactor, ScoreFactor, ScoreFactor]:
    """What the words say of themselves: place, tone and wording."""
    return (
        place(is_in_title=is_in_title),
        tone(polarity, sentiment),
        wording(is_hedged=is_hedged, is_contested=is_contested),
    )


def place(*, is_in_title: bool) -> ScoreFactor:
    """What only the body tells is less sure."""
    return _IN_TITLE if is_in_title else _IN_BODY


def subject(position: int | None) -> ScoreFactor:
    """A headline is about whom it names first; `position` is the word at which it does."""
    if position is None:
        return _NOT_NAMED
    return _NAMED_LATE if position > EARLY_WORDS else _NAMED_FIRST


def tone(polarity: int, sentiment: float) -> ScoreFactor:
    """Does the tone of the words agree with the sign of the category?"""
    agreement = polarity * sentiment
    if polarity == 0:
        return _NO_SIGN
    if agreement >= TONE_DEAD_ZONE:
        return _AGREES
    return _NEUTRAL if agreement > -TONE_DEAD_ZONE else _CONTRADICTS


def wording(*, is_hedged: bool, is_contested: bool) -> ScoreFactor:
    """May, could and in talks weaken a statement, and so does news of the opposite sign."""
    if is_hedged:
        return _BOTH if is_contested else _HEDGED
    return _CONTESTED if is_contested else _PLAIN_WORDS


@lru_cache(maxsize=RECENT)
def freshness(age_s: float, max_age_s: float) -> ScoreFactor:
    """Full for ten minutes after publication, then falling to 0.8 at the greatest age allowed."""
    late = min(max((age_s - FRESH_S) / max(max_age_s - FRESH_S, 1.0), 0.0), 1.0)
    value = 1 - late * (1 - STALE_FRESHNESS)
    return ScoreFactor(name="freshness", value=value, note=f"{age_s:.0f} s old when received")
