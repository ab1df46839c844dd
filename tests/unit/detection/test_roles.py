"""Parts: of two companies in a title, whose event it is, and which event it is for whom."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.detection.classify import Unread
from catalyst_bot.detection.mentions import Mention, mentions_in
from catalyst_bot.detection.parts import findings_of
from catalyst_bot.detection.reading import Finding, read_headline
from catalyst_bot.detection.reasons import PART_UNKNOWN
from catalyst_bot.detection.roles import NOBODY, parts_of, words_and_commas
from catalyst_bot.detection.rules import Rules, make_rules
from catalyst_bot.detection.tickers import Owners, find_owners
from tests.builders import headline
from tests.detection_rules import texts
from tests.detection_stage import Stage

LISTED = {"ACME": "Acme Corp", "ZETA": "Zeta Pumps, Inc.", "YPSI": "Ypsilon Robotics Inc"}


@cache
def rules() -> Rules:
    by_cik = {number: (symbol,) for number, symbol in enumerate((*LISTED, "GS"), start=1)}
    return make_rules(
        texts(),
        symbols_by_cik=by_cik,
        registered_names=LISTED | {"GS": "GOLDMAN SACHS GROUP INC"},
    )


def told(title: str, symbols: tuple[str, ...] = ("ACME", "ZETA"), body: str = "") -> dict[str, str]:
    """What a title is for each company that has a part in it."""
    item = headline(title=title, symbols=symbols, body=body)
    owners = find_owners(item, rules().companies)
    assert isinstance(owners, Owners)
    found = findings_of(item, owners, read_headline(item, rules()), rules())
    return {s: one.category.name for s, one in found.items() if isinstance(one, Finding)}


TARGET = "acquisition_target"
BUYING = dict.fromkeys(("ACME", "ZETA"), "acquisition_announced")
INVESTED = {"ACME": "stake_or_investment", "ZETA": "stake_received"}
BOUGHT = {"ACME": "acquisition_announced", "ZETA": "acquisition_target"}


@pytest.mark.parametrize(
    "title",
    [
        "Acme to Acquire Zeta for $2 Billion",
        "Acme agrees to buy Zeta for $2 billion",
        "Acme buys Zeta for $2 billion",
        "Zeta to be acquired by Acme for $2 billion",
        "Zeta agrees to be taken private by Acme",
        "Acme to take Zeta private in $2 billion deal",
        "Zeta receives takeover offer from Acme",
        "Acme makes takeover bid for Zeta",
        "Zeta jumps as Acme is to acquire it for $2 billion",
        "Acme Corp (NASDAQ: ACME) to acquire Zeta Pumps (NYSE: ZETA)",
        "Acme, a rival of Ypsilon Robotics, to acquire Zeta",
        "Acme Corp., to acquire Zeta Pumps, Inc., creating a leader in pumps",
        "Acme to acquire Zeta Pumps Inc",
    ],
)
def test_the_target_and_the_acquirer_have_each_their_own(title: str):
    assert told(title) == BOUGHT
    assert told(title, ()) == BOUGHT


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (
            "Merger of Acme and Zeta agreed",
            BUYING,
        ),
        ("Acme and Zeta to merge", BUYING),
        (
            "Acme to acquire Zeta's European unit",
            BUYING,
        ),
        ("Acme to acquire Zeta Finance for $5 million", BUYING),
        (
            "Acme to acquire ten pumps from Zeta",
            BUYING,
        ),
        ("Acme completes acquisition of Zeta", {"ACME": "acquisition_announced"}),
        ("Acme sues Zeta over pumps", {"ZETA": "lawsuit"}),
        ("Zeta sued by Acme over pumps", {"ZETA": "lawsuit"}),
        ("Zeta hit with lawsuit from Acme", {"ZETA": "lawsuit"}),
        (
            "Acme wins patent case against Zeta",
            {"ACME": "legal_win", "ZETA": "regulatory_penalty"},
        ),
        ("Judge dismisses Acme lawsuit against Zeta", {"ZETA": "legal_win"}),
        ("Acme awards Zeta $50 million contract", {"ZETA": "contract_win"}),
        ("Zeta wins $50 million contract from Acme", {"ZETA": "contract_win"}),
        (
            "Acme invests $50 million in Zeta",
            INVESTED,
        ),
        (
            "Zeta gets $50 million investment from Acme",
            INVESTED,
        ),
        ("Acme discloses stake in Zeta", {"ZETA": "activist_stake"}),
        ("Acme launches pump to rival Zeta", {"ACME": "product_launch", "ZETA": "competition"}),
        ("Acme and Zeta announce partnership", {"ACME": "partnership", "ZETA": "partnership"}),
        ("Acme falls as Zeta raises outlook", {"ZETA": "guidance_raise"}),
        ("Acme beats Q3 estimates, Zeta slides", {"ACME": "earnings_beat"}),
        ("Record revenue at Zeta as Acme slides", {"ZETA": "earnings_beat"}),
        ("Record revenue at Zeta, Acme slides", {"ZETA": "earnings_beat"}),
        ("Record revenue at Acme and Zeta", dict.fromkeys(("ACME", "ZETA"), "earnings_beat")),
        ("Unheardof sues Acme, Zeta over patents", {"ACME": "lawsuit", "ZETA": "lawsuit"}),
        ("Unheardof sues Acme & Zeta", {"ACME": "lawsuit", "ZETA": "lawsuit"}),
        ("Unheardof to acquire Zeta, Acme slides", {"ZETA": "acquisition_target"}),
        (
            "Unheardof to acquire Acme and Zeta",
            dict.fromkeys(("ACME", "ZETA"), "acquisition_target"),
        ),
        ("Acme, Zeta beat Q3 estimates", dict.fromkeys(("ACME", "ZETA"), "earnings_beat")),
        ("Zeta supplier Acme wins $5 million contract", {"ACME": "contract_win"}),
    ],
)
def test_of_two_companies_each_has_its_own_part(title: str, expected: dict[str, str]):
    assert told(title) == expected


@pytest.mark.parametrize(
    "title",
    [
        "Goldman Sachs downgrades Acme to sell",
        "Acme downgraded to sell by Goldman Sachs",
        "Acme slides as Goldman Sachs downgrades ACME",
    ],
)
def test_a_rating_is_the_news_of_who_is_rated(title: str):
    assert told(title, ("GS", "ACME")) == {"ACME": "analyst_downgrade"}


def test_three_companies_and_only_two_of_them_have_a_part():
    title = "Ypsilon Robotics hears that Acme is to acquire Zeta"
    assert told(title, ("YPSI", "ACME", "ZETA")) == BOUGHT


def test_the_other_side_may_be_listed_nowhere():
    assert told("Holding firm Unheardof to acquire Acme", ("ACME",)) == {
        "ACME": "acquisition_target"
    }
    assert told("Acme to acquire Unheardof", ("ACME",)) == {"ACME": "acquisition_announced"}
    assert told("Acme sues former employee", ("ACME",)) == {}
    assert told("Acme falls as a user sues it", ("ACME",)) == {"ACME": "lawsuit"}


def test_who_is_not_named_has_the_free_part_unless_it_is_good_news():
    assert told("Zeta to be acquired by chip giant", ("ACME",)) == {"ACME": "acquisition_announced"}
    assert told("Zeta to acquire toolmaker", ("ACME",)) == {"ACME": "acquisition_announced"}


@pytest.mark.parametrize(
    ("title", "symbols", "expected"),
    [
        ("Pfizer to acquire Seagen", ("PFE", "SGEN"), ["acquisition_announced", TARGET]),
        ("Figma to be acquired by Adobe", ("ADBE", "FIG"), ["acquisition_announced", TARGET]),
        ("Figma to be acquired by Adobe", ("ADBE",), ["acquisition_announced"]),
        ("Pfizer to acquire Seagen", ("SGEN",), [TARGET]),
        ("Broadcom to be acquired by Silver Lake", ("AVGO",), [TARGET]),
        ("Broadcom to acquire a chip maker", ("AVGO",), ["acquisition_announced"]),
        ("Broadcom acquired by Silver Lake", ("AVGO",), [TARGET]),
        ("Broadcom to acquire rival", ("AVGO", "XYZ"), []),
        ("Broadcom merges with rival", ("AVGO", "XYZ"), ["acquisition_announced"] * 2),
    ],
)
def test_without_a_list_of_companies_position_and_wording_say_whose_part_it_is(
    title: str, symbols: tuple[str, ...], expected: list[str]
):
    unlisted = make_rules(texts(), symbols_by_cik={}, registered_names={})
    found = findings_of(
        (item := headline(title=title, symbols=symbols)),
        Owners(symbols),
        read_headline(item, unlisted),
        unlisted,
    )
    events = [one.category.name for one in found.values() if isinstance(one, Finding)]
    assert events == expected
    if not expected:
        assert [one.reason for one in found.values() if isinstance(one, Unread)] == [
            PART_UNKNOWN
        ] * 2


@pytest.mark.parametrize(
    ("symbol", "word"), [("CAT", "contract"), ("PLTR", "plants"), ("AB", "abc")]
)
def test_a_symbol_in_any_word_is_no_name(symbol: str, word: str):
    unlisted = make_rules(texts(), symbols_by_cik={}, registered_names={}).companies
    assert mentions_in((word, "wins"), (symbol,), unlisted) == []
    assert mentions_in(("splunk", "and", "splonk"), ("SPLK",), unlisted) == []


def test_what_only_the_body_tells_is_one_event_for_all():
    body = "Acme sues Zeta"
    assert told("Acme and Zeta in the news", body=body) == {"ACME": "lawsuit", "ZETA": "lawsuit"}


def test_who_stands_by_is_told_with_the_reason():
    said = Stage().receive(headline(title="Acme sues former employee", symbols=("ACME",)))
    (ignored,) = said
    assert (ignored.step, ignored.reason) == ("catalyst", "bystander")
    assert ignored.limit == "the company to which it happens"
    assert ignored.observed == "ACME comes before 'sues'"


def test_the_part_makes_the_company_the_subject_wherever_it_stands():
    stage = Stage()
    (found, *_) = stage.receive(
        headline(title="Very large old holding firm Unheardof to acquire Acme", symbols=("ACME",))
    )
    factors = {factor.name: factor for factor in found.catalyst.factors}
    assert (factors["subject"].value, factors["subject"].note) == (1.0, "comes after 'to acquire'")


NAMED = st.lists(st.sampled_from(["ACME", "ZETA", "YPSI"]), min_size=1, max_size=4)
FILLED = st.lists(
    st.sampled_from(["to", "acquire", "sues", "and", "as", "unit", "from", ":", ";", "it", "of"]),
    min_size=3,
    max_size=12,
)


@given(NAMED, FILLED, st.sampled_from(["acquisition_announced", "lawsuit", "earnings_beat"]))
def test_somebody_always_has_a_part(symbols: list[str], filling: list[str], category: str):
    title = [word for pair in zip(symbols, filling, strict=False) for word in pair]
    title = [*(word.lower() for word in title), *filling[len(symbols) :]]
    mentions = [Mention(2 * at, 2 * at + 1, symbol) for at, symbol in enumerate(symbols)]
    parts = parts_of(title, category, (filling[0],), mentions, rules().roles)
    if category == "earnings_beat":
        assert not parts or any(part.category != NOBODY for part in parts.values())
    assert set(parts) <= set(symbols)
    assert all(part.note for part in parts.values())


def test_commas_stand_between_the_words():
    assert words_and_commas("Acme Inc., the maker, wins $1,000 order") == (
        *("acme", "inc", ",", "the", "maker", ",", "wins", "1", "000", "order"),
    )
    assert words_and_commas("") == ()


def test_words_of_a_title_are_its_only_input():
    title = words_and_commas("Acme to acquire Zeta")
    mentions = [Mention(0, 1, "ACME"), Mention(3, 4, "ZETA")]
    parts = parts_of(title, "acquisition_announced", ("to acquire",), mentions, rules().roles)
    assert {symbol: part.category for symbol, part in parts.items()} == BOUGHT
    assert parts_of(title, "acquisition_announced", ("to acquire",), [], rules().roles) == {}
