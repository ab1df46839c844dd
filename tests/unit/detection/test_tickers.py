from __future__ import annotations

from dataclasses import replace

import pytest

from catalyst_bot.detection.text import words
from catalyst_bot.detection.tickers import (
    NoOwner,
    Owners,
    common_shares,
    find_owners,
    make_companies,
    name_position,
    normal_symbols,
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
        ("Acme pays $500 and US$5", "no_ticker"),
        ("Acme (Paris: ACME) beats", "no_ticker"),
        ("Acme (NASDAQ: QQQQ) beats", "unknown_symbol"),
        ("Acme beats", "no_ticker"),
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
        aliases={},
        generic_words=frozenset(),
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
        aliases={},
        generic_words=frozenset({"general"}),
        traded_symbols=frozenset(),
    )
    assert name_position(words(title), "XX", companies) == position
