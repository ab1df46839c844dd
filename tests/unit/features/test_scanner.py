from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.limits import ScannerRules
from catalyst_bot.features.scanner import DOWN, KINDS, UP, Hit, extreme_before, scan
from catalyst_bot.features.window import BarWindow

RULES = ScannerRules(
    volume_sessions=5,
    atr_sessions=5,
    break_sessions=10,
    year_sessions=20,
    squeeze_sessions=8,
    min_day_usd=1_000.0,
)
DAYS = 40
DAY_S, HOURS = 86_400.0, 23_400.0


def quiet_days() -> BarWindow:
    """Sessions that swing between 99 and 101 and end near 100, each on the same volume."""
    days = np.arange(DAYS)
    close = 100.0 + 0.3 * np.sin(days)
    return BarWindow(
        opened_at=days * DAY_S,
        closed_at=days * DAY_S + HOURS,
        open=np.full(DAYS, 100.0),
        high=np.full(DAYS, 101.0),
        low=np.full(DAYS, 99.0),
        close=close,
        volume=np.full(DAYS, 1_000.0),
    )


def with_day(day: int, **values: float) -> BarWindow:
    """Quiet days with other values on one of them."""
    window = quiet_days()
    for name, value in values.items():
        getattr(window, name)[day] = value
    return window


def daily_hits(window: BarWindow, rules: ScannerRules = RULES) -> list[Hit]:
    days = np.arange(len(window))
    return scan(window, days, np.zeros_like(days), rules)


def only(window: BarWindow) -> Hit:
    (hit,) = daily_hits(window)
    return hit


def test_quiet_days_are_no_news():
    assert daily_hits(quiet_days()) == []


def test_a_gap_on_volume_is_told_with_all_that_is_true_of_the_bar():
    hit = only(with_day(30, open=108.0, high=110.0, low=107.0, close=109.0, volume=4_000.0))
    assert hit.kinds == ("gap_up", "surge", "year_high", "breakout")
    assert (hit.session, hit.direction) == (30, UP)
    assert hit.closed_s == 30 * DAY_S + HOURS
    assert hit.rvol == 4.0
    assert hit.moved == pytest.approx(109.0 / quiet_days().close[29] - 1)


def test_a_move_without_volume_is_none():
    assert daily_hits(with_day(30, open=108.0, high=110.0, low=107.0, close=109.0)) == []


def test_down_is_told_as_down():
    hit = only(with_day(30, open=92.0, high=93.0, low=90.0, close=91.0, volume=4_000.0))
    assert hit.direction == DOWN
    assert hit.kinds[:2] == ("gap_down", "plunge")


def test_a_move_counts_in_daily_ranges():
    slow = {"open": 100.0, "low": 99.0, "volume": 4_000.0}
    assert "surge" in only(with_day(30, high=105.0, close=104.5, **slow)).kinds
    assert "surge" not in only(with_day(30, high=103.0, close=102.5, **slow)).kinds


def test_a_breakout_leaves_the_month_and_a_year_high_the_year():
    tall = with_day(12, high=106.0)  # inside the year, not inside the last ten sessions
    for name, value in {"high": 103.0, "close": 102.0, "volume": 2_000.0}.items():
        getattr(tall, name)[30] = value
    assert "breakout" in only(tall).kinds
    assert "year_high" not in only(tall).kinds
    tall.high[30] = tall.close[30] = 107.0
    assert "year_high" in only(tall).kinds


def test_narrow_bands_that_break_are_a_squeeze():
    window = quiet_days()
    window.close[18:30] = 100.0 + 0.1 / (np.arange(12) + 1)  # ever narrower
    for name, value in {"high": 100.9, "close": 100.8, "volume": 2_000.0}.items():
        getattr(window, name)[30] = value
    assert only(window).kinds == ("squeeze_up",)


def test_a_symbol_is_told_once_and_then_quiet_for_that_direction():
    window = quiet_days()
    for day in (25, 26, 28, 34):
        window.open[day] = window.close[day - 1] * 1.08
        window.high[day] = window.close[day] = window.open[day] * 1.01
        window.volume[day] = 20_000.0
    ups = [hit.session for hit in daily_hits(window) if hit.direction == UP]
    assert ups == [25, 34]


@pytest.mark.parametrize(
    ("rules", "price"),
    [(replace(RULES, min_price_usd=500.0), 100.0), (replace(RULES, min_day_usd=1e9), 100.0)],
)
def test_what_cannot_be_traded_is_left_out(rules: ScannerRules, price: float):
    gap = with_day(30, open=108.0, high=110.0, low=107.0, close=109.0, volume=4_000.0)
    assert daily_hits(gap, rules) == []


def test_without_a_past_nothing_is_unusual():
    gap = with_day(3, open=108.0, high=110.0, low=107.0, close=109.0, volume=4_000.0)
    assert [hit.session for hit in daily_hits(gap)] == []
    assert scan(BarWindow(*np.empty((7, 0))), np.array([]), np.array([]), RULES) == []


BARS_A_DAY = 6


def intraday(volume: np.ndarray, close: np.ndarray) -> tuple[BarWindow, np.ndarray, np.ndarray]:
    """Bars of an hour: the first of a session trades ten times as much as the others."""
    n = len(close)
    session, slot = np.arange(n) // BARS_A_DAY, np.arange(n) % BARS_A_DAY
    opened = session * DAY_S + slot * 3_600.0
    window = BarWindow(
        opened_at=opened,
        closed_at=opened + 3_600.0,
        open=close,
        high=close * 1.002,
        low=close * 0.998,
        close=close,
        volume=volume,
    )
    return window, session, slot


def usual_volume(days: int) -> np.ndarray:
    return np.tile([10_000.0, *[1_000.0] * (BARS_A_DAY - 1)], days)


def test_volume_is_held_against_the_same_time_of_day():
    days = 30
    close = np.full(days * BARS_A_DAY, 100.0) + np.tile([0, 0.2, 0, 0.1, 0, 0.1], days)
    busy, jump = usual_volume(days), 25 * BARS_A_DAY
    close[jump:] = 110.0
    window, session, slot = intraday(busy, close)
    assert scan(window, session, slot, RULES) == []  # the busy first hour is as ever
    busy[jump] *= 4
    (hit,) = scan(window, session, slot, RULES)
    assert hit.kinds[:2] == ("gap_up", "surge")
    assert hit.closed_s == 25 * DAY_S + 3_600
    assert hit.rvol == 4.0


@given(values=st.lists(st.floats(-9, 9) | st.just(np.nan), max_size=70), n=st.integers(1, 40))
def test_extremes_are_those_of_the_values_before(values: list[float], n: int):
    found = extreme_before(np.array(values), n, np.maximum)
    wanted = [np.max(values[end - n : end]) for end in range(n, len(values))]
    np.testing.assert_array_equal(found, wanted)


def columns_of(window: BarWindow) -> list[np.ndarray]:
    return [getattr(window, name) for name in BarWindow.__dataclass_fields__]


WALK = st.lists(
    st.tuples(st.floats(-0.08, 0.08), st.floats(0.2, 12.0)),
    min_size=30 * BARS_A_DAY,
    max_size=34 * BARS_A_DAY,
)


@given(walk=WALK, cut=st.integers(0, 34 * BARS_A_DAY), later=st.floats(0.5, 2.0))
def test_what_comes_later_changes_no_hit(walk: list[tuple[float, float]], cut: int, later: float):
    moves, busy = np.array(walk).T
    close = 100.0 * np.exp(np.cumsum(moves / 4))
    window, session, slot = intraday(usual_volume(34)[: len(close)] * busy, close)
    known_s = window.closed_at[min(cut, len(close) - 1)]
    future = window.closed_at > known_s
    times, values = columns_of(window)[:2], columns_of(window)[2:]
    changed = BarWindow(*times, *(np.where(future, each * later, each) for each in values))
    before = [hit for hit in scan(window, session, slot, RULES) if hit.closed_s <= known_s]
    after = [hit for hit in scan(changed, session, slot, RULES) if hit.closed_s <= known_s]
    assert before == after
    held = ~future
    cut_off = BarWindow(*(column[held] for column in columns_of(window)))
    assert scan(cut_off, session[held], slot[held], RULES) == before


@given(walk=WALK)
def test_hits_are_rare_named_and_finite(walk: list[tuple[float, float]]):
    moves, busy = np.array(walk).T
    close = 100.0 * np.exp(np.cumsum(moves / 4))
    window, session, slot = intraday(usual_volume(34)[: len(close)] * busy, close)
    hits = scan(window, session, slot, RULES)
    names = {name for pair in KINDS.values() for name in pair}
    sessions = [hit.session for hit in hits]
    assert len(set(sessions)) == len(sessions)
    for hit in hits:
        assert hit.kinds
        assert set(hit.kinds) <= names
        assert np.isfinite([hit.moved, hit.rvol]).all()
