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
from dataclasses import dataclass
from math import prod

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Score and confidence in [0, 1] with the numbers they were made of."""

    score: float
    confidence: float
    factors: tuple[ScoreFactor, ...]


def raw_confidence(factors: Iterable[ScoreFactor]) -> float:
    """Return the product of the factors, cut to [0, 1]."""
    return min(max(prod(factor.value for factor in factors), 0.0), 1.0)


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
    raw = raw_confidence(factors)
    confidence = curve.of(raw)
    if not curve.is_plain:
        note = f"from {raw:.3f}, the product of the above"
        factors = (*factors, ScoreFactor(name="calibrated", value=confidence, note=note))
    score = confidence * (WEIGHT_SHARE * weight + (1 - WEIGHT_SHARE) * abs(sentiment))
    return Assessment(
        score=min(max(score, 0.0), 1.0),
        confidence=confidence,
        factors=(
            *factors,
            ScoreFactor(name="weight", value=weight, note="of the category, into the score"),
            ScoreFactor(name="sentiment", value=sentiment, note="of the words, into the score"),
        ),
    )


def subject(position: int | None) -> ScoreFactor:
    """A headline is about whom it names first; `position` is the word at which it does."""
    if position is None:
        return ScoreFactor(name="subject", value=NOT_NAMED, note="the title does not name it")
    if position > EARLY_WORDS:
        return ScoreFactor(name="subject", value=NAMED_LATE, note="the title names it late")
    return ScoreFactor(name="subject", value=1.0, note="the title begins with it")


def tone(polarity: int, sentiment: float) -> ScoreFactor:
    """Does the tone of the words agree with the sign of the category?"""
    agreement = polarity * sentiment
    if polarity == 0 or agreement >= TONE_DEAD_ZONE:
        return ScoreFactor(
            name="tone", value=1.0, note="agrees" if polarity else "no sign to check"
        )
    if agreement > -TONE_DEAD_ZONE:
        return ScoreFactor(name="tone", value=NEUTRAL_TONE, note="neutral")
    return ScoreFactor(name="tone", value=CONTRARY_TONE, note="contradicts the category")


def wording(*, is_hedged: bool, is_contested: bool) -> ScoreFactor:
    """May, could and in talks weaken a statement, and so does news of the opposite sign."""
    value = (HEDGED if is_hedged else 1.0) * (CONTESTED if is_contested else 1.0)
    notes = [*(["hedged"] if is_hedged else []), *(["contested"] if is_contested else [])]
    return ScoreFactor(name="wording", value=value, note=", ".join(notes) or "plain")


def freshness(age_s: float, max_age_s: float) -> ScoreFactor:
    """Full for ten minutes after publication, then falling to 0.8 at the greatest age allowed."""
    late = min(max((age_s - FRESH_S) / max(max_age_s - FRESH_S, 1.0), 0.0), 1.0)
    value = 1 - late * (1 - STALE_FRESHNESS)
    return ScoreFactor(name="freshness", value=value, note=f"{age_s:.0f} s old when received")
