"""From an intent to an order, or to a refusal that says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import nan

import pytest

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import (
    ExitReason,
    OrderKind,
    OrderRole,
    Side,
    TimeInForce,
    TradingState,
)
from catalyst_bot.domain.messages.decisions import OrderApproved, OrderRefused
from catalyst_bot.risk.check_table import ENTRY_CHECKS
from catalyst_bot.risk.manager import approve_exit, assess
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State, StrategyRecord
from tests import builders

RULES = Rules()


def test_an_entry_is_a_protected_bracket():
    intent = builders.intent()
    approved = assess(State(), intent, builders.FakeDesk(), RULES)
    assert isinstance(approved, OrderApproved)
    order = approved.order
    assert order.client_order_id == ids.client_order_id(intent.signal.signal_id, "entry")
    assert order.trade_id == ids.trade_id(order.client_order_id)
    assert (order.role, order.side, order.kind) == (
        OrderRole.ENTRY,
        Side.BUY,
        OrderKind.MARKET,
    )
    assert order.time_in_force is TimeInForce.DAY
    assert order.reference_price == Decimal("100.01")  # the ask is dearer than the last price
    assert order.quantity == 99
    assert order.stop_loss_price == Decimal("97.61")
    assert order.take_profit_price == Decimal("107.21")
    assert len(order.checks) == len(ENTRY_CHECKS)
    assert order.sizing[-1].size_usd == order.quantity * order.reference_price
    assert order.approved_at == builders.NOON


def test_a_refusal_keeps_every_check_and_names_the_first_that_failed():
    state = State(
        trading_state=TradingState.HALTED,
        strategies={"news-rule": StrategyRecord(consecutive_losses=3)},
    )
    intent = builders.intent()
    refused = assess(state, intent, builders.FakeDesk(), RULES)
    assert isinstance(refused, OrderRefused)
    assert refused.rule == "trading_state"
    assert [c.name for c in refused.checks if not c.passed] == [
        "trading_state",
        "consecutive_losses",
    ]
    assert len(refused.checks) == len(ENTRY_CHECKS)
    assert refused.sizing
    assert (refused.intent_id, refused.side) == (intent.intent_id, Side.BUY)


@pytest.mark.parametrize("price", [1e308, 20_000_000.0])
def test_what_no_share_costs_is_not_bought(price: float):
    wild = builders.quote(bid=price, ask=price)
    intent = builders.intent(signal=builders.signal(quote=wild))
    assert isinstance(assess(State(), intent, builders.FakeDesk(), RULES), OrderRefused)


def test_a_nan_action_buys_nothing():
    refused = assess(State(), builders.intent(action=nan), builders.FakeDesk(), RULES)
    assert isinstance(refused, OrderRefused)
    assert refused.rule == "finite_inputs"


@pytest.mark.parametrize(
    "intent",
    [builders.intent(side=Side.SELL, action=-0.8), builders.intent(side=Side.BUY, action=-0.8)],
)
def test_a_wish_to_sell_leaves_the_whole_position_even_when_halted(intent):
    state = State(trading_state=TradingState.HALTED)
    held = builders.position(catalyst_id="cat-old")
    desk = builders.FakeDesk(
        positions={"ACME": held},
        trading_state=TradingState.HALTED,
        now=builders.CLOSE + timedelta(hours=1),
    )
    approved = assess(state, intent, desk, RULES)
    assert isinstance(approved, OrderApproved)
    order = approved.order
    assert (order.role, order.side, order.quantity) == (OrderRole.EXIT, Side.SELL, Decimal(100))
    assert order.exit_reason is ExitReason.NEGATIVE_NEWS
    assert order.trade_id == held.trade_id
    assert order.signal_id == ids.signal_id("cat-old")
    assert order.stop_loss_price is None


def test_nothing_is_sold_short():
    refused = assess(State(), builders.intent(side=Side.SELL), builders.FakeDesk(), RULES)
    assert isinstance(refused, OrderRefused)
    assert refused.rule == "shorting"


def test_one_exit_at_a_time_and_a_new_id_for_each_try():
    state, held = State(), builders.position()
    desk = builders.FakeDesk(positions={"ACME": held})
    first = approve_exit(state, held, ExitReason.TIME_EXIT, desk, rules=RULES)
    again = approve_exit(state, held, ExitReason.HALT, desk, rules=RULES)
    assert first is not None
    assert again is not None
    assert first.order.client_order_id == again.order.client_order_id
    desk.orders = {"cb-exit": builders.ticket(role=OrderRole.EXIT, side=Side.SELL)}
    assert approve_exit(state, held, ExitReason.HALT, desk, rules=RULES) is None
    refused = assess(state, builders.intent(side=Side.SELL), desk, RULES)
    assert isinstance(refused, OrderRefused)
    assert refused.rule == "exit_working"
    desk.orders = {}
    state.exits_of_trade = {held.trade_id: 1}
    second = approve_exit(state, held, ExitReason.HALT, desk, rules=RULES)
    assert second is not None
    assert second.order.client_order_id != first.order.client_order_id


def test_an_oversized_wish_is_cut_to_a_fifth_of_the_account():
    generous = replace(RULES.sizing, kelly_divisor=1.0, risk_per_trade_fraction=1.0)
    approved = assess(
        State(), builders.intent(), builders.FakeDesk(), replace(RULES, sizing=generous)
    )
    assert isinstance(approved, OrderApproved)
    assert 19_900 < approved.order.quantity * approved.order.reference_price <= 20_000
