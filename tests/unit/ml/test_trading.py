"""Each scalar rule of the kernels equals the exact one of bot and venue, plain and compiled."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.enums import EntryKind, Side
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.limits import StopRules
from catalyst_bot.domain.money import round_price_down, round_price_up, to_decimal
from catalyst_bot.ml.kernels import trading
from catalyst_bot.ml.terms import Terms, terms_of
from catalyst_bot.risk import stops
from catalyst_bot.risk.book import Book
from catalyst_bot.risk.sizing import kelly_fraction, shrunk_odds, size_entry
from catalyst_bot.risk.state import StrategyRecord
from catalyst_bot.settings import Settings
from catalyst_bot.simulation import fill_rules, venue_account
from catalyst_bot.simulation.spread_model import half_spread, synthetic_quote
from tests import builders
from tests.kernels import plain_and_compiled

both = plain_and_compiled(trading)
SETTINGS = Settings()
TERMS = terms_of(SETTINGS)
DAILY = replace(SETTINGS.stops, atr_multiple=2.0)

prices = st.one_of(
    st.decimals("1", "5000", places=2).map(float),
    st.decimals("0.0101", "5000", places=4).map(float),
    st.floats(0.02, 5_000).map(lambda price: round(price, 6)),  # the most that vendors write
)
money = st.decimals(0, 10_000_000, places=2)
volumes = st.one_of(st.floats(0, 1e9), st.integers(0, 10_000).map(float))
measures = st.one_of(st.floats(0, 100), st.sampled_from([float("nan"), float("inf"), -1.0, 0.0]))
stop_rules = st.sampled_from([StopRules(), DAILY, replace(DAILY, max_stop_fraction=1.0)])


def terms_with(**sections: Any) -> Terms:
    return terms_of(SETTINGS.model_copy(update=sections))


@both
@given(prices)
def test_prices_go_to_the_same_tick(kernel: Any, price: float) -> None:
    exact = Decimal(repr(round(price, 8)))
    assert kernel.price_down(price) == float(round_price_down(exact))
    assert kernel.price_up(price) == float(round_price_up(exact))


@both
@given(prices, volumes)
def test_the_spread_and_what_an_entry_is_expected_to_cost(
    kernel: Any, price: float, volume: float
) -> None:
    costs = SETTINGS.costs
    expected = half_spread(price, traded_usd=price * volume, costs=costs)
    assert kernel.half_spread(price, price * volume, TERMS) == expected
    bar = builders.bar(open=price, high=price, low=price, close=price, volume=volume)
    assert kernel.ask_price(price, volume, TERMS) == synthetic_quote(bar, costs).ask


@both
@given(prices, prices, volumes)
def test_fill_prices_are_the_venues(
    kernel: Any, reference: float, bar_open: float, volume: float
) -> None:
    costs = SETTINGS.costs
    spread = half_spread(bar_open, traded_usd=bar_open * volume, costs=costs)
    for side, of in ((Side.BUY, kernel.buy_price), (Side.SELL, kernel.sell_price)):
        expected = fill_rules.market_fill_price(
            side, reference, half_spread=spread, slippage_fraction=costs.slippage_fraction
        )
        assert of(reference, bar_open, volume, TERMS) == float(expected)


@both
@given(volumes, st.sampled_from([0.1, 0.05, 0.0001, 1.0]))
def test_the_share_of_a_bar(kernel: Any, volume: float, fraction: float) -> None:
    terms = TERMS._replace(participation_fraction=fraction)
    expected = fill_rules.participation_cap(volume, fraction)
    assert kernel.most_shares(volume, terms) == float(expected)


@both
@given(st.integers(0, 100_000), prices, st.sampled_from([0.001, 0.0, 0.005, 0.00035]))
def test_fees_in_cents_half_to_even(kernel: Any, shares: int, price: float, rate: float) -> None:
    amount = shares * Decimal(repr(kernel.price_up(price)))
    terms = TERMS._replace(commission_fraction=rate)
    expected = venue_account.fee_usd(amount, to_decimal(rate))
    assert kernel.fee_usd(float(amount), terms) == float(expected)


@both
@given(prices, st.decimals(-10, 1_000_000, places=4), st.sampled_from([0.001, 0.0, 0.005]))
def test_what_the_cash_pays_for(kernel: Any, price: float, cash: Decimal, rate: float) -> None:
    tick = kernel.price_up(price)
    terms = TERMS._replace(commission_fraction=rate)
    expected = venue_account.affordable_shares(
        to_decimal(tick), available_usd=cash, commission_fraction=to_decimal(rate)
    )
    assert kernel.affordable_shares(tick, float(cash), terms) == float(expected)


@both
@given(prices, measures, stop_rules)
def test_stop_and_target_are_those_of_a_bracket(
    kernel: Any, price: float, atr: float, rules: StopRules
) -> None:
    terms = terms_with(stops=rules)
    expected = stops.protect(to_decimal(price), atr=atr, rules=rules)
    stop = kernel.stop_price(price, atr, terms)
    if expected is None:
        assert stop == 0.0
    else:
        assert stop == float(expected.stop_price)
        assert kernel.target_price(price, atr, terms) == float(expected.take_profit_price)


@both
@given(prices, st.floats(0.8, 1.3), st.one_of(st.just(1.05), st.floats(0.9, 1.3)))
def test_the_stop_trails_as_far(kernel: Any, entry: float, stop: float, high: float) -> None:
    entry = kernel.price_up(entry)
    before, highest = kernel.price_down(entry * stop), float(round(entry * high, 6))
    raised = stops.trail(
        entry_price=to_decimal(entry),
        high_water_price=to_decimal(highest),
        stop_price=to_decimal(before),
        rules=SETTINGS.stops,
    )
    expected = float(raised) if raised is not None else before
    assert kernel.trailed_stop(entry, highest, before, TERMS) == expected


@both
@given(*(st.decimals(90, 110, places=2).map(float) for _ in range(5)))
def test_what_takes_a_position_out_of_a_bar(
    kernel: Any, bar_open: float, one: float, other: float, stop: float, gain: float
) -> None:
    high, low = max(bar_open, one, other), min(bar_open, one, other)
    target = stop + gain / 10
    met = fill_rules.sell_stop_reference(stop, open_price=bar_open, low=low)
    sold = fill_rules.sell_limit_reference(target, open_price=bar_open, high=high)
    reason, reference = kernel.left_in_range(bar_open, high, low, stop, target)
    if met is not None:
        assert (reason, reference) == (trading.STOP_LOSS, met)
    elif sold is not None:
        assert (reason, reference) == (trading.TAKE_PROFIT, sold)
    else:
        assert reason == trading.STAYS
    at_open = kernel.left_at_open(bar_open, stop, target)
    assert at_open == kernel.left_in_range(bar_open, bar_open, bar_open, stop, target)


@st.composite
def records(draw: st.DrawFn) -> StrategyRecord:
    trades = draw(st.integers(0, 500))
    wins = draw(st.integers(0, trades))
    return StrategyRecord(
        trades=trades,
        wins=wins,
        win_fraction_sum=draw(st.floats(0, 0.5)) * wins,
        loss_fraction_sum=draw(st.floats(0, 0.5)) * (trades - wins),
    )


def kelly_of(kernel: Any, record: StrategyRecord, terms: Terms) -> float:
    counted = float(record.trades), float(record.wins)
    return kernel.kelly_fraction(*counted, record.win_fraction_sum, record.loss_fraction_sum, terms)


@both
@given(records(), st.sampled_from([20.0, 0.0]))
def test_kelly(kernel: Any, record: StrategyRecord, prior: float) -> None:
    rules = replace(SETTINGS.sizing, prior_trades=prior)
    expected = kelly_fraction(shrunk_odds(record, rules)) / rules.kelly_divisor
    found = kelly_of(kernel, record, terms_with(sizing=rules))
    assert found == pytest.approx(round(expected, 12), abs=1.1e-12)


@both
@given(
    st.data(),
    prices,
    st.floats(-1, 1.5, width=32),
    measures,
    measures,
    records(),
    st.floats(-1, 1),
)
def test_sizes_equal_to_the_share(
    kernel: Any,
    data: st.DataObject,
    price: float,
    action: float,
    atr: float,
    usual: float,
    record: StrategyRecord,
    correlation: float,
) -> None:
    equity, cash, exposure = data.draw(money), data.draw(money), data.draw(money)
    rules = data.draw(stop_rules)
    terms = terms_with(stops=rules)
    protection = stops.protect(to_decimal(price), atr=atr, rules=rules)
    expected = size_entry(
        price=to_decimal(price),
        stop_price=protection.stop_price if protection is not None else None,
        action=action,
        signal=builders.signal(atr=atr, atr_average=usual),
        account=builders.account(equity_usd=equity, cash_usd=cash),
        book=Book(
            exposure_usd=exposure, reserved_usd=Decimal(0), on_the_way=(), symbols=frozenset()
        ),
        record=record,
        correlation=correlation,
        limits=SETTINGS.risk,
        rules=SETTINGS.sizing,
        stops=rules,
    )
    stop = kernel.stop_price(price, atr, terms)
    wish = trading.Wish(price, stop, action, atr, usual, correlation)
    kelly = kelly_of(kernel, record, terms)
    means = trading.Means(float(equity), float(exposure), float(cash), kelly)
    found = kernel.entry_shares(wish, means, terms)
    assert found == float(expected.quantity)


def test_the_random_fills_of_the_paper_service_teach_nothing() -> None:
    paper = SETTINGS.broker.model_copy(update={"fill_profile": "alpaca"})
    with pytest.raises(ConfigError, match="fill_profile"):
        terms_with(broker=paper)


def test_limit_entries_and_other_hours_are_refused() -> None:
    for changed in ({"entry_kind": EntryKind.LIMIT}, {"extended_hours": True}):
        with pytest.raises(ConfigError, match="entry_kind = market"):
            terms_with(execution=replace(SETTINGS.execution, **changed))


def test_every_number_of_the_settings_arrives() -> None:
    changed = terms_with(
        costs=replace(SETTINGS.costs, slippage_fraction=0.002),
        risk=replace(SETTINGS.risk, max_leverage=0.5, min_trade_usd=Decimal(250)),
    )
    assert changed.slippage_fraction == 0.002
    assert (changed.max_gross_fraction, changed.min_trade_usd) == (0.5, 250.0)
