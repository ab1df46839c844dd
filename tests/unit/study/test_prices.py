from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.study.prices import CLOCK_HORIZONS, SESSION_HORIZONS, Horizon
from tests.unit.study.samples import FIVE_MINUTES, SESSIONS, daily, intraday, prices

FLAT = daily([100.0] * 40, [100.0] * 40)
NO_SIGN, GOOD = np.array([0]), np.array([1])


def at(seconds: int) -> np.ndarray:
    return np.array([seconds], dtype=np.int64)


def test_daily_news_is_bought_at_the_next_open_and_sold_at_a_close():
    stock = daily([10, 11, 12, 13], [10.5, 11.5, 12.5, 13.5])
    table = prices({"SPY": FLAT, "ACME": stock})
    for received_s in (SESSIONS.opens_s[0] + 1, SESSIONS.closes_s[0], SESSIONS.opens_s[1]):
        entry = table.enter(stock, at(received_s), GOOD)
        assert entry.index.tolist() == [1]
        held = [table.abnormal(stock, entry.index, horizon)[0] for horizon in SESSION_HORIZONS[:2]]
        assert held == pytest.approx([11.5 / 11 - 1, 12.5 / 11 - 1])


def test_the_benchmark_is_taken_off():
    market = daily([100, 100], [101, 101])
    stock = daily([50, 50], [52, 52])
    table = prices({"SPY": market, "ACME": stock})
    got = table.abnormal(stock, np.array([0]), SESSION_HORIZONS[0])
    assert got == pytest.approx([0.04 - 0.01])
    assert table.abnormal(stock, np.array([0]), SESSION_HORIZONS[0], 2.0) == pytest.approx([0.02])


def test_what_ends_after_the_recording_is_unknown():
    stock = daily([10.0] * 3, [11.0] * 3)
    table = prices({"SPY": daily([100.0] * 3, [100.0] * 3), "ACME": stock})
    known = [
        np.isfinite(table.abnormal(stock, np.array([1]), horizon)[0])
        for horizon in SESSION_HORIZONS
    ]
    assert known == [True, True, False, False]


def test_a_share_that_is_gone_counts_with_its_last_price():
    stock = daily([10.0, 9.0], [9.0, 2.0])
    table = prices({"SPY": FLAT, "ACME": stock})
    lost = table.abnormal(stock, np.array([0]), SESSION_HORIZONS[3])
    assert lost == pytest.approx([-0.5])  # -80 %, cut at half
    assert table.enter(stock, at(SESSIONS.closes_s[5]), GOOD).index.tolist() == [-1]


def test_news_that_meets_no_price_for_days_is_not_entered():
    stock = daily([10.0] * 5, [10.0] * 5, first=20)
    table = prices({"SPY": FLAT, "ACME": stock})
    assert table.enter(stock, at(SESSIONS.closes_s[0]), GOOD).index.tolist() == [-1]
    assert table.enter(stock, at(SESSIONS.closes_s[18]), GOOD).index.tolist() == [0]


def test_without_a_sign_the_first_session_gives_it_and_is_not_earned():
    stock = daily([10, 10, 8, 8, 8], [10, 8, 8, 8, 7])
    table = prices({"SPY": FLAT, "ACME": stock})
    entry = table.enter(stock, at(SESSIONS.closes_s[0]), NO_SIGN)
    assert entry.sign.tolist() == [-1]
    assert entry.index.tolist() == [2]


def test_the_reaction_is_held_against_the_benchmark():
    market = daily([100, 100, 103, 103], [100, 103, 103, 103])
    stock = daily([10, 10, 10.1, 10.1], [10, 10.1, 10.1, 10.1])
    table = prices({"SPY": market, "ACME": stock})
    assert table.enter(stock, at(SESSIONS.closes_s[0]), NO_SIGN).sign.tolist() == [-1]


def test_by_the_clock_the_last_known_close_counts():
    closes = [100.0 + n for n in range(78)]
    stock = intraday(closes, closes)
    table = prices(
        {"SPY": intraday([50.0] * 78, [50.0] * 78), "ACME": stock}, interval_s=FIVE_MINUTES
    )
    received_s = SESSIONS.opens_s[0] + 60
    entry = table.enter(stock, at(received_s), GOOD)
    assert entry.index.tolist() == [1]  # the bar that opens five minutes after the open
    after = [table.abnormal(stock, entry.index, horizon)[0] for horizon in CLOCK_HORIZONS[:3]]
    assert after == pytest.approx([103 / 101 - 1, 112 / 101 - 1, 148 / 101 - 1])


def test_overnight_the_close_stands_but_only_when_the_close_is_recorded():
    stock = intraday([100.0] * 78, [101.0] * 78)
    market = intraday([50.0] * 78, [50.0] * 78)
    table = prices({"SPY": market, "ACME": stock}, interval_s=FIVE_MINUTES)
    last = np.array([77])
    overnight, into_tomorrow = (
        Horizon(name="4h", seconds=14_400),
        Horizon(name="1d", seconds=86_400),
    )
    assert table.abnormal(stock, last, overnight) == pytest.approx([0.01])
    assert np.isnan(table.abnormal(stock, last, into_tomorrow))


@given(
    closes=st.lists(st.floats(5, 20), min_size=6, max_size=30),
    session=st.integers(0, 28),
    later=st.floats(5, 20),
)
def test_what_comes_after_the_entry_changes_neither_entry_nor_sign(
    closes: list[float], session: int, later: float
):
    stock = daily(closes, closes)
    received = at(int(SESSIONS.closes_s[session]))
    entry = prices({"SPY": FLAT, "ACME": stock}).enter(stock, received, NO_SIGN)
    if entry.index[0] < 0:
        return
    future = np.arange(len(closes)) >= entry.index[0]
    changed = replace(stock, close=np.where(future, later, stock.close))
    again = prices({"SPY": FLAT, "ACME": changed}).enter(changed, received, NO_SIGN)
    assert again.sign.tolist() == entry.sign.tolist()
    assert again.index.tolist() == entry.index.tolist()


def test_beta_is_that_of_the_days_before():
    rng = np.random.default_rng(2)
    market = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 63)))
    own = 10 * np.exp(1.5 * np.log(market / 100))
    own[62] = 500.0  # the entry's own day is not known at its open
    stock = daily(own, own)
    table = prices({"SPY": daily(market, market), "ACME": stock})
    assert table.beta(stock, np.array([62])) == pytest.approx([1.5])
    assert table.beta(stock, np.array([30])) == pytest.approx([1.0])  # too few days


def test_there_must_be_a_benchmark():
    with pytest.raises(BadData, match="SPY"):
        prices({"ACME": FLAT})
