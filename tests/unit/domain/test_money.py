from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain import money
from catalyst_bot.domain.errors import BadData

PRICES = st.decimals("0.0001", "1000000", places=6)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(FINITE)
def test_a_float_and_its_decimal_are_the_same_number(value: float):
    assert float(money.to_decimal(value)) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_by_name(value: float):
    for convert in (money.to_decimal, money.finite, money.positive):
        with pytest.raises(BadData, match="price of X"):
            convert(value, "price of X")


@pytest.mark.parametrize("value", [0.0, -0.0, -1.0])
def test_positive_means_above_zero(value: float):
    with pytest.raises(BadData, match="above zero"):
        money.positive(value, "x")


@pytest.mark.parametrize("value", [1e308, 10_000_000.01, 0.0, -1.0, math.nan])
def test_no_share_costs_that(value: float):
    with pytest.raises(BadData, match="bid"):
        money.share_price(value, "bid")


def test_a_share_may_cost_what_the_dearest_does():
    assert money.share_price(812_000.0, "bid") == 812_000.0


@given(PRICES)
def test_rounded_prices_bracket_the_price_and_lie_on_ticks(price: Decimal):
    tick = money.tick_size(price)
    down, up = money.round_price_down(price), money.round_price_up(price)
    assert down <= price <= up
    assert up - down in {Decimal(0), tick}
    assert money.round_price(price) in {down, up}
    for rounded in (down, up):
        assert rounded % tick == 0


@given(st.decimals("0", "1e9", places=6))
def test_whole_shares_never_gain_any(quantity: Decimal):
    whole = money.whole_shares(quantity)
    assert whole == whole.to_integral_value()
    assert whole <= quantity < whole + 1


@given(st.decimals("-1e9", "1e9", places=6))
def test_cents_are_at_most_half_a_cent_away(amount: Decimal):
    cents = money.round_cents(amount)
    assert cents == cents.quantize(Decimal("0.01"))
    assert abs(cents - amount) <= Decimal("0.005")


def test_ties_go_to_the_even_cent():
    assert money.round_cents(Decimal("0.125")) == Decimal("0.12")
    assert money.round_cents(Decimal("0.135")) == Decimal("0.14")


def test_the_tick_changes_at_a_dollar():
    assert money.tick_size(Decimal("0.9999")) == Decimal("0.0001")
    assert money.tick_size(Decimal(1)) == Decimal("0.01")
