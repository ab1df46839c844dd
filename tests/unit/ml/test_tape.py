"""A history as the kernels play it: the right numbers in the right rows, or a refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.features import indicators
from catalyst_bot.features.window import BarWindow
from catalyst_bot.ports.market_data import VIEW_BARS
from tests.panels import Case, panel_of
from tests.windows import random_window

pytest.importorskip("numba", reason="compiling needs numba: make setup-research")

from catalyst_bot.ml.tape import tape_of


def part(window: BarWindow, end: int) -> BarWindow:
    rows = slice(max(end - VIEW_BARS, 0), end)
    return BarWindow(*(getattr(window, name)[rows] for name in BarWindow.__dataclass_fields__))


def test_average_ranges_are_those_of_a_signal() -> None:
    panel = panel_of(count=VIEW_BARS + 60)
    tape, window = tape_of(panel, atr_length=14), panel.as_traded("BOLT")
    first = tape.rows_of("BOLT").start
    for end in (15, 16, 100, VIEW_BARS, VIEW_BARS + 1, VIEW_BARS + 60):
        seen, row = part(window, end), first + end - 1
        assert tape.bars.atr[row] == pytest.approx(indicators.average_true_range(seen, 14), 1e-12)
        assert tape.bars.atr_average[row] == pytest.approx(indicators.mean_true_range(seen), 1e-12)
    assert np.isnan(tape.bars.atr[first : first + 14]).all()


def test_a_split_ends_a_stretch_and_a_dividend_does_not() -> None:
    factor = np.ones(300)
    factor[100:] = 1.01
    factor[200:] = 2.02
    panel = panel_of(factors={"BOLT": factor})
    tape = tape_of(panel, atr_length=14)
    rows = tape.rows_of("BOLT")
    ends = tape.bars.stretch_end[rows.start : rows.stop]
    assert set(ends[:200]) == {rows.start + 200}
    assert set(ends[200:]) == {rows.stop}
    after = rows.start + 200
    adjusted = indicators.average_true_range(part(panel.adjusted("BOLT"), 201), 14)
    assert tape.bars.atr[after] == pytest.approx(adjusted / 2.02)


def test_a_look_between_two_closes_knows_the_bar_before() -> None:
    panel = panel_of([Case(symbol="BOLT", bar=50, bars=2)])
    close_s = float(panel.as_traded("BOLT").closed_at[50])
    at_once = panel.events.with_columns(look_s=pl.lit(close_s - 60.0))
    at_close, before = (
        tape_of(each, atr_length=14).asks for each in (panel, replace(panel, events=at_once))
    )
    assert at_close.row.tolist() == before.row.tolist()
    assert (at_close.row - at_close.seen).tolist() == [0, 0]
    assert (before.row - before.seen).tolist() == [1, 0]
    assert before.at_s.tolist() == [close_s - 60.0, at_close.at_s[1]]


def test_a_history_within_days_has_to_say_when_news_met_the_market() -> None:
    panel = panel_of([Case(symbol="BOLT", bar=50, bars=2)])
    old = replace(panel, events=panel.events.drop("look_s"))
    assert tape_of(old, atr_length=14).asks.at_s.tolist() == (
        tape_of(panel, atr_length=14).asks.at_s.tolist()
    )
    with pytest.raises(BadData, match="make it again"):
        tape_of(replace(old, card=replace(old.card, interval_s=300)), atr_length=14)


def test_asks_lie_in_the_order_of_time() -> None:
    cases = [
        Case(symbol="BOLT", bar=50, bars=3),
        Case(symbol="ACME", bar=40, bars=2, is_bad=True),
        Case(symbol="BOLT", bar=51, bars=2),
    ]
    tape = tape_of(panel_of(cases), atr_length=14)
    acme, bolt = tape.rows_of("ACME").start, tape.rows_of("BOLT").start
    asks = tape.asks
    assert asks.row.tolist() == [
        acme + 40,
        acme + 41,
        *(bolt + bar for bar in (50, 51, 51, 52, 52)),
    ]
    assert asks.event.tolist() == [1, 1, 0, 0, 2, 0, 2]
    assert asks.is_first.tolist() == [True, False, True, False, True, False, False]
    assert asks.is_bad.tolist() == [True, True, False, False, False, False, False]
    assert asks.horizon_s[2] == timedelta(days=2).total_seconds()
    assert asks.values[3, 4] == 24.0  # hours since it was received


def test_symbols_days_and_sessions() -> None:
    tape = tape_of(panel_of(), atr_length=14)
    assert (tape.symbols, tape.benchmark) == (("ACME", "BOLT", "SPY"), "SPY")
    assert tape.bars.symbol[[0, 300, 600]].tolist() == [0, 1, 2]
    assert len(tape.days) == 300
    assert tape.bars.session[[0, 299, 300]].tolist() == [0, 299, 0]
    with pytest.raises(BadData, match="NONE is not in this history"):
        tape.rows_of("NONE")


def test_nothing_in_it_can_be_written() -> None:
    tape = tape_of(panel_of([Case(symbol="ACME", bar=40)]), atr_length=14)
    assert not any(column.flags.writeable for column in (*tape.bars, *tape.asks))


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("close", np.nan, "not finite"),
        ("volume", np.inf, "not finite"),
        ("low", 0.0, "above zero"),
        ("open", -1.0, "above zero"),
        ("volume", -1.0, "below zero"),
    ],
)
def test_numbers_that_are_none_are_refused(column: str, value: float, why: str) -> None:
    panel = panel_of()
    values = panel.columns[column].copy()
    values[320] = value
    with pytest.raises(BadData, match=f"BOLT: .*{why}"):
        tape_of(replace(panel, columns={**panel.columns, column: values}), atr_length=14)


def test_a_symbol_that_never_traded_is_refused() -> None:
    panel = panel_of()
    volume = panel.columns["volume"].copy()
    volume[:300] = 0.0
    with pytest.raises(BadData, match=r"ACME: .*never traded"):
        tape_of(replace(panel, columns={**panel.columns, "volume": volume}), atr_length=14)


def test_too_few_bars_are_refused() -> None:
    with pytest.raises(BadData, match="ACME: 14 bars are too few"):
        tape_of(panel_of(windows={"ACME": random_window(5, 14)}), atr_length=14)


def test_features_that_are_missing_or_no_numbers_are_refused() -> None:
    panel = panel_of([Case(symbol="ACME", bar=40)])
    assert panel.features is not None
    spoiled, values = panel.features.copy(), panel.ask_values.copy()
    spoiled[7, 3] = np.nan
    values[0, 0] = np.inf
    for changed, why in (
        (replace(panel, features=None), "no features"),
        (replace(panel, features=panel.features[:, 1:]), "no features"),
        (replace(panel, ask_values=values[:, 1:]), "no asks"),
        (replace(panel, features=spoiled), "features .* not finite"),
        (replace(panel, ask_values=values), "asks .* not finite"),
    ):
        with pytest.raises(BadData, match=why):
            tape_of(changed, atr_length=14)
