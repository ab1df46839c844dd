from __future__ import annotations

from dataclasses import replace

import pytest

from catalyst_bot.detection.companies import NameRules, make_companies
from catalyst_bot.detection.mentions import name_position
from catalyst_bot.detection.text import words
from catalyst_bot.detection.tickers import (
    NoOwner,
    Owners,
    common_shares,
    find_owners,
    normal_symbols,
    relevance,
)
from tests.builders import headline
from tests.detection_rules import rules


def owners(**given: object) -> tuple[str, ...] | str:
    found = find_owners(headline(**given), rules().companies)
    return found.symbols if isinstance(found, Owners) else found.reason


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Acme (NASDAQ: ACME) beats", ("ACME",)),
        ("Acme (Nasdaq:acme) beats", ("ACME",)),
        ("Acme, NYSE American: ACME, beats", ("ACME",)),
        ("Berkshire (NYSE: BRK.B) buys", ("BRK-B",)),
        ("Acme (TSX: AAA; NYSE: ACME) beats", ("ACME",)),
        ("$ACME beats", ("ACME",)),
        ("Somebody pays $500 and US$5", "no_ticker"),
        ("Somebody (Paris: QQQQ) beats", "no_ticker"),
        ("Acme (NASDAQ: QQQQ) beats", "unknown_symbol"),
        ("Somebody beats", "no_ticker"),
        ("Acme beats", ("ACME",)),
    ],
)
def test_symbols_written_in_the_text(title: str, expected: tuple[str, ...] | str):
    assert owners(title=title, symbols=()) == expected


def test_the_body_is_searched_too():
    assert owners(title="Acme beats", body="BOSTON -- Acme (NYSE: ACME) said", symbols=()) == (
        "ACME",
    )


def test_hints_win_over_the_text_and_are_checked():
    assert owners(title="$ZETA and Acme", symbols=("acme",)) == ("ACME",)
    assert owners(symbols=("NOPE",)) == "unknown_symbol"
    assert owners(symbols=("NOPE", "ACME")) == ("ACME",)


def test_of_many_hints_those_named_in_the_title_count():
    assert owners(title="Zeta sues", symbols=("ACME", "ZETA", "NOW")) == ("ZETA",)
    assert owners(title="Pumps fall", symbols=("ACME", "ZETA", "NOW")) == ("ACME", "ZETA")
    assert (
        owners(title="Market wrap", symbols=("ACME", "ZETA", "NOW", "ORCL", "FNMA"))
        == "too_many_symbols"
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"cik": 101}, ("ACME",)),
        ({"cik": 102}, ("ORCL",)),
        ({"cik": 103}, ("FNMA",)),
        ({"cik": 999, "symbols": ("ORCL", "ORCL-PD")}, ("ORCL",)),
        ({"cik": 999}, "no_ticker"),
        ({"cik": None}, "no_ticker"),
        ({"cik": 999, "symbols": ("NOPE",)}, "unknown_symbol"),
        ({"cik": 101, "title": "4 - Roe Jane (0000000101) (Reporting)"}, "not_the_subject"),
    ],
)
def test_a_filing_belongs_to_the_common_share_of_its_cik(
    given: dict[str, object], expected: tuple[str, ...] | str
):
    values = {"title": "8-K - ACME CORP (0000000101) (Filer)", "symbols": ()} | given
    assert owners(form="8-K", **values) == expected


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        (("ORCL", "ORCL-PD"), ("ORCL",)),
        (("ZETA", "ZETAW"), ("ZETA",)),
        (("BRK-A", "BRK-B"), ("BRK-A", "BRK-B")),
        (("PLTR", "MU", "NOW", "LOW"), ("PLTR", "MU", "NOW", "LOW")),
        (("ORCL-PD",), ("ORCL-PD",)),
        (("BF", "BF-B"), ("BF", "BF-B")),
        (("LCW", "LCW-UN", "LCW-WT"), ("LCW",)),
    ],
)
def test_preferreds_and_warrants_give_way_to_the_common_share(
    symbols: tuple[str, ...], expected: tuple[str, ...]
):
    assert common_shares(symbols) == expected


def test_symbols_are_spelled_one_way():
    assert normal_symbols([" brk.b ", "BRK/B", "no symbol", "", "TOOLONGX", "A"]) == ("BRK-B", "A")


def test_without_any_list_every_symbol_is_believed():
    nothing = make_companies(
        by_cik={},
        registered_names={},
        rules=NameRules(),
        traded_symbols=frozenset(),
    )
    assert find_owners(headline(symbols=("NEWLY",)), nothing) == Owners(("NEWLY",))


def test_traded_symbols_are_known_too():
    known = replace(rules().companies, known=frozenset({"GONE"}))
    assert find_owners(headline(symbols=("GONE",)), known) == Owners(("GONE",))
    assert isinstance(find_owners(headline(symbols=("ACME",)), known), NoOwner)


@pytest.mark.parametrize(
    ("name", "title", "position"),
    [
        ("ACME CORP", "Acme wins", 0),
        ("ACME CORP", "A deal for Acme", 3),
        ("ACME CORP", "Acmeville wins", None),
        ("GENERAL PUMPS CO", "General news", None),
        ("GENERAL PUMPS CO", "Big General Pumps news", 1),
        ("3D INC", "XX wins", 0),
        ("", "Nothing", None),
    ],
)
def test_where_a_title_names_a_company(name: str, title: str, position: int | None):
    companies = make_companies(
        by_cik={},
        registered_names={"XX": name},
        rules=NameRules(generic=frozenset({"general"}), legal=frozenset({"inc", "corp", "co"})),
        traded_symbols=frozenset(),
    )
    assert name_position(words(title), "XX", companies) == position


NAMES = make_companies(
    by_cik={
        1: ("BIG",),
        2: ("NOW",),
        3: ("TGT",),
        4: ("MU",),
        5: ("BANK",),
        6: ("PLTR",),
        7: ("PLUG",),
        8: ("AREN",),
    },
    registered_names={
        "BIG": "Bigpump Motor Works Inc.",
        "NOW": "ServiceNow, Inc.",
        "TGT": "TARGET CORP",
        "MU": "MICRON TECHNOLOGY INC",
        "BANK": "Bank of Nowhere Corp",
        "PLTR": "Palantir Technologies Inc.",
        "PLUG": "PLUG POWER INC",
        "AREN": "Arena Group Holdings, Inc.",
    },
    rules=NameRules(
        generic=frozenset(["now", "target", "bank", "all", "ai", "plug", "power", "arena"]),
        legal=frozenset(["inc", "corp", "group", "holdings"]),
        trades=frozenset({"technology", "technologies"}),
        whole=frozenset({"PLUG"}),
        in_context=frozenset({"target"}),
        context=("shares", "reports"),
        others=("micron island",),
        commentators=frozenset({"BANK"}),
        relations=frozenset({"supplier", "rival", "backed"}),
    ),
    traded_symbols=frozenset(),
)


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        ("Micron raises outlook", "", ("MU",)),
        ("Bigpump wins order", "", ("BIG",)),
        ("Palantir and Micron sign deal", "", ("PLTR", "MU")),
        ("Now is the time to target all AI", "", ()),
        ("NOW stock slides", "", ()),  # in capitals too it may be the word
        ("PLTR slides", "", ("PLTR",)),
        ("PLTR SLIDES", "", ()),  # a title all in capitals tells no symbols
        ("Shares slide", "Micron Technology said on Monday", ("MU",)),
        ("Bank of Nowhere downgrades Micron", "", ("MU",)),
        ("Bank of Nowhere beats estimates", "", ("BANK",)),
        ("Micron slides", "Analysts at Palantir were surprised", ("MU",)),
        ("Plug Power wins order", "", ("PLUG",)),
        ("Power plug recalled", "", ()),
        ("Target shares slide", "", ("TGT",)),
        ("Target reports Q3 earnings", "", ("TGT",)),
        ("Target Corp raises outlook", "", ("TGT",)),
        ("Broker raises price target", "", ()),
        ("Fire at sports arena", "", ()),
        ("Arena Group wins order", "", ("AREN",)),
        ("Micron Island hotels are full", "", ()),
    ],
)
def test_companies_are_found_by_name(title: str, body: str, expected: tuple[str, ...]):
    found = find_owners(headline(title=title, body=body, symbols=()), NAMES)
    assert (found.symbols if isinstance(found, Owners) else ()) == expected


def test_a_company_that_is_only_mentioned_is_no_owner():
    item = headline(
        title="Palantir wins order, Palantir shares rise as those of many others and Micron fall",
        body="Palantir said so",
        symbols=("MU", "PLTR"),
    )
    assert find_owners(item, NAMES) == Owners(("PLTR",), beside=("MU",))
    assert relevance(item, "PLTR", NAMES) > relevance(item, "MU", NAMES) > 0


@pytest.mark.parametrize(
    ("title", "hints", "expected"),
    [
        ("Palantir supplier Micron wins order", (), ("MU",)),
        ("Palantir-backed Micron wins order", (), ("MU",)),
        ("Micron, a rival of Palantir, wins order", (), ("MU",)),
        ("Micron, supplier to Palantir, wins order", (), ("MU",)),
        ("Palantir supplier Micron wins order", ("PLTR", "MU"), ("MU",)),
        ("Palantir supplier Smallpump wins order", ("PLTR",), "bystander"),
        ("Palantir supplier Smallpump wins order", (), "bystander"),
        ("Palantir wins order, supplier says", (), ("PLTR",)),
        ("Palantir rival fails, Palantir wins order", (), ("PLTR",)),
    ],
)
def test_who_is_named_only_to_say_who_another_is_owns_nothing(
    title: str, hints: tuple[str, ...], expected: tuple[str, ...] | str
):
    found = find_owners(headline(title=title, symbols=hints), NAMES)
    assert (found.symbols if isinstance(found, Owners) else found.reason) == expected


def test_aliases_give_way_to_other_companies_where_no_list_is():
    alone = make_companies(
        by_cik={},
        registered_names={},
        rules=NameRules(aliases={"AAPL": ("apple",)}, others=("apple hospitality",)),
        traded_symbols=frozenset(),
    )
    rooms = headline(title="Apple Hospitality beats estimates", symbols=())
    assert isinstance(find_owners(rooms, alone), NoOwner)
    phones = headline(title="Apple beats estimates", symbols=())
    assert find_owners(phones, alone) == Owners(("AAPL",))


def test_a_hinted_word_of_the_language_is_its_company_by_name_only():
    assert name_position(words("Now or never"), "NOW", NAMES) is None
    assert name_position(words("Target raises outlook"), "TGT", NAMES) == 0
