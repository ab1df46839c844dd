from __future__ import annotations

import pytest

from catalyst_bot.detection import score
from catalyst_bot.detection.sentiment import sentiment
from catalyst_bot.domain.news import ScoreFactor
from tests.detection_rules import rules


def mood(title: str, body: str = "") -> float:
    return sentiment(title, body, rules().lexicon)


def test_sentiment_has_the_sign_of_the_words():
    assert mood("Acme profit surges to record") > 0.5
    assert mood("Acme plunges after fraud and bankruptcy") < -0.8
    assert mood("Acme to hold a meeting") == 0
    assert mood("") == 0


def test_negation_turns_and_intensity_stretches():
    assert mood("Acme shares gain") > 0 > mood("Acme shares did not gain")
    assert abs(mood("results slightly weak")) < abs(mood("results weak"))
    assert abs(mood("results sharply weak")) > abs(mood("results weak"))
    assert mood("No. Acme gains") > 0


def test_the_body_weighs_less_than_the_title():
    assert 0 < mood("", "Acme gains") < mood("Acme gains")
    assert mood("Acme gains", "weak") > 0


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("SEC EDGAR getcurrent", 1.0),
        ("GlobeNewsWire", 1.0),
        ("Business Wire", 1.0),
        ("CNBC", 0.96),
        ("CNBC Television", 0.85),
        ("Barrons.com", 0.96),
        ("The Motley Fool", 0.6),
        ("Security Weekly", 0.85),
        ("", 0.85),
    ],
)
def test_sources_are_known_by_the_beginning_of_their_name(source: str, expected: float):
    assert rules().sources.credibility(source) == expected


def test_confidence_is_the_product_and_every_factor_is_kept():
    factors = (ScoreFactor(name="certainty", value=0.9), ScoreFactor(name="source", value=0.5))
    result = score.assess(weight=1.0, sentiment=-1.0, factors=factors)
    assert result.confidence == pytest.approx(0.45)
    assert result.score == pytest.approx(0.45)
    assert [f.name for f in result.factors] == ["certainty", "source", "weight", "sentiment"]


def test_tone_confirms_or_contradicts():
    assert score.tone(1, 0.5).value == 1.0
    assert score.tone(-1, -0.5).value == 1.0
    assert score.tone(1, 0.0).value == score.NEUTRAL_TONE
    assert score.tone(1, -0.5).value == score.CONTRARY_TONE
    assert score.tone(0, -0.5).value == 1.0


def test_who_is_named_first_is_the_subject():
    assert score.subject(0).value == 1.0
    assert score.subject(score.EARLY_WORDS + 1).value == score.NAMED_LATE
    assert score.subject(None).value == score.NOT_NAMED


def test_news_ages():
    assert score.freshness(0, 14_400).value == 1.0
    assert score.freshness(score.FRESH_S, 14_400).value == 1.0
    assert score.freshness(14_400, 14_400).value == pytest.approx(score.STALE_FRESHNESS)
    assert score.freshness(1e9, 14_400).value == pytest.approx(score.STALE_FRESHNESS)
    assert score.freshness(-100, 14_400).value == 1.0


def test_wording_weakens():
    plain = score.wording(is_hedged=False, is_contested=False).value
    hedged = score.wording(is_hedged=True, is_contested=False).value
    both = score.wording(is_hedged=True, is_contested=True).value
    assert plain == 1.0 > hedged > both
