from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import OpenPrint
from catalyst_bot.market_data.bar_store import BarStore
from tests.unit.market_data.samples import OPEN, columns, store

MINUTE = timedelta(minutes=1)


def test_a_window_has_only_closed_bars_oldest_first():
    bars = store({"ACME": [100.0, 101.0, 102.0]})
    assert [bar.close for bar in bars.window("ACME", OPEN + 10 * MINUTE, 5)] == [100.0, 101.0]


def test_a_window_a_moment_before_the_close_leaves_the_bar_out():
    bars = store({"ACME": [100.0]})
    moment = timedelta(microseconds=1)
    assert not bars.window("ACME", OPEN + 5 * MINUTE - moment, 1)
    assert len(bars.window("ACME", OPEN + 5 * MINUTE, 1)) == 1


def test_a_window_is_as_long_as_asked():
    bars = store({"ACME": [100.0, 101.0, 102.0]})
    assert [bar.close for bar in bars.window("ACME", OPEN + 60 * MINUTE, 2)] == [101.0, 102.0]
    assert not bars.window("ACME", OPEN + 60 * MINUTE, 0)


def test_an_unknown_symbol_has_no_bars():
    bars = store({"ACME": [100.0]})
    assert "NOPE" not in bars
    assert not bars.window("NOPE", OPEN + 60 * MINUTE, 5)
    assert bars.closing_at(OPEN + 5 * MINUTE, ["NOPE"]) == []
    assert bars.opening_at(OPEN, ["NOPE"]) == []
    assert bars.last_close_before("NOPE", OPEN) is None


def test_bars_that_close_and_open_at_a_time():
    bars = store({"ACME": [100.0, 101.0], "BETA": [50.0]})
    at = OPEN + 5 * MINUTE
    closing = bars.closing_at(at, ["BETA", "ACME"])
    assert [(bar.symbol, bar.close) for bar in closing] == [("BETA", 50.0), ("ACME", 100.0)]
    first = OpenPrint(symbol="ACME", price=100.99, volume=1000.0)
    assert bars.opening_at(at, ["ACME", "BETA"]) == [first]


def test_an_opening_tells_the_volume_of_the_bar_before_never_its_own():
    bars = store({"ACME": [100.0, 101.0]})
    columns = bars.columns("ACME")
    columns.volume[:] = [700.0, 900.0]
    assert [p.volume for p in bars.opening_at(OPEN, ["ACME"])] == [None]
    assert [p.volume for p in bars.opening_at(OPEN + 5 * MINUTE, ["ACME"])] == [700.0]


def test_nothing_opens_a_moment_after_an_open():
    bars = store({"ACME": [100.0]})
    late = OPEN + timedelta(milliseconds=250)
    assert bars.opening_at(late, ["ACME"]) == []
    assert bars.closing_at(late + 5 * MINUTE, ["ACME"]) == []


def test_instants_are_opens_and_closes_once_each():
    bars = store({"ACME": [100.0, 101.0], "BETA": [50.0, 51.0]})
    assert bars.instants(OPEN, OPEN + 60 * MINUTE) == [OPEN, OPEN + 5 * MINUTE, OPEN + 10 * MINUTE]
    assert bars.instants(OPEN + MINUTE, OPEN + 9 * MINUTE) == [OPEN + 5 * MINUTE]


def test_range_and_last_close():
    bars = store({"ACME": [100.0, 101.0]})
    assert bars.range() == (OPEN, OPEN + 10 * MINUTE)
    assert bars.last_close_before("ACME", OPEN + 9 * MINUTE) == 100.0
    with pytest.raises(BadData, match="no bars"):
        BarStore({}, interval_s=300).range()


def test_the_hash_changes_with_any_price():
    same = store({"ACME": [100.0, 101.0]}).data_hash()
    assert store({"ACME": [100.0, 101.0]}).data_hash() == same
    assert store({"ACME": [100.0, 101.0001]}).data_hash() != same
    assert store({"BETA": [100.0, 101.0]}).data_hash() != same


def test_unsorted_bars_are_refused():
    good = columns(store({"A": [1.0, 2.0]}).columns("A").close)
    backwards = replace(good, opened_s=good.opened_s[::-1].copy())
    with pytest.raises(BadData, match="bars of ACME are not sorted"):
        BarStore({"ACME": backwards}, interval_s=300)
