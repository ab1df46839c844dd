"""What the other tests pass by: facts about what is not known, renames, splits, blind corners."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import (
    ExitReason,
    HaltCause,
    OrderKind,
    OrderRole,
    OrderStatus,
    PositionsPolicy,
    ProtectedBy,
    ProtectionStep,
    Side,
)
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.execution import corporate, evolve, protection, repricing
from catalyst_bot.execution.books import decide as books_decide
from catalyst_bot.execution.books import evolve as books_evolve
from catalyst_bot.execution.guards import decide as guards_decide
from catalyst_bot.execution.guards import evolve as guards_evolve
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import Guard, Queued, State
from catalyst_bot.execution.working import submit
from tests import builders
from tests.builders import NOON, approved_order, fill, position, quote, ticket
from tests.stages import Stages, of_type

FAR = datetime(2031, 1, 1, tzinfo=UTC)  # outside the table of sessions
RULES = Rules(working=ExecutionRules())
EXIT = approved_order(
    client_order_id="x", role=OrderRole.EXIT, side=Side.SELL, exit_reason=ExitReason.TIME_EXIT
)


def remember(state: State, handler: Any, message: Any) -> State:
    handler(state, message, NOON)
    return state


# What is not known changes nothing


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (evolve.submit_order, c.SubmitOrder(order=approved_order(), valid_until=NOON)),
        (
            evolve.withdraw_order,
            d.OrderWithdrawn(client_order_id="?", catalyst_id="", symbol="ACME", reason=""),
        ),
        (
            evolve.rescale_order,
            d.OrderRescaled(
                client_order_id="?",
                catalyst_id="",
                quantity=Decimal(1),
                filled_quantity=Decimal(0),
                reference_price=Decimal(1),
                limit_price=None,
                stop_price=None,
                worst_price=None,
            ),
        ),
        (
            evolve.replace_prices,
            f.OrderReplaced(at=NOON, client_order_id="?", stop_price=None, limit_price=None),
        ),
        (evolve.adopt_look_up, f.OrderLookedUp(at=NOON, client_order_id="?", ticket=None)),
        (
            guards_evolve.count_step,
            d.ProtectionNeeded(
                trade_id="?",
                catalyst_id="",
                symbol="ACME",
                quantity=Decimal(1),
                step=ProtectionStep.LEAVE,
                escalation=1,
                detail="",
            ),
        ),
        (guards_evolve.go_blind, f.AdapterFailed(at=NOON, adapter="news", error="")),
        (guards_evolve.see_again, f.AdapterRecovered(at=NOON, adapter="news")),
    ],
)
def test_what_is_not_known_changes_nothing(handler: Any, message: Any):
    assert remember(State(), handler, message) == State()


def test_nothing_is_asked_about_what_is_not_known():
    stages = Stages()
    refused = f.ChangeRefused(at=NOON, client_order_id="?", reason="")
    assert stages.handle(refused) == []
    answer = f.OrderLookedUp(at=NOON, client_order_id="?", ticket=ticket())
    assert stages.handle(answer) == []
    failed = f.AdapterFailed(at=NOON, adapter="news", error="")
    assert guards_decide.on_prices_failed(stages.execution, failed, stages.desk(), RULES) == []
    assert protection.on_guard_timer(stages.execution, None, stages.desk(), RULES) == []
    gone = position(trade_id="?")
    assert protection.on_guard_timer(stages.execution, gone, stages.desk(), RULES) == []


def test_an_unclear_outcome_of_a_finished_order_is_told():
    stages = Stages()
    stages.approve(approved_order())
    order_id = approved_order().client_order_id
    stages.handle(f.OrderRejected(at=NOON, client_order_id=order_id, reason="no"))
    unclear = f.SubmitOutcomeUnknown(at=NOON, client_order_id=order_id, detail="late")
    assert of_type(stages.handle(unclear), c.LookUpOrder) == []


def test_a_sent_order_that_is_withdrawn_stays_what_it_is_unless_the_broker_is_trusted():
    sent = ticket()
    gone = d.OrderWithdrawn(
        client_order_id="cb-test", catalyst_id="", symbol="ACME", reason="not there"
    )
    state = State(open_tickets={"cb-test": sent})
    assert remember(state, evolve.withdraw_order, gone).open_tickets == {"cb-test": sent}
    state.books.trusts_broker = True
    remember(state, evolve.withdraw_order, gone)
    assert state.finished_tickets["cb-test"].status is OrderStatus.ABANDONED


def test_a_limit_that_moved_keeps_its_stop():
    state = State(open_tickets={"cb-test": ticket(stop_price=Decimal(90))})
    moved = f.OrderReplaced(
        at=NOON, client_order_id="cb-test", stop_price=None, limit_price=Decimal(101)
    )
    remember(state, evolve.replace_prices, moved)
    after = state.open_tickets["cb-test"]
    assert (after.limit_price, after.stop_price) == (Decimal(101), Decimal(90))


def test_fills_are_remembered_up_to_a_bound():
    state = State(open_tickets={"cb-test": ticket()})
    state.fill_ids = dict.fromkeys(map(str, range(evolve.MAX_FILL_IDS)))
    filled = f.OrderFilled(at=NOON, fill=fill(quantity=Decimal(1)))
    remember(state, evolve.fill_order, filled)
    assert len(state.fill_ids) == evolve.MAX_FILL_IDS
    assert "0" not in state.fill_ids


# Splits and names


def test_an_exit_that_waits_is_rescaled_with_its_ticket():
    waiting = replace(EXIT, quantity=Decimal(100))
    state = State(
        open_tickets={"x": ticket(client_order_id="x", role=OrderRole.EXIT)},
        pending_exits={"trd-1": waiting, "trd-2": replace(EXIT, client_order_id="y")},
    )
    message = d.OrderRescaled(
        client_order_id="x",
        catalyst_id="",
        quantity=Decimal(200),
        filled_quantity=Decimal(0),
        reference_price=Decimal(50),
        limit_price=None,
        stop_price=None,
        worst_price=None,
    )
    remember(state, evolve.rescale_order, message)
    assert state.pending_exits["trd-1"].quantity == 200
    assert state.pending_exits["trd-1"].reference_price == 50
    assert state.pending_exits["trd-2"].quantity == EXIT.quantity


def guard(symbol: str) -> Guard:
    return Guard(catalyst_id="", symbol=symbol, protected_by=ProtectedBy.BROKER_STOP, since=NOON)


def test_a_raised_stop_is_split_and_others_stay():
    state = State(
        guards={"a": guard("ACME"), "b": guard("OTHER"), "c": guard("ACME")},
        raised_stops={"a": Decimal(100), "b": Decimal(70)},
    )
    split = f.SplitApplied(
        at=NOON, symbol="ACME", shares_per_share=Decimal(4), effective_on=NOON.date()
    )
    remember(state, guards_evolve.split_stops, split)
    assert state.raised_stops == {"a": Decimal(25), "b": Decimal(70)}


@pytest.mark.parametrize(
    ("shares", "ratio", "after"),
    [("3", "0.5", "1"), ("1.5", "2", "3.0"), ("1", "0.1", None)],
)
def test_a_persons_shares_are_split(shares: str, ratio: str, after: str | None):
    state = State()
    state.books.foreign_shares = {"ACME": Decimal(shares)}
    split = f.SplitApplied(
        at=NOON, symbol="ACME", shares_per_share=Decimal(ratio), effective_on=NOON.date()
    )
    remember(state, books_evolve.split_foreign_shares, split)
    expected = {} if after is None else {"ACME": Decimal(after)}
    assert state.books.foreign_shares == expected


def test_everything_of_a_symbol_goes_on_under_its_new_name_and_nothing_else():
    other_exit = replace(EXIT, symbol="OTHER")
    queued = Queued(order=approved_order(), since=NOON)
    state = State(
        open_tickets={"a": ticket(), "b": ticket(symbol="OTHER")},
        pending_exits={"a": EXIT, "b": other_exit},
        pending_stops={"a": EXIT},
        queued={"a": queued, "b": replace(queued, order=other_exit)},
        guards={"a": guard("ACME"), "b": guard("OTHER")},
        halted_symbols={"ACME"},
        quotes={"ACME": quote()},
        priced_at={"ACME": NOON},
    )
    state.books.touched = {"ACME": None}
    state.books.foreign_shares = {"ACME": Decimal(3), "NEWC": Decimal(2)}
    corporate.rename(state, "ACME", "NEWC")
    assert [t.symbol for t in state.open_tickets.values()] == ["NEWC", "OTHER"]
    assert [o.symbol for o in state.pending_exits.values()] == ["NEWC", "OTHER"]
    assert [o.symbol for o in state.pending_stops.values()] == ["NEWC"]
    assert [q.order.symbol for q in state.queued.values()] == ["NEWC", "OTHER"]
    assert [g.symbol for g in state.guards.values()] == ["NEWC", "OTHER"]
    assert state.halted_symbols == {"NEWC"}
    assert "NEWC" in state.books.touched
    assert state.books.foreign_shares == {"NEWC": Decimal(5)}
    assert state.quotes == {}
    assert state.priced_at == {}
    before = replace(state)
    corporate.rename(state, "NOBODY", "ELSE")
    assert state == before


def test_only_what_waits_in_the_halted_symbol_waits_anew():
    ours = Queued(order=approved_order(), since=NOON, resumed_at=NOON)
    others = Queued(order=approved_order(symbol="OTHER"), since=NOON, resumed_at=NOON)
    state = State(queued={"a": ours, "b": others})
    halted = f.SymbolHalted(at=NOON, symbol="ACME", code="T1")
    remember(state, guards_evolve.halt_symbol, halted)
    assert state.queued["a"].resumed_at is None
    assert state.queued["b"].resumed_at == NOON
    resumed = f.SymbolResumed(at=NOON, symbol="ACME")
    remember(state, guards_evolve.resume_symbol, resumed)
    assert state.queued["b"] == others


# Outside the table of sessions


def test_outside_the_table_of_sessions_looks_and_timeouts_go_on():
    stages = Stages()
    stages.now = FAR
    look = books_decide._next_look(stages.desk(), RULES)
    assert look.due_at == FAR + timedelta(seconds=RULES.working.reconcile_every_s)
    sent = submit(approved_order(), stages.desk())
    (timeout,) = [s for s in of_type(sent, c.SetTimer) if s.timer_id.startswith("timeout")]
    assert timeout.due_at == FAR + timedelta(seconds=900)


# Protection


def held_with(**given: Any) -> tuple[Stages, Any]:
    stages = Stages(**given)
    stages.approve(approved_order())
    stages.accept(approved_order().client_order_id)
    stages.fill(approved_order().client_order_id)
    return stages, stages.portfolio.positions["ACME"]


def test_less_than_a_share_is_watched():
    stages, held = held_with()
    part = replace(held, quantity=Decimal("0.5"))
    found = protection.protected_by(stages.execution, part, stages.desk(), RULES)
    assert found is ProtectedBy.WATCHER


EXTENDED = Rules(working=ExecutionRules(extended_hours=True))


def test_by_night_the_watch_stands_in_until_it_begins_again():
    stages, held = held_with()
    stages.now = builders.CLOSE + timedelta(hours=5)
    found = protection.protected_by(stages.execution, held, stages.desk(), EXTENDED)
    assert found is ProtectedBy.WATCHER
    lasts = protection._watch_lasts(stages.desk(), EXTENDED)
    begins_at = builders.OPEN + timedelta(days=1, hours=-5, minutes=-30)
    assert stages.now + lasts == begins_at + timedelta(seconds=600)


def test_a_guard_waits_while_the_brokers_books_are_open():
    stages, held = held_with()
    stages.execution.books.is_starting = True
    said = protection.on_guard_timer(stages.execution, held, stages.desk(), RULES)
    assert [type(m) for m in said] == [c.SetTimer]
    order = approved_order(client_order_id="g", role=OrderRole.STOP_LOSS, kind=OrderKind.STOP)
    assert stages.handle(d.OrderApproved(order=order)) == []


def test_an_exit_that_waits_for_old_orders_asks_about_them():
    stages, held = held_with()
    leaving = replace(EXIT, trade_id=held.trade_id)
    stages.approve(leaving)
    assert held.trade_id in stages.execution.pending_exits
    stages.wait(60)
    said = protection.on_guard_timer(stages.execution, held, stages.desk(), RULES)
    assert of_type(said, c.LookUpOrder)
    (needed,) = of_type(said, d.ProtectionNeeded)
    assert needed.step is ProtectionStep.ASK_BROKER
    assert "waits for its old orders" in needed.detail


def test_what_stood_still_while_books_were_held_is_acted_on_when_they_are_compared():
    stages, held = held_with()
    naked = stages.execution.guards[held.trade_id]
    naked = replace(naked, protected_by=ProtectedBy.NONE, escalation=0)
    stages.execution.guards[held.trade_id] = naked
    stages.wait(60)
    said = protection.go_on(stages.execution, held, stages.desk(), RULES)
    assert of_type(said, d.ProtectionNeeded)


def test_an_order_without_a_limit_does_not_follow_the_quote():
    assert repricing._better_price(ticket(limit_price=None), quote(), RULES) is None


def test_a_stop_that_moved_on_an_exit_order_is_no_trailing_stop():
    state = State(open_tickets={"cb-test": ticket(role=OrderRole.EXIT, stop_price=Decimal(90))})
    moved = f.OrderReplaced(
        at=NOON, client_order_id="cb-test", stop_price=Decimal(91), limit_price=None
    )
    remember(state, evolve.replace_prices, moved)
    after = state.open_tickets["cb-test"]
    assert (after.stop_price, after.exit_reason) == (Decimal(91), None)


def test_an_order_that_answered_meanwhile_is_not_asked_about():
    stages = Stages()
    stages.approve(approved_order())
    order_id = approved_order().client_order_id
    stages.accept(order_id)
    assert stages.fire(f"ask:{order_id}") == []


def test_a_second_stop_for_a_trade_is_withdrawn_while_one_waits():
    stages, held = held_with()
    first = approved_order(
        client_order_id="g-1",
        trade_id=held.trade_id,
        role=OrderRole.STOP_LOSS,
        side=Side.SELL,
        kind=OrderKind.STOP,
    )
    stages.approve(first)
    assert held.trade_id in stages.execution.pending_stops
    said = stages.approve(replace(first, client_order_id="g-2"))
    (gone,) = of_type(said, d.OrderWithdrawn)
    assert (gone.client_order_id, gone.reason) == ("g-2", "another stop waits already")


def test_a_halt_for_a_reason_closes_nothing_by_itself():
    stages, held = held_with()
    halted = d.TradingHalted(
        cause=HaltCause.OPERATOR, positions_policy=PositionsPolicy.HOLD, detail=""
    )
    said = stages.handle(halted)
    assert held.symbol in stages.portfolio.positions
    assert of_type(said, c.SubmitOrder) == []
