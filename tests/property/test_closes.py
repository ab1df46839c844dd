"""Closing prices by time, in any order and overlap, and what two symbols have in common."""

from __future__ import annotations

from array import array
from itertools import pairwise
from math import nan
from statistics import StatisticsError, correlation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.risk.closes import MAX_CLOSES, Closes, closes_of
from catalyst_bot.risk.correlation import MIN_COMMON_BARS, correlations

PRICES = st.floats(1.0, 1_000.0)
WINDOWS = st.lists(
    st.dictionaries(st.integers(0, 2 * MAX_CLOSES), PRICES | st.sampled_from([0.0, -1.0, nan])),
    max_size=8,
)
SERIES = st.dictionaries(st.integers(0, 90), PRICES, min_size=MIN_COMMON_BARS)


@given(windows=WINDOWS)
def test_the_newest_word_on_a_bar_counts(windows: list[dict[int, float]]):
    closes, newest = Closes(), dict[int, float]()
    for window in windows:
        fresh = dict(sorted(window.items()))
        closes.keep(array("q", fresh), array("d", fresh.values()))
        newest |= {end_s: price for end_s, price in fresh.items() if price > 0}
        newest = dict(sorted(newest.items())[-MAX_CLOSES:])
        assert dict(zip(closes.ends_s, closes.prices, strict=True)) == newest
        assert list(closes.ends_s) == sorted(newest)
        assert len(closes) == len(newest)


@given(one=SERIES, other=SERIES, has_same_times=st.booleans())
def test_correlation_is_over_the_common_bars(
    one: dict[int, float], other: dict[int, float], *, has_same_times: bool
):
    if has_same_times:
        other = {end_s: other.get(end_s, 7.0) for end_s in one}
    times = sorted(set(one) & set(other))
    mine, theirs = (closes_of(dict(sorted(prices.items()))) for prices in (one, other))
    (found,) = correlations(mine, [theirs])
    if len(times) < MIN_COMMON_BARS:
        assert found is None
        return
    try:
        expected = correlation(_returns(one, times), _returns(other, times))
    except StatisticsError:  # one side did not move
        assert found is None
        return
    assert found == pytest.approx(expected, abs=1e-6)


def _returns(prices: dict[int, float], times: list[int]) -> list[float]:
    return [prices[b] / prices[a] - 1.0 for a, b in pairwise(times)]
