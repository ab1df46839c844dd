"""A position that is guarded: where it is left, and which rule refuses to leave it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain import ids
from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import (
    ExitReason,
    OrderRole,
    OrderStatus,
    ProtectionStep,
    Side,
)
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages.decisions import (
    OrderRefused,
    ProtectionNeeded,
)
from catalyst_bot.domain.messages.facts import (
    QuoteSampled,
)
from catalyst_bot.risk import guarding
from catalyst_bot.risk.manager import assess, assess_sale
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State
from tests import builders
from tests.unit.risk.bench import Bench
from tests.unit.risk.test_edges import plan, request

NOON, MINUTE = builders.NOON, timedelta(minutes=1)


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def held(bench: Bench) -> Bench:
    bench.desk.positions = {"ACME": builders.position()}
    before = replace(plan("ACME"), trade_id=builders.position().trade_id)
    bench.state.plans = {before.trade_id: replace(before, take_profit_price=Decimal(110))}
    return bench


def stop_needed(position: Position) -> ProtectionNeeded:
    return ProtectionNeeded(
        trade_id=position.trade_id,
        catalyst_id="cat-test",
        symbol="ACME",
        quantity=Decimal(100),
        step=ProtectionStep.PLACE_STOP,
        escalation=1,
        detail="",
    )


def place(bench: Bench, last_price: str) -> list[Any]:
    position = builders.position(last_price=Decimal(last_price))
    bench.desk.positions = {"ACME": position}
    return bench.decide(stop_needed(position))


@pytest.mark.parametrize(
    ("last_price", "reason"),
    [
        ("95", ExitReason.STOP_LOSS),
        ("95.01", ExitReason.TAKE_PROFIT),
        ("109.99", ExitReason.TAKE_PROFIT),
        ("110", ExitReason.TAKE_PROFIT),
    ],
)
def test_a_price_at_its_stop_or_target_is_left(held: Bench, last_price: str, reason: ExitReason):
    (told,) = place(held, last_price)
    is_out = last_price in {"95", "110"}
    assert told.order.role is (OrderRole.EXIT if is_out else OrderRole.TAKE_PROFIT)
    assert told.order.exit_reason is reason


def test_a_stop_that_trailed_is_left_under_its_name(held: Bench):
    (trade_id,) = held.state.plans
    assert place(held, "94")[0].order.exit_reason is ExitReason.STOP_LOSS
    held.state.plans[trade_id] = replace(held.state.plans[trade_id], is_trailing=True)
    assert place(held, "94")[0].order.exit_reason is ExitReason.TRAILING_STOP


@pytest.mark.parametrize(
    ("is_trailing", "reason"),
    [(True, ExitReason.TRAILING_STOP), (False, ExitReason.STOP_LOSS)],
)
def test_a_new_stop_says_whether_it_trailed(held: Bench, is_trailing: bool, reason: ExitReason):
    (trade_id,) = held.state.plans
    held.state.plans[trade_id] = replace(
        held.state.plans[trade_id], is_trailing=is_trailing, take_profit_price=None
    )
    (told,) = place(held, "100")
    assert (told.order.role, told.order.exit_reason) == (OrderRole.STOP_LOSS, reason)


@pytest.mark.parametrize(("stop_price", "stop"), [("0", "95"), ("0.50", "0.50")])
def test_a_plan_of_any_price_is_a_plan(stop_price: str, stop: str):
    rules = Rules()
    position = builders.position(average_cost=Decimal(100), last_price=Decimal(100))
    made = replace(plan("ACME"), stop_price=Decimal(stop_price))
    assert guarding.stop_of(position, None, rules) == Decimal(95)
    assert guarding.stop_of(position, made, rules) == Decimal(stop)


@pytest.mark.parametrize(("stop_price", "passed"), [("0", False), ("0.01", True)])
def test_a_stop_needs_a_price(stop_price: str, passed: bool):
    desk, position = builders.FakeDesk(), builders.position()
    checks = guarding.check_guard(position, Decimal(100), Decimal(stop_price), desk)
    assert checks[-1].passed is passed


def quoted(bench: Bench, bid: float, ask: float) -> list[Any]:
    return bench.decide(
        QuoteSampled(at=NOON, quote=builders.quote(at=bench.desk.now, bid=bid, ask=ask))
    )


def test_the_middle_of_a_quote_at_the_stop_touches_it(held: Bench):
    assert quoted(held, 95.0, 95.02) == []
    (told,) = quoted(held, 94.99, 95.01)
    assert told.order.exit_reason is ExitReason.STOP_LOSS


def test_the_target_is_the_venues_in_the_session_and_ours_around_it(held: Bench):
    (told,) = quoted(held, 110.0, 110.02)
    assert told.order.exit_reason is ExitReason.TAKE_PROFIT
    assert quoted(held, 109.99, 110.01) == []
    target = builders.ticket(
        trade_id=builders.position().trade_id, role=OrderRole.TAKE_PROFIT, side=Side.SELL
    )
    held.desk.orders = {"target": target}
    assert quoted(held, 110.0, 110.02) == []
    held.desk.orders = {"target": replace(target, status=OrderStatus.HELD)}
    assert quoted(held, 110.0, 110.02) != []
    held.desk.orders = {"target": target}
    held.rules = Rules(execution=ExecutionRules(extended_hours=True))
    held.desk.now = builders.CLOSE + MINUTE
    assert quoted(held, 110.0, 110.02) != []


@pytest.mark.parametrize(
    ("tries", "pause_s"), [(0, 2.5), (1, 5.0), (3, 20.0), (6, 160.0), (7, 300.0), (40, 300.0)]
)
def test_each_try_waits_twice_as_long_up_to_a_bound(held: Bench, tries: int, pause_s: float):
    trade_id = builders.position().trade_id
    held.state.last_exit_at = {trade_id: NOON}
    if tries:
        held.state.exits_of_trade = {trade_id: tries}
    held.desk.now = NOON + timedelta(seconds=pause_s - 0.1)
    assert quoted(held, 90.0, 90.02) == []
    held.desk.now = NOON + timedelta(seconds=pause_s)
    assert quoted(held, 90.0, 90.02) != []


# What is refused, by which rule


def test_a_sale_that_is_refused_names_its_rule(held: Bench):
    working = builders.ticket(
        trade_id=builders.position().trade_id, role=OrderRole.EXIT, side=Side.SELL
    )
    held.desk.orders = {"exit": working}
    refused = assess_sale(held.state, request(), held.desk, held.rules)
    assert isinstance(refused, OrderRefused)
    assert (refused.rule, refused.signal_id) == ("exit_working", ids.signal_id("op-1"))
    held.desk.orders, held.desk.positions = {}, {}
    nothing = assess_sale(held.state, request(), held.desk, held.rules)
    assert isinstance(nothing, OrderRefused)
    assert nothing.rule == "shorting"


def test_a_wish_to_sell_without_numbers_has_one_check():
    wild = builders.intent(side=Side.SELL, confidence=float("nan"))
    refused = assess(State(), wild, builders.FakeDesk(), Rules())
    assert isinstance(refused, OrderRefused)
    assert [check.name for check in refused.checks] == ["finite_inputs"]
    wished = assess(State(), replace(wild, side=Side.BUY), builders.FakeDesk(), Rules())
    assert isinstance(wished, OrderRefused)
    assert len(wished.checks) > 1


def test_no_action_is_no_wish_to_buy():
    refused = assess(State(), builders.intent(action=0.0), builders.FakeDesk(), Rules())
    assert isinstance(refused, OrderRefused)
    assert refused.rule == "shorting"


def test_each_new_guard_has_an_id_of_its_own(bench: Bench):
    held = builders.position()
    bench.desk.positions = {"ACME": held}
    needed = stop_needed(held)
    order_ids = set()
    for _ in range(3):
        (answer,) = bench.tell(needed)
        order_ids.add(answer.order.client_order_id)
    assert len(order_ids) == 3
