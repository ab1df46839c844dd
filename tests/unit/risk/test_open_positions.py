"""Bars of a held symbol: the stop rises, and the position is left when its time or stop comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from importlib.resources import files

import pytest

from catalyst_bot.detection import taxonomy
from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import CategoryAction, ExitReason, OrderRole, OrderStatus, Side
from catalyst_bot.domain.market import MarketView, series_of
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.decisions import (
    IntentFormed,
    OrderApproved,
    PositionClosed,
    PositionOpened,
    StopMoved,
)
from catalyst_bot.domain.messages.facts import (
    BarClosed,
    MarketViewReceived,
    SessionClosed,
    SessionOpened,
    SymbolHalted,
    SymbolResumed,
)
from catalyst_bot.domain.trading import ApprovedOrder
from catalyst_bot.risk.closes import MAX_CLOSES
from tests import builders
from tests.unit.risk.bench import Bench, trade

MINUTE = timedelta(minutes=1)
NEXT_OPEN = SessionOpened(
    at=builders.OPEN + timedelta(days=1),
    day=(builders.OPEN + timedelta(days=1)).date(),
    closes_at=builders.CLOSE + timedelta(days=1),
)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def enter(bench: Bench) -> ApprovedOrder:
    told = bench.tell(IntentFormed(intent=builders.intent()))
    (approved,) = told
    assert isinstance(approved, OrderApproved)
    return approved.order


@pytest.fixture
def order(bench: Bench) -> ApprovedOrder:
    """An entry that is filled at $100 and protected at the venue."""
    approved = enter(bench)
    held = builders.position(trade_id=approved.trade_id, catalyst_id=approved.catalyst_id)
    bench.desk.positions = {"ACME": held}
    bench.desk.orders = {
        "stop": builders.ticket(
            trade_id=approved.trade_id,
            role=OrderRole.STOP_LOSS,
            side=Side.SELL,
            stop_price=approved.stop_loss_price,
        )
    }
    bench.tell(PositionOpened(position=held))
    return approved


def bar(bench: Bench, minute: int, close: float, high: float | None = None) -> list:
    opened_at = builders.NOON + minute * MINUTE
    made = builders.bar(opened_at=opened_at, close=close, high=high or close)
    bench.desk.now = made.closed_at
    return bench.tell(BarClosed(at=made.closed_at, bar=made))


def test_the_stop_follows_the_highest_price_and_never_falls(bench: Bench, order: ApprovedOrder):
    assert bar(bench, 0, 104.0) == []
    (moved,) = bar(bench, 5, 106.0, high=106.5)
    assert isinstance(moved, StopMoved)
    assert moved.old_stop_price == order.stop_loss_price
    assert moved.stop_price == Decimal("103.30")
    assert moved.high_water_price == Decimal("106.5")
    assert moved.is_trailing
    assert bar(bench, 10, 104.0) == []
    (higher,) = bar(bench, 15, 108.0)
    assert higher.old_stop_price == Decimal("103.30")
    assert higher.stop_price == Decimal("104.76")


def test_a_bar_that_ends_below_its_own_trail_is_left_at_once(bench: Bench, order: ApprovedOrder):
    (approved,) = bar(bench, 0, 104.0, high=112.0)
    assert approved.order.exit_reason is ExitReason.TRAILING_STOP
    assert approved.order.quantity == 100


def test_a_stop_is_not_raised_to_where_the_target_sells(bench: Bench, order: ApprovedOrder):
    assert order.take_profit_price is not None
    high = float(order.take_profit_price) / 0.97 + 0.01  # 3 % below it is just the target
    assert bar(bench, 0, high, high=high) == []
    plan = bench.state.plans[order.trade_id]
    assert plan.high_water_price == Decimal(str(high))
    assert plan.stop_price == order.stop_loss_price


def test_the_high_is_remembered_when_the_stop_did_not_move(bench: Bench, order: ApprovedOrder):
    bench.desk.orders |= {"exit": exit_ticket(order)}
    assert bar(bench, 0, 109.0, high=110.0) == []
    bench.desk.orders = {"stop": bench.desk.orders["stop"]}
    (moved,) = bar(bench, 5, 108.0)
    assert moved.high_water_price == Decimal("110.0")


def exit_ticket(order: ApprovedOrder):
    return builders.ticket(trade_id=order.trade_id, role=OrderRole.EXIT, side=Side.SELL)


def test_the_venue_works_the_stop(bench: Bench, order: ApprovedOrder):
    assert bar(bench, 0, 90.0) == []


def test_a_stop_that_was_not_raised_is_not_the_stop(bench: Bench, order: ApprovedOrder):
    assert bar(bench, 0, 104.0) == []
    (moved,) = bar(bench, 5, 108.0)
    assert isinstance(moved, StopMoved)
    raised = replace(bench.desk.orders["stop"], stop_price=moved.stop_price)
    bench.desk.orders = {"stop": raised}
    assert bar(bench, 10, 104.0) == []
    bench.desk.orders = {"stop": replace(raised, stop_price=order.stop_loss_price)}
    (approved,) = bar(bench, 15, 104.0)
    assert approved.order.exit_reason is ExitReason.TRAILING_STOP


@pytest.mark.parametrize("status", [OrderStatus.HELD, OrderStatus.PLANNED, OrderStatus.UNKNOWN])
def test_without_a_live_stop_the_bot_leaves_by_itself(
    bench: Bench, order: ApprovedOrder, status: OrderStatus
):
    bench.desk.orders = {"stop": replace(bench.desk.orders["stop"], status=status)}
    assert bar(bench, 0, 97.62) == []
    (approved,) = bar(bench, 5, 97.61)
    assert approved.order.exit_reason is ExitReason.STOP_LOSS


def test_the_horizon_of_the_news_ends_the_trade(bench: Bench, order: ApprovedOrder):
    assert bar(bench, 24 * 60 - 6, 101.0) == []
    (approved,) = bar(bench, 24 * 60 - 5, 101.0)
    assert approved.order.exit_reason is ExitReason.TIME_EXIT


def horizons() -> dict[str, float]:
    """The horizon of every category that may be bought, as shipped."""
    text = (files("catalyst_bot.detection") / taxonomy.FILE).read_text(encoding="utf-8")
    known = taxonomy.parse_taxonomy(text).categories.values()
    return {c.name: c.horizon_s for c in known if c.action is CategoryAction.TRADE}


@pytest.mark.parametrize(("category", "horizon_s"), sorted(horizons().items()))
def test_each_category_is_left_when_its_own_horizon_is_over(category: str, horizon_s: float):
    bench = Bench()
    of_news = builders.catalyst(category=category, horizon_s=horizon_s)
    intent = builders.intent(signal=builders.signal(catalyst=of_news))
    (approved,) = bench.tell(IntentFormed(intent=intent))
    held = builders.position(trade_id=approved.order.trade_id)
    bench.desk.positions = {"ACME": held}
    stop = builders.ticket(
        trade_id=held.trade_id,
        role=OrderRole.STOP_LOSS,
        side=Side.SELL,
        stop_price=approved.order.stop_loss_price,
    )
    bench.desk.orders = {"stop": stop}
    bench.tell(PositionOpened(position=held))
    minutes = int(horizon_s // 60)
    assert bar(bench, minutes - 6, 101.0) == []
    (left,) = bar(bench, minutes - 5, 101.0)
    assert left.order.exit_reason is ExitReason.TIME_EXIT


def test_categories_have_horizons_of_their_own():
    assert len(set(horizons().values())) > 2


def test_an_exit_at_work_is_enough(bench: Bench, order: ApprovedOrder):
    bench.desk.orders = {"exit": exit_ticket(order)}
    assert bar(bench, 0, 90.0) == []
    assert bar(bench, 5, 120.0) == []


def test_bars_of_other_symbols_and_unknown_positions_mean_nothing(bench: Bench):
    assert bar(bench, 0, 90.0) == []
    bench.desk.positions = {"ACME": builders.position()}
    assert bar(bench, 5, 200.0) == []


def test_a_closed_trade_leaves_only_its_result(bench: Bench, order: ApprovedOrder):
    bench.remember(OrderApproved(order=replace(order, role=OrderRole.EXIT)))
    assert bench.state.exits_of_trade == {order.trade_id: 1}
    bench.tell(PositionClosed(trade=trade(0.06, trade_id=order.trade_id)))
    assert bench.state.plans == {}
    assert bench.state.exits_of_trade == {}
    record = bench.state.strategy("news-rule")
    assert (record.trades, record.wins, record.win_fraction_sum) == (1, 1, 0.06)


def test_an_entry_counts_for_the_day(bench: Bench, order: ApprovedOrder):
    bench.remember(SubmitOrder(order=order, valid_until=builders.NOON))
    assert bench.state.entries_today == 1
    assert bench.state.orders_of_signal == {order.signal_id: 1}
    assert bench.state.last_entry_at == {("ACME", Side.BUY): builders.NOON}
    bench.tell(NEXT_OPEN)
    assert bench.state.entries_today == 0
    assert bench.state.last_entry_at == {}
    assert order.trade_id in bench.state.plans, "an open trade outlives the day"
    assert bench.state.orders_of_signal == {order.signal_id: 1}


def test_an_entry_that_never_filled_is_gone_the_next_day(bench: Bench):
    approved = enter(bench)
    bench.remember(SubmitOrder(order=approved, valid_until=builders.NOON))
    bench.tell(NEXT_OPEN)
    assert bench.state.plans == {}
    assert bench.state.orders_of_signal == {}


def test_a_late_fill_of_a_cancelled_entry_still_has_its_plan(bench: Bench):
    approved = enter(bench)
    held = builders.position(trade_id=approved.trade_id, opened_at=builders.NOON + MINUTE)
    bench.tell(PositionOpened(position=held))
    plan = bench.state.plans[approved.trade_id]
    assert plan.stop_price == approved.stop_loss_price
    assert plan.exit_at == builders.NOON + MINUTE + timedelta(days=1)


def test_closes_are_merged_by_time_bounded_and_dropped_after_the_session(bench: Bench):
    bars = tuple(
        builders.bar(opened_at=builders.NOON + 5 * n * MINUTE, close=100.0 + n)
        for n in range(MAX_CLOSES + 10)
    )
    view = MarketView(
        symbol="ACME",
        as_of=builders.NOON,
        bar_interval_s=300,
        bars=series_of("ACME", bars[:-1]),
        benchmark_bars=series_of("SPY", ()),
        quote=builders.quote(),
    )
    bench.tell(MarketViewReceived(at=builders.NOON, request_id="r", catalyst_id="c", view=view))
    bench.tell(BarClosed(at=builders.NOON, bar=bars[-2]))
    bench.tell(BarClosed(at=builders.NOON, bar=bars[-1]))
    kept = bench.state.closes["ACME"]
    assert list(kept.prices) == [100.0 + n for n in range(10, MAX_CLOSES + 10)]
    bench.tell(SessionClosed(at=builders.CLOSE, day=builders.CLOSE.date()))
    assert bench.state.closes == {}


def test_closes_of_an_open_trade_stay(bench: Bench, order: ApprovedOrder):
    bar(bench, 0, 101.0)
    bench.tell(SessionClosed(at=builders.CLOSE, day=builders.CLOSE.date()))
    assert list(bench.state.closes) == ["ACME"]


def test_halted_symbols_are_remembered(bench: Bench):
    bench.tell(SymbolHalted(at=builders.NOON, symbol="ACME", code="T1"))
    assert bench.state.halted_symbols == {"ACME"}
    bench.tell(SymbolResumed(at=builders.NOON, symbol="ACME"))
    assert bench.state.halted_symbols == set()


def test_an_exit_carries_the_signal_of_its_entry(bench: Bench, order: ApprovedOrder):
    (approved,) = bar(bench, 24 * 60, 101.0)
    assert approved.order.signal_id == order.signal_id == ids.signal_id(order.catalyst_id)
