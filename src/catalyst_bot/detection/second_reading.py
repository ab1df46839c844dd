"""What readers outside may do to a catalyst: give it labels, or make it less. Never more.

A language model reads text that anybody may have written, so its answer is not believed further
than this: symbol, category, action and direction stay what the rules said, and score, confidence
and sentiment can only fall. It is asked about good news only; doubt about bad news could keep a
position that ought to be sold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from catalyst_bot.detection.opinions import fuse, of_reader
from catalyst_bot.detection.score import TONE_DEAD_ZONE
from catalyst_bot.detection.taxonomy import Category
from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.news import Catalyst, ScoreFactor, TextOpinion

FACTOR = "second reading"
CONTRADICTED, UNMOVED = 0.6, 0.95
OTHER_EVENT = 0.6  # it sees something to avoid or to sell
NOT_MATERIAL, NOT_ABOUT = 0.8, 0.6


def wants_opinion(catalyst: Catalyst, min_confidence: float) -> bool:
    """True for good news that would be traded: an answer can only make a difference there."""
    is_good = catalyst.direction > 0 and catalyst.action is CategoryAction.TRADE
    return is_good and catalyst.confidence >= min_confidence


def lowered(
    catalyst: Catalyst,
    opinions: Sequence[TextOpinion],
    refusals: Sequence[str],
    *,
    categories: Mapping[str, Category],
    now: datetime,
) -> Catalyst:
    """Return the catalyst with the opinions in it, its numbers the same or lower.

    Without a usable opinion only the reasons are noted.
    """
    usable = [opinion for opinion in opinions if _is_usable(opinion)]
    age_s = (now - catalyst.published_at).total_seconds()
    added = tuple(
        of_reader(opinion, age_s=age_s, is_contaminated=knows_aftermath(opinion, catalyst))
        for opinion in usable
    )
    factor = math.prod(_factor(opinion, catalyst, categories) for opinion in usable)
    said = [f"{opinion.reader}: {_told(opinion)}" for opinion in usable]
    rules_said = f"rules alone: score {catalyst.score:.3f}, confidence {catalyst.confidence:.3f}"
    note = "; ".join([*said, *refusals, rules_said])
    return replace(
        catalyst,
        score=min(catalyst.score * factor, catalyst.score),
        confidence=min(catalyst.confidence * factor, catalyst.confidence),
        sentiment=min(fuse((*catalyst.opinions, *added)), catalyst.sentiment),
        opinions=(*catalyst.opinions, *added),
        factors=(*catalyst.factors, ScoreFactor(name=FACTOR, value=factor, note=note)),
    )


def knows_aftermath(opinion: TextOpinion, catalyst: Catalyst) -> bool:
    """True when the model was trained on a world that already knew what came of the news."""
    cutoff = opinion.knowledge_cutoff
    return cutoff is None or cutoff >= catalyst.published_at.date()


def _is_usable(opinion: TextOpinion) -> bool:
    return math.isfinite(opinion.value) and math.isfinite(opinion.confidence)


def _factor(opinion: TextOpinion, catalyst: Catalyst, categories: Mapping[str, Category]) -> float:
    """Return what the answer leaves of the confidence, in (0, 1]: the surer it is, the less."""
    agreement = catalyst.direction * opinion.value
    left = 1.0
    if agreement <= -TONE_DEAD_ZONE:
        left *= CONTRADICTED
    elif agreement < TONE_DEAD_ZONE:
        left *= UNMOVED
    seen = categories.get(opinion.event)
    if seen is not None and (seen.polarity < 0 or seen.action is not CategoryAction.TRADE):
        left *= OTHER_EVENT
    left *= 1.0 if opinion.is_material else NOT_MATERIAL
    left *= 1.0 if opinion.is_about_company else NOT_ABOUT
    sure = min(max(opinion.confidence, 0.0), 1.0)
    return 1.0 - sure * (1.0 - left)


def _told(opinion: TextOpinion) -> str:
    marks = [
        f"{opinion.value:+.2f}",
        *([opinion.event] if opinion.event else []),
        *([] if opinion.is_material else ["not material"]),
        *([] if opinion.is_about_company else ["not about the company"]),
        *opinion.labels,
    ]
    return " ".join(marks)
