"""A finding as a catalyst for one symbol: who it is about joins what makes us more or less sure."""

from __future__ import annotations

from catalyst_bot.detection.calibration import PLAIN
from catalyst_bot.detection.mentions import name_position
from catalyst_bot.detection.reading import Finding, factors_of
from catalyst_bot.detection.rules import Rules
from catalyst_bot.detection.score import Assessment, assess, subject
from catalyst_bot.detection.text import words
from catalyst_bot.domain import ids
from catalyst_bot.domain.news import Catalyst, Headline, ScoreFactor


def catalyst_of(
    headline: Headline,
    symbol: str,
    finding: Finding,
    rules: Rules,
    *,
    story_id: str,
    novelty: float = 1.0,
) -> Catalyst:
    """Return the catalyst that a headline is for a symbol, as part of a story."""
    category = finding.category
    assessment = _assess(headline, symbol, finding, rules)
    edge = rules.edges.get(category.name)
    return Catalyst(
        catalyst_id=ids.catalyst_id(headline.item_id, symbol),
        item_id=headline.item_id,
        symbol=symbol,
        category=category.name,
        action=category.action,
        direction=category.polarity,
        sentiment=finding.sentiment,
        opinions=finding.opinions,
        score=assessment.score,
        confidence=assessment.confidence,
        factors=assessment.factors,
        evidence=finding.evidence,
        horizon_s=rules.horizon_s(category),
        title=headline.title,
        source=headline.source,
        published_at=headline.published_at,
        received_at=headline.received_at,
        classifier_id=rules.classifier_id,
        edge_bps=edge.bps if edge else None,
        edge_low_bps=edge.low_bps if edge else None,
        edge_high_bps=edge.high_bps if edge else None,
        story_id=story_id,
        novelty=novelty,
    )


def _assess(headline: Headline, symbol: str, finding: Finding, rules: Rules) -> Assessment:
    about = ScoreFactor(name="subject", value=1.0, note="filed by the company")
    if finding.part:
        about = ScoreFactor(name="subject", value=1.0, note=finding.part)
    elif not headline.form:
        names_known = symbol in rules.companies.names
        position = name_position(words(headline.title), symbol, rules.companies)
        about = subject(position if names_known else 0)
    return assess(
        weight=finding.weight,
        sentiment=finding.sentiment,
        factors=(*factors_of(headline, finding, rules), about),
        # Form and items of a filing, and prices, name their category: there is nothing to fit.
        curve=PLAIN if headline.form else rules.calibration.words,
    )
