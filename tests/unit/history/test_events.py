"""Where catalysts meet the bars, and that nothing later is in their features."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalyst_bot.domain.news import Catalyst
from catalyst_bot.history.build import HistoryRules, build_panel
from catalyst_bot.history.events import CATALYST, place_events
from catalyst_bot.history.panel import Panel
from catalyst_bot.market_data.session_times import to_datetime
from tests import builders
from tests.unit.history.market import COUNT, SESSIONS, catalog_of, daily


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    market = pl.concat([daily("SPY", 99), daily("ACME", 1)])
    catalog = catalog_of(tmp_path_factory.mktemp("market"), {"bars": market})
    return build_panel(catalog, SESSIONS, HistoryRules(benchmark="SPY"))


def told(at: datetime, symbol: str = "ACME", **given: Any) -> Catalyst:
    headline = builders.headline(published_at=at - timedelta(seconds=60))
    found = builders.catalyst(headline=headline, symbol=symbol, **given)
    return replace(found, received_at=at)


def close_of(panel: Panel, bar: int) -> datetime:
    return to_datetime(int(panel.as_traded("ACME").closed_at[bar]))


def test_a_catalyst_is_acted_on_at_the_first_close_after_it(panel: Panel) -> None:
    close = close_of(panel, 300)
    moments = [close - timedelta(hours=2), close, close + timedelta(seconds=1)]
    events, counts = place_events([told(at) for at in moments], panel)
    first = panel.span("ACME").first_row
    assert (events["row"] - first).to_list() == [300, 300, 301]
    assert counts == {"placed": 3}


def test_what_cannot_be_placed_is_counted(panel: Panel) -> None:
    late = close_of(panel, COUNT - 1) + timedelta(days=1)
    events, counts = place_events([told(late), told(late, symbol="NOPE")], panel)
    assert events.is_empty()
    assert counts == {"without a bar in time": 1, "of unknown symbols": 1}


def test_features_are_those_of_the_decision(panel: Panel) -> None:
    close = close_of(panel, 300)
    event = replace(told(close - timedelta(hours=2), direction=0), edge_bps=80.0)
    (row,) = place_events([event], panel)[0].to_dicts()
    own, market = panel.adjusted("ACME").close, panel.adjusted("SPY").close
    reaction = (own[300] / own[299] - market[300] / market[299]) * 10_000
    assert row["reaction_bps"] == pytest.approx(reaction)
    assert row["direction"] == math.copysign(1.0, reaction)
    assert row["age_hours"] == pytest.approx(2.0)
    assert row["edge_bps"] == 0.0, "measured on what was still to come"
    assert all(f.low <= row[f.name] <= f.high for f in CATALYST)


def test_no_later_bar_moves_a_bit(panel: Panel) -> None:
    catalysts = [told(close_of(panel, bar) - timedelta(hours=1)) for bar in range(255, 300, 3)]
    before, _ = place_events(catalysts, panel)
    later = panel.columns["opened_s"] > panel.as_traded("ACME").closed_at[300]
    names = ("open", "high", "low", "close", "volume", "factor")
    changed = {
        name: np.where(later, column * 1.7, column) if name in names else column
        for name, column in panel.columns.items()
    }
    after, _ = place_events(catalysts, replace(panel, columns=changed))
    assert after.equals(before)
