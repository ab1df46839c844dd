"""A headline read to the end: by its form when it is a filing, by its words otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from catalyst_bot.detection.classify import Reading, Unread, certainty, classify
from catalyst_bot.detection.filings import FilingReading, read_filing
from catalyst_bot.detection.opinions import fuse, own_opinions
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.score import IN_BODY_ONLY, freshness, tone, wording
from catalyst_bot.detection.taxonomy import Category
from catalyst_bot.domain.news import Headline, ScoreFactor, SentimentOpinion


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The event, the words that tell it, its tone with the opinions it was made of, and what makes
    us more or less sure.
    """

    category: Category
    evidence: tuple[str, ...]
    sentiment: float
    factors: tuple[ScoreFactor, ...]
    opinions: tuple[SentimentOpinion, ...] = ()


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


def _of_filing(headline: Headline, filing: FilingReading, rules: Rules) -> Finding:
    precision = ScoreFactor(name="certainty", value=filing.precision, note=filing.evidence)
    return Finding(
        category=filing.category,
        evidence=(filing.evidence,),
        sentiment=0.0,
        factors=(precision, _source(headline, rules), _fresh(headline, rules.max_filing_age_s)),
    )


def _of_words(headline: Headline, reading: Reading, rules: Rules) -> Finding:
    opinions = own_opinions(headline, rules.lexicon, rules.tone_model)
    mood = fuse(opinions)
    quoted = ", ".join(reading.evidence)
    sure = certainty(reading.category.precision, len(reading.evidence))
    place = 1.0 if reading.is_in_title else IN_BODY_ONLY
    return Finding(
        category=reading.category,
        evidence=reading.evidence,
        sentiment=mood,
        opinions=opinions,
        factors=(
            ScoreFactor(name="certainty", value=sure, note=quoted),
            _source(headline, rules),
            ScoreFactor(name="place", value=place, note="title" if reading.is_in_title else "body"),
            tone(reading.category.polarity, mood),
            wording(is_hedged=reading.is_hedged, is_contested=reading.is_contested),
            _fresh(headline, rules.max_age_s),
        ),
    )


def _source(headline: Headline, rules: Rules) -> ScoreFactor:
    value = rules.sources.credibility(headline.source)
    return ScoreFactor(name="source", value=value, note=headline.source)


def _fresh(headline: Headline, max_age_s: float) -> ScoreFactor:
    age_s = (headline.received_at - headline.published_at).total_seconds()
    return freshness(age_s, max_age_s)
