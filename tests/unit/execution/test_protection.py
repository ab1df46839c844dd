"""No position without a stop at the broker or a watch for longer than the grace."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    OrderKind,
    OrderRole,
    OrderStatus,
    ProtectedBy,
    ProtectionStep,
    Severity,
    Side,
    TimeInForce,
)
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import ApprovedOrder, stop_leg_id, target_leg_id
from tests.builders import CLOSE, NOON, OPEN, approved_order, fill, quote, ticket
from tests.stages import Stages, of_type

ENTRY = approved_order()
ENTRY_ID, TRADE_ID = ENTRY.client_order_id, ENTRY.trade_id
STOP_ID, TARGET_ID = stop_leg_id(ENTRY_ID), target_leg_id(ENTRY_ID)
GUARD = f"guard:{TRADE_ID}"
NAKED_S = 2.0
EXTENDED = ExecutionRules(extended_hours=True)
PRE_OPEN = OPEN - timedelta(hours=2)


def bought(working: ExecutionRules | None = None, at: datetime = NOON) -> Stages:
    """An entry of 100 ACME, filled; its legs are not confirmed yet."""
    stages = Stages(working=working or ExecutionRules(), now=at)
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    stages.fill(ENTRY_ID)
    return stages


def held(working: ExecutionRules | None = None, at: datetime = NOON) -> Stages:
    stages = bought(working, at)
    stages.accept(STOP_ID)
    stages.accept(TARGET_ID)
    return stages


def watched_entry() -> ApprovedOrder:
    """A limit entry before the open: no legs, the bot watches."""
    return replace(
        ENTRY,
        kind=OrderKind.LIMIT,
        limit_price=Decimal("100.10"),
        worst_price=Decimal("100.30"),
        extended_hours=True,
        stop_loss_price=None,
        take_profit_price=None,
        watched_stop_price=Decimal("97.60"),
        watched_target_price=Decimal("107.20"),
    )


def before_the_open(at: datetime = PRE_OPEN) -> Stages:
    stages = Stages(working=EXTENDED, now=at)
    stages.approve(watched_entry())
    stages.accept(ENTRY_ID)
    sample(stages)
    stages.fill(ENTRY_ID)
    return stages


def sample(stages: Stages, price: float = 100.0, symbol: str = "ACME") -> list[object]:
    given = {"bid": round(price - 0.01, 2), "ask": round(price + 0.01, 2)}
    return stages.handle(f.QuoteSampled(at=stages.now, quote=quote(symbol, at=stages.now, **given)))


def protection(stages: Stages) -> ProtectedBy:
    return stages.execution.guards[TRADE_ID].protected_by


def submitted(said: list[object]) -> list[ApprovedOrder]:
    return [m.order for m in of_type(said, c.SubmitOrder)]


def pages(said: list[object]) -> list[str]:
    notes = of_type(said, c.SendNotification)
    return [note.text for note in notes if note.severity is Severity.CRITICAL]


def reject(stages: Stages, order_id: str) -> list[object]:
    return stages.handle(f.OrderRejected(at=stages.now, client_order_id=order_id, reason="no"))


# What is said


def test_a_position_is_naked_until_its_stop_is_confirmed():
    stages = bought()
    assert protection(stages) is ProtectedBy.NONE
    (timer,) = [m for m in of_type(stages.said, c.SetTimer) if m.timer_id == GUARD]
    assert timer.due_at == NOON + timedelta(seconds=NAKED_S)
    said = stages.accept(STOP_ID)
    assert [m.protected_by for m in of_type(said, d.ProtectionChanged)] == [ProtectedBy.BROKER_STOP]
    assert c.ClearTimer(timer_id=GUARD) in said
    assert not of_type(stages.said, d.ProtectionNeeded)


def test_the_stop_of_a_part_protects_that_part():
    stages = Stages()
    stages.approve(ENTRY)
    stages.fill(ENTRY_ID, quantity=Decimal(30))
    stages.accept(STOP_ID)
    assert protection(stages) is ProtectedBy.BROKER_STOP


def test_an_exit_at_work_is_said_and_a_closed_position_forgotten():
    stages = held()
    exit_ = exit_order()
    stages.approve(exit_)
    stages.cancel(STOP_ID)
    assert protection(stages) is ProtectedBy.NONE  # its exit still waits for the target to go
    stages.cancel(TARGET_ID)
    assert protection(stages) is ProtectedBy.LEAVING
    said = stages.fill(exit_.client_order_id, side=Side.SELL, fill_id="out")
    assert c.ClearTimer(timer_id=GUARD) in said
    assert not stages.execution.guards
    assert not of_type(stages.said, d.ProtectionNeeded)


def exit_order(quantity: int = 100) -> ApprovedOrder:
    return replace(
        ENTRY,
        client_order_id="cb-exit",
        role=OrderRole.EXIT,
        side=Side.SELL,
        quantity=Decimal(quantity),
        stop_loss_price=None,
        take_profit_price=None,
        exit_reason=ExitReason.TIME_EXIT,
    )


# A lost stop


def lost() -> tuple[Stages, list[object]]:
    """Both legs were cancelled at the broker and nobody asked for it."""
    stages = held()
    said = stages.cancel(STOP_ID, "by hand")
    return stages, said + stages.cancel(TARGET_ID, "one cancels other")


def test_a_lost_stop_is_asked_for_at_once_and_placed_when_its_sibling_is_off():
    stages = held()
    said = stages.cancel(STOP_ID, "by hand")
    (needed,) = of_type(said, d.ProtectionNeeded)
    assert (needed.step, needed.quantity) == (ProtectionStep.PLACE_STOP, 100)
    assert [m.client_order_id for m in of_type(said, c.CancelOrder)] == [TARGET_ID]
    assert not submitted(said)
    (pair,) = submitted(stages.cancel(TARGET_ID))
    assert (pair.role, pair.kind, pair.side) == (OrderRole.TAKE_PROFIT, OrderKind.LIMIT, Side.SELL)
    assert pair.time_in_force is TimeInForce.GTC
    assert (pair.limit_price, pair.stop_loss_price) == (Decimal("107.20"), Decimal("97.60"))
    assert not of_type(stages.said, d.MismatchFound)


def test_a_confirmed_pair_protects_with_both_halves():
    stages, said = lost()
    (pair,) = submitted(said)
    stages.accept(pair.client_order_id)
    assert protection(stages) is ProtectedBy.BROKER_STOP
    stop = stages.execution.open_tickets[stop_leg_id(pair.client_order_id)]
    assert (stop.status, stop.stop_price) == (OrderStatus.WORKING, Decimal("97.60"))


@pytest.mark.parametrize("leg", ["stop", "target"])
def test_one_half_of_a_pair_sells_and_ends_the_other(leg: str):
    stages, said = lost()
    target_id = submitted(said)[0].client_order_id
    stop_id = stop_leg_id(target_id)
    stages.accept(target_id)
    order_id = stop_id if leg == "stop" else target_id
    other_id = target_id if leg == "stop" else stop_id
    stages.fill(order_id, side=Side.SELL, quantity=Decimal(40), fill_id="part")
    assert stages.execution.open_tickets[other_id].quantity == 60
    assert protection(stages) is ProtectedBy.BROKER_STOP
    said = stages.fill(order_id, side=Side.SELL, quantity=Decimal(60), fill_id="rest")
    (closed,) = of_type(said, d.PositionClosed)
    wanted = ExitReason.STOP_LOSS if leg == "stop" else ExitReason.TAKE_PROFIT
    assert closed.trade.exit_reason is wanted
    assert not stages.execution.open_tickets


def test_a_lapsed_stop_and_a_cancelled_parent_are_re_armed():
    stages = held()
    stages.handle(f.OrderExpired(at=NOON, client_order_id=TARGET_ID))
    said = stages.handle(f.OrderExpired(at=NOON, client_order_id=STOP_ID))
    assert [order.quantity for order in submitted(said)] == [100]

    stages = Stages()
    stages.approve(ENTRY)
    stages.fill(ENTRY_ID, quantity=Decimal(30))
    stages.cancel(ENTRY_ID, "timeout")
    stages.cancel(TARGET_ID, "parent cancelled")
    said = stages.cancel(STOP_ID, "parent cancelled")
    assert [order.quantity for order in submitted(said)] == [30]


def test_a_late_fill_of_a_cancelled_entry_gets_a_stop():
    stages = Stages()
    stages.approve(ENTRY)
    stages.cancel(ENTRY_ID)
    said = stages.fill(ENTRY_ID, quantity=Decimal(10))
    assert of_type(said, d.PositionOpened)
    assert [order.quantity for order in submitted(said)] == [10]


def test_a_stop_that_waits_is_sent_as_high_as_it_was_raised_meanwhile():
    stages = held()
    stages.cancel(STOP_ID, "by hand")
    stages.handle(raised(Decimal(102)))
    (pair,) = submitted(stages.cancel(TARGET_ID))
    assert pair.stop_loss_price == 102


def test_a_leg_that_goes_live_is_moved_to_where_its_stop_was_raised_meanwhile():
    stages = bought()
    assert not of_type(stages.handle(raised(Decimal(97))), c.ReplaceOrder)  # never down
    stages.handle(raised(Decimal(102)))
    moved = of_type(stages.accept(STOP_ID), c.ReplaceOrder)
    assert [(m.client_order_id, m.stop_price) for m in moved] == [(STOP_ID, 102)]
    assert not of_type(stages.accept(STOP_ID), c.ReplaceOrder)


def raised(price: Decimal) -> d.StopMoved:
    return d.StopMoved(
        trade_id=TRADE_ID,
        catalyst_id=ENTRY.catalyst_id,
        symbol="ACME",
        old_stop_price=Decimal("97.60"),
        stop_price=price,
        high_water_price=Decimal(105),
        is_trailing=True,
    )


def test_a_stop_that_goes_out_now_is_not_asked_for_again():
    """Else the second one cancels it to take its place, and so on without end."""
    stages = held()
    sample(stages)
    stages.cancel(STOP_ID, "by hand")
    (first,) = submitted(stages.cancel(TARGET_ID))
    second = replace(first, client_order_id="cb-second")
    stages.approve(second)
    stages.accept(first.client_order_id)
    assert protection(stages) is ProtectedBy.BROKER_STOP
    stages.cancel(first.client_order_id)
    said = stages.cancel(stop_leg_id(first.client_order_id))
    assert submitted(said) == [second]
    assert protection(stages) is ProtectedBy.WATCHER
    assert not of_type(said, d.ProtectionNeeded)


def test_an_exit_takes_the_place_of_a_stop_that_waits():
    stages = held()
    stages.cancel(STOP_ID, "by hand")
    said = stages.approve(exit_order())
    assert [m.reason for m in of_type(said, d.OrderWithdrawn)] == ["an exit goes first"]
    assert [o.role for o in submitted(stages.cancel(TARGET_ID))] == [OrderRole.EXIT]


@pytest.mark.parametrize("role", [OrderRole.EXIT, OrderRole.STOP_LOSS])
def test_what_is_being_sent_is_not_sent_again_by_what_stands_behind_it_in_line(role: OrderRole):
    stages = held()
    stages.cancel(STOP_ID, "by hand")
    (pair,) = submitted(stages.cancel(TARGET_ID))
    stages.handle(f.OrderRejected(at=NOON, client_order_id=pair.client_order_id, reason="no"))
    order = exit_order()
    if role is OrderRole.STOP_LOSS:
        order = replace(pair, client_order_id="cb-stop", role=role, kind=OrderKind.STOP)
    changed = d.PositionChanged(position=stages.portfolio.positions["ACME"])
    said = stages.handle(d.OrderApproved(order=order), changed)
    assert [o.client_order_id for o in submitted(said)] == [order.client_order_id]


def test_a_second_exit_behind_the_first_is_abandoned():
    stages = held()
    for leg_id in (STOP_ID, TARGET_ID):
        stages.cancel(leg_id, "by hand")
    second = replace(exit_order(), client_order_id="cb-exit-2")
    stages.handle(d.OrderApproved(order=exit_order()), d.OrderApproved(order=second))
    assert stages.execution.ticket("cb-exit-2").status is OrderStatus.ABANDONED


def test_a_partial_exit_leaves_the_rest_under_a_stop():
    stages = held()
    stages.approve(exit_order(30))
    stages.cancel(STOP_ID)
    sold, pair = submitted(stages.cancel(TARGET_ID))
    assert (sold.role, sold.quantity) == (OrderRole.EXIT, 30)
    assert (pair.role, pair.quantity) == (OrderRole.TAKE_PROFIT, 70)
    stages.accept(pair.client_order_id)
    stages.fill("cb-exit", side=Side.SELL, quantity=Decimal(30), fill_id="out")
    assert protection(stages) is ProtectedBy.BROKER_STOP
    assert stages.portfolio.positions["ACME"].quantity == 70


def test_stops_for_more_than_is_held_are_replaced_by_the_right_one():
    stages = held()
    foreign = f.ForeignFilled(at=NOON, fill=foreign_sale(40))
    said = stages.handle(foreign)
    assert {m.client_order_id for m in of_type(said, c.CancelOrder)} == {STOP_ID, TARGET_ID}
    stages.cancel(TARGET_ID)
    (pair,) = submitted(stages.cancel(STOP_ID))
    assert pair.quantity == 60


def foreign_sale(quantity: int) -> object:
    return fill(
        client_order_id="theirs",
        side=Side.SELL,
        quantity=Decimal(quantity),
        fee_usd=Decimal(0),
        fill_id="theirs-1",
    )


# The grace


def fire(stages: Stages, seconds: float = NAKED_S) -> list[object]:
    stages.wait(seconds)
    return stages.fire(GUARD)


def steps(said: list[object]) -> list[ProtectionStep]:
    return [m.step for m in of_type(said, d.ProtectionNeeded)]


def test_an_unconfirmed_stop_is_asked_about_then_the_position_is_left():
    stages = bought()
    said = fire(stages)
    assert steps(said) == [ProtectionStep.ASK_BROKER]
    assert of_type(said, c.LookUpOrder) == [c.LookUpOrder(client_order_id=STOP_ID)]
    assert len(pages(said)) == 1
    said = fire(stages)
    assert steps(said) == [ProtectionStep.LEAVE]
    assert len(pages(said)) == 1
    assert {m.client_order_id for m in of_type(said, c.CancelOrder)} == {STOP_ID, TARGET_ID}
    stages.cancel(TARGET_ID)
    (left,) = submitted(stages.cancel(STOP_ID))
    assert (left.role, left.exit_reason) == (OrderRole.EXIT, ExitReason.UNPROTECTED)


def test_a_look_up_that_finds_the_stop_ends_the_alarm():
    stages = bought()
    fire(stages)
    theirs = ticket(
        client_order_id=STOP_ID,
        status=OrderStatus.WORKING,
        role=OrderRole.STOP_LOSS,
        side=Side.SELL,
    )
    answer = f.OrderLookedUp(at=stages.now, client_order_id=STOP_ID, ticket=theirs)
    stages.handle(answer)
    assert protection(stages) is ProtectedBy.BROKER_STOP
    assert fire(stages) == []


def test_a_stop_that_is_refused_again_leads_to_an_exit_and_then_to_a_halt():
    stages, said = lost()
    tried = []
    for _ in range(2):
        (pair,) = submitted(said)
        tried.append(pair.client_order_id)
        assert not submitted(reject(stages, pair.client_order_id))  # no tight loop
        said = fire(stages)
        assert len(pages(said)) == 1
    assert len(set(tried)) == 2
    assert steps(said) == [ProtectionStep.LEAVE]
    (left,) = submitted(said)
    assert left.role is OrderRole.EXIT
    said = reject(stages, left.client_order_id)
    assert protection(stages) is ProtectedBy.NONE
    assert not submitted(said)
    said = fire(stages)
    assert steps(said) == [ProtectionStep.HALT]
    (halt,) = of_type(said, d.TradingHalted)
    assert halt.cause is HaltCause.UNPROTECTED
    said = fire(stages)
    assert steps(said) == [ProtectionStep.PLACE_STOP]  # and goes on trying, in turns


def test_after_a_failed_exit_the_stop_comes_back_at_once():
    stages = held()
    stages.approve(exit_order())
    stages.cancel(STOP_ID)
    stages.cancel(TARGET_ID)
    (pair,) = submitted(reject(stages, "cb-exit"))
    assert pair.role is OrderRole.TAKE_PROFIT


def test_an_entry_that_buys_on_without_a_live_stop_is_cut_short():
    """Where legs wait for the whole entry, a part of it would stay bare."""
    stages = Stages()
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    stages.fill(ENTRY_ID, quantity=Decimal(30))
    said = fire(stages)
    assert steps(said) == [ProtectionStep.ASK_BROKER]
    assert [m.client_order_id for m in of_type(said, c.CancelOrder)] == [ENTRY_ID]
    stages.cancel(ENTRY_ID)
    stages.cancel(TARGET_ID, "parent cancelled")
    (pair,) = submitted(stages.cancel(STOP_ID, "parent cancelled"))
    assert pair.quantity == 30


def test_a_price_through_the_stop_is_an_exit_not_a_stop():
    stages = held()
    stages.handle(f.QuoteSampled(at=NOON, quote=quote(bid=95.0, ask=95.02)))
    stages.cancel(STOP_ID, "by hand")
    (left,) = submitted(stages.cancel(TARGET_ID))
    assert (left.role, left.exit_reason) == (OrderRole.EXIT, ExitReason.STOP_LOSS)


def test_by_night_a_lost_stop_is_placed_again_and_nothing_is_sold():
    at = CLOSE + timedelta(hours=6)
    stages = held(at=at)
    stages.cancel(STOP_ID, "by hand")
    (pair,) = submitted(stages.cancel(TARGET_ID))
    reject(stages, pair.client_order_id)
    assert steps(fire(stages)) == [ProtectionStep.PLACE_STOP]


# The bot's own watch


def test_before_the_open_the_bot_watches():
    stages = before_the_open()
    assert protection(stages) is ProtectedBy.WATCHER
    assert not of_type(stages.said, d.ProtectionNeeded)


def test_the_watch_leaves_by_a_limit_when_the_stop_is_touched():
    stages = before_the_open()
    assert not submitted(sample(stages, 97.70))
    (left,) = submitted(sample(stages, 97.55))
    assert (left.kind, left.extended_hours) == (OrderKind.LIMIT, True)
    assert left.exit_reason is ExitReason.STOP_LOSS
    assert left.limit_price == Decimal("96.57")  # one per cent below the bid of 97.54
    assert left.worst_price == Decimal("92.67")
    assert protection(stages) is ProtectedBy.LEAVING


def test_the_watch_takes_the_profit_when_somebody_pays_it():
    stages = before_the_open()
    assert not submitted(sample(stages, 107.20))
    (left,) = submitted(sample(stages, 107.21))
    assert left.exit_reason is ExitReason.TAKE_PROFIT


def test_a_quote_too_wide_to_mean_anything_sells_nothing():
    stages = before_the_open()
    said = stages.handle(
        f.QuoteSampled(at=stages.now, quote=quote(at=stages.now, bid=80.0, ask=110.0))
    )
    assert said == []


def test_at_the_open_the_stop_goes_to_the_broker():
    stages = before_the_open()
    stages.now = OPEN
    said = stages.handle(f.SessionOpened(at=OPEN, day=OPEN.date(), closes_at=CLOSE))
    (pair,) = submitted(said)
    assert (pair.limit_price, pair.stop_loss_price) == (Decimal("107.20"), Decimal("97.60"))
    stages.accept(pair.client_order_id)
    assert protection(stages) is ProtectedBy.BROKER_STOP


def unseen() -> Stages:
    """Bought before the open, and no quote has come yet."""
    stages = Stages(working=EXTENDED, now=PRE_OPEN)
    stages.approve(watched_entry())
    stages.accept(ENTRY_ID)
    stages.fill(ENTRY_ID)
    return stages


def test_before_the_open_a_quote_is_asked_for_and_nothing_placed_at_the_broker():
    """A broker that is closed would hold the shares until the open, whatever the watch sees."""
    stages = unseen()
    assert protection(stages) is ProtectedBy.NONE
    assert not of_type(stages.said, d.ProtectionNeeded)
    said = fire(stages)
    assert steps(said) == [ProtectionStep.ASK_BROKER]
    assert of_type(said, c.WatchSymbol) == [c.WatchSymbol(symbol="ACME")]
    assert len(pages(said)) == 1
    sample(stages)
    assert protection(stages) is ProtectedBy.WATCHER
    assert stages.execution.guards[TRADE_ID].escalation == 0
    (left,) = submitted(sample(stages, 97.55))
    assert (left.role, left.extended_hours) == (OrderRole.EXIT, True)
    assert not of_type(stages.said, c.CancelOrder)


def test_a_quote_is_asked_for_when_the_watch_goes_blind():
    stages = before_the_open()
    said = fire(stages, EXTENDED.watcher_silence_s + 1)
    assert protection(stages) is ProtectedBy.NONE
    assert of_type(said, c.WatchSymbol) == [c.WatchSymbol(symbol="ACME")]
    assert not submitted(said)

    stages = before_the_open()
    stages.handle(f.AdapterFailed(at=stages.now, adapter="market data", error="gone"))
    assert protection(stages) is ProtectedBy.NONE
    stages.handle(f.AdapterRecovered(at=stages.now, adapter="market data"))
    assert protection(stages) is ProtectedBy.WATCHER


def test_what_cannot_be_watched_before_the_open_is_left_after_a_minute_then_trading_halts():
    stages = unseen()
    asked = fire(stages)
    (timer,) = [m for m in of_type(asked, c.SetTimer) if m.timer_id == GUARD]
    assert timer.due_at == stages.now + timedelta(seconds=60)
    said = fire(stages, 60)
    assert steps(said) == [ProtectionStep.LEAVE]
    (left,) = submitted(said)
    assert (left.exit_reason, left.extended_hours) == (ExitReason.UNPROTECTED, True)
    reject(stages, left.client_order_id)
    assert steps(fire(stages, 60)) == [ProtectionStep.HALT]
    assert steps(fire(stages, 60)) == [ProtectionStep.ASK_BROKER]  # and goes on, in turns
    assert steps(fire(stages, 120)) == [ProtectionStep.LEAVE]


def test_what_is_halted_before_the_open_is_not_left():
    stages = unseen()
    stages.handle(f.SymbolHalted(at=stages.now, symbol="ACME", code="T1"))
    fire(stages)
    assert steps(fire(stages, 60)) == [ProtectionStep.ASK_BROKER]


def test_at_the_open_the_stop_goes_to_the_broker_though_no_quote_ever_came():
    stages = unseen()
    stages.now = OPEN
    said = stages.handle(f.SessionOpened(at=OPEN, day=OPEN.date(), closes_at=CLOSE))
    assert [order.role for order in submitted(said)] == [OrderRole.TAKE_PROFIT]


def test_a_stop_that_is_late_for_the_session_comes_at_the_next_open():
    stages = held(EXTENDED, CLOSE - timedelta(seconds=1))
    stages.cancel(STOP_ID, "by hand")  # asks for a stop, which waits for the target to go
    stages.now = CLOSE
    said = stages.cancel(TARGET_ID)
    assert [m.reason for m in of_type(said, d.OrderWithdrawn)] == ["the bot watches until the open"]
    assert not submitted(said)


def test_a_watch_that_sees_goes_on():
    stages = before_the_open()
    stages.wait(500)
    sample(stages)
    said = fire(stages, 200)
    assert protection(stages) is ProtectedBy.WATCHER
    assert [m.timer_id for m in of_type(said, c.SetTimer)] == [GUARD]
    assert not submitted(said)


def test_after_the_close_the_watch_stands_in_for_a_stop_that_does_not_work_then():
    stages = held(EXTENDED, CLOSE - timedelta(minutes=1))
    stages.now = CLOSE
    sample(stages)
    stages.handle(f.SessionClosed(at=CLOSE, day=CLOSE.date()))
    assert protection(stages) is ProtectedBy.WATCHER
    said = sample(stages, 97.0)
    assert {m.client_order_id for m in of_type(said, c.CancelOrder)} == {STOP_ID, TARGET_ID}
    stages.cancel(STOP_ID)
    (left,) = submitted(stages.cancel(TARGET_ID))
    assert left.extended_hours


def test_without_extended_hours_the_resting_stop_is_the_protection_day_and_night():
    stages = held(at=CLOSE + timedelta(minutes=1))
    assert protection(stages) is ProtectedBy.BROKER_STOP
    assert not submitted(sample(stages, 90.0))


def test_in_the_session_a_watch_bridges_a_missing_stop_and_asks_again():
    stages = bought()
    sample(stages)
    assert protection(stages) is ProtectedBy.WATCHER
    stages.cancel(TARGET_ID, "by hand")
    (pair,) = submitted(stages.cancel(STOP_ID, "by hand"))
    reject(stages, pair.client_order_id)
    assert protection(stages) is ProtectedBy.WATCHER
    stages.wait(61)
    sample(stages)
    said = stages.fire(GUARD)
    assert steps(said) == [ProtectionStep.PLACE_STOP]
    assert pages(said) == []
    (pair,) = submitted(said)
    assert [m.client_order_id for m in of_type(sample(stages, 97.0), c.CancelOrder)] == [
        pair.client_order_id,
        stop_leg_id(pair.client_order_id),
    ]
    stages.cancel(stop_leg_id(pair.client_order_id))
    (left,) = submitted(stages.cancel(pair.client_order_id))
    assert (left.kind, left.exit_reason) == (OrderKind.MARKET, ExitReason.STOP_LOSS)


# Memory


def test_a_restart_remembers_what_protects():
    stages, _ = lost()
    fire(stages)
    recovered = stages.recovered()
    assert recovered.execution == stages.execution
    assert recovered.risk == stages.risk
