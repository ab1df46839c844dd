from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.market import series_of
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.market_data.session_times import to_seconds
from tests.unit.market_data.samples import OPEN, columns

PRICES = st.floats(min_value=1.0, max_value=1000.0)
CLOSES = st.lists(PRICES, min_size=1, max_size=40)
SECONDS = st.integers(min_value=-600, max_value=15_000)


@given(closes=CLOSES, seconds=SECONDS, count=st.integers(0, 50), later=PRICES)
def test_changing_the_future_changes_no_window(
    closes: list[float], seconds: int, count: int, later: float
):
    as_of = OPEN + timedelta(seconds=seconds)
    known = columns(np.array(closes))
    changed = columns(np.where(known.closed_s <= to_seconds(as_of), known.close, later))
    before = BarStore({"ACME": known}, interval_s=300)
    after = BarStore({"ACME": changed}, interval_s=300)
    assert before.window("ACME", as_of, count) == after.window("ACME", as_of, count)
    assert before.last_close_before("ACME", as_of) == after.last_close_before("ACME", as_of)


@given(closes=CLOSES, seconds=SECONDS)
def test_a_window_is_what_had_closed(closes: list[float], seconds: int):
    as_of = OPEN + timedelta(seconds=seconds)
    bars = BarStore({"ACME": columns(np.array(closes))}, interval_s=300).window("ACME", as_of, 100)
    assert all(bar.closed_at <= as_of for bar in bars)
    assert len(bars) == min(len(closes), max(0, seconds // 300))


@given(closes=CLOSES)
def test_every_bar_opens_and_closes_once_in_a_replay(closes: list[float]):
    store = BarStore({"ACME": columns(np.array(closes))}, interval_s=300)
    instants = store.instants(*store.range())
    opened = [p.price for at in instants for p in store.opening_at(at, ["ACME"])]
    closed = [bar.close for at in instants for bar in store.closing_at(at, ["ACME"])]
    assert closed == closes
    assert opened == [bar.open for bar in store.window("ACME", instants[-1], len(closes))]


@given(closes=CLOSES)
def test_a_series_is_its_bars(closes: list[float]):
    store = BarStore({"ACME": columns(np.array(closes))}, interval_s=300)
    bars = [bar for at in store.instants(*store.range()) for bar in store.closing_at(at, ["ACME"])]
    series = store.window("ACME", bars[-1].closed_at, len(closes))
    assert series == series_of("ACME", bars)
    assert list(series) == bars
