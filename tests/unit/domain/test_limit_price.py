"""Limit prices are valid ticks, on the right side of the quote, and inside their bound."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.limit_price import above, below, buy_limit, sell_limit
from catalyst_bot.domain.market import middle_of
from catalyst_bot.domain.money import round_price
from tests.builders import quote

PRICES = st.decimals("0.05", "3000", places=4)
TICKS = st.integers(0, 50)
BPS = st.floats(0, 500)


@given(PRICES, PRICES, TICKS, BPS)
def test_a_purchase_never_bids_beyond_its_bound(
    ask: Decimal, reference: Decimal, ticks: int, cap_bps: float
):
    worst = above(reference, cap_bps)
    price = buy_limit(float(ask), ticks=ticks, worst_price=worst)
    assert price <= worst <= reference * (1 + Decimal(repr(cap_bps)) / 10_000)
    assert price == round_price(price)
    if price < worst:
        assert price >= ask


@given(PRICES, PRICES, BPS)
def test_a_sale_never_asks_less_than_its_bound(bid: Decimal, reference: Decimal, collar: float):
    worst = below(reference, 500)
    price = sell_limit(float(bid), collar_bps=collar, worst_price=worst)
    assert price >= worst >= reference * Decimal("0.95")
    assert price == round_price(price)
    if price > worst:
        assert price >= bid * (1 - Decimal(repr(collar)) / 10_000)


def test_ticks_are_cents_from_a_dollar_on():
    far = Decimal(1000)
    assert buy_limit(100.013, ticks=2, worst_price=far) == Decimal("100.04")
    assert buy_limit(0.5, ticks=2, worst_price=far) == Decimal("0.5002")


def test_a_quote_that_means_nothing_has_no_middle():
    assert middle_of(quote(bid=99.0, ask=101.0)) == 100.0
    assert middle_of(quote(bid=101.0, ask=99.0)) is None
    assert middle_of(quote(bid=0.0, ask=1.0)) is None
    assert middle_of(quote(bid=float("nan"), ask=1.0)) is None
    assert middle_of(quote(bid=90.0, ask=110.0)) is None
