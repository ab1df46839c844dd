from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.simulation.spread_model import half_spread, synthetic_quote
from tests.builders import NOON, bar

COSTS = CostRules()


def test_a_liquid_bar_has_the_narrow_spread():
    assert half_spread(200.0, traded_usd=6e6, costs=COSTS) == pytest.approx(0.02)


def test_a_thin_bar_has_the_wide_spread():
    assert half_spread(200.0, traded_usd=1e5, costs=COSTS) == pytest.approx(0.20)


@pytest.mark.parametrize(("price", "half_tick"), [(2.0, 0.005), (0.02, 0.00005)])
def test_no_spread_is_below_half_a_tick(price: float, half_tick: float):
    assert half_spread(price, traded_usd=1e9, costs=COSTS) == half_tick


def test_the_quote_stands_around_the_close_and_is_as_old_as_the_bar():
    quote = synthetic_quote(bar(close=100.0, volume=1000.0), COSTS)
    assert (quote.bid, quote.ask) == pytest.approx((99.9, 100.1))
    assert quote.at == bar(opened_at=NOON).closed_at
    assert quote.is_synthetic


@pytest.mark.parametrize("close", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_close_that_is_no_price_is_refused(close: float):
    with pytest.raises(BadData, match="close of ACME"):
        synthetic_quote(bar(close=close), COSTS)


@given(
    close=st.floats(0.01, 1e4),
    volume=st.floats(0, 1e9),
)
def test_the_quote_is_never_crossed_and_always_positive(close: float, volume: float):
    quote = synthetic_quote(bar(close=close, volume=volume), COSTS)
    assert 0 < quote.bid < close < quote.ask
