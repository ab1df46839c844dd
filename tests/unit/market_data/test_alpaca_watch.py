"""Minutes become decision bars, quotes become samples, statuses become halts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.messages.facts import SymbolHalted, SymbolResumed
from catalyst_bot.market_data.alpaca_rows import INTERVAL, MINUTE
from catalyst_bot.market_data.alpaca_watch import Halts, MinuteBars, QuoteSamples
from tests.builders import NOON, quote

SECOND = timedelta(seconds=1)


def minute(number: int, *, symbol: str = "ACME", close: float = 100.0, **given: Any) -> Bar:
    at = NOON + number * MINUTE
    return Bar(
        symbol=symbol,
        opened_at=at,
        closed_at=at + MINUTE,
        **(
            {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 10.0}
            | given
        ),
    )


def test_five_minutes_are_a_bar():
    minutes = MinuteBars()
    told = [minutes.take(minute(n, close=100.0 + n)) for n in range(5)]
    assert told[:4] == [None] * 4
    assert told[4] == Bar(
        symbol="ACME",
        opened_at=NOON,
        closed_at=NOON + INTERVAL,
        open=100.0,
        high=105.0,
        low=99.0,
        close=104.0,
        volume=50.0,
    )


@pytest.mark.parametrize("missing", range(4))
def test_a_missing_minute_makes_no_bar(missing: int):
    minutes = MinuteBars()
    assert all(minutes.take(minute(n)) is None for n in range(5) if n != missing)
    assert all(minutes.take(minute(n)) is None for n in range(5, 9))
    assert minutes.take(minute(9)) is not None


@given(st.permutations(range(4)), st.lists(st.integers(0, 3)))
def test_the_order_of_minutes_and_repetitions_change_nothing(order: list[int], again: list[int]):
    minutes = MinuteBars()
    for number in (*order, *again):
        assert minutes.take(minute(number, close=100.0 + number)) is None
    bar = minutes.take(minute(4, close=104.0))
    assert bar is not None
    assert (bar.open, bar.close, bar.volume) == (100.0, 104.0, 50.0)
    assert minutes.take(minute(4)) is None


def test_symbols_do_not_mix():
    minutes = MinuteBars()
    for number in range(4):
        minutes.take(minute(number))
    assert minutes.take(minute(4, symbol="OTHER")) is None
    minutes.forget("ACME")
    assert minutes.take(minute(4)) is None


def test_a_quote_is_told_at_once_then_once_a_second_and_only_when_it_changed():
    samples = QuoteSamples()
    told = []
    for tenths in range(35):
        now = NOON + tenths * SECOND / 10
        samples.take(quote(at=now, bid=99.0 + tenths / 100, ask=101.0))
        told += [(fact.at, fact.quote.bid) for fact in samples.due(now)]
    assert [at - NOON for at, _ in told] == [0 * SECOND, SECOND, 2 * SECOND, 3 * SECOND]
    assert [bid for _, bid in told] == [99.0, 99.1, 99.2, 99.3]
    samples.take(quote(at=NOON + 9 * SECOND, bid=99.34, ask=101.0))
    (late,) = samples.due(NOON + 9 * SECOND)
    assert late.quote.bid == 99.34
    assert list(samples.due(NOON + 20 * SECOND)) == []


def test_an_old_quote_does_not_replace_a_newer_one():
    samples = QuoteSamples()
    samples.take(quote(at=NOON, bid=99.0))
    samples.take(quote(at=NOON - SECOND, bid=90.0))
    assert [fact.quote.bid for fact in samples.due(NOON)] == [99.0]


def status(code: str, reason: str = "", symbol: str = "ACME") -> dict[str, Any]:
    return {"T": "s", "S": symbol, "sc": code, "rc": reason}


@pytest.mark.parametrize(("halt", "resume"), [("2", "3"), ("H", "T"), ("P", "T")])
def test_both_tapes_halt_and_resume(halt: str, resume: str):
    halts = Halts()
    halted = halts.take(status(halt, "T1"), NOON)
    assert halted == SymbolHalted(at=NOON, symbol="ACME", code="T1")
    assert halts.take(status(halt, "T2"), NOON) is None
    assert halts.take(status("Q"), NOON) is None
    assert halts.take(status(resume), NOON) == SymbolResumed(at=NOON, symbol="ACME")
    assert halts.take(status(resume), NOON) is None


def test_other_codes_say_nothing():
    halts = Halts()
    for code in ("5", "6", "7", "8", "E", "F", "", "of next year"):
        assert halts.take(status(code), NOON) is None
    assert halts.halted == set()


def test_a_halt_without_words_carries_its_code():
    halted = Halts().take(status("H"), NOON)
    assert isinstance(halted, SymbolHalted)
    assert halted.code == "H"


def test_a_trade_after_the_halt_ends_it_because_the_resume_may_have_been_missed():
    halts = Halts()
    halts.take(status("H"), NOON + 30 * SECOND)
    assert halts.trades(minute(0), NOON + MINUTE) is None  # it began before the halt
    assert halts.trades(minute(1, volume=0.0), NOON + 2 * MINUTE) is None
    assert isinstance(halts.trades(minute(2), NOON + 3 * MINUTE), SymbolResumed)
    assert halts.halted == set()


def test_halts_are_known_after_a_restart():
    halts = Halts()
    at = datetime.fromisoformat("2025-10-06T15:00:00+00:00")
    halts.learn(
        [
            SymbolHalted(at=at, symbol="ACME", code="T1"),
            SymbolHalted(at=at, symbol="OTHER", code="T1"),
            SymbolResumed(at=at, symbol="OTHER"),
        ]
    )
    assert halts.halted == {"ACME"}
    assert halts.take(status("H"), NOON) is None
    assert isinstance(halts.take(status("T"), NOON), SymbolResumed)


def test_share_classes_are_spelt_as_we_spell_them():
    halted = Halts().take(status("H", symbol="BRK.B"), NOON)
    assert isinstance(halted, SymbolHalted)
    assert halted.symbol == "BRK-B"
