"""Opinions on the tone and the number they make; the linear model that has one of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.detection.grams import (
    CHARACTERS,
    NUMBER_BITS,
    grams,
    number_of,
    plain,
)
from catalyst_bot.detection.linear import LinearModel, counted, features, predict
from catalyst_bot.detection.opinions import HALF_LIFE_S, decay_of, fuse, own_tone, pull
from catalyst_bot.domain.news import SentimentOpinion
from tests.builders import NOON, headline
from tests.detection_rules import rules

TONES = {"good": 1.2, "awful": -2.0}
BUCKETS = 1 << 24


def opinion(value: float, confidence: float = 1.0, decay: float = 1.0) -> SentimentOpinion:
    return SentimentOpinion(
        name="x", value=value, weight=0.5, confidence=confidence, decay=decay, note=""
    )


any_number = st.floats(allow_nan=True, allow_infinity=True)
opinions = st.lists(
    st.builds(
        SentimentOpinion,
        name=st.just("x"),
        value=any_number,
        weight=any_number,
        confidence=any_number,
        decay=any_number,
    ),
    max_size=5,
)


@given(opinions)
def test_the_sentiment_is_bounded_whatever_is_said(said: list[SentimentOpinion]):
    assert -1 <= fuse(said) <= 1
    assert fuse(said) == fuse(said[::-1])  # in any order


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1))
def test_it_rises_with_every_opinion(low: float, high: float, confidence: float):
    low, high = min(low, high), max(low, high)
    other = opinion(0.3)
    assert fuse([other, opinion(low, confidence)]) <= fuse([other, opinion(high, confidence)])


def test_nobody_and_nonsense_are_neutral():
    assert fuse([]) == 0
    assert fuse([opinion(math.nan)]) == 0
    assert fuse([opinion(1.0), opinion(math.nan)]) == fuse([opinion(1.0)])
    assert pull(opinion(1.0, math.nan)) == 0


def test_faint_and_old_opinions_say_less():
    assert 0 < fuse([opinion(1.0, 0.1)]) < fuse([opinion(1.0)]) < 1
    assert 0 < fuse([opinion(1.0, decay=0.01)]) < fuse([opinion(1.0)])
    assert decay_of(0) == decay_of(-5) == 1
    assert decay_of(HALF_LIFE_S) == 0.5
    assert decay_of(1e12) == 0


def test_the_word_list_has_no_opinion_on_words_it_does_not_know():
    known = own_tone(headline(title="Acme profit surges"), rules().lexicon, None)
    assert [o.name for o in known.opinions] == ["lexicon"]
    assert known.sentiment == fuse(known.opinions) > 0
    assert own_tone(headline(title="Acme holds a meeting"), rules().lexicon, None) == (0.0, ())


def test_an_old_headline_has_faint_opinions():
    fresh = headline(title="Acme profit surges", published_at=NOON)
    old = headline(title="Acme profit surges", published_at=NOON - timedelta(hours=6))
    (now,), (then,) = (
        own_tone(h, rules().lexicon, None).opinions
        for h in (fresh, headline(title=old.title, published_at=old.published_at, received_at=NOON))
    )
    assert then.decay == 0.5 < now.decay
    assert then.value == now.value


def numbers(*grams: str) -> list[int]:
    return [number_of(gram) for gram in grams]


def word_numbers(text: str, tones: Mapping[str, float]) -> Counter[int]:
    """How often each word feature occurs, by its number."""
    places = np.array(found_in(text, tones))
    rows, found = places >> NUMBER_BITS, places & ((1 << NUMBER_BITS) - 1)
    return Counter(found[rows < BUCKETS].tolist())


def found_in(text: str, tones: Mapping[str, float]) -> list[int]:
    """The places of the features of a text, without the outermost."""
    return sorted(grams(text, tones, BUCKETS, BUCKETS).tolist())[1:-1]


def test_words_and_their_order_are_features_by_the_hash_of_their_text():
    assert word_numbers("good day € now", {}) == Counter(
        numbers(
            *("good", "day", "€", "now"),
            *("good day", "day €", "€ now"),
            *("good _ €", "day _ now"),
            *("^good", "^good day", "^good day €", "now$", "€ now$"),
        )
    )


def test_pieces_of_words_are_features_behind_the_rows_of_words():
    words, pieces = 1 << 4, 1 << 6
    places = sorted(grams("ab", {}, words, pieces).tolist())[1:-1]
    expected = numbers(" a", "ab", "b ", " ab", "ab ", " ab ")
    behind = [(words + number % pieces) << NUMBER_BITS | number for number in expected]
    assert [place for place in places if place >= words << NUMBER_BITS] == sorted(behind)


def small_model() -> LinearModel:
    """Knows `good` and `awful` by their tone and by nothing else."""
    buckets = 1 << 12
    weights = np.zeros((2 * buckets, 3), dtype=np.int8)
    good, awful = (number % buckets for number in numbers("=tone +1.2", "=tone -2.0"))
    weights[good] = (-100, 0, 100)
    weights[awful] = (100, 0, -100)
    return LinearModel(
        model_id="sentiment-test",
        task="sentiment",
        labels=("negative", "neutral", "positive"),
        word_buckets=buckets,
        rarity=np.ones(2 * buckets, dtype=np.float32),
        weights=weights,
        scale=np.full(3, 0.1),
        bias=np.zeros(3),
        accuracy=0.9,
        tones=TONES,
    )


def test_the_linear_model_is_one_of_the_opinions():
    model = small_model()
    assert predict(model, "a good day").label == "positive"
    assert predict(model, "an awful day").label == "negative"
    tone = own_tone(headline(title="a good day"), rules().lexicon, model)
    said = tone.opinions
    assert tone.sentiment == fuse(said)
    linear = next(o for o in said if o.name == "linear")
    assert linear.value > 0.5
    assert "positive" in linear.note
    assert "sentiment-test" in linear.note


@given(st.text())
def test_any_text_is_read(text: str):
    found = predict(small_model(), text)
    assert math.fsum(found.probabilities) == pytest.approx(1, abs=1e-5)
    assert found == predict(small_model(), text)


@given(st.text())
def test_features_are_scaled_to_length_one(text: str):
    model = small_model()
    rows, values = features(text, model.rarity, model.word_buckets, model.tones)
    lengths = [
        math.sqrt(sum(int(v) ** 2 for v in values[part]))
        for part in (rows < model.word_buckets, rows >= model.word_buckets)
    ]
    assert all(length == 0 or length == pytest.approx(4096, rel=0.02) for length in lengths)


@given(st.text("ab c"))
def test_features_that_share_a_row_are_added(text: str):
    _, apart = counted(text, BUCKETS, BUCKETS, TONES)
    rows, values = counted(text, 2, 4, TONES)
    assert sorted(set(rows.tolist())) == rows.tolist() == [row for row in rows if 0 <= row < 6]
    assert math.fsum(values) == pytest.approx(math.fsum(apart))


def test_a_feature_counts_by_the_logarithm_of_how_often_it_occurs():
    rows, values = counted("ab ab ab", BUCKETS, BUCKETS, {})
    told = dict(zip(rows.tolist(), values.tolist(), strict=True))
    (thrice, once) = (number % BUCKETS for number in numbers("ab", "^ab"))
    assert told[thrice] == 1 + math.log(3)
    assert told[once] == 1


def test_numbers_tickers_and_addresses_stand_for_their_kind():
    assert plain("$TSLA up +3.5% to $210.40 https://t.co/x") == "xtickx up +pct to usd"
    assert plain("Didn\u2019t sell 1,200 &amp; won't") == "did not sell 0 & wo not"
    assert found_in("$AAA falls 3%", TONES) == found_in("$ZZZ falls 99%", TONES)


def test_negated_tones_and_their_sum_are_features():
    found = word_numbers("not a good day", TONES)
    expected = numbers("=tone +1.2 not", "=tones +1", "^not a good", "day$", "not _ good")
    assert [found[number] for number in expected] == [1] * 5


def test_long_texts_are_read_up_to_a_bound():
    assert found_in("x" * CHARACTERS, {}) == found_in("x" * 10 * CHARACTERS, {})
