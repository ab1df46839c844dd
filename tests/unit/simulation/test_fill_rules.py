from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.errors import BadData
from catalyst_bot.simulation import fill_rules

D = Decimal
PRICES = st.floats(0.01, 5_000)
HALVES = st.floats(0, 0.5)
SLIPPAGES = st.floats(0, 0.05)
SIDES = st.sampled_from(Side)
TICKS = st.integers(1, 500_000).map(lambda cents: D(cents) / 100).filter(lambda p: p >= 1)


def test_a_market_buy_pays_half_the_spread_and_slippage():
    price = fill_rules.market_fill_price(Side.BUY, 100.0, half_spread=0.01, slippage_fraction=0.001)
    assert price == D("100.11")


def test_a_market_sell_gets_that_much_less():
    price = fill_rules.market_fill_price(
        Side.SELL, 100.0, half_spread=0.01, slippage_fraction=0.001
    )
    assert price == D("99.89")


def test_fractions_of_a_tick_go_against_us():
    assert fill_rules.executable_price(Side.BUY, 10.001) == D("10.01")
    assert fill_rules.executable_price(Side.SELL, 10.009) == D("10.00")
    assert fill_rules.executable_price(Side.BUY, 0.12341) == D("0.1235")


def test_binary_noise_costs_no_tick():
    assert fill_rules.executable_price(Side.BUY, 0.1 + 0.2 + 1.0) == D("1.30")


def test_a_sell_gets_at_least_the_smallest_tick():
    assert fill_rules.executable_price(Side.SELL, 0.00001) == D("0.0001")


def test_a_price_that_is_no_number_is_refused():
    with pytest.raises(BadData):
        fill_rules.executable_price(Side.BUY, float("nan"))


@pytest.mark.parametrize(
    ("price", "is_good"),
    [("10.01", True), ("10.001", False), ("0.1234", True), ("0.12345", False), ("0", False)],
)
def test_prices_on_tick(price: str, is_good: bool):
    assert fill_rules.is_on_tick(D(price)) is is_good


@pytest.mark.parametrize(
    ("open_price", "low", "expected"),
    [(100.0, 98.0, 99.0), (98.5, 98.0, 98.5), (100.0, 99.0, 99.0), (100.0, 99.01, None)],
)
def test_buy_limit_at_99(open_price: float, low: float, expected: float | None):
    assert fill_rules.buy_limit_reference(99.0, open_price=open_price, low=low) == expected


@pytest.mark.parametrize(
    ("open_price", "high", "expected"),
    [(100.0, 102.0, 101.0), (101.5, 102.0, 101.5), (100.0, 101.0, 101.0), (100.0, 100.99, None)],
)
def test_sell_limit_at_101(open_price: float, high: float, expected: float | None):
    assert fill_rules.sell_limit_reference(101.0, open_price=open_price, high=high) == expected


@pytest.mark.parametrize(
    ("open_price", "low", "expected"),
    [(100.0, 98.0, 99.0), (98.5, 98.0, 98.5), (100.0, 99.0, 99.0), (100.0, 99.01, None)],
)
def test_sell_stop_at_99_fills_at_the_stop_or_at_the_open_beyond_it(
    open_price: float, low: float, expected: float | None
):
    assert fill_rules.sell_stop_reference(99.0, open_price=open_price, low=low) == expected


@pytest.mark.parametrize(
    ("volume", "expected"), [(1000.0, 100), (1009.0, 100), (5.0, 1), (0.0, 0), (float("nan"), 0)]
)
def test_participation_is_whole_shares_and_at_least_one(volume: float, expected: int):
    assert fill_rules.participation_cap(volume, 0.10) == expected


@given(side=SIDES, reference=PRICES, half=HALVES, slippage=SLIPPAGES)
def test_costs_are_always_against_us(side: Side, reference: float, half: float, slippage: float):
    price = fill_rules.market_fill_price(
        side, reference, half_spread=half, slippage_fraction=slippage
    )
    assert fill_rules.is_on_tick(price)
    noise = D("1e-8")
    if side is Side.BUY:
        assert price >= D(repr(reference)) - noise
    else:
        assert price <= max(D(repr(reference)) + noise, D("0.0001"))


@given(
    side=SIDES,
    limit=TICKS,
    prices=st.tuples(PRICES, PRICES, PRICES),
    half=HALVES,
    slippage=SLIPPAGES,
)
def test_a_limit_is_never_beaten_by_the_bar_nor_broken(
    side: Side, limit: Decimal, prices: tuple[float, ...], half: float, slippage: float
):
    low, open_price, high = sorted(prices)
    if side is Side.BUY:
        reference = fill_rules.buy_limit_reference(float(limit), open_price=open_price, low=low)
        assert (reference is None) == (low > float(limit))
    else:
        reference = fill_rules.sell_limit_reference(float(limit), open_price=open_price, high=high)
        assert (reference is None) == (high < float(limit))
    if reference is None:
        return
    price = fill_rules.limit_fill_price(
        side, reference, limit_price=limit, half_spread=half, slippage_fraction=slippage
    )
    assert fill_rules.is_on_tick(price)
    if side is Side.BUY:
        assert low - 1e-8 <= price <= limit
    else:
        assert limit <= price <= high + 1e-8


@given(stop=PRICES, prices=st.tuples(PRICES, PRICES, PRICES))
def test_a_stop_never_sells_above_its_price_nor_above_the_open(
    stop: float, prices: tuple[float, ...]
):
    low, open_price, _ = sorted(prices)
    reference = fill_rules.sell_stop_reference(stop, open_price=open_price, low=low)
    assert (reference is None) == (low > stop)
    if reference is not None:
        assert low <= reference <= min(stop, open_price)


@given(quantity=st.integers(1, 10**6), draw=st.floats(0, 1, exclude_max=True))
def test_a_partial_fill_is_a_real_part(quantity: int, draw: float):
    part = fill_rules.partial_quantity(D(quantity), size_draw=draw)
    assert part >= 1
    assert part == int(part)
    assert part < quantity or quantity == 1
