"""Where catalysts meet the bars, who is asked when, and that nothing later is in any of it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.limits import CostRules, ScannerRules, SignalRules, StopRules
from catalyst_bot.domain.news import SCAN_SOURCE, Catalyst
from catalyst_bot.features.catalyst import catalyst_features
from catalyst_bot.history.build import HistoryRules, build_panel
from catalyst_bot.history.cases import with_events
from catalyst_bot.history.edges import edges_of, with_edges
from catalyst_bot.history.events import CATALYST, EventRules
from catalyst_bot.history.hits import scan_panel
from catalyst_bot.history.panel import Panel
from catalyst_bot.market_data.session_times import DAY_S, to_datetime
from tests import builders
from tests.unit.history.market import COUNT, SESSIONS, catalog_of, daily

RULES = EventRules(gates=SignalRules(), stops=StopRules(), costs=CostRules())


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    market = pl.concat([daily("SPY", 99), daily("ACME", 1)])
    catalog = catalog_of(tmp_path_factory.mktemp("market"), {"bars": market})
    return build_panel(catalog, SESSIONS, HistoryRules(benchmark="SPY"))


def told(at: datetime, symbol: str = "ACME", **given: Any) -> Catalyst:
    headline = builders.headline(published_at=at - timedelta(seconds=60))
    found = builders.catalyst(headline=headline, symbol=symbol)
    return replace(found, received_at=at, **given)


def close_of(panel: Panel, bar: int) -> datetime:
    return to_datetime(int(panel.as_traded("ACME").closed_at[bar]))


def placed(panel: Panel, *catalysts: Catalyst) -> Panel:
    return with_events(panel, catalysts, RULES)


def test_a_catalyst_is_acted_on_at_the_first_close_after_it(panel: Panel) -> None:
    close = close_of(panel, 300)
    moments = [close - timedelta(hours=2), close, close + timedelta(seconds=1)]
    found = placed(panel, *(told(at) for at in moments))
    first = panel.span("ACME").first_row
    assert (found.events["row"] - first).to_list() == [300, 300, 301]
    assert found.card.events["signals"] == 3
    assert found.card.events_hash != panel.card.events_hash == ""


def test_a_look_before_a_close_knows_the_bars_before(panel: Panel) -> None:
    """And the close of its own bar is the first at which it is looked at again."""
    bar = 302  # a Wednesday: the quote of a Friday would be stale on a Monday
    look = close_of(panel, bar) - timedelta(hours=2)
    rules = replace(RULES, looks_at=lambda _: look)
    catalyst = told(look - timedelta(hours=1), horizon_s=2.0 * DAY_S)
    found = with_events(panel, [catalyst], rules)
    first = panel.span("ACME").first_row
    assert found.events["look_s"].to_list() == [look.timestamp()]
    assert (found.events["row"] - first).to_list() == [bar]
    assert (found.ask_row - first).tolist()[:3] == [bar, bar, bar + 1]
    again = with_events(panel, [replace(catalyst, received_at=close_of(panel, bar - 1))], RULES)
    names = [feature.name for feature in CATALYST]
    rvol = names.index("rvol")
    assert found.ask_values[0, rvol] == again.ask_values[0, rvol], "of the bar before"
    ages = found.ask_values[:2, names.index("age_hours")]
    assert ages[1] - ages[0] == pytest.approx(2.0)


def test_what_cannot_be_placed_is_counted(panel: Panel) -> None:
    late = close_of(panel, COUNT - 1) + timedelta(days=1)
    found = placed(panel, told(late), told(late, symbol="NOPE"))
    assert found.events.is_empty()
    assert found.card.events == {"without a bar in time": 1, "of unknown symbols": 1, "asks": 0}


def test_features_are_those_of_the_decision(panel: Panel) -> None:
    close = close_of(panel, 300)
    event = told(close - timedelta(hours=2), direction=0, edge_bps=80.0)
    (row,) = placed(panel, event).events.to_dicts()
    own, market = panel.adjusted("ACME").close, panel.adjusted("SPY").close
    reaction = (own[300] / own[299] - market[300] / market[299]) * 10_000
    assert row["reaction_bps"] == pytest.approx(reaction)
    assert row["direction"] == math.copysign(1.0, reaction)
    assert row["age_hours"] == pytest.approx(2.0)
    assert row["edge_bps"] == 0.0, "measured on what was still to come"
    assert all(f.low <= row[f.name] <= f.high for f in CATALYST)


@pytest.mark.parametrize(
    ("bar", "given", "dropped"),
    [
        (300, {"confidence": 0.6}, "low_confidence"),
        (300, {"confidence": math.nan}, "low_confidence"),
        (10, {}, "too_few_bars"),
        (300, {"direction": -1}, ""),
        (300, {"action": CategoryAction.AVOID}, ""),
    ],
)
def test_the_gates_of_the_bot_are_run(
    panel: Panel, bar: int, given: dict[str, Any], dropped: str
) -> None:
    (row,) = placed(panel, told(close_of(panel, bar), **given)).events.to_dicts()
    assert row["dropped"] == dropped
    assert row["is_bad"] == bool({"direction", "action"} & given.keys())


def test_bad_news_closes_its_symbol_for_its_horizon(panel: Panel) -> None:
    at = close_of(panel, 290)
    bad = told(at, action=CategoryAction.AVOID, horizon_s=2.0 * DAY_S)
    after = [told(at + timedelta(days=day)) for day in (1, 3)]
    found = placed(panel, told(at), bad, *after).events
    assert found["dropped"].to_list() == ["", "", "symbol_avoided", ""]


def test_a_case_is_asked_at_every_close_of_its_horizon(panel: Panel) -> None:
    close = close_of(panel, 300)
    news = told(close - timedelta(hours=2), horizon_s=5.0 * DAY_S)
    dropped = told(close, confidence=0.1)
    found = placed(panel, dropped, news)
    first, closes = panel.span("ACME").first_row, panel.as_traded("ACME").closed_at
    wanted = [bar for bar in range(300, COUNT) if closes[bar] <= closes[300] + 5 * DAY_S]
    assert (found.ask_row - first).tolist() == wanted
    assert len(wanted) > 2
    assert set(found.ask_event.tolist()) == {1}
    own, market = panel.adjusted("ACME").close, panel.adjusted("SPY").close
    for bar, values in zip(wanted, found.ask_values, strict=True):
        reaction = (own[bar] / own[299] - market[bar] / market[299]) * 10_000
        expected = catalyst_features(
            replace(news, edge_bps=None, edge_high_bps=None),
            direction=1,
            reaction_bps=reaction,
            rvol=float(values[9]),
            at=close_of(panel, bar),
        )
        clipped = [min(max(expected[f.name], f.low), f.high) for f in CATALYST]
        assert values.tolist() == pytest.approx(clipped, rel=1e-5)


def test_a_symbol_that_cannot_be_traded_is_not_asked_about(panel: Panel) -> None:
    cheap = np.where(panel.columns["opened_s"] == panel.as_traded("ACME").opened_at[302], 0.01, 1.0)
    columns = dict(panel.columns) | {"close": panel.columns["close"] * cheap}
    news = told(close_of(panel, 300), horizon_s=5.0 * DAY_S)
    before, after = placed(panel, news), placed(replace(panel, columns=columns), news)
    gone = set(before.ask_row.tolist()) - set(after.ask_row.tolist())
    assert gone == {panel.span("ACME").first_row + 302}


def test_no_later_bar_moves_a_bit(panel: Panel) -> None:
    catalysts = [told(close_of(panel, bar) - timedelta(hours=1)) for bar in range(255, 300, 3)]
    before = placed(panel, *catalysts)
    last = panel.span("ACME").first_row + 300
    later = panel.columns["opened_s"] > panel.as_traded("ACME").closed_at[300]
    names = ("open", "high", "low", "close", "volume", "factor")
    changed = {
        name: np.where(later, column * 1.7, column) if name in names else column
        for name, column in panel.columns.items()
    }
    after = placed(replace(panel, columns=changed), *catalysts)
    assert after.events.equals(before.events)
    known, still = before.ask_row <= last, after.ask_row <= last
    assert np.array_equal(before.ask_row[known], after.ask_row[still])
    assert before.ask_values[known].tobytes() == after.ask_values[still].tobytes()


def test_what_the_scanner_finds_is_of_its_day(tmp_path_factory: pytest.TempPathFactory) -> None:
    jump = pl.when(pl.int_range(pl.len()) >= 300).then(1.2).otherwise(1.0)
    surge = pl.when(pl.int_range(pl.len()) == 300).then(9.0).otherwise(1.0)
    prices = ("open", "high", "low", "close", "adj_close")
    acme = daily("ACME").with_columns(
        *(pl.col(name) * jump for name in prices), volume=pl.col("volume") * surge
    )
    catalog = catalog_of(
        tmp_path_factory.mktemp("hits"), {"bars": pl.concat([daily("SPY", 99), acme])}
    )
    panel = build_panel(catalog, SESSIONS, HistoryRules(benchmark="SPY"))
    rules = ScannerRules()
    hits = [fact for fact in scan_panel(panel, SESSIONS, rules) if fact.at >= close_of(panel, 300)]
    assert hits[0].at == close_of(panel, 300)
    assert hits[0].headline.source == SCAN_SOURCE
    assert {hit.headline.symbols for hit in hits} == {("ACME",)}


def test_worth_is_measured_on_what_was_over_within_the_sessions(panel: Panel) -> None:
    market = panel.adjusted("SPY")
    days = range(40, 300, 3)
    found = placed(panel, *(told(close_of(panel, bar), horizon_s=DAY_S) for bar in days))
    category = found.events["category"][0]
    edge = edges_of(found, range(COUNT), cost_bps=40.0)[category]
    own = panel.adjusted("ACME")
    returns = [
        own.close[bar + 1] / own.open[bar + 1] - market.close[bar + 1] / market.open[bar + 1]
        for bar in days
    ]
    assert edge.events == len(returns)
    assert abs(edge.edge_bps) <= abs(np.mean(returns) * 10_000 - 40.0), "shrunk"
    assert edge.edge_bps < edge.high_bps
    cut = 250
    measured = edges_of(found, range(cut), cost_bps=40.0)[category]
    assert measured.events == len([bar for bar in days if bar + 1 < cut])
    later = panel.columns["opened_s"] >= panel.as_traded("ACME").opened_at[cut]
    columns = dict(found.columns) | {
        name: np.where(later, found.columns[name] * 3, found.columns[name])
        for name in ("open", "close")
    }
    assert (
        edges_of(replace(found, columns=columns), range(cut), cost_bps=40.0)[category] == measured
    )
    of_later = told(close_of(panel, 295), horizon_s=DAY_S, category="acquisition")
    more = placed(panel, *(told(close_of(panel, bar), horizon_s=DAY_S) for bar in days), of_later)
    assert sorted(set(more.events["category"].to_list())) == ["acquisition", category]
    assert edges_of(more, range(cut), cost_bps=40.0)[category] == measured, "it is not known yet"
    dear = edges_of(found, range(COUNT), cost_bps=80.0)[category]
    assert 0 < edge.edge_bps - dear.edge_bps <= 40.0, "shrunk"
    asks = with_edges(found, {category: edge}).ask_values
    assert asks[:, 6] == pytest.approx(edge.edge_bps, rel=1e-5)
    assert found.ask_values[:, 6].tolist() == [0.0] * len(asks)
    assert edges_of(found, range(5), cost_bps=40.0) == {}
