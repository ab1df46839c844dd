"""An approved wish is written for the hour of the day and the settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain import ids
from catalyst_bot.domain.account import BrokerOrder
from catalyst_bot.domain.enums import (
    EntryKind,
    ExitReason,
    HaltedSymbols,
    OrderKind,
    ProtectionStep,
    Side,
    TimeInForce,
)
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.news import TradeWish
from catalyst_bot.domain.trading import ApprovedOrder, TradeIntent
from catalyst_bot.risk import evolve, guarding
from catalyst_bot.risk.book import read_book
from catalyst_bot.risk.closes import closes_of
from catalyst_bot.risk.manager import approve_exit, assess, assess_sale
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State, TradePlan
from tests import builders
from tests.builders import CLOSE, NOON, OPEN

NOON_S = int(NOON.timestamp())

LIMIT = Rules(execution=ExecutionRules(entry_kind=EntryKind.LIMIT))
EXTENDED = Rules(execution=ExecutionRules(extended_hours=True))
EARLY = OPEN - timedelta(hours=2)


def entry(rules: Rules, at=NOON, **given) -> ApprovedOrder:
    signal = builders.signal(formed_at=at, **given)
    approved = assess(State(), builders.intent(signal=signal), builders.FakeDesk(now=at), rules)
    assert isinstance(approved, d.OrderApproved), approved
    return approved.order


def refused(rules: Rules, at=NOON, state: State | None = None) -> d.OrderRefused:
    signal = builders.signal(formed_at=at)
    desk = builders.FakeDesk(now=at)
    verdict = assess(state or State(), builders.intent(signal=signal), desk, rules)
    assert isinstance(verdict, d.OrderRefused)
    return verdict


# Entries


def test_a_limit_entry_bids_a_tick_above_the_ask_and_is_sized_at_its_worst_price():
    order = entry(LIMIT)
    assert (order.kind, order.limit_price) == (OrderKind.LIMIT, Decimal("100.02"))
    assert order.worst_price == Decimal("100.31")  # 30 bps above 100.01
    assert order.reference_price == Decimal("100.01")
    assert (order.stop_loss_price, order.take_profit_price) == (Decimal("97.61"), Decimal("107.21"))
    assert not order.extended_hours
    assert order.sizing[-1].size_usd == order.quantity * order.worst_price


@pytest.mark.parametrize(
    ("ticks", "cap_bps", "limit", "worst"),
    [(0, 30, "100.01", "100.31"), (10, 30, "100.11", "100.31"), (10, 5, "100.06", "100.06")],
)
def test_the_cap_bounds_the_ticks(ticks: int, cap_bps: float, limit: str, worst: str):
    working = replace(LIMIT.execution, limit_offset_ticks=ticks, limit_cap_bps=cap_bps)
    order = entry(Rules(execution=working))
    assert (order.limit_price, order.worst_price) == (Decimal(limit), Decimal(worst))


def test_below_a_dollar_ticks_are_finer():
    cheap = builders.quote(bid=1.0098, ask=1.0099)
    order = entry(
        LIMIT, price=1.009, quote=replace(cheap, ask=1.0099), atr=0.004, atr_average=0.004
    )
    assert order.limit_price == Decimal("1.01")  # capped; a cent is 100 bps here
    assert order.limit_price == order.worst_price


@pytest.mark.parametrize("at", [EARLY, CLOSE + timedelta(hours=2)])
def test_around_the_session_an_entry_is_a_limit_whose_stop_the_bot_watches(at):
    order = entry(EXTENDED, at)
    assert (order.kind, order.extended_hours) == (OrderKind.LIMIT, True)
    assert order.time_in_force is TimeInForce.DAY
    assert (order.stop_loss_price, order.take_profit_price) == (None, None)
    assert order.watched_stop_price == Decimal("97.61")
    assert order.watched_target_price == Decimal("107.21")
    assert next(c for c in order.checks if c.name == "session_open").note.startswith("extended")
    state = State()
    evolve.note_approved(state, d.OrderApproved(order=order), at)
    (plan,) = state.plans.values()
    assert (plan.stop_price, plan.take_profit_price) == (Decimal("97.61"), Decimal("107.21"))


def test_in_the_session_the_switch_changes_nothing():
    assert entry(EXTENDED) == entry(Rules())


@pytest.mark.parametrize(
    ("rules", "at"),
    [
        (Rules(), EARLY),
        (EXTENDED, OPEN - timedelta(hours=6)),
        (EXTENDED, CLOSE + timedelta(hours=5)),
    ],
)
def test_at_other_hours_an_entry_is_refused(rules: Rules, at):
    assert refused(rules, at).rule == "session_open"


def test_an_entry_for_a_halted_symbol_is_refused_or_waits_by_setting():
    state = State(halted_symbols={"ACME"})
    assert refused(Rules(), state=state).rule == "symbol_halted"
    queue = Rules(execution=ExecutionRules(halted_symbols=HaltedSymbols.QUEUE))
    verdict = assess(state, builders.intent(), builders.FakeDesk(), queue)
    assert isinstance(verdict, d.OrderApproved)
    check = next(c for c in verdict.order.checks if c.name == "symbol_halted")
    assert "waits" in check.note


# A person's wish


def wish(**given: Decimal) -> TradeIntent:
    catalyst = builders.catalyst(wish=TradeWish(**given), confidence=0.1)
    signal = builders.signal(catalyst=catalyst, strategy_id="manual")
    return builders.intent(signal=signal, confidence=0.1)


@pytest.mark.parametrize(
    ("given", "quantity"),
    [({"usd": Decimal(1000)}, 9), ({"quantity": Decimal(7)}, 7), ({"usd": Decimal(10**9)}, 99)],
)
def test_a_wish_is_one_more_cap(given: dict[str, Decimal], quantity: int):
    approved = assess(State(), wish(**given), builders.FakeDesk(), Rules())
    assert isinstance(approved, d.OrderApproved)
    assert approved.order.quantity == quantity
    check = next(c for c in approved.order.checks if c.name == "confidence")
    assert (check.passed, check.note) == (True, "met: a person asked for this trade")


def test_everything_else_applies_to_a_person_too():
    state = State(halted_symbols={"ACME"})
    verdict = assess(state, wish(usd=Decimal(1000)), builders.FakeDesk(), Rules())
    assert isinstance(verdict, d.OrderRefused)
    assert verdict.rule == "symbol_halted"
    verdict = assess(State(), wish(usd=Decimal(50)), builders.FakeDesk(), Rules())
    assert isinstance(verdict, d.OrderRefused)
    assert verdict.rule == "min_trade"


def request(**given: object) -> f.OperatorTradeRequested:
    values = {"at": NOON, "request_id": "op-1", "by": "me", "side": Side.SELL, "symbol": "ACME"}
    return f.OperatorTradeRequested(**(values | given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "quantity"),
    [
        ({}, 100),
        ({"quantity": Decimal(30)}, 30),
        ({"quantity": Decimal(100)}, 100),
        ({"usd": Decimal(2050)}, 20),
        ({"usd": Decimal(10**30)}, 100),
        ({"usd": Decimal(3)}, 1),
    ],
)
def test_a_person_sells_what_is_held_or_a_part_of_it(given: dict[str, Decimal], quantity: int):
    desk = builders.FakeDesk(positions={"ACME": builders.position()})
    verdict = assess_sale(State(), request(**given), desk, Rules())
    assert isinstance(verdict, d.OrderApproved)
    assert (verdict.order.quantity, verdict.order.exit_reason) == (quantity, ExitReason.OPERATOR)


def test_more_shares_than_are_held_are_not_sold_in_part():
    desk = builders.FakeDesk(positions={"ACME": builders.position()})
    verdict = assess_sale(State(), request(quantity=Decimal(101)), desk, Rules())
    assert isinstance(verdict, d.OrderRefused)
    assert verdict.rule == "held_quantity"


def test_a_sale_of_nothing_is_refused_with_the_reason():
    verdict = assess_sale(State(), request(), builders.FakeDesk(), Rules())
    assert isinstance(verdict, d.OrderRefused)
    assert (verdict.rule, verdict.catalyst_id) == ("shorting", "op-1")


# Exits


def test_an_exit_before_the_open_is_a_limit_through_the_bid():
    desk = builders.FakeDesk(now=EARLY, positions={"ACME": builders.position()})
    position = desk.positions["ACME"]
    reason = ExitReason.STOP_LOSS
    approved = approve_exit(State(), position, reason, desk, rules=EXTENDED, price=Decimal("96.00"))
    assert approved is not None
    order = approved.order
    assert (order.kind, order.extended_hours) == (OrderKind.LIMIT, True)
    assert (order.limit_price, order.worst_price) == (Decimal("95.04"), Decimal("91.20"))
    assert order.cancel_after_s == 60  # four prices, a quarter of a minute each
    regular = approve_exit(State(), position, reason, replace(desk, now=NOON), rules=EXTENDED)
    assert regular is not None
    assert regular.order.kind is OrderKind.MARKET


# Guards


def needed(step: ProtectionStep, quantity: int = 100) -> d.ProtectionNeeded:
    position = builders.position()
    return d.ProtectionNeeded(
        trade_id=position.trade_id,
        catalyst_id=position.catalyst_id,
        symbol="ACME",
        quantity=Decimal(quantity),
        step=step,
        escalation=0,
        detail="no stop",
    )


def plan(stop: str = "97.60", target: str | None = "107.20") -> TradePlan:
    return TradePlan(
        trade_id=builders.position().trade_id,
        catalyst_id="cat-test",
        signal_id=ids.signal_id("cat-test"),
        symbol="ACME",
        stop_price=Decimal(stop),
        take_profit_price=Decimal(target) if target is not None else None,
        horizon_s=None,
        high_water_price=Decimal(100),
        approved_at=NOON,
    )


def answered(state: State, message: d.ProtectionNeeded, last: str = "100") -> list[object]:
    position = builders.position(last_price=Decimal(last))
    desk = builders.FakeDesk(positions={"ACME": position})
    return list(guarding.answer(state, message, desk, Rules()))


def state_with(of_trade: TradePlan) -> State:
    return State(plans={of_trade.trade_id: of_trade})


def test_each_guard_has_an_id_of_its_own():
    state = state_with(plan())
    (first,) = answered(state, needed(ProtectionStep.PLACE_STOP))
    assert isinstance(first, d.OrderApproved)
    evolve.note_approved(state, first, NOON)
    (second,) = answered(state, needed(ProtectionStep.PLACE_STOP))
    assert isinstance(second, d.OrderApproved)
    assert first.order.client_order_id != second.order.client_order_id
    assert state.entries_today == 0
    assert state.plans[first.order.trade_id] == plan()


def test_a_guard_for_more_than_is_held_is_not_approved():
    assert answered(state_with(plan()), needed(ProtectionStep.PLACE_STOP, 101)) == []


@pytest.mark.parametrize(
    ("last", "reason"), [("97.60", ExitReason.STOP_LOSS), ("107.20", ExitReason.TAKE_PROFIT)]
)
def test_a_price_at_stop_or_target_is_an_exit(last: str, reason: ExitReason):
    (left,) = answered(state_with(plan()), needed(ProtectionStep.PLACE_STOP), last)
    assert isinstance(left, d.OrderApproved)
    assert left.order.exit_reason is reason


def test_a_position_of_a_person_is_stopped_below_its_cost_or_its_price():
    (stop,) = answered(State(), needed(ProtectionStep.PLACE_STOP))
    assert isinstance(stop, d.OrderApproved)
    assert stop.order.stop_loss_price == Decimal("95.00")
    (stop,) = answered(State(), needed(ProtectionStep.PLACE_STOP), last="80")
    assert isinstance(stop, d.OrderApproved)
    assert stop.order.stop_loss_price == Decimal("76.00")


def test_a_question_about_a_trade_that_is_over_is_not_answered():
    other = replace(needed(ProtectionStep.LEAVE), trade_id="trd-old")
    assert answered(State(), other) == []


# Memory


def test_a_split_rescales_plans_and_closes():
    state = state_with(plan())
    state.closes["ACME"] = closes_of({NOON_S: 100.0})
    split = f.SplitApplied(
        at=NOON, symbol="ACME", shares_per_share=Decimal(4), effective_on=NOON.date()
    )
    evolve.split(state, split, NOON)
    (scaled,) = state.plans.values()
    assert (scaled.stop_price, scaled.take_profit_price) == (Decimal("24.40"), Decimal("26.80"))
    assert scaled.high_water_price == 25
    assert state.closes["ACME"] == closes_of({NOON_S: 25.0})


def test_a_new_name_is_followed():
    state = state_with(plan())
    state.halted_symbols.add("ACME")
    state.closes["ACME"] = closes_of({NOON_S: 100.0})
    renamed = f.SymbolRenamed(at=NOON, symbol="ACME", new_symbol="NEWA", effective_on=NOON.date())
    evolve.rename(state, renamed, NOON)
    (followed,) = state.plans.values()
    assert followed.symbol == "NEWA"
    assert state.halted_symbols == {"NEWA"}
    assert list(state.closes) == ["NEWA"]


@pytest.mark.parametrize(
    ("given", "usd"),
    [
        ({"side": Side.BUY, "limit_price": Decimal(90)}, 5_400),
        ({"side": Side.BUY}, 6_060),
        ({}, 6_060),
        ({"side": Side.SELL}, 0),
    ],
)
def test_a_persons_open_purchase_counts_as_exposure(given: dict[str, object], usd: int):
    theirs = BrokerOrder(
        client_order_id="x",
        broker_order_id="b",
        symbol="ELSE",
        quantity=Decimal(100),
        filled_quantity=Decimal(40),
        **given,  # type: ignore[arg-type]
    )
    state = State(closes={"ELSE": closes_of({NOON_S: 101.0})})
    book = read_book(state, builders.FakeDesk(foreign_orders={"x": theirs}), Rules().limits)
    assert book.exposure_usd == usd


# Numbers of tries


def test_numbers_that_the_broker_knows_from_a_lost_journal_are_left_out():
    """Each try has an id of its own, before and after the journal was restored."""
    held, lost = builders.position(), ids.client_order_id
    signal_id = ids.signal_id(held.catalyst_id)
    state = State(exits_of_trade={held.trade_id: 1})
    desk = builders.FakeDesk(
        positions={held.symbol: held},
        lost_order_ids={lost(signal_id, "exit-2"), lost(signal_id, "exit-4")},
    )
    given = []
    for _ in range(3):
        approved = approve_exit(state, held, ExitReason.TIME_EXIT, desk, rules=Rules())
        assert approved is not None
        given.append(approved.order.client_order_id)
        state.exits_of_trade[held.trade_id] += 1
    assert given == [lost(signal_id, f"exit-{number}") for number in (3, 5, 6)]
