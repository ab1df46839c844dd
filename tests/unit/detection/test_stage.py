"""Headlines through decide and evolve: the funnel, the memory, the alerts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from catalyst_bot.detection.dedupe import MEMORY, story_key
from catalyst_bot.detection.evolve import EVOLVE
from catalyst_bot.detection.normalise import normalise_title
from catalyst_bot.detection.rules import make_rules
from catalyst_bot.detection.state import State
from catalyst_bot.domain.enums import CategoryAction, Severity
from catalyst_bot.domain.messages.commands import SendNotification
from catalyst_bot.domain.messages.decisions import (
    AlertRaised,
    CatalystDetected,
    StoryTold,
)
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.news import Catalyst, Headline
from tests.builders import NOON, headline
from tests.detection_rules import BY_CIK, NAMES, rules, texts
from tests.detection_stage import Stage

ACCESSION = "0000000101-25-000001"
MINUTE = timedelta(minutes=1)
LONG_S = 28 * 86_400.0


def told(title: str, minutes: float = 0, **given: Any) -> Headline:
    return headline(title=title, published_at=NOON + minutes * MINUTE, **given)


def filing(role: str, minutes: float = 0, **given: Any) -> Headline:
    values: dict[str, Any] = {
        "form": "8-K",
        "items": ("2.02",),
        "accession": ACCESSION,
        "cik": 101,
        "symbols": (),
        "source": "SEC EDGAR",
        "item_id": f"news-{role}-{given.get('cik', 101)}",
    }
    title = f"8-K - ACME CORP (0000000101) ({role})"
    return headline(title=title, published_at=NOON + minutes * MINUTE, **(values | given))


def catalyst_of(given: Headline) -> Catalyst:
    first = Stage().receive(given)[0]
    assert isinstance(first, CatalystDetected), first
    return first.catalyst


def test_a_strong_phrase_in_the_title_passes_the_gate():
    catalyst = catalyst_of(told("FDA approves Acme's pump", source="Business Wire"))
    assert catalyst.symbol == "ACME"
    assert catalyst.category == "fda_approval"
    assert (catalyst.direction, catalyst.action) == (1, CategoryAction.TRADE)
    assert catalyst.confidence >= 0.7
    assert catalyst.evidence == ("fda approves",)
    assert catalyst.classifier_id == rules().classifier_id
    names = [factor.name for factor in catalyst.factors]
    assert names == [
        *("certainty", "source", "place", "tone", "wording", "freshness", "subject"),
        *("weight", "sentiment"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        told("Acme could gain from cloud deal", source="The Motley Fool"),
        told("Acme speaks", body="It beats estimates.", source="Reuters"),
        told("A new rival beats estimates and hits its old competitor Acme", source="Reuters"),
    ],
    ids=["opinion source", "body only", "somebody else's news"],
)
def test_weak_evidence_stays_below_the_gate(given: Headline):
    assert catalyst_of(given).confidence < 0.7


def test_results_filed_are_certain_but_have_no_sign():
    catalyst = catalyst_of(filing("Filer"))
    assert (catalyst.category, catalyst.direction, catalyst.sentiment) == ("earnings_results", 0, 0)
    assert catalyst.confidence >= 0.9


def test_what_is_traded_counts_for_at_least_so_long():
    longer = make_rules(
        texts(), symbols_by_cik=BY_CIK, registered_names=NAMES, min_horizon_s=LONG_S
    )
    assert longer.classifier_id != rules().classifier_id
    assert make_rules(texts(), symbols_by_cik={}, registered_names={}).classifier_id == (
        rules().classifier_id
    )
    kinds = longer.classifier.taxonomy.categories.values()
    assert {kind.action for kind in kinds} > {CategoryAction.TRADE}
    for kind in kinds:
        is_traded = kind.action is CategoryAction.TRADE
        assert longer.horizon_s(kind) == (LONG_S if is_traded else kind.horizon_s)
        assert rules().horizon_s(kind) == kind.horizon_s


def test_two_named_companies_are_two_catalysts():
    said = Stage().receive(
        told("Acme and Zeta sign strategic partnership", symbols=("ACME", "ZETA"))
    )
    catalysts = [m.catalyst for m in said if isinstance(m, CatalystDetected)]
    assert [c.symbol for c in catalysts] == ["ACME", "ZETA"]
    assert len({c.catalyst_id for c in catalysts}) == 2


@pytest.mark.parametrize(
    ("given", "step", "reason"),
    [
        (told("Somebody beats estimates", symbols=()), "with_ticker", "no_ticker"),
        (told("Acme beats estimates", symbols=("NOPE",)), "with_ticker", "unknown_symbol"),
        (told("Acme paints its fence"), "catalyst", "no_category"),
        (filing("Filer", form="4"), "catalyst", "routine_filing"),
        (filing("Filer", form="424B2"), "catalyst", "structured_note"),
        (filing("Filed by", form="425"), "with_ticker", "not_the_subject"),
        (
            told("Acme beats estimates", received_at=NOON - 6 * MINUTE),
            "deduped",
            "future_timestamp",
        ),
        (told("Acme beats estimates", received_at=NOON + 241 * MINUTE), "deduped", "stale"),
        (filing("Filer", received_at=NOON + timedelta(hours=25)), "deduped", "stale"),
    ],
)
def test_what_is_ignored_says_at_which_step_and_why(given: Headline, step: str, reason: str):
    assert Stage().outcome(given) == (step, reason)


def test_the_limits_of_time_are_inclusive():
    assert Stage().outcome(told("Acme beats estimates", received_at=NOON - 5 * MINUTE))[1] == (
        "earnings_beat"
    )
    assert Stage().outcome(told("Acme beats estimates", received_at=NOON + 240 * MINUTE))[1] == (
        "earnings_beat"
    )


def test_the_same_title_is_a_duplicate_whatever_its_dress():
    stage = Stage()
    assert stage.outcome(told("Acme beats Q3 estimates", item_id="a"))[1] == "earnings_beat"
    again = told("ACME beats Q3 estimates! - Reuters", minutes=5, item_id="b", source="Reuters")
    assert stage.outcome(again) == ("deduped", "duplicate")


def test_a_week_later_it_is_news_again():
    stage = Stage()
    stage.receive(told("Acme beats Q3 estimates"))
    days = MEMORY / MINUTE
    assert stage.outcome(told("Acme beats Q3 estimates", minutes=days)) == ("deduped", "duplicate")
    assert stage.outcome(told("Acme beats Q3 estimates", minutes=days + 1))[0] == "catalyst"
    assert len(stage.state.seen) == 1


def test_memory_is_bounded_by_time():
    stage = Stage()
    for day in range(30):
        stage.receive(told(f"Acme beats the estimates of day {day}", minutes=day * 1440))
    assert len(stage.state.seen) <= MEMORY.days + 1
    assert stage.state.settled == {seen.item_id for seen in stage.state.seen.values()}


def test_of_the_parties_to_a_filing_the_one_with_a_ticker_counts():
    stage = Stage()
    assert stage.outcome(filing("Filed by", cik=9))[1] == "not_the_subject"
    assert stage.outcome(filing("Filer", cik=999))[0] == "deduped"
    assert stage.outcome(filing("Filer")) == ("catalyst", "earnings_results")
    assert stage.outcome(filing("Filer", cik=102)) == ("deduped", "duplicate")
    assert stage.outcome(filing("Filed by", cik=9)) == ("deduped", "duplicate")


def test_an_unreadable_copy_seen_twice_does_not_hide_the_good_one():
    stage = Stage()
    lost = told("Acme beats Q3 estimates", symbols=("NOPE",), item_id="x")
    assert stage.outcome(lost) == ("with_ticker", "unknown_symbol")
    assert stage.outcome(lost) == ("deduped", "duplicate")
    assert stage.outcome(told("Acme beats Q3 estimates", item_id="x"))[1] == "earnings_beat"
    assert stage.outcome(told("Acme beats Q3 estimates", item_id="y")) == ("deduped", "duplicate")


def test_short_titles_are_told_apart_by_symbol():
    stage = Stage()
    assert stage.outcome(told("Beats estimates", symbols=("ACME",)))[0] == "catalyst"
    assert stage.outcome(told("Beats estimates", symbols=("ZETA",)))[1] == "earnings_beat"
    assert story_key(told("\u65b0\u95fb", item_id="n-1")) == "item:n-1"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Acme beats Q3 estimates - Reuters", "acme beats q3 estimates"),
        ("Acme beats Q3 estimates \u2014 Barrons.com", "acme beats q3 estimates"),
        ("Acme beats: raises outlook - what follows now for it", None),
        ("Results - Acme", "results acme"),
        ("\uff21cme\u2019s results", "acme results"),
    ],
)
def test_titles_are_normalised(title: str, expected: str | None):
    assert normalise_title(title) == (
        expected or "acme beats raises outlook what follows now for it"
    )


def test_a_confident_reason_to_close_is_critical_and_notified():
    said = Stage().receive(told("Acme files for Chapter 11 bankruptcy", source="Reuters"))
    catalyst, story, alert, notification = said
    assert isinstance(story, StoryTold)
    assert isinstance(catalyst, CatalystDetected)
    assert isinstance(alert, AlertRaised)
    assert isinstance(notification, SendNotification)
    assert alert.alert.severity is Severity.CRITICAL
    assert notification.trail_id == catalyst.catalyst.catalyst_id


def test_avoid_warns_and_strong_trades_inform():
    avoid = Stage().receive(told("Acme prices public offering of common stock", source="Reuters"))
    assert [type(m) for m in avoid] == [CatalystDetected, StoryTold, AlertRaised]
    assert avoid[2].alert.severity is Severity.WARNING
    strong = Stage().receive(told("FDA approves Acme's pump", source="Reuters"))
    assert strong[2].alert.severity is Severity.INFO
    weak = Stage().receive(told("Acme unveils new pump", source="Reuters"))
    assert [type(m) for m in weak] == [CatalystDetected, StoryTold]


def test_the_same_headline_gives_the_same_messages():
    given = told("Acme beats Q3 estimates")
    assert Stage().receive(given) == Stage().receive(given)


def test_evolve_alone_restores_the_memory():
    stage, folded = Stage(), State()
    for number in range(3):
        given = told(f"Acme beats estimates number {number}", minutes=number)
        fact = HeadlineReceived(at=given.received_at, headline=given)
        for message in (fact, *stage.receive(given)):
            if type(message) in EVOLVE:
                EVOLVE[type(message)](folded, message, _at(given))
    assert folded == stage.state


def _at(given: Headline) -> datetime:
    return given.received_at
