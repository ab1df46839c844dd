"""What sells the shares of a position, share by share and second by second."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import (
    OrderKind,
    OrderRole,
    OrderStatus,
    ProtectedBy,
    ProtectionStep,
    Side,
)
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.trading import OrderTicket, stop_leg_id
from catalyst_bot.execution import protection, working
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import Guard, Queued, State
from tests import builders
from tests.builders import NOON, approved_order
from tests.stages import of_type

RULES = Rules(working=ExecutionRules())
TRADE_ID = builders.position().trade_id
EXIT = approved_order(client_order_id="x", trade_id=TRADE_ID, role=OrderRole.EXIT, side=Side.SELL)
STOP = approved_order(
    client_order_id="s",
    trade_id=TRADE_ID,
    role=OrderRole.STOP_LOSS,
    side=Side.SELL,
    kind=OrderKind.STOP,
)


def sell(role: OrderRole, quantity: int = 100, **given: Any) -> OrderTicket:
    values = {"role": role, "side": Side.SELL, "quantity": Decimal(quantity), "trade_id": TRADE_ID}
    return builders.ticket(**(values | given))


def stop(quantity: int = 100, **given: Any) -> OrderTicket:
    return sell(OrderRole.STOP_LOSS, quantity, **({"client_order_id": "s"} | given))


def leave(quantity: int = 100, **given: Any) -> OrderTicket:
    return sell(OrderRole.EXIT, quantity, **({"client_order_id": "x"} | given))


def state_of(*tickets: OrderTicket, **given: Any) -> State:
    return State(open_tickets={t.client_order_id: t for t in tickets}, **given)


def held(quantity: str = "100", **given: Any) -> Position:
    return builders.position(quantity=Decimal(quantity), **given)


def guard(by: ProtectedBy, **given: Any) -> dict[str, Guard]:
    made = Guard(catalyst_id="cat-test", symbol="ACME", protected_by=by, since=NOON)
    return {TRADE_ID: replace(made, **given)}


def by_what(state: State, position: Position | None = None, **desk: Any) -> ProtectedBy:
    at = builders.FakeDesk(**desk)
    return protection.protected_by(state, position or held(), at, RULES)


# Shares


def test_what_was_sold_is_not_sold_again():
    sold = {"filled_quantity": Decimal(30)}
    cover = protection.cover_of(
        state_of(
            stop(60, status=OrderStatus.PARTIALLY_FILLED, **sold),
            stop(50, client_order_id="s2", status=OrderStatus.SUBMITTED, **sold),
            leave(40, **sold),
            leave(70, client_order_id="x2", status=OrderStatus.PLANNED, **sold),
            stop(99, client_order_id="other", symbol="OTHER"),
        ),
        "ACME",
    )
    assert (cover.stops, cover.coming_quantity, cover.exits, cover.waiting) == (30, 20, 10, 40)


def test_a_queued_exit_neither_sells_nor_waits():
    queued = {"x": Queued(order=EXIT, since=NOON)}
    cover = protection.cover_of(state_of(leave(status=OrderStatus.PLANNED), queued=queued), "ACME")
    assert (cover.exits, cover.waiting) == (0, 0)


@pytest.mark.parametrize(
    ("bought", "stop_quantity", "sold", "left"),
    [(40, 100, 0, 40), (40, 100, 10, 30), (40, 90, 10, 20), (10, 80, 10, 0), (100, 70, 0, 70)],
)
def test_a_stop_of_an_entry_that_still_buys_covers_what_it_bought(
    bought: int, stop_quantity: int, sold: int, left: int
):
    entry = builders.ticket(filled_quantity=Decimal(bought))
    leg = stop(
        stop_quantity,
        client_order_id=stop_leg_id(entry.client_order_id),
        filled_quantity=Decimal(sold),
    )
    assert protection.cover_of(state_of(entry, leg), "ACME").stops == left


@pytest.mark.parametrize(
    ("tickets", "by"),
    [
        ((stop(100),), ProtectedBy.BROKER_STOP),
        ((stop(99),), ProtectedBy.NONE),
        ((leave(100),), ProtectedBy.LEAVING),
        ((leave(99),), ProtectedBy.NONE),
        ((leave(1), stop(99)), ProtectedBy.LEAVING),
        ((leave(1), stop(98)), ProtectedBy.NONE),
        ((leave(2), stop(1)), ProtectedBy.NONE),
        ((), ProtectedBy.NONE),
    ],
)
def test_every_share_has_to_be_covered(tickets: tuple[OrderTicket, ...], by: ProtectedBy):
    assert by_what(state_of(*tickets)) is by


def test_a_stop_that_rests_by_night_covers_as_many_shares_as_it_has():
    night = builders.CLOSE + timedelta(hours=6)
    assert by_what(state_of(stop(100)), now=night) is ProtectedBy.BROKER_STOP
    assert by_what(state_of(stop(99)), now=night) is ProtectedBy.NONE


def test_after_the_close_only_the_bots_own_watch_counts_and_falls_back_on_the_stop():
    own = Rules(working=ExecutionRules(extended_hours=True))
    desk = builders.FakeDesk(now=builders.CLOSE + timedelta(minutes=1))
    for quantity, by in ((100, ProtectedBy.BROKER_STOP), (99, ProtectedBy.NONE)):
        found = protection.protected_by(state_of(stop(quantity)), held(), desk, own)
        assert found is by
    seen = state_of(stop(100), priced_at={"ACME": desk.now})
    assert protection.protected_by(seen, held(), desk, own) is ProtectedBy.WATCHER


@pytest.mark.parametrize(
    ("age_s", "is_blind", "by"),
    [
        (600, False, ProtectedBy.WATCHER),
        (600.1, False, ProtectedBy.NONE),
        (0, True, ProtectedBy.NONE),
        (None, False, ProtectedBy.NONE),
    ],
)
def test_a_watch_has_to_see(age_s: float | None, is_blind: bool, by: ProtectedBy):
    assert RULES.working.watcher_silence_s == 600
    seen = {} if age_s is None else {"ACME": NOON - timedelta(seconds=age_s)}
    assert by_what(state_of(is_blind=is_blind, priced_at=seen)) is by


# What is asked for


def needed(said: list[Any]) -> list[tuple[ProtectionStep, int, int]]:
    return [(m.step, int(m.quantity), m.escalation) for m in of_type(said, d.ProtectionNeeded)]


def review(state: State, position: Position | None = None, **given: Any) -> list[Any]:
    return protection.review(state, position or held(), builders.FakeDesk(), RULES, **given)


ASKED = ProtectionStep.PLACE_STOP


@pytest.mark.parametrize(
    ("tickets", "asked"),
    [
        ((), [(ASKED, 100, 0)]),
        ((stop(40),), [(ASKED, 100, 0)]),  # the old stop is taken off before
        ((leave(40),), [(ASKED, 60, 0)]),
        ((leave(30, status=OrderStatus.PLANNED),), [(ASKED, 70, 0)]),
        ((leave(99),), [(ASKED, 1, 0)]),
        ((leave(60, status=OrderStatus.PLANNED), stop(40)), []),
        ((leave(60), stop(39)), [(ASKED, 40, 0)]),
        ((stop(1, status=OrderStatus.SUBMITTED),), []),  # one is on its way
    ],
)
def test_a_stop_is_asked_for_what_nothing_sells(tickets: tuple[OrderTicket, ...], asked):
    assert needed(review(state_of(*tickets))) == asked


def test_a_stop_is_asked_for_once_unless_a_session_begins():
    asked = state_of(guards=guard(ProtectedBy.NONE, steps=1, escalation=2))
    assert needed(review(asked)) == []
    assert needed(review(asked, asks_anew=True)) == [(ASKED, 100, 2)]
    covered = state_of(leave(100), guards=guard(ProtectedBy.NONE, steps=1))
    assert needed(review(covered, asks_anew=True)) == []


@pytest.mark.parametrize(
    ("tickets", "is_cut"),
    [
        ((stop(100),), False),
        ((stop(101),), True),
        ((stop(101), leave(1, status=OrderStatus.PLANNED)), False),
        ((stop(101), leave(1)), False),
    ],
)
def test_stops_for_more_than_is_held_go_unless_an_exit_does_it(tickets, is_cut: bool):
    cancelled = of_type(review(state_of(*tickets)), c.CancelOrder)
    assert [m.client_order_id for m in cancelled] == (["s"] if is_cut else [])


@pytest.mark.parametrize(
    ("tried", "seconds"),
    [(0, 2), (2, 2), (3, 60), (4, 120), (5, 240), (6, 480), (7, 900), (40, 900)],
)
def test_the_grace_is_short_three_times_and_doubles_from_there(tried: int, seconds: int):
    assert protection._grace(tried, RULES) == timedelta(seconds=seconds)


def test_a_long_grace_stays_as_long_as_it_is():
    patient = Rules(working=ExecutionRules(naked_grace_s=100.0))
    assert protection._grace(0, patient) == timedelta(seconds=100)
    assert protection._grace(3, patient) == timedelta(seconds=100)
    assert protection._grace(4, patient) == timedelta(seconds=120)


@pytest.mark.parametrize(
    ("before", "due_s"),
    [
        (None, 2),
        (guard(ProtectedBy.LEAVING, escalation=4)[TRADE_ID], 120),
        (guard(ProtectedBy.BROKER_STOP, escalation=4)[TRADE_ID], 2),
    ],
)
def test_who_lost_an_exit_waits_on_and_who_lost_a_stop_begins_anew(before, due_s: int):
    guards = {TRADE_ID: before} if before is not None else {}
    (timer,) = of_type(review(state_of(guards=guards)), c.SetTimer)
    assert timer.due_at == NOON + timedelta(seconds=due_s)


def test_a_watch_is_looked_at_when_it_may_have_gone_blind():
    (timer,) = of_type(review(state_of(priced_at={"ACME": NOON})), c.SetTimer)
    assert timer.due_at == NOON + timedelta(seconds=600)


def fire(state: State, position: Position | None = None, **desk: Any) -> list[Any]:
    at = builders.FakeDesk(**({"now": NOON + timedelta(seconds=2)} | desk))
    return protection.on_guard_timer(state, position or held(), at, RULES)


@pytest.mark.parametrize(
    ("tickets", "asked", "due_s"),
    [
        ((), [(ASKED, 100, 1)], 60),
        ((leave(40),), [(ASKED, 60, 1)], 60),
        ((stop(1, status=OrderStatus.SUBMITTED), leave(99, status=OrderStatus.PLANNED)), [], 600),
        ((leave(98), stop(1, status=OrderStatus.SUBMITTED)), [(ASKED, 2, 1)], 60),
    ],
)
def test_a_watch_asks_for_the_stop_again_while_a_share_is_bare(tickets, asked, due_s: int):
    now = NOON + timedelta(seconds=2)
    watched = guard(ProtectedBy.WATCHER, escalation=1)
    said = fire(state_of(*tickets, guards=watched, priced_at={"ACME": now}))
    assert needed(said) == asked
    (timer,) = of_type(said, c.SetTimer)
    assert timer.due_at == now + timedelta(seconds=due_s)


def test_a_short_watch_is_looked_at_before_the_stop_is_asked_for_again():
    hasty = Rules(working=ExecutionRules(watcher_silence_s=30.0))
    state = state_of(guards=guard(ProtectedBy.WATCHER), priced_at={"ACME": NOON})
    said = protection.on_guard_timer(state, held(), builders.FakeDesk(), hasty)
    (timer,) = of_type(said, c.SetTimer)
    assert timer.due_at == NOON + timedelta(seconds=30)


@pytest.mark.parametrize(
    ("tickets", "step", "shares", "bare"),
    [
        ((), ASKED, 100, "100 shares for 2 s"),
        ((stop(30),), ASKED, 100, "70 shares"),
        ((leave(30),), ASKED, 70, "70 shares"),
        ((stop(30), leave(20)), ASKED, 80, "50 shares"),
        ((stop(40, status=OrderStatus.SUBMITTED),), ProtectionStep.ASK_BROKER, 100, "100 shares"),
        ((leave(99, status=OrderStatus.PLANNED),), ProtectionStep.ASK_BROKER, 100, "100 shares"),
        ((leave(1, status=OrderStatus.PLANNED),), ProtectionStep.ASK_BROKER, 100, "100 shares"),
    ],
)
def test_a_person_is_told_how_many_shares_are_bare(tickets, step, shares: int, bare: str):
    said = fire(state_of(*tickets, guards=guard(ProtectedBy.NONE)))
    assert needed(said) == [(step, shares, 1)]
    (notice,) = of_type(said, c.SendNotification)
    assert notice.text.startswith(bare)


@pytest.mark.parametrize(
    ("given", "after_s", "is_told"),
    [
        ({"by": ProtectedBy.NONE}, 2, True),
        ({"by": ProtectedBy.NONE}, 1.9, False),
        ({"by": ProtectedBy.NONE, "escalation": 1}, 60, False),
        ({"by": ProtectedBy.LEAVING}, 60, False),
    ],
)
def test_when_the_books_are_compared_a_grace_that_ended_is_acted_on(given, after_s, is_told):
    state = state_of(guards=guard(given.pop("by"), steps=1, **given))
    desk = builders.FakeDesk(now=NOON + timedelta(seconds=after_s))
    said = protection.go_on(state, held(), desk, RULES)
    assert bool(of_type(said, c.SendNotification)) is is_told


OWN = Rules(working=ExecutionRules(extended_hours=True))
EVENING = builders.CLOSE + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("state", "is_asked"),
    [
        (state_of(), True),
        (state_of(leave(1, symbol="OTHER")), False),  # the trade has an order: it is no person's
        (State(finished_tickets={"e": builders.ticket(trade_id=TRADE_ID)}), False),
        (state_of(guards=guard(ProtectedBy.NONE)), False),
    ],
)
def test_only_what_was_just_adopted_asks_for_its_stop_outside_the_session(state, is_asked: bool):
    desk = builders.FakeDesk(now=NOON if state.guards else EVENING)
    desk.now = EVENING
    if state.guards:
        state.guards[TRADE_ID] = replace(state.guards[TRADE_ID], since=EVENING)
    said = protection.go_on(state, held(), desk, OWN)
    assert bool(needed(said)) is is_asked


# What waits


def test_only_exits_of_the_symbol_are_promised():
    sold = {"filled_quantity": Decimal(30)}
    state = state_of(
        leave(40, **sold),
        leave(5, client_order_id="x2"),
        leave(7, client_order_id="x3", symbol="OTHER"),
        stop(9),
    )
    assert working.promised(state, "ACME") == 15
    assert working.promised(state, "ACME", but=frozenset({"x2"})) == 10


@pytest.mark.parametrize(("sold", "quantity"), [(99, 1), (100, None), (40, 60), (0, 70)])
def test_a_stop_that_waited_is_sent_for_what_no_exit_sells(sold: int, quantity: int | None):
    waiting = replace(STOP, quantity=Decimal(70))
    state = state_of(leave(sold) if sold else leave(1, symbol="OTHER"))
    state.pending_stops = {TRADE_ID: waiting}
    said = working.release(state, held(), builders.FakeDesk(), RULES)
    sent = [m.order.quantity for m in of_type(said, c.SubmitOrder)]
    assert sent == ([quantity] if quantity is not None else [])


@pytest.mark.parametrize(
    ("raised", "stop_price"),
    [(None, "97.60"), ("97.60", "97.60"), ("97.61", "97.61"), ("97", "97.60")],
)
def test_a_stop_that_was_raised_meanwhile_is_sent_there(raised: str | None, stop_price: str):
    state = State(raised_stops={TRADE_ID: Decimal(raised)} if raised else {})
    order = working.with_raised_stop(state, STOP)
    assert order.stop_loss_price == Decimal(stop_price)
    none = replace(STOP, stop_loss_price=None)
    assert working.with_raised_stop(state, none) == none


def test_what_waits_is_not_at_the_broker_and_what_stands_in_line_is():
    planned = leave(status=OrderStatus.PLANNED)
    assert working.at_broker(state_of(planned), "ACME") == [planned]
    for waiting in (
        {"pending_exits": {TRADE_ID: EXIT}},
        {"pending_stops": {TRADE_ID: EXIT}},
        {"queued": {"x": Queued(order=EXIT, since=NOON)}},
    ):
        state = state_of(planned, **waiting)
        assert state.waits("x")
        assert not state.waits("other")
        assert working.at_broker(state, "ACME") == []
        sent = replace(planned, status=OrderStatus.WORKING)
        assert working.at_broker(state_of(sent, **waiting), "ACME") == [sent]
    assert working.at_broker(state_of(planned), "ACME", but=frozenset({"x"})) == []
    assert working.at_broker(state_of(planned), "OTHER") == []


@pytest.mark.parametrize(
    ("order", "given", "waits"),
    [
        (EXIT, {}, False),
        (EXIT, {"halted_symbols": {"ACME"}}, True),
        (EXIT, {"halted_symbols": {"OTHER"}}, False),
        (STOP, {"halted_symbols": {"ACME"}}, False),
        (STOP, {"pending_exits": {TRADE_ID: EXIT}}, True),
        (STOP, {"pending_exits": {"other": EXIT}}, False),
        (
            STOP,
            {
                "pending_exits": {TRADE_ID: EXIT},
                "queued": {"x": Queued(order=EXIT, since=NOON)},
            },
            False,
        ),
        (EXIT, {"pending_exits": {TRADE_ID: EXIT}}, False),
    ],
)
def test_who_has_to_wait(order, given: dict[str, Any], waits: bool):
    assert working.has_to_wait(State(**given), order) is waits


def test_an_entry_never_waits_for_the_books_and_an_exit_does():
    state = State()
    state.books.is_starting = True
    assert not working.has_to_wait(state, approved_order())
    assert working.has_to_wait(state, EXIT)


def test_the_broker_is_asked_again_later():
    timer = working.ask_after("x", builders.FakeDesk(), 5.0)
    assert timer.due_at == NOON + timedelta(seconds=5)
