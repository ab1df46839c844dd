"""What the stage remembers of a day, a trade and a strategy, and when it forgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import (
    HaltCause,
    Mode,
    OrderRole,
    PositionsPolicy,
    TradingState,
)
from catalyst_bot.domain.messages.decisions import (
    OrderApproved,
    PositionClosed,
    PositionOpened,
    TradingHalted,
    TradingResumed,
)
from catalyst_bot.domain.messages.facts import (
    BarClosed,
    OperatorOverrode,
    RunStarted,
    SessionClosed,
    SessionOpened,
)
from catalyst_bot.risk.evolve import MAX_CLOSES, MAX_REQUESTS
from catalyst_bot.risk.records import add_to_streak, add_trade
from catalyst_bot.risk.state import ORDER_WINDOW, PendingEntry, StrategyRecord
from tests import builders
from tests.unit.risk.bench import Bench, trade
from tests.unit.risk.test_edges import plan

NOON, MINUTE = builders.NOON, timedelta(minutes=1)
OPENED = SessionOpened(at=builders.OPEN, day=builders.OPEN.date(), closes_at=builders.CLOSE)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def approved(at: Any = NOON, **given: Any) -> OrderApproved:
    return OrderApproved(order=builders.approved_order(approved_at=at, **given))


# A run


def test_a_run_says_what_is_approved(bench: Bench):
    started = RunStarted(
        at=NOON,
        run_id="r",
        mode=Mode.BACKTEST,
        broker="test",
        code_version="0",
        settings="{}",
        inputs_hash="",
        model_id="model-7",
        limits_hash="lim-7",
        starting_cash_usd=Decimal(1),
        wall_started_at=NOON,
    )
    bench.state.broker_failed_at = NOON
    bench.remember(started)
    state = bench.state
    assert (state.limits_hash, state.model_id, state.broker_name) == ("lim-7", "model-7", "test")
    assert state.broker_failed_at is None


# A day


def test_what_waited_for_its_verdict_is_gone_at_the_open(bench: Bench):
    bench.state.pending = {"sig": PendingEntry(symbol="ACME", horizon_s=1.0)}
    bench.remember(OPENED)
    assert bench.state.pending == {}


@pytest.mark.parametrize(("after_s", "is_kept"), [(-1, False), (0, True), (1, True)])
def test_an_entry_decided_after_the_close_waits_for_the_open(
    bench: Bench, after_s: int, is_kept: bool
):
    closed = SessionClosed(at=builders.CLOSE, day=builders.CLOSE.date())
    bench.remember(closed, builders.CLOSE)
    decided = approved(at=builders.CLOSE + timedelta(seconds=after_s))
    bench.remember(decided)
    bench.remember(OPENED)
    assert (decided.order.trade_id in bench.state.plans) is is_kept


def test_before_the_first_close_no_entry_waits_for_an_open(bench: Bench):
    bench.remember(approved())
    bench.remember(OPENED)
    assert bench.state.plans == {}


def test_orders_count_for_a_minute(bench: Bench):
    for seconds in (0, 1, 60):
        bench.remember(approved(client_order_id=f"cb-{seconds}"), NOON + timedelta(seconds=seconds))
    assert timedelta(seconds=60) == ORDER_WINDOW
    assert bench.state.approved_at == (NOON + timedelta(seconds=1), NOON + ORDER_WINDOW)


# A trade


def test_of_a_closed_trade_nothing_stays(bench: Bench):
    held = builders.position()
    bench.remember(PositionOpened(position=held))
    for role in (OrderRole.EXIT, OrderRole.STOP_LOSS, OrderRole.STOP_LOSS):
        order = replace(approved().order, role=role, trade_id=held.trade_id)
        bench.remember(OrderApproved(order=order))
    state = bench.state
    assert state.trade_held == {"ACME": held.trade_id}
    assert state.last_exit_at == {held.trade_id: NOON}
    assert state.exits_of_trade == {held.trade_id: 1}
    assert state.guards_of_trade == {held.trade_id: 2}
    bench.remember(PositionClosed(trade=trade(0.01, trade_id=held.trade_id)))
    kept = (state.trade_held, state.last_exit_at, state.exits_of_trade, state.guards_of_trade)
    assert kept == ({}, {}, {}, {})


@pytest.mark.parametrize(("high", "kept"), [(100.0, "100"), (100.01, "100.01")])
def test_only_a_higher_price_is_the_highest(bench: Bench, high: float, kept: str):
    before = plan("ACME")
    bench.state.plans = {before.trade_id: before}
    bench.state.trade_held = {"ACME": before.trade_id}
    bar = builders.bar(opened_at=NOON, high=high, close=99.0)
    bench.remember(BarClosed(at=bar.closed_at, bar=bar))
    assert str(bench.state.plans[before.trade_id].high_water_price) == kept


def test_words_of_a_person_are_remembered_up_to_a_bound(bench: Bench):
    for number in range(MAX_REQUESTS + 1):
        word = OperatorOverrode(
            at=NOON,
            override_id=f"ovr-{number}",
            by="ada",
            reason="",
            intent_id="",
            rule="",
            symbol="",
            expires_at=NOON,
        )
        bench.remember(word)
    assert len(bench.state.heard_overrides) == MAX_REQUESTS
    assert "ovr-0" not in bench.state.heard_overrides


def test_cheap_prices_are_prices_and_the_newest_word_on_a_bar_counts(bench: Bench):
    for close in (0.5, 0.25):
        bar = builders.bar(opened_at=NOON, close=close, high=close)
        bench.remember(BarClosed(at=bar.closed_at, bar=bar))
    assert list(bench.state.closes["ACME"].values()) == [0.25]


def test_as_many_closes_as_fit_are_kept(bench: Bench):
    for number in range(MAX_CLOSES):
        bar = builders.bar(opened_at=NOON + 5 * number * MINUTE, close=1.0 + number)
        bench.remember(BarClosed(at=bar.closed_at, bar=bar))
    assert len(bench.state.closes["ACME"]) == MAX_CLOSES


def test_a_resume_leaves_nothing_of_the_halt(bench: Bench):
    policy = PositionsPolicy.HOLD
    halted = TradingHalted(cause=HaltCause.DAILY_LOSS, positions_policy=policy, detail="3 %")
    bench.remember(halted)
    assert bench.state.halt_cause is HaltCause.DAILY_LOSS
    bench.remember(TradingResumed(by="ada", reason="reviewed"))
    state = bench.state
    assert (state.trading_state, state.halt_cause) == (TradingState.ACTIVE, None)
    assert state.halt_detail == ""


# A strategy


@pytest.mark.parametrize(
    ("pnl_usd", "wins", "in_a_row"), [("-0.01", 0, 3), ("0", 1, 0), ("0.01", 1, 0)]
)
def test_a_trade_that_comes_out_even_is_no_loss(pnl_usd: str, wins: int, in_a_row: int):
    done = trade(0.0, pnl_usd=Decimal(pnl_usd))
    record = add_trade(StrategyRecord(consecutive_losses=2), done)
    assert (record.trades, record.wins, record.consecutive_losses) == (1, wins, in_a_row)
    streak = add_to_streak((NOON,), done)
    assert streak == ((NOON, done.exit_at) if in_a_row else ())


def test_wins_and_losses_add_up_apart():
    record = StrategyRecord()
    for result in (0.04, -0.03, 0.02, -0.01):
        record = add_trade(record, trade(result))
    assert record.win_fraction_sum == pytest.approx(0.06)
    assert record.loss_fraction_sum == pytest.approx(0.04)
    assert record.returns == (0.04, -0.03, 0.02, -0.01)
