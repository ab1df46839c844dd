"""A headline read to the end: by its form when it is a filing, by its words otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from catalyst_bot.detection.classify import Reading, Unread, certainty, classify
from catalyst_bot.detection.filings import FilingReading, read_filing
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.score import IN_BODY_ONLY, freshness, tone, wording
from catalyst_bot.detection.sentiment import sentiment
from catalyst_bot.detection.severity import WEIGHT_FACTOR, Dilution, dilution
from catalyst_bot.detection.stories import OFFERING, RETRACTED
from catalyst_bot.detection.taxonomy import Category
from catalyst_bot.domain.news import Headline, ScoreFactor


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The event, the words that tell it, its tone, and what makes us more or less sure.

    `weight` is the category's, changed by how much an offering dilutes; the category of a body is
    trusted less (`is_in_title`).
    """

    category: Category
    evidence: tuple[str, ...]
    sentiment: float
    factors: tuple[ScoreFactor, ...]
    weight: float
    is_in_title: bool = True


def read_headline(headline: Headline, rules: Rules) -> Finding | Unread:
    """Return what a headline tells, for whichever symbol, or why it tells nothing."""
    if headline.form:
        filing = read_filing(headline.form, headline.items, rules.filings)
        if isinstance(filing, str):
            what = f"{headline.form} {' '.join(headline.items)}".strip()
            return Unread(reason=filing, detail=what)
        return _of_filing(headline, filing, rules)
    reading = classify(headline.title, headline.body, rules.classifier)
    return reading if isinstance(reading, Unread) else _of_words(headline, reading, rules)


def retraction(headline: Headline, rules: Rules) -> Finding:
    """Return what a headline is that takes an earlier story back."""
    category = rules.classifier.taxonomy.categories[RETRACTED]
    sure = ScoreFactor(name="certainty", value=category.precision, note="takes a story back")
    return Finding(
        category=category,
        evidence=("takes a story back",),
        sentiment=0.0,
        factors=(sure, _source(headline, rules), _fresh(headline, category, rules.max_age_s)),
        weight=category.weight,
    )


def _of_filing(headline: Headline, filing: FilingReading, rules: Rules) -> Finding:
    precision = ScoreFactor(name="certainty", value=filing.precision, note=filing.evidence)
    return Finding(
        category=filing.category,
        evidence=(filing.evidence,),
        sentiment=0.0,
        factors=(
            precision,
            _source(headline, rules),
            _fresh(headline, filing.category, rules.max_filing_age_s),
        ),
        weight=filing.category.weight,
    )


def _of_words(headline: Headline, reading: Reading, rules: Rules) -> Finding:
    mood = sentiment(headline.title, headline.body, rules.lexicon)
    quoted = ", ".join(reading.evidence)
    sure = certainty(reading.category.precision, len(reading.evidence))
    place = 1.0 if reading.is_in_title else IN_BODY_ONLY
    diluted = _diluted(headline, reading.category, rules)
    return Finding(
        category=reading.category,
        evidence=(*reading.evidence, *((_percent(diluted),) if diluted else ())),
        weight=_weight(reading.category, diluted),
        sentiment=mood,
        is_in_title=reading.is_in_title,
        factors=(
            ScoreFactor(name="certainty", value=sure, note=quoted),
            _source(headline, rules),
            ScoreFactor(name="place", value=place, note="title" if reading.is_in_title else "body"),
            tone(reading.category.polarity, mood),
            wording(is_hedged=reading.is_hedged, is_contested=reading.is_contested),
            _fresh(headline, reading.category, rules.max_age_s),
        ),
    )


def _diluted(headline: Headline, category: Category, rules: Rules) -> Dilution | None:
    is_offering = rules.stories.once.get(category.name) == OFFERING
    return dilution(headline.title, headline.body) if is_offering else None


def _percent(diluted: Dilution) -> str:
    return f"{diluted.fraction:.1%} more shares: {diluted.severity}".replace("%", " %")


def _weight(category: Category, diluted: Dilution | None) -> float:
    factor = WEIGHT_FACTOR[diluted.severity] if diluted else 1.0
    return min(category.weight * factor, 1.0)


def _source(headline: Headline, rules: Rules) -> ScoreFactor:
    value = rules.sources.credibility(headline.source)
    return ScoreFactor(name="source", value=value, note=headline.source)


def _fresh(headline: Headline, category: Category, max_age_s: float) -> ScoreFactor:
    """Fully stale at the category's half-life, at the latest at the greatest age allowed."""
    age_s = (headline.received_at - headline.published_at).total_seconds()
    return freshness(age_s, min(max_age_s, category.half_life_s))
