"""What the adapter tells when Alpaca answers unclearly, late, twice or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.broker.alpaca_book import TAKEN
from catalyst_bot.broker.alpaca_mapping import read_order
from catalyst_bot.domain.enums import OrderRole, OrderStatus, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import UNDER_WAY
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.domain.trading import ApprovedOrder, stop_leg_id, target_leg_id
from tests.alpaca_desk import AlpacaDesk, client_for
from tests.builders import NOON, approved_order, bar
from tests.fake_alpaca import FakeAlpaca, Refusal

ENTRY = approved_order()
ENTRY_ID = ENTRY.client_order_id
STOP_ID, TARGET_ID = stop_leg_id(ENTRY_ID), target_leg_id(ENTRY_ID)


@dataclass
class Bench:
    """A broker, its service, and a journal of what passed between core and broker."""

    time: datetime = NOON
    journal: list[Message] = field(default_factory=list)
    read: int = 0

    def __post_init__(self) -> None:
        self.service = FakeAlpaca(now=self.now)
        self.desk = AlpacaDesk(self.journal.append, clock=self, service=self.service)

    def now(self) -> datetime:
        return self.time

    def send(self, order: ApprovedOrder = ENTRY) -> list[Fact]:
        command = c.SubmitOrder(order=order, valid_until=self.time + timedelta(seconds=10))
        self.journal.append(command)
        self.read += 1
        self.desk.broker.submit(command)
        return self.take()

    def take(self) -> list[Any]:
        self.desk.settle()
        said, self.read = self.journal[self.read :], len(self.journal)
        return said

    def look_up(self, order_id: str) -> list[Any]:
        self.desk.broker.look_up(c.LookUpOrder(client_order_id=order_id))
        return self.take()

    def books(self) -> list[Any]:
        self.desk.broker.snapshot(c.TakeBrokerSnapshot(reason="test"))
        return self.take()

    def trade_at(self, price: float) -> None:
        prices = dict.fromkeys(("open", "high", "low", "close"), price)
        one = bar(opened_at=self.time, volume=1e6, **prices)
        self.time = one.closed_at
        self.service.trade(one)

    def restart(self) -> list[Fact]:
        due = self.desk.restart(self.journal)
        self.journal += due
        self.read = len(self.journal)
        return due


@pytest.fixture
def bench() -> Bench:
    return Bench()


def kinds(facts: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in facts]


@pytest.mark.parametrize("fault", ["504 after", "page after", "empty after", "hang after"])
def test_an_order_that_was_taken_without_an_answer_is_found_and_not_sent_again(
    bench: Bench, fault: str
):
    bench.service.faults.append(fault)
    said = bench.send()
    assert kinds(said) == ["SubmitOutcomeUnknown", "OrderAccepted"]  # and the poll clears it up
    looked_up = bench.look_up(ENTRY_ID)[-1]
    assert looked_up.ticket.status is OrderStatus.WORKING
    assert len(bench.service.posts) == 1


def test_an_order_that_never_arrived_stays_unclear_until_it_is_looked_up(bench: Bench):
    bench.service.faults.append("500 before")
    assert kinds(bench.send()) == ["SubmitOutcomeUnknown"]
    (answer,) = bench.look_up(ENTRY_ID)
    assert answer.ticket is None
    assert len(bench.service.posts) == 0


class StopWatch(Pace):
    """Pauses that pass at once; `on_pause` is what happens meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.at_s = 0.0
        self.on_pause: Callable[[], object] = lambda: None

    def seconds(self) -> float:
        return self.at_s

    async def sleep(self, pause_s: float) -> None:
        self.at_s += pause_s
        self.on_pause()


@pytest.fixture
def watch(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> StopWatch:
    watch = StopWatch()
    monkeypatch.setattr(bench.desk.broker._client, "pace", watch)
    return watch


def arrive(bench: Bench) -> None:
    """Let the order come there, long after anybody waited for an answer."""
    bench.service.venue.submit({**order_body(), "client_order_id": ENTRY_ID}, 100.0)


def test_a_clock_that_jumps_makes_no_order_arrive_sooner(bench: Bench, watch: StopWatch):
    bench.service.faults.append("500 before")
    bench.send()
    bench.time += timedelta(hours=1)
    watch.at_s += 4.0
    watch.on_pause = lambda: arrive(bench)
    said = bench.look_up(ENTRY_ID)
    assert kinds(said) == ["OrderAccepted", "OrderLookedUp"]
    assert watch.at_s == UNDER_WAY.total_seconds()


def test_that_an_order_is_not_there_is_told_at_once_when_it_cannot_arrive_any_more(
    bench: Bench, watch: StopWatch
):
    bench.service.faults.append("500 before")
    bench.send()
    watch.at_s += UNDER_WAY.total_seconds()
    watch.on_pause = lambda: arrive(bench)
    (answer,) = bench.look_up(ENTRY_ID)
    assert answer.ticket is None


def test_what_the_last_process_sent_may_arrive_for_as_long(bench: Bench, watch: StopWatch):
    bench.journal.append(c.SubmitOrder(order=ENTRY, valid_until=bench.time))
    bench.journal += bench.desk.broker.recover(bench.journal, bench.time)
    bench.read = len(bench.journal)
    watch.on_pause = lambda: arrive(bench)
    assert kinds(bench.look_up(ENTRY_ID)) == ["OrderAccepted", "OrderLookedUp"]


def test_where_we_move_the_time_nobody_waits_for_it(bench: Bench, watch: StopWatch):
    bench.service.faults.append("500 before")
    bench.send()
    watch.is_stepped = True
    assert kinds(bench.look_up(ENTRY_ID)) == ["OrderLookedUp"]
    assert watch.at_s == 0.0


def test_a_redirect_is_not_followed(bench: Bench):
    bench.service.faults.append("302")
    assert kinds(bench.send()) == ["SubmitOutcomeUnknown"]
    assert not any("elsewhere" in line for line in bench.service.asked)


def test_a_taken_id_means_that_the_order_is_there(bench: Bench):
    bench.send()
    forgetful = Bench(time=bench.time)
    forgetful.desk.service = forgetful.service = bench.service
    forgetful.desk.restart([])
    said = forgetful.send()
    assert kinds(said) == ["OrderAccepted"]
    assert len(bench.service.orders) == 3  # the entry and its legs, once


def test_a_taken_id_that_is_not_found_is_unclear(bench: Bench):
    bench.service.venue.submit({**order_body(), "client_order_id": ENTRY_ID}, 100.0)
    (order, *_) = bench.service.orders.values()
    bench.service.by_client_id = no_such_order  # type: ignore[method-assign]
    order.submitted_at -= timedelta(days=1)  # and too old for the poll
    assert kinds(bench.send()) == ["SubmitOutcomeUnknown"]


def no_such_order(_: Any) -> Any:
    raise Refusal(404, 40410000, "order not found")


def test_an_answer_about_another_order_is_no_answer(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    other = bench.service.venue.submit({**order_body(), "client_order_id": "by-hand"}, 100.0)
    monkeypatch.setattr(bench.service.venue, "submit", lambda *_: other)
    assert kinds(bench.send()) == ["SubmitOutcomeUnknown"]


def test_refused_keys_halt_trading_and_reject_the_order(bench: Bench):
    bench.service.faults.append("401")
    failed, halted, rejected, recovered = bench.send()
    assert (failed.adapter, failed.error) == ("broker", "unauthorized.")
    assert (type(halted), halted.by) == (f.OperatorHalted, "alpaca")
    assert "refuses the keys" in halted.reason
    assert rejected.reason == "unauthorized."
    assert isinstance(recovered, f.AdapterRecovered)


def keys_refused(_: Any) -> Any:
    raise Refusal(401, 0, "unauthorized.")


@pytest.mark.parametrize("is_taken", [False, True], ids=["a full rate limit", "a taken id"])
def test_keys_that_are_refused_while_an_order_is_looked_for_halt_too(bench: Bench, is_taken: bool):
    if is_taken:
        bench.service.venue.submit({**order_body(), "client_order_id": ENTRY_ID}, 100.0)
    else:
        bench.service.faults.append("429")
    bench.service.by_client_id = keys_refused  # type: ignore[method-assign]
    said = bench.send()
    assert kinds(said)[:3] == ["AdapterFailed", "OperatorHalted", "SubmitOutcomeUnknown"]


def test_a_page_that_forbids_is_a_failure_but_no_reason_to_halt(bench: Bench):
    bench.service.faults.append("403 page")
    said = bench.send()
    assert kinds(said) == ["AdapterFailed", "OrderRejected", "AdapterRecovered"]
    assert said[1].reason == "a page instead of an answer (HTTP 403)"


def test_an_order_that_met_a_full_rate_limit_is_posted_when_it_is_known_not_to_be_there(
    bench: Bench,
):
    bench.service.faults.append("429")
    assert kinds(bench.send()) == ["OrderAccepted"]
    assert bench.service.asked[:3] == [
        "POST /v2/orders",
        "GET /v2/orders:by_client_order_id",
        "POST /v2/orders",
    ]
    assert len(bench.service.posts) == 1


def test_a_rate_limit_that_stays_full_rejects_the_order(bench: Bench):
    bench.service.faults += ["429"] * 3
    (rejected,) = bench.send()
    assert (type(rejected), rejected.reason) == (f.OrderRejected, "rate limited")
    assert len(bench.service.posts) == 0


def test_an_order_whose_time_ran_out_at_a_full_rate_limit_is_not_posted_again(bench: Bench):
    bench.service.faults.append("429")
    real = bench.service.answer

    def slow(method: str, *rest: Any) -> Any:
        bench.time += timedelta(seconds=6)
        return real(method, *rest)

    bench.service.answer = slow  # type: ignore[method-assign]
    (rejected,) = bench.send()
    assert rejected.reason == "rate limited"
    assert len(bench.service.posts) == 0


def test_an_order_that_stood_in_line_for_too_long_is_not_sent(bench: Bench):
    command = c.SubmitOrder(order=ENTRY, valid_until=NOON + timedelta(seconds=10))
    bench.desk.broker.submit(command)
    bench.time += timedelta(seconds=11)
    (suppressed,) = bench.take()
    assert suppressed.reason == "promise_too_old"
    assert bench.service.posts == []


def test_a_full_rate_limit_after_the_order_was_taken_is_no_rejection(bench: Bench):
    bench.service.faults.append("429 after")
    assert kinds(bench.send()) == ["OrderAccepted"]


def test_a_full_rate_limit_that_cannot_be_cleared_up_is_unclear(bench: Bench):
    bench.service.faults.append("429")
    original = bench.desk.broker._watch.find

    async def fails_first(order_id: str) -> Any:
        bench.service.failing = 1
        return await original(order_id)

    bench.desk.broker._watch.find = fails_first  # type: ignore[method-assign]
    assert kinds(bench.send()) == ["SubmitOutcomeUnknown"]


def test_alpacas_own_words_are_the_reason_and_a_second_submit_repeats_them(bench: Bench):
    dear = approved_order(quantity=Decimal(5_000))
    (rejected,) = bench.send(dear)
    assert rejected.reason == "insufficient buying power"
    (again,) = bench.send(dear)
    assert again.reason == rejected.reason
    assert len(bench.service.posts) == 1


def test_a_second_submit_of_an_unclear_order_sends_nothing(bench: Bench):
    bench.service.faults.append("500 before")
    bench.send()
    assert kinds(bench.send()) == ["SubmitOutcomeUnknown"]
    assert len(bench.service.posts) == 0


def test_a_failing_poll_is_told_once_and_so_is_its_recovery(bench: Bench):
    bench.service.failing = 3
    assert [kinds(bench.take()) for _ in range(5)] == [
        ["AdapterFailed"],
        [],
        [],
        ["AdapterRecovered"],
        [],
    ]


def test_a_cancel_is_repeated_until_it_is_answered(bench: Bench):
    bench.send()
    bench.service.failing = 2
    bench.desk.broker.cancel(c.CancelOrder(client_order_id=ENTRY_ID, catalyst_id="cat-test"))
    assert kinds(bench.take()) == ["AdapterFailed", "AdapterRecovered", "OrderCancelled"]
    assert sum(line.startswith("DELETE") for line in bench.service.asked) == 3


def test_a_cancel_waits_for_a_full_rate_limit(bench: Bench):
    bench.send()
    bench.service.delete_faults.append("429")
    bench.desk.broker.cancel(c.CancelOrder(client_order_id=ENTRY_ID, catalyst_id="cat-test"))
    assert kinds(bench.take()) == ["AdapterFailed", "AdapterRecovered", "OrderCancelled"]


def test_an_order_that_a_look_found_is_not_unclear_any_more(bench: Bench):
    bench.service.faults.append("hang after")
    real = bench.service.answer
    broker = bench.desk.broker

    def look_before_the_answer(method: str, *rest: Any) -> Any:
        reply = real(method, *rest)
        if method == "POST":
            told = bench.service.json_of(next(iter(bench.service.orders.values())), nested=True)
            broker._watch.tell([read_order(told)])
        return reply

    bench.service.answer = look_before_the_answer  # type: ignore[method-assign]
    assert kinds(bench.send()) == ["OrderAccepted"]


def test_the_same_question_is_asked_once_at_a_time(bench: Bench):
    bench.send()
    for _ in range(3):
        bench.desk.broker.look_up(c.LookUpOrder(client_order_id=ENTRY_ID))
    assert kinds(bench.take()) == ["OrderLookedUp"]


def test_partial_fills_are_told_as_increments_with_their_own_prices(bench: Bench):
    service = bench.service = FakeAlpaca(now=bench.now, participation=0.1)
    bench.desk.service = service
    bench.desk.restart([])
    bench.send(approved_order(quantity=Decimal(100)))
    fills = []
    for price in (100.0, 100.5, 101.0):
        one = bar(
            opened_at=bench.time, volume=400.0, open=price, high=price, low=price, close=price
        )
        bench.time = one.closed_at
        service.trade(one)
        fills += [fact.fill for fact in bench.take() if isinstance(fact, f.OrderFilled)]
    assert [fill.quantity for fill in fills] == [Decimal(40), Decimal(40), Decimal(20)]
    (entry, *_) = service.orders.values()
    assert sum(fill.quantity * fill.price for fill in fills) == pytest.approx(entry.spent_usd)
    assert fills[0].price < fills[1].price < fills[2].price


def test_legs_are_announced_when_the_entry_is_filled_and_not_before(bench: Bench):
    service = bench.service = FakeAlpaca(now=bench.now, participation=0.1)
    bench.desk.service = service
    bench.desk.restart([])
    bench.send()
    one = bar(opened_at=bench.time, volume=400.0)
    bench.time = one.closed_at
    service.trade(one)
    assert kinds(bench.take()) == ["OrderFilled"]
    assert bench.look_up(STOP_ID)[-1].ticket.status is OrderStatus.HELD
    bench.trade_at(100.0)
    accepted = [x.client_order_id for x in bench.take() if isinstance(x, f.OrderAccepted)]
    assert accepted == [STOP_ID, TARGET_ID]
    assert bench.look_up(STOP_ID)[-1].ticket.status is OrderStatus.WORKING


def story(bench: Bench) -> None:
    """An entry, filled; its stop moved twice; all of it told."""
    bench.send()
    bench.trade_at(100.0)
    bench.take()
    for price in ("98.50", "99.00"):
        bench.desk.broker.replace(
            c.ReplaceOrder(
                client_order_id=STOP_ID, catalyst_id="cat-test", stop_price=Decimal(price)
            )
        )
        (moved,) = bench.take()
        assert (moved.client_order_id, moved.stop_price) == (STOP_ID, Decimal(price))


def test_a_restart_tells_nothing_twice(bench: Bench):
    story(bench)
    assert bench.restart() == []
    assert bench.take() == []
    (books,) = bench.books()
    assert {o.client_order_id for o in books.snapshot.open_orders} == {STOP_ID, TARGET_ID}


def test_a_restart_tells_what_happened_meanwhile(bench: Bench):
    story(bench)
    bench.restart()
    bench.trade_at(98.0)
    filled, cancelled = bench.take()
    assert (filled.fill.client_order_id, filled.fill.side) == (STOP_ID, Side.SELL)
    assert filled.fill.quantity == ENTRY.quantity
    assert (type(cancelled), cancelled.client_order_id) == (f.OrderCancelled, TARGET_ID)


def test_a_moved_stop_that_was_not_told_is_told_after_the_restart(bench: Bench):
    bench.send()
    bench.trade_at(100.0)
    bench.take()
    (stop,) = [o for o in bench.service.orders.values() if o.venue_id == STOP_ID]
    bench.service.venue.replace(stop, {"stop_price": "99"})
    bench.restart()
    (moved,) = bench.take()
    assert (moved.client_order_id, moved.stop_price) == (STOP_ID, Decimal(99))


def test_a_moved_stop_is_looked_up_where_it_stands_now(bench: Bench):
    story(bench)
    bench.restart()
    ticket = bench.look_up(STOP_ID)[-1].ticket
    newest = [o for o in bench.service.orders.values() if o.venue_id == STOP_ID][-1]
    assert (ticket.broker_order_id, ticket.status) == (newest.order_id, OrderStatus.WORKING)


def test_the_same_journal_and_account_make_the_same_book(bench: Bench):
    story(bench)
    bench.restart()
    bench.take()
    once = [bench.look_up(i)[-1].ticket for i in (ENTRY_ID, STOP_ID, TARGET_ID)]
    bench.restart()
    bench.take()
    assert [bench.look_up(i)[-1].ticket for i in (ENTRY_ID, STOP_ID, TARGET_ID)] == once
    assert once[1].stop_price == Decimal("99.00")


def test_a_promised_order_without_an_answer_is_unclear_after_a_restart(bench: Bench):
    command = c.SubmitOrder(order=ENTRY, valid_until=NOON + timedelta(seconds=10))
    bench.journal.append(command)
    bench.service.venue.submit({**order_body(), "client_order_id": ENTRY_ID}, 100.0)
    posts = len(bench.service.posts)
    (unclear,) = bench.restart()
    assert (type(unclear), unclear.client_order_id) == (f.SubmitOutcomeUnknown, ENTRY_ID)
    assert kinds(bench.look_up(ENTRY_ID)) == ["OrderAccepted", "OrderLookedUp"]
    assert len(bench.service.posts) == posts


def order_body() -> dict[str, Any]:
    return {
        "symbol": "ACME",
        "qty": "100",
        "side": "buy",
        "type": "market",
        "time_in_force": "gtc",
        "order_class": "bracket",
        "stop_loss": {"stop_price": "97.6"},
        "take_profit": {"limit_price": "107.2"},
    }


def test_a_leg_that_the_last_list_of_orders_was_too_old_for_is_ours(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """The stream told of the entry, and the leg sold between the list and the executions."""
    bench.service.faults.append("504 after")
    reader = bench.desk.broker._watch._reader
    read, lists = reader.orders_since, [{}, {}]  # of orders, from before the entry came there

    async def read_late(after: datetime) -> Any:
        return lists.pop() if lists else await read(after)

    monkeypatch.setattr(reader, "orders_since", read_late)
    bench.send()
    bench.trade_at(100.0)
    bench.desk.hear(next(told for told in bench.service.events if told["event"] == "fill"))
    bench.trade_at(108.0)
    sold = [fact for fact in bench.take() if isinstance(fact, f.OrderFilled | f.ForeignFilled)]
    assert [fact.fill.client_order_id for fact in sold] == [ENTRY_ID, TARGET_ID]


def test_orders_of_others_are_left_alone_and_shown_in_the_books(bench: Bench):
    bench.service.venue.submit({**order_body(), "client_order_id": "by-hand"}, 100.0)
    assert bench.take() == []
    (books,) = bench.books()
    assert [o.client_order_id for o in books.snapshot.open_orders] == ["by-hand"]


def test_an_unreadable_order_of_somebody_else_stops_nothing(bench: Bench):
    bench.service.foreign_orders.append({"id": "x", "client_order_id": "odd", "side": None})
    assert kinds(bench.send()) == ["OrderAccepted"]


def test_books_wait_until_positions_show_the_fills(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    bench.send()
    bench.trade_at(100.0)
    late = iter([[], []])
    real = bench.service._positions
    monkeypatch.setattr(bench.service, "_positions", lambda: next(late, None) or real())
    said = bench.books()
    assert [p.quantity for p in said[-1].snapshot.positions] == [Decimal(100)]
    assert kinds(said).index("OrderFilled") < kinds(said).index("BrokerSnapshotReceived")


def test_books_that_stay_apart_are_told_as_they_are(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    bench.send()
    bench.trade_at(100.0)
    monkeypatch.setattr(bench.service, "_positions", list)
    assert bench.books()[-1].snapshot.positions == ()


def test_share_classes_are_spelt_as_each_side_spells_them(bench: Bench):
    bench.send(approved_order(symbol="BRK-B"))
    assert bench.service.posts[0]["symbol"] == "BRK.B"
    prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
    one = bar("BRK.B", bench.time, volume=1e6, **prices)
    bench.time = one.closed_at
    bench.service.trade(one)
    said = bench.books()
    assert {x.fill.symbol for x in said if isinstance(x, f.OrderFilled)} == {"BRK-B"}
    assert [p.symbol for p in said[-1].snapshot.positions] == ["BRK-B"]


def test_an_exit_is_a_plain_market_order(bench: Bench):
    story(bench)
    bench.desk.broker.cancel(c.CancelOrder(client_order_id=STOP_ID, catalyst_id="cat-test"))
    assert kinds(bench.take()) == ["OrderCancelled", "OrderCancelled"]
    order = approved_order(
        client_order_id="cb-exit",
        role=OrderRole.EXIT,
        side=Side.SELL,
        stop_loss_price=None,
        take_profit_price=None,
    )
    assert kinds(bench.send(order)) == ["OrderAccepted"]
    sent = bench.service.posts[-1]
    assert (sent["type"], sent["side"], sent["time_in_force"]) == ("market", "sell", "day")
    assert "order_class" not in sent


def test_wrong_keys_fail_every_look(bench: Bench):
    bench.desk.broker._watch._reader._client = client_for(bench.service, secret="wrong")
    failed, halted = bench.take()
    assert (failed.adapter, failed.error) == ("broker", "unauthorized.")
    assert halted.by == "alpaca"
    assert [type(each) for each in bench.take()] == [f.OperatorHalted]  # who resumed too early


def test_books_are_read_again_when_something_was_told_meanwhile(bench: Bench):
    broker = bench.desk.broker
    reader = broker._watch._reader
    real = reader.positions
    command = c.SubmitOrder(order=ENTRY, valid_until=NOON + timedelta(seconds=10))

    async def positions_while_an_order_is_placed() -> Any:
        if not bench.service.posts:
            await broker._place(broker._book.add(command))
        return await real()

    reader.positions = positions_while_an_order_is_placed  # type: ignore[method-assign]
    accepted, books = bench.books()
    assert accepted.client_order_id == ENTRY_ID
    assert [o.client_order_id for o in books.snapshot.open_orders] == [ENTRY_ID]


# A journal that is older than the account


def test_an_id_that_another_order_has_is_refused_and_its_fills_are_not_ours(bench: Bench):
    """The id was given before, and the journal that knew it is lost."""
    other = {**order_body(), "client_order_id": ENTRY_ID, "qty": "10"}
    bench.service.venue.submit(other, 100.0)
    (order, *_) = bench.service.orders.values()
    order.submitted_at -= timedelta(days=1)
    said = bench.send()
    assert [(type(fact), fact.reason) for fact in said] == [(f.OrderRejected, TAKEN)]
    order.submitted_at += timedelta(days=1)  # into the view of the poll
    bench.trade_at(100.0)
    assert f.OrderFilled not in map(type, bench.take())
    bench.restart()
    assert f.OrderFilled not in map(type, bench.take())


def test_the_first_books_tell_which_orders_the_journal_lost(bench: Bench):
    for order_id in ("cb-lost", "by-hand"):
        body = {**order_body(), "client_order_id": order_id}
        bench.service.venue.submit(body, 100.0)
    bench.send()
    bench.restart()
    lost, books = [fact for fact in bench.books() if not isinstance(fact, f.AdapterRecovered)]
    assert lost == f.LostOrdersFound(at=bench.time, order_ids=("cb-lost",))
    assert isinstance(books, f.BrokerSnapshotReceived)
    assert kinds(bench.books()) == ["BrokerSnapshotReceived"]
    bench.restart()
    assert "LostOrdersFound" not in kinds(bench.books())  # a person knows of them
