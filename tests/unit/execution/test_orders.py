from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from catalyst_bot.domain import ids
from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    OrderRole,
    OrderStatus,
    PositionsPolicy,
    Side,
)
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import ApprovedOrder, stop_leg_id, target_leg_id
from catalyst_bot.execution import evolve
from tests.builders import NOON, approved_order, ticket
from tests.stages import COMMANDS, Stages, of_type, run_started

ENTRY = approved_order()
ENTRY_ID = ENTRY.client_order_id
STOP_ID, TARGET_ID = stop_leg_id(ENTRY_ID), target_leg_id(ENTRY_ID)


def exit_order(name: str = "exit", quantity: int = 100) -> ApprovedOrder:
    return replace(
        ENTRY,
        client_order_id=ids.client_order_id(ENTRY.signal_id, name),
        role=OrderRole.EXIT,
        side=Side.SELL,
        quantity=Decimal(quantity),
        stop_loss_price=None,
        take_profit_price=None,
        exit_reason=ExitReason.TIME_EXIT,
    )


EXIT = exit_order()


def sold(order_id: str, quantity: int, name: str = "s") -> dict[str, object]:
    return {"side": Side.SELL, "quantity": Decimal(quantity), "fill_id": f"{order_id}{name}"}


def held() -> Stages:
    """100 ACME held, both legs at work."""
    stages = Stages()
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    stages.fill(ENTRY_ID)
    stages.accept(STOP_ID)
    stages.accept(TARGET_ID)
    return stages


def reject_stops(stages: Stages) -> None:
    """The broker takes none of the stops that are asked for."""
    for order_id, ticket_ in list(stages.execution.open_tickets.items()):
        if ticket_.role is not OrderRole.ENTRY:
            stages.handle(f.OrderRejected(at=NOON, client_order_id=order_id, reason="no"))


def status(stages: Stages, order_id: str) -> OrderStatus:
    found = stages.execution.ticket(order_id)
    assert found is not None
    return found.status


# Sending


def test_an_entry_is_sent_at_once_with_its_deadlines():
    stages = Stages()
    submit, timer = stages.approve(ENTRY)
    assert submit == c.SubmitOrder(order=ENTRY, valid_until=NOON + timedelta(seconds=10))
    assert timer == c.SetTimer(timer_id=f"timeout:{ENTRY_ID}", due_at=NOON + timedelta(seconds=900))
    sent = stages.execution.ticket(ENTRY_ID)
    assert sent is not None
    assert (sent.status, sent.reference_price) == (OrderStatus.SUBMITTED, Decimal(100))
    assert sent.submitted_at == NOON


def test_the_legs_are_held_back_until_they_are_activated():
    stages = Stages()
    stages.approve(ENTRY)
    stop, target = stages.execution.ticket(STOP_ID), stages.execution.ticket(TARGET_ID)
    assert stop is not None
    assert target is not None
    assert stop.status is target.status is OrderStatus.HELD
    assert (stop.stop_price, stop.limit_price) == (Decimal("97.60"), None)
    assert (target.stop_price, target.limit_price) == (None, Decimal("107.20"))
    assert stop.side is target.side is Side.SELL
    stages.accept(STOP_ID)
    assert status(stages, STOP_ID) is OrderStatus.WORKING


def test_the_same_id_is_never_sent_again():
    stages = Stages()
    stages.approve(ENTRY)
    assert stages.approve(ENTRY) == []
    stages.cancel(ENTRY_ID)
    assert stages.approve(ENTRY) == []
    assert status(stages, ENTRY_ID) is OrderStatus.CANCELLED


def test_a_rejected_entry_takes_its_legs_with_it():
    stages = Stages()
    stages.approve(ENTRY)
    said = stages.handle(f.OrderRejected(at=NOON, client_order_id=ENTRY_ID, reason="no money"))
    assert said == []
    assert status(stages, ENTRY_ID) is OrderStatus.REJECTED
    assert status(stages, STOP_ID) is status(stages, TARGET_ID) is OrderStatus.CANCELLED
    assert not stages.execution.open_tickets


def test_a_suppressed_order_is_abandoned():
    stages = Stages()
    stages.approve(ENTRY)
    stages.handle(f.SubmitSuppressed(at=NOON, client_order_id=ENTRY_ID, reason="dry run"))
    assert status(stages, ENTRY_ID) is OrderStatus.ABANDONED
    assert not stages.execution.open_tickets


# Fills


def test_partial_fills_add_up_once_each():
    stages = Stages()
    stages.approve(ENTRY)
    stages.fill(ENTRY_ID, quantity=Decimal(40), fill_id="one")
    stages.fill(ENTRY_ID, quantity=Decimal(40), fill_id="one")
    assert status(stages, ENTRY_ID) is OrderStatus.PARTIALLY_FILLED
    stages.fill(ENTRY_ID, quantity=Decimal(60), fill_id="two")
    assert status(stages, ENTRY_ID) is OrderStatus.FILLED
    assert stages.portfolio.positions["ACME"].quantity == 100


def test_more_than_was_ordered_is_a_mismatch():
    stages = held()
    said = stages.fill(ENTRY_ID, quantity=Decimal(1), fill_id="surplus")
    assert of_type(said, d.MismatchFound)
    done = stages.execution.ticket(ENTRY_ID)
    assert done is not None
    assert done.filled_quantity == 100


def test_one_leg_filled_ends_the_other_even_if_the_venue_never_says_so():
    stages = held()
    said = stages.fill(STOP_ID, **sold(STOP_ID, 100))
    assert of_type(said, d.PositionClosed)
    assert not of_type(said, c.CancelOrder, d.MismatchFound)
    assert status(stages, STOP_ID) is OrderStatus.FILLED
    assert status(stages, TARGET_ID) is OrderStatus.CANCELLED
    assert stages.cancel(TARGET_ID, "one cancels other") == []


def test_what_one_leg_sold_the_other_sells_no_more():
    stages = held()
    stages.fill(TARGET_ID, **sold(TARGET_ID, 40))
    assert stages.execution.open_tickets[STOP_ID].quantity == 60
    stages.fill(STOP_ID, **sold(STOP_ID, 60))
    assert status(stages, STOP_ID) is status(stages, TARGET_ID) is OrderStatus.FILLED
    assert "ACME" not in stages.portfolio.positions


def test_legs_protect_what_a_cancelled_entry_bought():
    stages = Stages()
    stages.approve(ENTRY)
    stages.fill(ENTRY_ID, quantity=Decimal(30))
    stages.cancel(ENTRY_ID)
    assert stages.execution.open_tickets[STOP_ID].quantity == 30
    assert stages.execution.open_tickets[TARGET_ID].quantity == 30


def test_a_leg_that_sells_stops_its_entry_from_buying():
    stages = Stages()
    stages.approve(ENTRY)
    stages.fill(ENTRY_ID, quantity=Decimal(30))
    said = stages.fill(STOP_ID, **sold(STOP_ID, 30))
    asked = [m.client_order_id for m in of_type(said, c.CancelOrder)]
    assert asked.count(ENTRY_ID) == 1
    assert sorted(asked) == sorted([ENTRY_ID, STOP_ID, TARGET_ID])  # flat: everything goes
    stages.cancel(ENTRY_ID)
    assert status(stages, STOP_ID) is OrderStatus.FILLED
    assert status(stages, TARGET_ID) is OrderStatus.CANCELLED


# Time


def test_an_order_that_does_not_fill_in_time_is_cancelled():
    stages = Stages()
    stages.approve(ENTRY)
    stages.accept(ENTRY_ID)
    said = stages.fire(f"timeout:{ENTRY_ID}")
    assert [type(m) for m in said] == [d.OrderTimedOut, c.CancelOrder, c.SetTimer]
    assert said[2].timer_id == f"ask:{ENTRY_ID}"


def test_a_finished_order_does_not_time_out():
    stages = held()
    assert stages.fire(f"timeout:{ENTRY_ID}") == []


def test_a_cancel_without_an_answer_is_asked_for_again():
    stages = Stages()
    stages.approve(ENTRY)
    stages.fire(f"timeout:{ENTRY_ID}")
    again = stages.fire(f"ask:{ENTRY_ID}")
    assert [type(m) for m in again] == [c.CancelOrder, c.SetTimer]
    stages.cancel(ENTRY_ID)
    assert stages.fire(f"ask:{ENTRY_ID}") == []


def test_timers_of_other_stages_are_not_ours():
    assert held().fire("view:cat-1") == []


# Unclear outcomes


def test_an_unclear_outcome_is_looked_up_and_never_sent_again():
    stages = Stages()
    stages.approve(ENTRY)
    said = stages.handle(
        f.SubmitOutcomeUnknown(at=NOON, client_order_id=ENTRY_ID, detail="timeout")
    )
    assert [type(m) for m in said] == [c.LookUpOrder, c.SetTimer]
    assert said[1].due_at == NOON + timedelta(seconds=10) + c.UNDER_WAY
    assert status(stages, ENTRY_ID) is OrderStatus.UNKNOWN


def looked_up(stages: Stages, theirs: OrderStatus | None, filled: int = 0) -> list[object]:
    found = (
        ticket(client_order_id=ENTRY_ID, status=theirs, filled_quantity=Decimal(filled))
        if theirs is not None
        else None
    )
    return stages.handle(f.OrderLookedUp(at=stages.now, client_order_id=ENTRY_ID, ticket=found))


def unclear() -> Stages:
    stages = Stages()
    stages.approve(ENTRY)
    stages.handle(f.SubmitOutcomeUnknown(at=NOON, client_order_id=ENTRY_ID, detail="timeout"))
    return stages


def test_an_unknown_order_may_still_be_on_its_way_until_its_deadline():
    stages = unclear()
    assert looked_up(stages, None) == []
    assert status(stages, ENTRY_ID) is OrderStatus.UNKNOWN
    stages.wait(10)
    assert looked_up(stages, None) == []  # it may have been sent at the last moment
    stages.wait(c.UNDER_WAY.total_seconds())
    assert [type(m) for m in stages.fire(f"ask:{ENTRY_ID}")] == [c.LookUpOrder, c.SetTimer]
    assert looked_up(stages, None) == []
    assert status(stages, ENTRY_ID) is OrderStatus.ABANDONED


def test_what_the_last_process_sent_may_still_arrive_whatever_its_clock_said():
    stages = unclear()
    stages.wait(1000)  # the clock of the new process is ahead of the last one's
    stages.handle(replace(run_started(), at=stages.now))
    assert looked_up(stages, None) == []
    assert status(stages, ENTRY_ID) is OrderStatus.UNKNOWN
    stages.wait(c.UNDER_WAY.total_seconds())
    looked_up(stages, None)
    assert status(stages, ENTRY_ID) is OrderStatus.ABANDONED


def test_the_brokers_word_is_adopted():
    stages = unclear()
    looked_up(stages, OrderStatus.WORKING)
    assert status(stages, ENTRY_ID) is OrderStatus.WORKING
    looked_up(stages, OrderStatus.CANCELLED)
    assert status(stages, ENTRY_ID) is OrderStatus.CANCELLED


def test_fills_the_broker_knows_and_we_do_not_lead_to_its_books():
    stages = unclear()
    said = looked_up(stages, OrderStatus.FILLED, 100)
    assert [m.timer_id for m in of_type(said, c.SetTimer)] == [f"books:{ENTRY_ID}"]
    assert status(stages, ENTRY_ID) is OrderStatus.WORKING
    assert of_type(stages.fire(f"books:{ENTRY_ID}"), c.TakeBrokerSnapshot)


def test_that_the_broker_did_not_know_an_order_says_nothing_once_it_is_confirmed():
    """It was asked before the order came there; an order that is lost is found by the books."""
    stages = held()
    answer = f.OrderLookedUp(at=NOON, client_order_id=STOP_ID, ticket=None)
    assert stages.handle(answer) == []
    assert status(stages, STOP_ID) is OrderStatus.WORKING


def test_an_abandoned_order_that_is_alive_is_told_and_cancelled():
    stages = unclear()
    stages.wait(20)
    looked_up(stages, None)
    assert [type(m) for m in stages.accept(ENTRY_ID)] == [d.MismatchFound, c.CancelOrder]


def test_facts_about_orders_nobody_sent_are_mismatches():
    assert of_type(Stages().accept("foreign"), d.MismatchFound)
    assert of_type(Stages().cancel("foreign"), d.MismatchFound)


def test_a_leg_that_the_broker_does_not_know_says_nothing_before_its_order_is_clear():
    stages = Stages()
    stages.approve(ENTRY)
    stages.handle(f.SubmitOutcomeUnknown(at=NOON, client_order_id=ENTRY_ID, detail="silence"))
    unknown = f.OrderLookedUp(at=NOON, client_order_id=STOP_ID, ticket=None)
    assert not of_type(stages.handle(unknown), d.MismatchFound)
    assert status(stages, STOP_ID) is OrderStatus.HELD
    stages.accept(ENTRY_ID)
    assert of_type(stages.handle(unknown), d.MismatchFound)


def test_an_order_that_waits_to_be_sent_is_not_missed_at_the_broker():
    stages = held()
    stages.approve(EXIT)  # waits for the legs to go
    assert status(stages, EXIT.client_order_id) is OrderStatus.PLANNED
    unknown = f.OrderLookedUp(at=NOON, client_order_id=EXIT.client_order_id, ticket=None)
    assert stages.handle(unknown) == []


def test_a_refused_change_of_an_open_order_is_looked_up():
    stages = held()
    refused = f.ChangeRefused(at=NOON, client_order_id=STOP_ID, reason="busy")
    assert stages.handle(refused) == [c.LookUpOrder(client_order_id=STOP_ID)]
    stages.fill(STOP_ID, **sold(STOP_ID, 100))
    assert stages.handle(refused) == []


# Exits


def test_an_exit_waits_for_its_legs():
    stages = held()
    said = stages.approve(EXIT)
    assert [m.client_order_id for m in of_type(said, c.CancelOrder)] == [STOP_ID, TARGET_ID]
    assert not of_type(said, c.SubmitOrder)
    assert not of_type(stages.cancel(STOP_ID), *COMMANDS, d.MismatchFound)
    (sent,) = of_type(stages.cancel(TARGET_ID), c.SubmitOrder)
    assert sent.order == EXIT
    assert status(stages, EXIT.client_order_id) is OrderStatus.SUBMITTED
    assert not stages.execution.pending_exits


def test_an_exit_is_sent_at_once_when_nothing_is_in_its_way():
    stages = Stages()
    stages.approve(replace(ENTRY, stop_loss_price=None, take_profit_price=None))
    stages.fill(ENTRY_ID)
    reject_stops(stages)
    assert of_type(stages.approve(EXIT), c.SubmitOrder)


def test_an_exit_shrinks_to_what_a_leg_left_over():
    stages = held()
    stages.approve(EXIT)
    stages.fill(STOP_ID, **sold(STOP_ID, 40))
    stages.cancel(STOP_ID)
    (sent,) = of_type(stages.cancel(TARGET_ID), c.SubmitOrder)
    assert sent.order.quantity == 60
    waiting = stages.execution.ticket(EXIT.client_order_id)
    assert waiting is not None
    assert waiting.quantity == 60


def test_an_exit_is_dropped_when_a_leg_already_sold_everything():
    stages = held()
    stages.approve(EXIT)
    said = stages.fill(STOP_ID, **sold(STOP_ID, 100))
    assert of_type(said, d.PositionClosed)
    assert not of_type(said + stages.cancel(TARGET_ID), c.SubmitOrder)
    assert status(stages, EXIT.client_order_id) is OrderStatus.ABANDONED
    assert not stages.execution.open_tickets


def test_an_exit_never_grows_beyond_what_risk_approved():
    stages = held()
    stages.approve(exit_order(quantity=70))
    stages.cancel(STOP_ID)
    sent, stop = of_type(stages.cancel(TARGET_ID), c.SubmitOrder)
    assert (sent.order.role, sent.order.quantity) == (OrderRole.EXIT, 70)
    assert (stop.order.role, stop.order.quantity) == (OrderRole.TAKE_PROFIT, 30)


def test_an_exit_that_waits_for_a_lookup_goes_on():
    stages = held()
    stages.approve(EXIT)
    stages.cancel(TARGET_ID)
    theirs = ticket(client_order_id=STOP_ID, status=OrderStatus.CANCELLED)
    answer = f.OrderLookedUp(at=NOON, client_order_id=STOP_ID, ticket=theirs)
    assert of_type(stages.handle(answer), c.SubmitOrder)


def test_a_trade_has_one_waiting_exit_at_most():
    stages = held()
    stages.approve(EXIT)
    second = exit_order("halt")
    assert stages.approve(second) == []
    assert status(stages, second.client_order_id) is OrderStatus.ABANDONED
    stages.cancel(STOP_ID)
    (sent,) = of_type(stages.cancel(TARGET_ID), c.SubmitOrder)
    assert sent.order == EXIT


def test_of_two_exits_approved_at_once_one_is_sent():
    stages = Stages()
    stages.approve(replace(ENTRY, stop_loss_price=None, take_profit_price=None))
    stages.fill(ENTRY_ID)
    reject_stops(stages)
    second = exit_order("halt")
    said = stages.handle(d.OrderApproved(order=EXIT), d.OrderApproved(order=second))
    assert [m.order for m in of_type(said, c.SubmitOrder)] == [EXIT]
    assert status(stages, second.client_order_id) is OrderStatus.ABANDONED


def test_an_exit_cancels_an_entry_that_is_still_buying():
    stages = Stages()
    stages.approve(ENTRY)
    stages.fill(ENTRY_ID, quantity=Decimal(30))
    said = stages.approve(exit_order(quantity=30))
    assert ENTRY_ID in [m.client_order_id for m in of_type(said, c.CancelOrder)]


# Stops


def test_a_raised_stop_is_replaced_and_then_is_a_trailing_stop():
    stages = held()
    moved = d.StopMoved(
        trade_id=ENTRY.trade_id,
        catalyst_id=ENTRY.catalyst_id,
        symbol="ACME",
        old_stop_price=Decimal("97.60"),
        stop_price=Decimal(102),
        high_water_price=Decimal(105),
        is_trailing=True,
    )
    (change,) = stages.handle(moved)
    assert change.client_order_id == STOP_ID
    assert change.stop_price == 102
    stages.handle(
        f.OrderReplaced(at=NOON, client_order_id=STOP_ID, stop_price=Decimal(102), limit_price=None)
    )
    assert stages.handle(moved) == []  # it is there already
    said = stages.fill(STOP_ID, **sold(STOP_ID, 100))
    (closed,) = of_type(said, d.PositionClosed)
    assert closed.trade.exit_reason is ExitReason.TRAILING_STOP


def test_a_stop_that_is_being_cancelled_is_not_moved():
    stages = held()
    stages.approve(EXIT)
    moved = d.StopMoved(
        trade_id=ENTRY.trade_id,
        catalyst_id=ENTRY.catalyst_id,
        symbol="ACME",
        old_stop_price=Decimal(97),
        stop_price=Decimal(102),
        high_water_price=Decimal(105),
        is_trailing=True,
    )
    assert stages.handle(moved) == []


# Halt


def test_a_halt_cancels_entries_and_leaves_protection():
    stages = held()
    other = approved_order(signal_id="sig-2", symbol="EMCA")
    stages.approve(other)
    halt = d.TradingHalted(
        cause=HaltCause.OPERATOR, positions_policy=PositionsPolicy.HOLD, detail=""
    )
    said = stages.handle(halt)
    assert [m.client_order_id for m in of_type(said, c.CancelOrder)] == [other.client_order_id]
    assert stages.handle(halt) == []


# Memory


def test_finished_orders_are_remembered_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(evolve, "MAX_FINISHED_TICKETS", 3)
    stages = Stages()
    orders = [
        approved_order(signal_id=f"sig-{n}", stop_loss_price=None, take_profit_price=None)
        for n in range(5)
    ]
    for order in orders:
        stages.approve(order)
        stages.cancel(order.client_order_id)
    assert list(stages.execution.finished_tickets) == [o.client_order_id for o in orders[2:]]
    assert not stages.execution.valid_until
    assert not stages.execution.cancelling
