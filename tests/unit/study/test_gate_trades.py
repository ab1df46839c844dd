"""A blocked trade meets stop, target, time and gaps as the bot's own would; none knows another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.messages.facts import SymbolHalted, SymbolResumed
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from catalyst_bot.study.gate_trades import Market, Wish, order_of, worth
from tests.builders import OPEN

INTERVAL_S = 300
CALM = 20  # bars before anything happens, for ATR
FREE = CostRules(
    commission_fraction=0.0,
    slippage_fraction=0.0,
    participation_fraction=1.0,
    half_spread_bps_liquid=0.0,
    half_spread_bps_thin=0.0,
)
Prices = Sequence[tuple[float, float, float, float]]
TICKS = Decimal(1)  # a spread of a cent on each side, for 100 shares


def columns(prices: Prices, volume: float = 1e6) -> BarColumns:
    opened = np.array([int(OPEN.timestamp()) + n * INTERVAL_S for n in range(len(prices))])
    table = np.array(prices, dtype=np.float64).T
    return BarColumns(
        opened_s=opened,
        closed_s=opened + INTERVAL_S,
        open=table[0],
        high=table[1],
        low=table[2],
        close=table[3],
        volume=np.full(len(prices), volume),
    )


def market(after: Prices, **given_: object) -> Market:
    calm = [(100.0, 100.2, 99.8, 100.0)] * CALM
    store = BarStore({"ACME": columns([*calm, *after])}, interval_s=INTERVAL_S)
    return Market(**({"bars": store, "costs": FREE} | given_))  # type: ignore[arg-type]


def at_bar(number: int) -> datetime:
    """When the bar with this number opens, counted from the first after the calm."""
    return OPEN + timedelta(seconds=INTERVAL_S * (CALM + number))


def wish(name: str = "cat-1", horizon_s: float = 86_400.0, at: datetime | None = None) -> Wish:
    return Wish(name=name, symbol="ACME", at=at or at_bar(0), horizon_s=horizon_s)


def result(of: Wish, market_: Market) -> Decimal:
    order = order_of(of, market_)
    assert order is not None
    return worth([order], market_)


def test_what_is_held_at_the_end_counts_at_the_last_price():
    flat = [(100.0, 100.2, 99.8, 100.0), (100.0, 103.0, 100.0, 103.0)]
    assert result(wish(), market(flat)) == 300 - TICKS  # 100 shares at 100.01


def test_the_target_sells():
    order = order_of(wish(), market([(100.0, 100.2, 99.8, 100.0)]))
    assert order is not None
    target = order.protection.take_profit_price
    assert target == Decimal("107.21")
    up = [(100.0, 100.2, 99.8, 100.0), (100.0, 110.0, 100.0, 101.0), (101.0, 102.0, 100.5, 101.0)]
    assert result(wish(), market(up)) == 721 - TICKS


def test_the_stop_sells_and_a_gap_through_it_sells_at_the_open():
    down = [(100.0, 100.2, 99.8, 100.0), (100.0, 100.0, 95.0, 99.0)]
    assert result(wish(), market(down)) == -241 - 2 * TICKS  # the stop is at 97.59
    gap = [(100.0, 100.2, 99.8, 100.0), (90.0, 91.0, 89.0, 90.5)]
    assert result(wish(), market(gap)) == -1000 - 2 * TICKS


def test_time_is_over_at_the_horizon():
    slow = [(100.0, 100.2, 99.8, 100.0)] * 3 + [(101.0, 101.2, 100.8, 101.0)] * 3
    later = [*slow, (120.0, 121.0, 119.0, 120.0)]
    assert result(wish(horizon_s=900.0), market(later)) == 100 - 2 * TICKS
    assert result(wish(), market(later)) == 2000 - 2 * TICKS  # opened over its target


def test_a_halt_is_waited_out():
    bars = [(100.0, 100.2, 99.8, 100.0), (90.0, 91.0, 89.0, 90.0), (80.0, 81.0, 79.0, 80.0)]
    halts = (
        SymbolHalted(at=at_bar(1), symbol="ACME", code="T1"),
        SymbolResumed(at=at_bar(2), symbol="ACME"),
    )
    assert result(wish(), market(bars, halts=halts)) == -2000 - 2 * TICKS


def test_costs_are_those_of_the_run():
    flat = [(100.0, 100.2, 99.8, 100.0)] * 3
    free = result(wish(horizon_s=300.0), market(flat))
    dear = result(wish(horizon_s=300.0), market(flat, costs=CostRules()))
    assert free == -2 * TICKS
    paid_usd = Decimal("100.11") * 100  # 0.1 % of slippage on top, then a cent of half the spread
    got_usd = Decimal("99.89") * 100
    fees_usd = Decimal("10.01") + Decimal("9.99")
    assert dear == got_usd - paid_usd - fees_usd


@pytest.mark.parametrize(
    "of",
    [
        wish(at=OPEN + timedelta(seconds=INTERVAL_S)),  # too few bars for an ATR
        wish(at=at_bar(2)),  # no bar comes after it
    ],
)
def test_without_prices_there_is_no_order(of: Wish):
    assert order_of(of, market([(100.0, 100.2, 99.8, 100.0)])) is None


moves = st.floats(-0.08, 0.08)
paths = st.lists(st.tuples(moves, moves, moves), min_size=3, max_size=40)


def path_of(steps: list[tuple[float, float, float]]) -> Prices:
    price, bars = 100.0, []
    for gap, up, drift in steps:
        opened = max(1.0, price * (1 + gap / 4))
        close = max(1.0, opened * (1 + drift))
        high = max(opened, close) * (1 + abs(up) / 2)
        low = min(opened, close) * (1 - abs(up) / 2)
        bars.append((opened, high, low, close))
        price = close
    return bars


@settings(deadline=None, max_examples=60)
@given(
    path=paths,
    volume=st.sampled_from([40.0, 700.0, 1e6]),
    wishes=st.lists(
        st.tuples(st.integers(0, 38), st.integers(0, 299), st.floats(300, 10_000)),
        min_size=1,
        max_size=6,
    ),
)
def test_together_they_are_worth_the_sum_of_each(path, volume: float, wishes):
    calm = [(100.0, 100.2, 99.8, 100.0)] * CALM
    bars = columns([*calm, *path_of(path)], volume)
    other = columns([*calm, *path_of(path[::-1])], volume)
    both = BarStore({"ACME": bars, "OTHER": other}, interval_s=INTERVAL_S)
    place = Market(bars=both)
    found = [
        order_of(
            Wish(
                name=f"cat-{number}",
                symbol="ACME" if number % 3 else "OTHER",
                at=at_bar(bar) + timedelta(seconds=late_s),
                horizon_s=horizon_s,
            ),
            place,
        )
        for number, (bar, late_s, horizon_s) in enumerate(wishes)
    ]
    orders = [order for order in found if order is not None]
    assert worth(orders, place) == sum((worth([o], place) for o in orders), start=Decimal(0))
