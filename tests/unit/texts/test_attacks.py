"""What hostile texts and fooled models can do: give labels, or make a catalyst less."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.detection.second_reading import lowered, wants_opinion
from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.commands import RequestTextOpinion
from catalyst_bot.domain.news import Catalyst, SentimentOpinion, TextOpinion
from catalyst_bot.texts.readers.answers import (
    MAX_BODY_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    labels_of,
    question,
    read_answer,
)
from tests.builders import NOON, catalyst
from tests.detection_rules import rules
from tests.unit.texts.attacks import FOOLED_ANSWERS, REFUSED_ANSWERS, TEXTS

CATEGORIES = rules().classifier.taxonomy.categories


def asked(title: str = "FDA approves Acme's pump", body: str = "") -> RequestTextOpinion:
    return RequestTextOpinion(
        request_id="opinion:cat-1",
        catalyst_id="cat-1",
        symbol="ACME",
        category="fda_approval",
        title=title,
        body=body,
        published_at=NOON,
        answer_by=NOON + timedelta(seconds=2),
    )


def good_news(sentiment: float = 0.4) -> Catalyst:
    tone = SentimentOpinion(name="lexicon", value=0.7, weight=0.25, confidence=0.6)
    return catalyst(
        category="fda_approval",
        direction=1,
        action=CategoryAction.TRADE,
        sentiment=sentiment,
        score=0.7,
        confidence=0.85,
        published_at=NOON,
        opinions=(tone,),
    )


def opinion(content: str) -> TextOpinion:
    answer = read_answer(content, "fda_approval")
    return TextOpinion(
        reader="llm",
        model="test",
        value=answer.sentiment,
        confidence=answer.confidence,
        event=answer.event,
        is_material=answer.is_material,
        is_about_company=answer.is_about_company,
        labels=labels_of(answer),
        knowledge_cutoff=date(2024, 1, 1),
    )


def assert_not_raised(before: Catalyst, after: Catalyst) -> None:
    assert 0 <= after.confidence <= before.confidence
    assert 0 <= after.score <= before.score
    assert -1 <= after.sentiment <= before.sentiment
    untouched = ("catalyst_id", "symbol", "category", "action", "direction", "evidence", "wish")
    for name in (*untouched, "horizon_s", "published_at", "received_at"):
        assert getattr(after, name) == getattr(before, name), name


def test_the_corpus_is_large_enough():
    attacks = {*TEXTS, *REFUSED_ANSWERS, *FOOLED_ANSWERS}
    assert len(attacks) >= 120
    assert len(set(TEXTS)) >= 120


@pytest.mark.parametrize(("title", "body"), TEXTS)
def test_a_text_cannot_leave_its_fence(title: str, body: str):
    lines = question(asked(title, body)).split("\n")
    fence = lines[1]
    assert lines[0] == "Symbol: ACME"
    assert fence == lines[-1]
    assert fence.startswith("=== ")
    assert fence.endswith(" ===")
    assert lines.count(fence) == 2
    assert not any(fence in line for line in lines[2:-1])
    assert all(character.isprintable() for line in lines for character in line)
    assert sum(map(len, lines)) < MAX_TITLE_CHARACTERS + MAX_BODY_CHARACTERS + 200


@pytest.mark.parametrize(("title", "body"), TEXTS)
def test_a_model_that_obeys_a_text_raises_nothing(title: str, body: str):
    before = replace(good_news(), title=title)
    for _, content in FOOLED_ANSWERS:
        after = lowered(before, [opinion(content)], (), categories=CATEGORIES, now=NOON)
        assert_not_raised(before, after)


@pytest.mark.parametrize(("name", "content"), REFUSED_ANSWERS, ids=[n for n, _ in REFUSED_ANSWERS])
def test_what_is_not_the_schema_is_refused_with_a_short_reason(name: str, content: str):
    with pytest.raises(BadData) as refused:
        read_answer(content, "fda_approval")
    assert 5 < len(str(refused.value)) < 300
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("name", "content"), FOOLED_ANSWERS, ids=[n for n, _ in FOOLED_ANSWERS])
def test_an_answer_of_the_schema_raises_nothing(name: str, content: str):
    before = good_news()
    after = lowered(before, [opinion(content)], (), categories=CATEGORIES, now=NOON)
    assert_not_raised(before, after)
    assert after.opinions[-1].name == "llm"
    assert "rules alone: score 0.700, confidence 0.850" in after.factors[-1].note


@pytest.mark.parametrize(
    "content",
    [
        '{"sentiment": -1, "confidence": 1}',
        '{"sentiment": 1, "confidence": 1, "event": "dilution"}',
        '{"sentiment": 1, "confidence": 1, "is_material": false}',
        '{"sentiment": 1, "confidence": 1, "is_about_company": false}',
    ],
)
def test_doubt_lowers_below_the_gate(content: str):
    after = lowered(good_news(), [opinion(content)], (), categories=CATEGORIES, now=NOON)
    assert after.confidence < 0.7


def test_agreement_leaves_everything_as_it_was():
    before = good_news()
    agreed = opinion('{"sentiment": 1, "confidence": 1}')
    after = lowered(before, [agreed], (), categories=CATEGORIES, now=NOON)
    assert (after.score, after.confidence) == (before.score, before.confidence)


def test_bad_news_is_never_put_to_a_model():
    for direction, action in (
        (-1, CategoryAction.TRADE),
        (0, CategoryAction.TRADE),
        (-1, CategoryAction.CLOSE),
        (-1, CategoryAction.AVOID),
        (1, CategoryAction.AVOID),
    ):
        told = replace(good_news(), direction=direction, action=action)
        assert not wants_opinion(told, 0.0)
    assert wants_opinion(good_news(), 0.85)
    assert not wants_opinion(good_news(), 0.86)


numbers = st.floats(allow_nan=True, allow_infinity=True)
opinions = st.builds(
    TextOpinion,
    reader=st.sampled_from(["llm", "finbert", "stranger"]),
    model=st.text(max_size=10),
    value=numbers,
    confidence=numbers,
    event=st.sampled_from(["", "nobody", *CATEGORIES]),
    is_material=st.booleans(),
    is_about_company=st.booleans(),
    knowledge_cutoff=st.none() | st.just(date(2030, 1, 1)),
)


@given(
    st.lists(opinions, max_size=4),
    st.lists(st.text(max_size=20), max_size=2),
    st.floats(-1, 1),
    st.floats(-1e9, 1e9),
)
def test_no_opinion_whatever_raises_a_catalyst(
    said: list[TextOpinion], refusals: list[str], sentiment: float, age_s: float
):
    before = good_news(sentiment)
    now = NOON + timedelta(seconds=age_s)
    after = lowered(before, said, refusals, categories=CATEGORIES, now=now)
    assert_not_raised(before, after)
    assert after.confidence > 0
    assert all(math.isfinite(o.value) for o in after.opinions)


def test_a_model_that_knows_the_aftermath_is_marked():
    said = replace(opinion('{"sentiment": 1, "confidence": 1}'), knowledge_cutoff=NOON.date())
    after = lowered(good_news(), [said], (), categories=CATEGORIES, now=NOON)
    assert after.opinions[-1].note == "test, knows the aftermath"
