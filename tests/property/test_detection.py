"""Whatever a feed delivers, detection answers with bounded numbers or a reason."""

from __future__ import annotations

from datetime import timedelta
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.detection.classify import Reading, Unread, classify
from catalyst_bot.detection.decide import on_headline
from catalyst_bot.detection.evolve import EVOLVE
from catalyst_bot.detection.normalise import normalise_title
from catalyst_bot.detection.phrases import GAP_WORDS, PhraseIndex, parse_phrase
from catalyst_bot.detection.score import assess, freshness
from catalyst_bot.detection.sentiment import sentiment
from catalyst_bot.detection.state import State
from catalyst_bot.detection.text import BREAKS, words
from catalyst_bot.detection.tickers import common_shares, normal_symbols
from catalyst_bot.domain.enums import StoryRelation
from catalyst_bot.domain.messages.decisions import CatalystDetected, HeadlineIgnored, StoryTold
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.news import Headline, ScoreFactor
from tests.builders import NOON, FakeDesk, headline
from tests.detection_rules import rules

VOCABULARY = sorted(
    {
        word
        for phrase in rules().classifier.title_index.phrases
        for slot in phrase.slots
        for word in slot
    }
)
SENTENCES = st.lists(
    st.one_of(
        st.sampled_from(VOCABULARY), st.sampled_from(["Acme", "not", ".", "?", "-", "$ZETA"])
    ),
    max_size=25,
).map(" ".join)
TEXTS = st.one_of(st.text(max_size=200), SENTENCES)
UNIT = st.floats(0, 1)


@st.composite
def headlines(draw: st.DrawFn) -> Headline:
    published_at = NOON + timedelta(seconds=draw(st.integers(-200_000, 200_000)))
    return headline(
        title=draw(TEXTS),
        body=draw(TEXTS),
        source=draw(st.one_of(st.text(max_size=20), st.sampled_from(["Reuters", "SEC EDGAR"]))),
        symbols=tuple(
            draw(st.lists(st.sampled_from(["ACME", "ZETA", "NOPE", "x y", ""]), max_size=6))
        ),
        form=draw(st.sampled_from(["", "", "8-K", "4", "424B5", "8-K/A", "\x00"])),
        items=tuple(draw(st.lists(st.sampled_from(["2.02", "1.03", "9.01", "x"]), max_size=3))),
        cik=draw(st.one_of(st.none(), st.sampled_from([101, 999, -1]))),
        accession=draw(st.sampled_from(["", "a", "b"])),
        published_at=published_at,
        received_at=NOON + timedelta(seconds=draw(st.integers(0, 100_000))),
    )


@given(headlines())
def test_every_headline_ends_as_a_bounded_catalyst_or_a_reason(item: Headline):
    said = on_headline(State(), HeadlineReceived(at=NOON, headline=item), FakeDesk(), rules())
    assert said
    for message in said:
        if isinstance(message, HeadlineIgnored):
            assert message.reason
            assert message.step in {"deduped", "with_ticker", "catalyst"}
            continue
        if isinstance(message, StoryTold):
            assert message.relation is StoryRelation.FIRST
            continue
        assert isinstance(message, CatalystDetected)
        catalyst = message.catalyst
        assert catalyst.story_id
        assert catalyst.novelty == 1
        assert 0 <= catalyst.confidence <= 1
        assert 0 <= catalyst.score <= 1
        assert -1 <= catalyst.sentiment <= 1
        assert catalyst.direction in {-1, 0, 1}
        assert catalyst.evidence
        assert catalyst.symbol in rules().companies.known


@given(st.lists(headlines(), max_size=12))
def test_one_story_is_told_once(items: list[Headline]):
    state, told = State(), []
    for item in items:
        fact = HeadlineReceived(at=NOON, headline=item)
        said = on_headline(state, fact, FakeDesk(), rules())
        for message in (fact, *said):
            EVOLVE[type(message)](state, message, NOON)
        if isinstance(said[0], CatalystDetected):
            told.append(item.accession or normalise_title(item.title) or item.item_id)
    filings = [key for key in told if key in {"a", "b"}]
    assert len(filings) == len(set(filings))


@given(TEXTS, TEXTS)
def test_reading_never_fails_and_quotes_the_text(title: str, body: str):
    found = classify(title, body, rules().classifier)
    assert isinstance(found, Reading | Unread)
    if isinstance(found, Reading):
        text = " ".join(words(title)) + " | " + " ".join(words(body))
        assert all(quote in text for quote in found.evidence)


@given(TEXTS, TEXTS)
def test_sentiment_is_bounded(title: str, body: str):
    assert -1 <= sentiment(title, body, rules().lexicon) <= 1


@given(st.lists(UNIT, max_size=8), UNIT, st.floats(-1, 1), st.floats(-1e6, 1e6))
def test_scores_are_bounded(values: list[float], weight: float, mood: float, age_s: float):
    factors = tuple(ScoreFactor(name="x", value=value) for value in values)
    result = assess(weight=weight, sentiment=mood, factors=(*factors, freshness(age_s, 14_400)))
    assert 0 <= result.score <= result.confidence <= 1


@given(TEXTS)
def test_normalising_twice_changes_nothing_more(title: str):
    once = normalise_title(title)
    assert normalise_title(once) == once


SLOTS = st.sampled_from(["a", "b", "a|b", "b|c", "c", ".."])
PHRASES = st.lists(
    st.lists(SLOTS, min_size=1, max_size=5)
    .filter(lambda slots: slots[0] != ".." and slots[-1] != "..")
    .map(" ".join),
    min_size=1,
    max_size=6,
)


def slow_ends(slots: tuple[frozenset[str], ...], text: list[str], at: int) -> list[int]:
    """Where a phrase can end, the shortest gaps first: the definition, one case after the other."""
    if not slots:
        return [at]
    if slots[0]:
        fits = at < len(text) and text[at] in slots[0]
        return slow_ends(slots[1:], text, at + 1) if fits else []
    reach = text[at : at + GAP_WORDS + 1]
    clause = list(takewhile(lambda word: word not in BREAKS, reach))
    return [
        end
        for skipped, word in enumerate(clause)
        if word in slots[1]
        for end in slow_ends(slots[2:], text, at + skipped + 1)
    ]


@given(PHRASES, st.lists(st.sampled_from("abcx."), max_size=30))
def test_the_index_finds_what_trying_every_phrase_finds(phrases: list[str], text: list[str]):
    index = PhraseIndex(tuple(parse_phrase(p, "category", p, {}) for p in phrases))
    expected = [
        (phrase, start, ends[0])
        for start in range(len(text))
        for phrase in index.phrases
        if (ends := slow_ends(phrase.slots, text, start))
    ]
    assert index.find(text) == expected
    assert index.holds_any(text) == bool(expected)


@given(st.sampled_from(VOCABULARY).filter(lambda word: len(word) > 2))
def test_a_word_inside_another_is_not_the_word(word: str):
    index = rules().classifier.title_index
    assert not index.find([f"x{word}"])
    assert not index.find([f"{word}q"]) or f"{word}q" in VOCABULARY


@given(st.lists(st.text(st.sampled_from("ABCW-.P"), max_size=7), max_size=8))
def test_dropping_derived_symbols_keeps_something(symbols: list[str]):
    normal = normal_symbols(symbols)
    kept = common_shares(normal)
    assert set(kept) <= set(normal)
    assert bool(kept) == bool(normal)
