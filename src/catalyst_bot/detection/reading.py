"""A headline read to the end: by its form when it is a filing, by its words otherwise."""

from __future__ import annotations

from typing import NamedTuple

from catalyst_bot.detection.classify import (
    NOT_RECOGNISED,
    Reading,
    Unread,
    certainty,
    classify,
)
from catalyst_bot.detection.filings import read_filing
from catalyst_bot.detection.opinions import own_tone
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.score import certain, freshness, of_reading, source
from catalyst_bot.detection.severity import WEIGHT_FACTOR, Dilution, dilution
from catalyst_bot.detection.stories import OFFERING, RETRACTED
from catalyst_bot.detection.taxonomy import Category
from catalyst_bot.domain.news import SCAN_FORM, Headline, ScoreFactor, SentimentOpinion

SCAN_CATEGORY = "scan_"  # and the kind of hit


class Finding(NamedTuple):
    """The event, the words that tell it, its tone, and how sure the words make us.

    `weight` is the category's, changed by how much an offering dilutes; `reading` is None for
    filings and retractions, which are not read by their words; `opinions` make the sentiment.
    `part` says by which words the event is this company's; empty where none say so.
    """

    category: Category
    evidence: tuple[str, ...]
    sentiment: float
    weight: float
    certainty: float
    reading: Reading | None = None
    opinions: tuple[SentimentOpinion, ...] = ()
    part: str = ""


def read_headline(headline: Headline, rules: Rules) -> Finding | Unread:
    """Return what a headline tells, for whichever symbol, or why it tells nothing."""
    if headline.form:
        if headline.form == SCAN_FORM:
            return _of_scan(headline, rules)
        filing = read_filing(headline.form, headline.items, rules.filings)
        if isinstance(filing, str):
            what = f"{headline.form} {' '.join(headline.items)}".strip()
            return Unread(reason=filing, detail=what)
        return _certain(filing.category, filing.precision, filing.evidence)
    reading = classify(headline.title, headline.body, rules.classifier)
    return reading if isinstance(reading, Unread) else _of_words(headline, reading, rules)


def retraction(rules: Rules) -> Finding:
    """Return what a headline is that takes an earlier story back."""
    category = rules.classifier.taxonomy.categories[RETRACTED]
    return _certain(category, category.precision, "takes a story back")


def _certain(category: Category, precision: float, evidence: str) -> Finding:
    return Finding(
        category=category,
        evidence=(evidence,),
        sentiment=0.0,
        weight=category.weight,
        certainty=precision,
    )


def _of_scan(headline: Headline, rules: Rules) -> Finding | Unread:
    """What prices say is certain; the category's precision says how often its sign is right."""
    names = [f"{SCAN_CATEGORY}{kind}" for kind in headline.items]
    category = next((found for name in names if (found := rules.category(name))), None)
    if category is None:
        return Unread(reason=NOT_RECOGNISED, detail=f"scan {' '.join(headline.items)}")
    evidence = tuple(f"prices: {kind}" for kind in headline.items)
    return Finding(
        category=category,
        evidence=evidence,
        sentiment=0.0,
        weight=category.weight,
        certainty=category.precision,
    )


def _of_words(headline: Headline, reading: Reading, rules: Rules) -> Finding:
    category = reading.category
    is_offering = rules.stories.once.get(category.name) == OFFERING
    diluted = dilution(headline.title, headline.body) if is_offering else None
    tone_of_words = own_tone(headline, rules.lexicon, rules.tone_model)
    return Finding(
        category=category,
        evidence=(*reading.evidence, _percent(diluted)) if diluted else reading.evidence,
        sentiment=tone_of_words.sentiment,
        weight=_weight(category, diluted) if diluted else category.weight,
        certainty=certainty(category.precision, len(reading.evidence)),
        reading=reading,
        opinions=tone_of_words.opinions,
    )


def _percent(diluted: Dilution) -> str:
    return f"{diluted.fraction:.1%} more shares: {diluted.severity}".replace("%", " %")


def _weight(category: Category, diluted: Dilution) -> float:
    return min(category.weight * WEIGHT_FACTOR[diluted.severity], 1.0)


def factors_of(headline: Headline, finding: Finding, rules: Rules) -> tuple[ScoreFactor, ...]:
    """Return what makes us more or less sure of a finding, for whichever symbol."""
    category, reading = finding.category, finding.reading
    sure = certain(finding.certainty, finding.evidence)
    believed = source(rules.sources.credibility(headline.source), headline.source)
    max_age_s = rules.max_filing_age_s if headline.form else rules.max_age_s
    age_s = (headline.received_at - headline.published_at).total_seconds()
    # Fully stale at the category's half-life, at the latest at the greatest age allowed.
    fresh = freshness(age_s, min(max_age_s, category.half_life_s))
    if reading is None:
        return sure, believed, fresh
    told = of_reading(
        category.polarity,
        finding.sentiment,
        is_in_title=reading.is_in_title,
        is_hedged=reading.is_hedged,
        is_contested=reading.is_contested,
    )
    return sure, believed, *told, fresh
