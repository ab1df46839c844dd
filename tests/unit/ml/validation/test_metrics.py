from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from catalyst_bot.ml.validation.metrics import (
    equity_of,
    max_drawdown,
    measure,
    returns_of,
    sharpes,
)
from catalyst_bot.portfolio.performance import sharpe_ratio

NONE = np.zeros(0)
small = st.floats(-0.2, 0.2).map(lambda value: round(value, 6))
many_returns = arrays.arrays(np.float64, st.integers(2, 80), elements=small)


def test_a_small_account_is_measured_as_by_hand():
    equity = np.array([100.0, 110.0, 99.0, 108.9])
    found = measure(equity, np.array([30.0, -10.0, 5.0, 0.0]), np.array([0.5, 0.1, 0.0]))
    mean = 0.1 / 3
    returns = [0.1, -0.1, 0.1]
    spread = math.sqrt(sum((r - mean) ** 2 for r in returns) / 2)
    assert found.sharpe == pytest.approx(mean / spread * math.sqrt(252))
    assert found.sortino == pytest.approx(mean / math.sqrt(0.01 / 3) * math.sqrt(252))
    assert found.max_drawdown == pytest.approx(0.1)
    assert found.total_return == pytest.approx(0.089)
    assert found.volatility == pytest.approx(spread * math.sqrt(252))
    assert (found.trades, found.win_rate, found.profit_factor) == (4, 0.5, 3.5)
    assert found.expectancy_usd == pytest.approx(6.25)
    assert found.exposure == pytest.approx(0.2)
    assert found.annual_return is None  # three days are no year
    assert found.calmar is None


def test_a_year_has_an_annual_return_and_a_calmar_ratio():
    returns = np.tile([0.02, -0.01], 126)
    found = measure(equity_of(returns, start=1e5), NONE, np.ones(252))
    assert found.annual_return == pytest.approx((1.02 * 0.99) ** 126 - 1)
    assert found.max_drawdown == pytest.approx(0.01)
    assert found.calmar == pytest.approx(found.annual_return / 0.01)
    assert (found.win_rate, found.profit_factor, found.expectancy_usd) == (None, None, None)


def test_an_account_that_did_nothing_has_no_ratios():
    found = measure(np.full(300, 1e5), NONE, np.zeros(299))
    assert (found.sharpe, found.sortino, found.calmar) == (None, None, None)
    assert (found.annual_return, found.max_drawdown, found.trades) == (0.0, 0.0, 0)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_an_account_without_worth_is_refused(value: float):
    with pytest.raises(ValueError, match="positive"):
        measure(np.array([1.0, value, 1.0]), NONE, np.zeros(2))


def test_a_trade_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="not a number"):
        measure(np.ones(3), np.array([math.nan]), np.zeros(2))


@given(many_returns)
def test_curve_and_returns_are_two_sides_of_one_thing(returns):
    assert returns_of(equity_of(returns, start=5e4)) == pytest.approx(returns, abs=1e-9)


@given(many_returns)
def test_many_at_once_have_the_sharpe_ratio_of_one(returns):
    one = sharpe_ratio(returns.tolist(), periods_per_year=1.0)
    both = sharpes(np.stack([returns, np.zeros(len(returns))], axis=1))
    assert both[1] == 0.0
    if one is not None and abs(one) < 1e6:
        assert both[0] == pytest.approx(one, rel=1e-6, abs=1e-9)


@given(many_returns)
def test_a_drawdown_is_the_worst_of_all_pairs(returns):
    equity = equity_of(returns)
    worst = max(
        1 - equity[late] / equity[early]
        for early in range(len(equity))
        for late in range(early, len(equity))
    )
    assert max_drawdown(equity) == pytest.approx(worst, abs=1e-12)
