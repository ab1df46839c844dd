"""What the other tests of the stage pass by."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.account import BrokerOrder
from catalyst_bot.domain.enums import OrderRole, Side
from catalyst_bot.domain.market import MarketView, series_of
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.decisions import (
    OrderApproved,
    OrderRefused,
    PositionClosed,
    StrategyPaused,
)
from catalyst_bot.domain.messages.facts import (
    BarClosed,
    MarketViewReceived,
    OperatorTradeRequested,
    QuoteSampled,
    SessionOpened,
    SymbolRenamed,
)
from catalyst_bot.domain.money import MAX_PRICE_USD
from catalyst_bot.risk import gauges, guarding, proposal
from catalyst_bot.risk.approved import limits_hash
from catalyst_bot.risk.book import read_book
from catalyst_bot.risk.breakers import order_storm
from catalyst_bot.risk.checks import judge_inputs
from catalyst_bot.risk.closes import Closes, closes_of
from catalyst_bot.risk.evolve import MAX_REQUESTS
from catalyst_bot.risk.records import rest
from catalyst_bot.risk.state import PendingEntry, State, StrategyRecord, TradePlan
from tests import builders
from tests.unit.risk.bench import Bench, trade

NOON = builders.NOON


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(
    ("limit", "closes", "held", "usd"),
    [
        (Decimal(7), {}, None, 70),
        (None, {}, builders.position(last_price=Decimal(90)), 900),
        (None, {"ACME": closes_of({1: 10.0, 2: 11.0})}, None, 110),
        (None, {}, None, 0),
    ],
)
def test_a_persons_order_counts_at_the_best_price_known(limit, closes, held, usd: int):
    order = BrokerOrder(
        client_order_id="f",
        broker_order_id="b",
        symbol="ACME",
        quantity=Decimal(12),
        filled_quantity=Decimal(2),
        side=Side.BUY,
        limit_price=limit,
    )
    desk = builders.FakeDesk(
        foreign_orders={"f": order}, positions={"ACME": held} if held is not None else {}
    )
    assert read_book(State(closes=closes), desk, Bench().rules.limits).reserved_usd == usd


@pytest.mark.parametrize(("worst", "usd"), [(None, 6_000), ("100.30", 6_018), ("99.50", 6_000)])
def test_a_working_entry_may_cost_the_dearer_of_its_prices(worst: str | None, usd: int):
    ticket = builders.ticket(
        filled_quantity=Decimal(40), worst_price=Decimal(worst) if worst is not None else None
    )
    desk = builders.FakeDesk(orders={"cb-test": ticket})
    assert read_book(State(), desk, Bench().rules.limits).reserved_usd == usd


def request(**given: Any) -> OperatorTradeRequested:
    values: dict[str, Any] = {
        "at": NOON,
        "request_id": "op-1",
        "by": "ada",
        "side": Side.SELL,
        "symbol": "ACME",
    }
    return OperatorTradeRequested(**(values | given))


def test_a_wish_to_buy_meets_the_market_first_and_a_request_is_judged_once(bench: Bench):
    assert bench.tell(request(side=Side.BUY)) == []
    assert [type(m) for m in bench.tell(request(request_id="op-2"))] == [OrderRefused]
    assert bench.tell(request(request_id="op-2")) == []


def test_requests_are_remembered_up_to_a_bound(bench: Bench):
    for number in range(MAX_REQUESTS + 1):
        bench.remember(request(request_id=f"op-{number}"))
    assert len(bench.state.requests) == MAX_REQUESTS
    assert "op-0" not in bench.state.requests


@pytest.mark.parametrize(
    ("asked", "sold"),
    [
        ({}, 100),
        ({"quantity": Decimal(40)}, 40),
        ({"usd": Decimal(1_050)}, 10),
        ({"usd": Decimal(1)}, 1),
        ({"usd": Decimal(10**6)}, 100),
    ],
)
def test_a_person_sells_what_is_asked_for_and_no_more_than_is_held(bench: Bench, asked, sold: int):
    bench.desk.positions = {"ACME": builders.position()}
    (approved,) = bench.decide(request(**asked))
    assert isinstance(approved, OrderApproved)
    assert (approved.order.role, approved.order.quantity) == (OrderRole.EXIT, sold)


def test_a_refused_sale_of_nothing_leaves_no_refusal_to_override(bench: Bench):
    bench.tell(request())
    assert bench.state.refusals == {}


def plan(symbol: str) -> TradePlan:
    return TradePlan(
        trade_id=f"trd-{symbol}",
        catalyst_id="cat",
        signal_id="sig",
        symbol=symbol,
        stop_price=Decimal(95),
        horizon_s=None,
        high_water_price=Decimal(100),
        approved_at=NOON,
        opened_at=NOON,
    )


def test_everything_of_a_symbol_goes_on_under_its_new_name(bench: Bench):
    state = bench.state
    state.plans = {"a": plan("ACME"), "b": plan("OTHER")}
    state.pending = {
        "a": PendingEntry(symbol="ACME", horizon_s=1.0),
        "b": PendingEntry(symbol="OTHER", horizon_s=1.0),
    }
    state.trade_held = {"ACME": "trd-ACME"}
    state.closes = {"ACME": closes_of({1: 10.0})}
    state.halted_symbols = {"ACME"}
    renamed = SymbolRenamed(at=NOON, symbol="ACME", new_symbol="NEWC", effective_on=NOON.date())
    bench.remember(renamed)
    assert [p.symbol for p in state.plans.values()] == ["NEWC", "OTHER"]
    assert [p.symbol for p in state.pending.values()] == ["NEWC", "OTHER"]
    assert state.trade_held == {"NEWC": "trd-ACME"}
    assert state.closes == {"NEWC": closes_of({1: 10.0})}
    assert state.halted_symbols == {"NEWC"}
    nobody = SymbolRenamed(at=NOON, symbol="X", new_symbol="Y", effective_on=NOON.date())
    bench.remember(nobody)
    assert [p.symbol for p in state.plans.values()] == ["NEWC", "OTHER"]


def test_prices_that_are_none_are_not_kept(bench: Bench):
    made = builders.bar(opened_at=NOON, close=0.0, high=0.0)
    bench.remember(BarClosed(at=made.closed_at, bar=made))
    assert bench.state.closes == {"ACME": Closes()}


def test_a_window_that_is_older_than_a_bar_is_sorted_in(bench: Bench):
    late = builders.bar(opened_at=NOON + timedelta(minutes=30), close=103.0)
    bench.remember(BarClosed(at=late.closed_at, bar=late))
    early = [builders.bar(opened_at=NOON + timedelta(minutes=m), close=100.0 + m) for m in (0, 5)]
    view = MarketView(
        symbol="ACME",
        as_of=late.closed_at,
        bar_interval_s=300,
        bars=series_of("ACME", early),
        benchmark_bars=series_of("SPY", ()),
        quote=builders.quote(),
    )
    received = MarketViewReceived(at=late.closed_at, request_id="r", catalyst_id="c", view=view)
    bench.remember(received)
    assert list(bench.state.closes["ACME"].prices) == [100.0, 105.0, 103.0]


def test_quotes_do_not_try_an_exit_again_at_once(bench: Bench):
    held = builders.position()
    bench.desk.positions = {"ACME": held}
    bench.state.plans = {held.trade_id: plan("ACME")}
    low = builders.quote(at=NOON, bid=89.99, ask=90.01)
    sampled = QuoteSampled(at=NOON, quote=low)
    assert [type(m) for m in bench.decide(sampled)] == [OrderApproved]
    bench.state.last_exit_at = {held.trade_id: NOON}
    bench.state.exits_of_trade = {held.trade_id: 1}
    assert guarding.watch(bench.state, low, bench.desk, bench.rules) == []
    bench.desk.now += timedelta(seconds=5)
    assert guarding.watch(bench.state, low, bench.desk, bench.rules) != []


def test_a_pause_until_the_next_session_ends_with_it(bench: Bench):
    over = StrategyRecord(is_paused=True, paused_until=NOON, consecutive_losses=3)
    later = StrategyRecord(is_paused=True, paused_until=NOON + timedelta(days=1))
    for_good = StrategyRecord(is_paused=True)
    assert rest(over, NOON) == StrategyRecord()
    assert rest(later, NOON) == later
    assert rest(for_good, NOON) == for_good
    bench.state.strategies = {"a": over, "b": for_good}
    bench.remember(SessionOpened(at=NOON, day=NOON.date(), closes_at=builders.CLOSE), NOON)
    assert bench.state.strategies == {"a": StrategyRecord(), "b": for_good}


def test_the_first_order_of_a_signal_is_no_storm_at_the_smallest_limit(bench: Bench):
    submitted = SubmitOrder(order=builders.approved_order(), valid_until=NOON)
    one = replace(bench.rules.limits, max_orders_per_signal=1)
    assert order_storm(State(), submitted, one) is None


def test_limits_have_a_name_of_what_they_say():
    rules = Bench().rules
    plain = limits_hash(rules)
    assert plain.startswith("lim")
    written = replace(rules.limits, min_trade_usd=Decimal("100.00"))
    assert limits_hash(replace(rules, limits=written)) == plain
    other = replace(rules.limits, max_daily_trades=41)
    assert limits_hash(replace(rules, limits=other)) != plain


@pytest.mark.parametrize(("price", "is_one"), [(MAX_PRICE_USD, True), (MAX_PRICE_USD + 1, False)])
def test_the_dearest_share_there_is_has_a_price(price: float, is_one: bool):
    signal = builders.signal(price=price, quote=builders.quote(bid=price, ask=price))
    assert (proposal.expected_price(signal) > 0) is is_one


@pytest.mark.parametrize(
    ("cap_bps", "price"), [(0.0, "100.01"), (1.0, "100.02"), (100.0, "101.01")]
)
def test_an_entry_may_cost_its_cap_more_than_now(bench: Bench, cap_bps: float, price: str):
    intent = builders.intent()
    inputs = judge_inputs(intent, bench.desk)
    entry = proposal.propose(
        bench.state, intent, bench.desk, bench.rules, inputs=inputs, cap_bps=cap_bps
    )
    assert (entry.expected, entry.price) == (Decimal("100.01"), Decimal(price))


@pytest.mark.parametrize(("over", "is_paused"), [(0.0, False), (0.001, True)])
def test_a_sharpe_ratio_at_its_floor_is_no_pause(bench: Bench, over: float, is_paused: bool):
    results = tuple(0.01 + n / 1_000 for n in range(20))
    ratio = gauges.sharpe(results)
    assert ratio is not None
    bench.rules = replace(bench.rules, limits=replace(bench.rules.limits, min_sharpe=ratio + over))
    bench.state.strategies = {"news-rule": StrategyRecord(returns=results[:-1])}
    told = bench.decide(PositionClosed(trade=trade(results[-1])))
    assert any(isinstance(message, StrategyPaused) for message in told) is is_paused


def test_a_warning_comes_at_the_round_number(bench: Bench):
    account = builders.account(equity_usd=Decimal(91_000), day_open_equity_usd=Decimal(91_000))
    read = gauges.read_gauges(
        account, reviewed_peak_usd=None, open_positions=0, limits=bench.rules.limits
    )
    drawn = next(gauge for gauge in read if gauge.name == "drawdown")
    assert drawn.warn_from == 0.09
    assert drawn.warning() is not None
