"""Stories: what is one event, what triggers again, what a retraction closes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catalyst_bot.detection.evolve import EVOLVE
from catalyst_bot.detection.reasons import DOUBTED
from catalyst_bot.detection.stories import (
    MAX_SOURCES,
    MAX_STORIES,
    MAX_TELLINGS,
    MEMORY,
    RETRACTED,
    parse_stories,
)
from catalyst_bot.domain.enums import CategoryAction, StoryRelation
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.decisions import CatalystDetected, SignalDropped, StoryTold
from catalyst_bot.domain.messages.facts import SymbolRenamed
from catalyst_bot.domain.news import Catalyst, Headline
from tests.builders import NOON, headline, position
from tests.detection_rules import rules
from tests.detection_stage import Stage

MINUTE = timedelta(minutes=1)


def told(title: str, minutes: float = 0, **given: Any) -> Headline:
    at = NOON + minutes * MINUTE
    return headline(
        title=title,
        item_id=f"{title} {minutes}",
        published_at=at,
        **({"source": "Reuters"} | given),
    )


def first(stage: Stage, given: Headline) -> Catalyst:
    said = stage.receive(given)[0]
    assert isinstance(said, CatalystDetected), said
    return said.catalyst


def story_of(said: list[Any]) -> StoryTold:
    return next(message for message in said if isinstance(message, StoryTold))


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("Acme beats Q3 estimates", "Acme profit jumps, tops Wall Street forecasts"),
        ("Acme to cut 14,000 jobs", "Acme is laying off 14,000 workers"),
        ("FDA approves Acme's blood pump", "Acme wins FDA approval of its pump for blood"),
        ("Acme to acquire Zeta for $2 billion", "Acme agrees to buy Zeta in $2 billion deal"),
        ("Acme prices public offering", "Acme announces offering of common stock"),
        ("Brokerville upgrades Acme to Buy", "Acme upgraded to buy by Brokerville"),
        (
            "Brokerville raises Acme price target to $120 from $100",
            "Acme target price lifted to $120 at Brokerville",
        ),
        (
            "Acme wins $50 million Navy contract for drones",
            "Navy awards Acme contract for drones worth $50 million",
        ),
        ("Texas sues Acme over privacy", "Acme faces lawsuit from Texas attorney general"),
    ],
)
def test_a_rewrite_is_the_same_story_and_triggers_nothing(earlier: str, later: str):
    stage = Stage()
    catalyst = first(stage, told(earlier))
    assert (catalyst.novelty, bool(catalyst.story_id)) == (1.0, True)
    said = stage.receive(told(later, 90, source="Business Wire"))
    assert (said[0].step, said[0].reason) == ("deduped", "known_story")
    assert "told first by Reuters" in said[0].observed
    again = story_of(said)
    assert (again.story_id, again.relation, again.catalyst_id) == (
        catalyst.story_id,
        StoryRelation.FOLLOW_UP,
        "",
    )
    (story,) = stage.state.stories.by_symbol["ACME"]
    assert story.sources == ("Reuters", "Business Wire")
    assert story.first_at < story.last_at


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("Acme wins $71 million Navy contract", "Acme wins $9 million school bus order"),
        ("Brokerville upgrades Acme to Buy", "Otherbank upgrades Acme to Buy"),
        ("Brokerville downgrades Acme to Sell", "Brokerville upgrades Acme to Buy"),
        ("Acme upgraded to buy at Brokerville", "Acme downgraded to hold at Brokerville"),
        (
            "Brokerville raises Acme target price to $120",
            "Brokerville raises Acme target price to $150",
        ),
        ("Acme wins $50 million Navy drone contract", "Acme wins $30 million Navy drone contract"),
        (
            "Acme wins U.S. Department of Defense contract",
            "Acme wins U.S. Department of Energy contract",
        ),
        ("Acme announces contract win", "Acme announces another contract win"),
        ("Acme sued by Zetatron over patents", "Acme sued by Yps over labels"),
        ("EU opens probe of Acme", "FTC opens probe of Acme"),
        ("Acme unveils garden pump", "Acme unveils fire truck"),
        ("Acme beats Q3 estimates", "FDA approves Acme's blood pump"),
        (
            "Acme signs exclusive partnership with Zetatron",
            "Acme signs exclusive partnership with Yps",
        ),
        (
            "Acme pump misses endpoint in Phase 3 trial",
            "Acme valve meets endpoint in Phase 3 trial",
        ),
    ],
)
def test_another_event_is_another_story(earlier: str, later: str):
    stage = Stage()
    assert first(stage, told(earlier)).story_id != first(stage, told(later, 50)).story_id


def test_the_same_event_of_two_companies_is_two_stories():
    stage = Stage()
    first(stage, told("Acme beats Q3 estimates"))
    first(stage, told("Zeta beats Q3 estimates", 1, symbols=("ZETA",)))


def test_a_filing_of_results_and_the_headline_are_one_story():
    stage = Stage()
    filing = {
        "form": "8-K",
        "items": ("2.02",),
        "cik": 101,
        "accession": "a",
        "source": "SEC EDGAR",
    }
    first(stage, told("8-K - ACME CORP (0000000101) (Filer)", **filing))
    assert stage.outcome(told("Acme beats Q3 estimates", 5)) == ("deduped", "known_story")


def test_three_days_later_it_is_news_again():
    stage = Stage()
    first(stage, told("Acme beats Q3 estimates"))
    first(stage, told("Acme profit jumps, tops Wall Street forecasts", 3 * 1440 + 1))


def test_what_presses_more_triggers_again():
    stage = Stage()
    begun = first(stage, told("Acme in talks with lenders on debt deal for Ohio plant"))
    pressing = first(
        stage, told("Acme, in talks with lenders on debt deal for Ohio plant, in default", 60)
    )
    assert pressing.story_id == begun.story_id
    assert pressing.action is CategoryAction.CLOSE
    assert 0 <= pressing.novelty < 1


def test_bad_news_after_good_triggers_again_and_good_after_bad_does_not():
    stage = Stage()
    good = first(stage, told("Acme raises full-year guidance"))
    bad = first(stage, told("Acme lowers full-year guidance", 60))
    assert (bad.story_id, bad.direction) == (good.story_id, -1)
    assert stage.outcome(told("Acme boosts full-year guidance", 120))[1] == "known_story"


def test_what_was_not_believed_may_be_told_by_a_better_source():
    stage = Stage()
    weak = first(stage, told("Acme beats estimates of Q3", source="The Motley Fool"))
    better = told("Acme beats Q3 estimates", 30, source="Business Wire")
    assert Stage(state=stage.state).outcome(better)[1] == "known_story"
    dropped = SignalDropped(
        catalyst_id=weak.catalyst_id,
        item_id=weak.item_id,
        symbol="ACME",
        reason=DOUBTED,
        checks=(),
    )
    EVOLVE[SignalDropped](stage.state, dropped, NOON)
    again = first(stage, told("Acme profit beats Q3 estimates", 31, source="Business Wire"))
    assert again.story_id == weak.story_id
    assert again.confidence > weak.confidence
    assert stage.outcome(told("Acme Q3 profit beats estimates", 32))[1] == "known_story"


def test_a_correction_attaches_and_triggers_nothing():
    stage = Stage()
    begun = first(stage, told("Acme wins $71 million Navy pump contract"))
    said = stage.receive(told("CORRECTION: Acme wins $17 million Navy pump contract", 30))
    assert said[0].reason == "known_story"
    assert story_of(said).relation is StoryRelation.CORRECTION
    assert story_of(said).story_id == begun.story_id


RETRACTIONS = [
    "Acme denies report of takeover by Zeta",
    "Report of takeover by Zeta was false, Acme says",
    "CORRECTION: Acme not taken over by Zeta, story withdrawn",
]


@pytest.mark.parametrize("title", RETRACTIONS)
def test_a_retraction_closes_the_position_of_its_story(title: str):
    stage = Stage()
    begun = first(stage, told("Zeta makes takeover offer for Acme"))
    stage.positions = {"ACME": position(symbol="ACME", catalyst_id=begun.catalyst_id)}
    closing = first(stage, told(title, 45))
    assert (closing.category, closing.action) == (RETRACTED, CategoryAction.CLOSE)
    assert closing.story_id == begun.story_id
    assert closing.confidence >= 0.7
    (story,) = stage.state.stories.by_symbol["ACME"]
    assert story.is_retracted


@pytest.mark.parametrize("title", RETRACTIONS)
def test_a_retraction_leaves_the_position_of_another_story(title: str):
    stage = Stage()
    first(stage, told("Zeta makes takeover offer for Acme"))
    stage.positions = {"ACME": position(symbol="ACME", catalyst_id="cat-of-another-story")}
    said = stage.receive(told(title, 45))
    assert said[0].reason == "retracts_a_story"
    assert story_of(said).relation is StoryRelation.RETRACTION
    assert not [message for message in said if isinstance(message, CatalystDetected)]


def test_a_retraction_of_nothing_known_is_what_it_was():
    assert Stage().outcome(told("Acme denies report of takeover by Zeta")) == (
        "catalyst",
        "no_category",
    )


def test_memory_is_bounded():
    stage = Stage()
    for number in range(MAX_STORIES + 20):
        name = f"{chr(97 + number // 26)}{chr(97 + number % 26)}pump"
        stage.receive(told(f"Acme unveils {name}", number * 10))
    assert len(stage.state.stories.by_symbol["ACME"]) == MAX_STORIES
    other = Stage()
    for number in range(60):
        other.receive(told(f"Acme to cut {number} jobs", number, source=f"Source {number}"))
    (story,) = other.state.stories.by_symbol["ACME"]
    assert len(story.tellings) == MAX_TELLINGS
    assert len(story.sources) == MAX_SOURCES
    later = (MEMORY / MINUTE) + 100
    other.receive(told("Zeta beats Q3 estimates", later, symbols=("ZETA",)))
    assert list(other.state.stories.by_symbol) == ["ZETA"]


def test_stories_follow_a_renamed_company():
    stage = Stage()
    first(stage, told("Acme beats Q3 estimates"))
    renamed = SymbolRenamed(at=NOON, symbol="ACME", new_symbol="ZETA", effective_on=NOON.date())
    EVOLVE[SymbolRenamed](stage.state, renamed, NOON)
    assert list(stage.state.stories.by_symbol) == ["ZETA"]
    assert stage.outcome(told("Zeta tops Q3 forecasts", 9, symbols=("ZETA",)))[1] == "known_story"


def test_a_mistake_in_the_file_is_named():
    taxonomy = rules().classifier.taxonomy
    with pytest.raises(ConfigError, match=r"stories\.toml: once: x: 'nope' is not a category"):
        parse_stories('[words]\nsilent="a"\nweak="b"\nrating="c"\n[once]\nx=["nope"]', taxonomy)
