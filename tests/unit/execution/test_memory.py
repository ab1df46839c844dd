"""What the stage remembers of orders, quotes and halts, and when it forgets."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import (
    ExitReason,
    OrderKind,
    OrderRole,
    OrderStatus,
    ProtectedBy,
    Side,
)
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import ClosedTrade, stop_leg_id, target_leg_id
from catalyst_bot.execution import brackets, corporate, evolve, executor, halts, repricing
from catalyst_bot.execution import decide as orders_decide
from catalyst_bot.execution.guards import decide as guards_decide
from catalyst_bot.execution.guards import evolve as guards_evolve
from catalyst_bot.execution.order_states import OrderEvent
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import Guard, Queued, State
from tests import builders
from tests.builders import NOON, approved_order, fill, quote, ticket
from tests.stages import Stages, of_type, run_started

SECOND = timedelta(seconds=1)
RULES = Rules(working=ExecutionRules())
ENTRY = approved_order()
ENTRY_ID = ENTRY.client_order_id
STOP_ID, TARGET_ID = stop_leg_id(ENTRY_ID), target_leg_id(ENTRY_ID)
LIMIT = approved_order(
    kind=OrderKind.LIMIT, limit_price=Decimal("100.02"), worst_price=Decimal("100.30")
)
EXIT = approved_order(
    client_order_id="x", role=OrderRole.EXIT, side=Side.SELL, exit_reason=ExitReason.TIME_EXIT
)


def queued(order: Any = ENTRY, **given: Any) -> Queued:
    return replace(Queued(order=order, since=NOON), **given)


def guard(symbol: str) -> Guard:
    return Guard(catalyst_id="", symbol=symbol, protected_by=ProtectedBy.BROKER_STOP, since=NOON)


# The stage's tables


def test_every_handler_of_a_message_is_asked_in_order():
    first, second = {int: "a", str: "b"}, {int: "c"}
    assert executor._grouped((first, second)) == {int: ("a", "c"), str: ("b",)}
    asked: list[Any] = []

    def say(word: str) -> Any:
        def decide(state: Any, message: Any, desk: Any, rules: Any) -> list[Any]:
            return [f"{word} {message}", f"{word}!"]

        return decide

    def keep(word: str) -> Any:
        def remember(state: Any, message: Any, at: Any) -> None:
            asked.append((word, message, at))

        return remember

    decide_all = executor._all_deciders((say("a"), say("b")))
    assert decide_all(State(), "m", builders.FakeDesk(), RULES) == ["a m", "a!", "b m", "b!"]
    executor._all_evolvers((keep("a"), keep("b")))(State(), "m", NOON)
    assert asked == [("a", "m", NOON), ("b", "m", NOON)]


# Orders


def test_of_a_finished_order_only_its_ticket_stays():
    state = State(
        open_tickets={ENTRY_ID: ticket(client_order_id=ENTRY_ID)},
        valid_until={ENTRY_ID: NOON},
        reprices={ENTRY_ID: 1},
        priced_since={ENTRY_ID: NOON},
        cancelling={ENTRY_ID},
    )
    cancelled = f.OrderCancelled(at=NOON, client_order_id=ENTRY_ID, reason="")
    evolve.EVOLVE[f.OrderCancelled](state, cancelled, NOON)
    assert list(state.finished_tickets) == [ENTRY_ID]
    left = (state.open_tickets, state.valid_until, state.reprices, state.priced_since)
    assert (*left, state.cancelling) == ({}, {}, {}, {}, set())


def test_an_order_on_its_way_may_arrive_until_then_and_its_symbol_is_touched():
    stages = Stages()
    stages.approve(ENTRY)
    execution = stages.execution
    assert "ACME" in execution.books.touched
    assert execution.valid_until[ENTRY_ID] > NOON
    stages.accept(ENTRY_ID)
    assert execution.valid_until == {}


@pytest.mark.parametrize(
    ("kind", "stop_price"), [(OrderKind.STOP, Decimal(90)), (OrderKind.MARKET, None)]
)
def test_only_a_stop_order_has_the_stop_as_its_own_price(kind: OrderKind, stop_price):
    order = replace(ENTRY, kind=kind, stop_loss_price=Decimal(90))
    assert brackets.planned_ticket(order).stop_price == stop_price
    state = State(open_tickets={ENTRY_ID: replace(brackets.planned_ticket(order), stop_price=None)})
    evolve.submit_order(state, c.SubmitOrder(order=order, valid_until=NOON), NOON)
    assert state.open_tickets[ENTRY_ID].stop_price == stop_price


@pytest.mark.parametrize(
    ("limit_price", "order_id", "is_counted"),
    [(Decimal(101), ENTRY_ID, True), (None, ENTRY_ID, False), (Decimal(101), "gone", False)],
)
def test_a_limit_that_moved_gets_new_time(limit_price, order_id: str, is_counted: bool):
    state = State(open_tickets={ENTRY_ID: ticket(client_order_id=ENTRY_ID)})
    moved = c.ReplaceOrder(client_order_id=order_id, catalyst_id="", limit_price=limit_price)
    evolve.count_reprice(state, moved, NOON)
    assert state.reprices == ({ENTRY_ID: 1} if is_counted else {})
    assert state.priced_since == ({ENTRY_ID: NOON} if is_counted else {})


@pytest.mark.parametrize(
    ("order", "status", "is_timed"),
    [
        (LIMIT, OrderStatus.SUBMITTED, True),
        (LIMIT, OrderStatus.UNKNOWN, True),
        (LIMIT, OrderStatus.WORKING, False),
        (ENTRY, OrderStatus.SUBMITTED, False),
    ],
)
def test_the_time_of_a_limit_runs_from_its_first_acceptance(order, status, is_timed: bool):
    sent = replace(brackets.planned_ticket(order), status=status)
    state = State(open_tickets={ENTRY_ID: sent})
    answer = f.OrderAccepted(at=NOON, client_order_id=ENTRY_ID, broker_order_id="b")
    evolve.accept_order(state, answer, NOON)
    assert state.priced_since == ({ENTRY_ID: NOON} if is_timed else {})
    assert state.open_tickets[ENTRY_ID].status is OrderStatus.WORKING


def test_only_halves_of_a_pair_end_each_other():
    entry = ticket(client_order_id=ENTRY_ID)
    stop = ticket(client_order_id=STOP_ID, role=OrderRole.STOP_LOSS)
    of_entry = State(open_tickets={ENTRY_ID: entry, STOP_ID: stop})
    assert evolve._other_half(of_entry, stop) is None
    assert evolve._other_half(of_entry, entry) is None
    target = replace(entry, role=OrderRole.TAKE_PROFIT)
    of_pair = State(open_tickets={ENTRY_ID: target, STOP_ID: stop})
    assert evolve._other_half(of_pair, stop) == target
    assert evolve._other_half(of_pair, target) == stop
    assert evolve._other_half(State(), stop) is None


@pytest.mark.parametrize(
    ("sold", "status"), [("1", OrderStatus.FILLED), ("0", OrderStatus.CANCELLED)]
)
def test_a_leg_with_nothing_left_to_sell_is_filled_when_it_sold_a_share(sold: str, status):
    leg = ticket(
        role=OrderRole.STOP_LOSS,
        quantity=Decimal(100),
        filled_quantity=Decimal(sold),
        status=OrderStatus.PARTIALLY_FILLED if sold != "0" else OrderStatus.WORKING,
    )
    assert brackets.settle_pair(leg, Decimal(100) - Decimal(sold)).status is status


def test_without_a_sibling_a_leg_stands_for_all_that_was_bought():
    entry = ticket(status=OrderStatus.FILLED, filled_quantity=Decimal(60))
    leg = ticket(role=OrderRole.STOP_LOSS, status=OrderStatus.HELD)
    assert brackets.settle_leg(leg, entry, None).quantity == 60


# What an end brings with it


PAIR_ID = "pair"
PAIR = ticket(client_order_id=PAIR_ID, role=OrderRole.TAKE_PROFIT, side=Side.SELL)


@pytest.mark.parametrize(
    ("order", "event", "ended"),
    [
        (ticket(client_order_id=ENTRY_ID), OrderEvent.CANCEL, (STOP_ID, TARGET_ID)),
        (
            ticket(client_order_id=ENTRY_ID, filled_quantity=Decimal(1)),
            OrderEvent.CANCEL,
            (),
        ),
        (PAIR, OrderEvent.REJECT, (stop_leg_id(PAIR_ID),)),
        (PAIR, OrderEvent.SUPPRESS, (stop_leg_id(PAIR_ID),)),
        (PAIR, OrderEvent.MISS, (stop_leg_id(PAIR_ID),)),
        (PAIR, OrderEvent.CANCEL, ()),
        (replace(PAIR, filled_quantity=Decimal(1)), OrderEvent.CANCEL, ()),
        (ticket(client_order_id=TARGET_ID, role=OrderRole.TAKE_PROFIT), OrderEvent.REJECT, ()),
        (ticket(client_order_id="x", role=OrderRole.EXIT), OrderEvent.REJECT, ()),
    ],
)
def test_with_an_order_end_only_the_legs_that_never_were(order, event, ended):
    assert orders_decide._ended_with(order, event) == ended


@pytest.mark.parametrize(
    ("role", "status", "own", "raised", "is_moved"),
    [
        (OrderRole.STOP_LOSS, OrderStatus.HELD, "90", "91", True),
        (OrderRole.STOP_LOSS, OrderStatus.HELD, "90", "90", False),
        (OrderRole.STOP_LOSS, OrderStatus.HELD, "90", None, False),
        (OrderRole.STOP_LOSS, OrderStatus.HELD, None, "91", False),
        (OrderRole.STOP_LOSS, OrderStatus.WORKING, "90", "91", False),
        (OrderRole.TAKE_PROFIT, OrderStatus.HELD, "90", "91", False),
    ],
)
def test_a_stop_catches_up_when_it_goes_live(role, status, own, raised, is_moved: bool):
    leg = ticket(
        client_order_id=STOP_ID,
        role=role,
        status=status,
        stop_price=Decimal(own) if own else None,
    )
    state = State(
        open_tickets={STOP_ID: leg},
        raised_stops={leg.trade_id: Decimal(raised)} if raised else {},
    )
    moved = orders_decide._catch_up(state, frozenset({STOP_ID}))
    assert [m.stop_price for m in moved] == ([Decimal(91)] if is_moved else [])


def test_a_fill_that_cannot_be_is_told():
    done = ticket(client_order_id="e", status=OrderStatus.CANCELLED, filled_quantity=Decimal(90))
    state = State(finished_tickets={"e": done})
    told = [
        orders_decide.on_order_filled(
            state,
            f.OrderFilled(at=NOON, fill=fill(client_order_id="e", quantity=Decimal(more))),
            builders.FakeDesk(),
            RULES,
        )
        for more in (10, 11)
    ]
    assert [of_type(said, d.MismatchFound) != [] for said in told] == [False, True]


def test_when_a_leg_sells_nothing_more_of_its_entry_is_bought():
    entry = ticket(client_order_id=ENTRY_ID, filled_quantity=Decimal(40))
    leg = ticket(client_order_id=STOP_ID, role=OrderRole.STOP_LOSS, side=Side.SELL)
    pair = replace(PAIR, client_order_id="p")
    half = replace(leg, client_order_id=stop_leg_id("p"))
    state = State(open_tickets={t.client_order_id: t for t in (entry, leg, pair, half)})

    def cancelled(order_id: str) -> list[str]:
        sold = f.OrderFilled(
            at=NOON, fill=fill(client_order_id=order_id, side=Side.SELL, quantity=Decimal(5))
        )
        said = orders_decide.on_order_filled(state, sold, builders.FakeDesk(), RULES)
        return [m.client_order_id for m in of_type(said, c.CancelOrder)]

    assert cancelled(STOP_ID) == [ENTRY_ID]
    assert cancelled(ENTRY_ID) == cancelled("p") == cancelled(stop_leg_id("p")) == []


def test_an_unclear_outcome_is_asked_about_now_and_when_it_cannot_be_on_its_way_any_more():
    sent = ticket(client_order_id=ENTRY_ID, status=OrderStatus.SUBMITTED)
    unclear = f.SubmitOutcomeUnknown(at=NOON, client_order_id=ENTRY_ID, detail="")
    wait = timedelta(seconds=RULES.first_ask_after_s)
    for until, due_at in (({}, NOON + wait), ({ENTRY_ID: NOON + 9 * wait}, NOON + 9 * wait)):
        state = State(open_tickets={ENTRY_ID: sent}, valid_until=until)
        asked, timer = orders_decide.on_outcome_unknown(state, unclear, builders.FakeDesk(), RULES)
        assert asked == c.LookUpOrder(client_order_id=ENTRY_ID)
        assert timer.due_at == due_at


def test_fills_that_a_look_up_misses_are_looked_for_in_the_books_later():
    sent = ticket(client_order_id=ENTRY_ID)
    theirs = replace(sent, filled_quantity=Decimal(1), status=OrderStatus.PARTIALLY_FILLED)
    answer = f.OrderLookedUp(at=NOON, client_order_id=ENTRY_ID, ticket=theirs)
    state = State(open_tickets={ENTRY_ID: sent})
    said = orders_decide.on_order_looked_up(state, answer, builders.FakeDesk(), RULES)
    (timer,) = of_type(said, c.SetTimer)
    assert timer.due_at == NOON + timedelta(seconds=RULES.first_ask_after_s)


def test_flat_means_nothing_of_the_trade_and_nothing_that_sells_stays():
    trade_id = ticket().trade_id
    tickets = (
        ticket(client_order_id="ours"),
        ticket(client_order_id="entry", trade_id="other"),
        ticket(client_order_id="stop", trade_id="other", role=OrderRole.STOP_LOSS),
        ticket(client_order_id="elsewhere", symbol="OTHER", role=OrderRole.STOP_LOSS),
    )
    state = State(open_tickets={t.client_order_id: t for t in tickets})
    closed = d.PositionClosed(trade=closed_trade(trade_id))
    said = orders_decide.on_position_closed(state, closed, builders.FakeDesk(), RULES)
    assert [m.client_order_id for m in of_type(said, c.CancelOrder)] == ["ours", "stop"]
    assert not of_type(said, c.ClearTimer)


def closed_trade(trade_id: str, symbol: str = "ACME") -> ClosedTrade:
    return ClosedTrade(
        trade_id=trade_id,
        catalyst_id="c",
        strategy_id="s",
        symbol=symbol,
        side=Side.BUY,
        quantity=Decimal(1),
        entry_at=NOON,
        entry_price=Decimal(1),
        exit_at=NOON,
        exit_price=Decimal(1),
        exit_reason=ExitReason.TIME_EXIT,
        fees_usd=Decimal(0),
        pnl_usd=Decimal(0),
        pnl_fraction=0.0,
    )


# Quotes and guards


def seen(**given: Any) -> State:
    both = {"ACME": quote(), "OTHER": quote("OTHER")}
    return State(**({"quotes": both, "priced_at": dict.fromkeys(both, NOON)} | given))


def test_of_a_closed_trade_neither_guard_nor_quote_stays():
    state = seen(guards={"a": guard("ACME")}, raised_stops={"a": Decimal(1), "b": Decimal(2)})
    guards_evolve.forget_trade(state, d.PositionClosed(trade=closed_trade("a")), NOON)
    assert (state.guards, state.raised_stops) == ({}, {"b": Decimal(2)})
    assert list(state.quotes) == list(state.priced_at) == ["OTHER"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({}, []),
        ({"guards": {"a": guard("ACME")}}, ["ACME"]),
        ({"open_tickets": {"b": ticket(symbol="OTHER")}}, ["OTHER"]),
    ],
)
def test_a_session_begins_with_the_quotes_that_are_needed(given, kept: list[str]):
    state = seen(**given)
    opened = f.SessionOpened(at=NOON, day=NOON.date(), closes_at=builders.CLOSE)
    guards_evolve.forget_quotes(state, opened, NOON)
    assert list(state.quotes) == list(state.priced_at) == kept


def test_a_split_makes_old_quotes_worthless():
    state = seen()
    split = f.SplitApplied(
        at=NOON, symbol="ACME", shares_per_share=Decimal(2), effective_on=NOON.date()
    )
    guards_evolve.split_stops(state, split, NOON)
    assert list(state.quotes) == list(state.priced_at) == ["OTHER"]


def test_only_the_source_of_prices_makes_the_watch_blind_until_it_works_or_a_new_start():
    state = State()
    for adapter, is_blind in (("news", False), ("market data", True)):
        guards_evolve.go_blind(state, f.AdapterFailed(at=NOON, adapter=adapter, error=""), NOON)
        assert state.is_blind is is_blind
    for adapter, is_blind in (("news", True), ("market data", False)):
        guards_evolve.see_again(state, f.AdapterRecovered(at=NOON, adapter=adapter), NOON)
        assert state.is_blind is is_blind
    state.is_blind = True
    guards_evolve.start_run(state, run_started(), NOON)
    assert state.is_blind is False


# Halts


def test_at_the_resume_only_the_symbols_exits_are_on_their_way():
    state = State(
        halted_symbols={"ACME", "OTHER"},
        queued={
            "other": queued(replace(EXIT, symbol="OTHER")),
            "exit": queued(EXIT),
            "entry": queued(),
        },
    )
    resumed = f.SymbolResumed(at=NOON + SECOND, symbol="ACME")
    guards_evolve.resume_symbol(state, resumed, NOON + SECOND)
    assert state.halted_symbols == {"OTHER"}
    assert state.queued["other"].resumed_at is None
    assert state.queued["entry"].resumed_at == NOON + SECOND
    assert "exit" not in state.queued


def test_an_entry_that_waits_is_watched_and_an_exit_waits_by_itself():
    kinds = [type(m) for m in halts.queue(ENTRY, builders.FakeDesk())]
    assert kinds == [d.OrderQueued, c.SetTimer, c.WatchSymbol]
    assert [type(m) for m in halts.queue(EXIT, builders.FakeDesk())] == [d.OrderQueued]


@pytest.mark.parametrize(
    ("order", "is_held", "stops"),
    [(ENTRY, False, True), (ENTRY, True, False), (EXIT, False, False)],
)
def test_prices_of_a_held_symbol_are_needed(order, is_held: bool, stops: bool):
    state = State(queued={order.client_order_id: queued(order)})
    desk = builders.FakeDesk(positions={"ACME": builders.position()} if is_held else {})
    gone = d.OrderWithdrawn(
        client_order_id=order.client_order_id, catalyst_id="", symbol="ACME", reason=""
    )
    assert bool(halts.stop_watching(state, gone, desk)) is stops


@pytest.mark.parametrize(("price", "is_sent"), [(105.0, True), (105.01, False), (95.0, True)])
def test_an_entry_is_sent_up_to_the_collar(price: float, is_sent: bool):
    state = State(queued={ENTRY_ID: queued(resumed_at=NOON)})
    rules = Rules(working=ExecutionRules(), price_collar_fraction=abs(105.0 / 100 - 1))
    said = halts.on_price(state, "ACME", price, builders.FakeDesk(), rules)
    assert bool(of_type(said, c.SubmitOrder)) is is_sent


@pytest.mark.parametrize(
    ("is_extended", "after_min", "is_sent"),
    [(True, 1, True), (False, 1, False), (True, 60 * 5, False)],
)
def test_an_entry_for_extended_hours_is_sent_while_they_last(
    is_extended: bool, after_min: int, is_sent: bool
):
    order = replace(LIMIT, extended_hours=is_extended)
    state = State(queued={ENTRY_ID: queued(order, resumed_at=NOON)})
    desk = builders.FakeDesk(now=builders.CLOSE + timedelta(minutes=after_min))
    said = halts.on_price(state, "ACME", 100.0, desk, RULES)
    assert bool(of_type(said, c.SubmitOrder)) is is_sent


def test_a_split_asks_anew_only_for_what_waits_in_its_symbol():
    def waiting(symbol: str) -> Any:
        return replace(EXIT, client_order_id=f"x-{symbol}", symbol=symbol)

    state = State(
        pending_stops={s: waiting(s) for s in ("ACME", "OTHER")},
        queued={
            s: queued(replace(waiting(s), client_order_id=f"q-{s}")) for s in ("ACME", "OTHER")
        },
        open_tickets={s: ticket(client_order_id=s, symbol=s) for s in ("ACME", "OTHER")},
    )
    split = f.SplitApplied(
        at=NOON, symbol="ACME", shares_per_share=Decimal(2), effective_on=date(2025, 10, 7)
    )
    said = corporate.rescale_orders(state, split)
    assert [m.client_order_id for m in said] == ["x-ACME", "q-ACME", "ACME"]


# Repricing


@pytest.mark.parametrize(("most", "is_timed"), [(0, False), (1, True)])
def test_a_limit_that_may_never_move_needs_no_timer(most: int, is_timed: bool):
    rules = Rules(working=ExecutionRules(max_reprices=most))
    sent = replace(brackets.planned_ticket(LIMIT), status=OrderStatus.SUBMITTED)
    assert bool(repricing.on_accepted(sent, builders.FakeDesk(), rules)) is is_timed


@pytest.mark.parametrize(("age_s", "moves"), [(15, True), (15.1, False)])
def test_a_quote_as_old_as_the_wait_is_followed(age_s: float, moves: bool):
    rules = Rules(working=ExecutionRules(reprice_after_s=15))
    sent = replace(brackets.planned_ticket(LIMIT), status=OrderStatus.WORKING)
    old = quote(at=NOON - timedelta(seconds=age_s), bid=100.05, ask=100.07)
    state = State(open_tickets={ENTRY_ID: sent}, quotes={"ACME": old})
    assert bool(repricing.on_timer(state, sent, builders.FakeDesk(), rules)) is moves


@pytest.mark.parametrize(
    ("symbol", "order", "since_s", "reprices", "moves"),
    [
        ("ACME", LIMIT, 15, 0, True),
        ("ACME", LIMIT, 14.9, 0, False),
        ("ACME", LIMIT, 15, 1, False),
        ("OTHER", LIMIT, 15, 0, False),
        ("ACME", replace(LIMIT, kind=OrderKind.MARKET), 15, 0, False),
    ],
)
def test_only_a_limit_of_the_symbol_whose_time_is_over_follows(
    symbol: str, order, since_s: float, reprices: int, moves: bool
):
    rules = Rules(working=ExecutionRules(reprice_after_s=15, max_reprices=1))
    sent = replace(brackets.planned_ticket(order), status=OrderStatus.WORKING)
    state = State(
        open_tickets={ENTRY_ID: sent},
        priced_since={ENTRY_ID: NOON - timedelta(seconds=since_s)},
        reprices={ENTRY_ID: reprices} if reprices else {},
    )
    told = quote(symbol, bid=100.05, ask=100.07)
    assert bool(repricing.on_quote(state, told, builders.FakeDesk(), rules)) is moves


@pytest.mark.parametrize(("ask", "price"), [(100.01, None), (100.02, "100.03")])
def test_a_limit_that_would_not_move_is_not_moved(ask: float, price: str | None):
    sent = brackets.planned_ticket(LIMIT)
    found = repricing._better_price(sent, quote(bid=100.0, ask=ask), RULES)
    assert found == (Decimal(price) if price else None)
    leaving = replace(sent, side=Side.SELL, worst_price=Decimal(50))
    lower = repricing._better_price(leaving, quote(bid=100.0, ask=ask), RULES)
    assert lower is not None
    same = replace(leaving, limit_price=lower)
    assert repricing._better_price(same, quote(bid=100.0, ask=ask), RULES) is None


@pytest.mark.parametrize(
    ("priced_at", "is_timed", "moves"),
    [({}, True, True), ({"ACME": NOON}, True, False), ({}, False, False)],
)
def test_a_bar_moves_a_limit_only_where_no_quote_does(priced_at, is_timed: bool, moves: bool):
    sent = replace(brackets.planned_ticket(LIMIT), status=OrderStatus.WORKING)
    state = State(
        open_tickets={ENTRY_ID: sent},
        priced_at=priced_at,
        priced_since={ENTRY_ID: NOON - timedelta(hours=1)} if is_timed else {},
    )
    closed = f.BarClosed(at=NOON, bar=builders.bar(close=100.10))
    said = guards_decide.on_bar(state, closed, builders.FakeDesk(), RULES)
    assert bool(of_type(said, c.ReplaceOrder)) is moves
