"""What is news in a report, when reports are old, incomplete or odd."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.broker.alpaca_book import Book
from catalyst_bot.broker.alpaca_mapping import flat, read_orders
from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.domain.trading import stop_leg_id, target_leg_id
from tests.builders import NOON, approved_order
from tests.unit.broker.test_alpaca_mapping import told

ENTRY = approved_order(client_order_id="cb-1")
STOP_ID, TARGET_ID = stop_leg_id("cb-1"), target_leg_id("cb-1")
FILLED = {"status": "filled", "filled_qty": "100", "filled_avg_price": "100"}


def leg(**given: Any) -> dict[str, Any]:
    return told(**({"client_order_id": "theirs", "side": "sell"} | given))


def stop(**given: Any) -> dict[str, Any]:
    return leg(**({"id": "s-1", "type": "stop", "stop_price": "97.6", "status": "held"} | given))


def target(**given: Any) -> dict[str, Any]:
    return leg(**({"id": "t-1", "type": "limit"} | given))


def bracket(*legs: dict[str, Any], **given: Any) -> dict[str, Any]:
    return told(**(FILLED | {"legs": list(legs)} | given))


@pytest.fixture
def book() -> Book:
    made = Book()
    made.add(c.SubmitOrder(order=ENTRY, valid_until=NOON + timedelta(seconds=10)))
    return made


def news(book: Book, *orders: dict[str, Any]) -> list[tuple[str, str]]:
    return [(type(x).__name__, order_of(x)) for x in book.news(read_orders([*orders]), NOON)]


def order_of(fact: Fact) -> str:
    return fact.fill.client_order_id if isinstance(fact, f.OrderFilled) else fact.client_order_id  # type: ignore[union-attr]


def live(book: Book) -> None:
    news(book, bracket(stop(), target()))


def test_everything_at_once_is_told_in_the_order_in_which_it_happened(book: Book):
    sold = {"status": "filled", "filled_qty": "100", "filled_avg_price": "97.5"}
    assert news(book, bracket(stop(**sold), target(status="canceled"))) == [
        ("OrderAccepted", "cb-1"),
        ("OrderFilled", "cb-1"),
        ("OrderAccepted", STOP_ID),
        ("OrderFilled", STOP_ID),
        ("OrderCancelled", TARGET_ID),
    ]


def test_a_target_that_sold_is_told_before_its_stop_is_cancelled(book: Book):
    live(book)
    sold = {"status": "filled", "filled_qty": "100", "filled_avg_price": "107.2"}
    assert news(book, bracket(stop(status="canceled"), target(**sold))) == [
        ("OrderFilled", TARGET_ID),
        ("OrderCancelled", STOP_ID),
    ]


def test_the_legs_of_an_entry_that_bought_nothing_are_no_news(book: Book):
    legs = (stop(status="canceled"), target(status="canceled"))
    unfilled = {"status": "canceled", "filled_qty": "0", "filled_avg_price": None}
    assert news(book, bracket(*legs, **unfilled)) == [("OrderCancelled", "cb-1")]


def test_a_lost_stop_of_a_partly_bought_position_is_told(book: Book):
    legs = (stop(status="canceled"), target(status="canceled"))
    part = {"status": "canceled", "filled_qty": "40", "filled_avg_price": "100"}
    assert news(book, bracket(*legs, **part)) == [
        ("OrderAccepted", "cb-1"),
        ("OrderFilled", "cb-1"),
        ("OrderCancelled", "cb-1"),
        ("OrderCancelled", STOP_ID),
        ("OrderCancelled", TARGET_ID),
    ]


def test_an_old_report_of_a_moved_stop_is_no_news(book: Book):
    live(book)
    replaced = stop(status="replaced", replaced_by="s-2")
    moved = stop(id="s-2", stop_price="99", status="held")
    assert news(book, bracket(replaced, target()), moved) == [("OrderReplaced", STOP_ID)]
    assert news(book, bracket(stop(), target())) == []
    assert news(book, bracket(replaced, target()), moved) == []


def test_a_replaced_order_has_not_ended_while_its_successor_is_not_known(book: Book):
    live(book)
    replaced = bracket(stop(status="replaced", replaced_by="s-2"), target())
    assert news(book, replaced) == []
    assert book.missing(flat(read_orders([replaced]))) == {"s-2"}


def test_a_target_that_was_replaced_by_nothing_is_gone(book: Book):
    live(book)
    sold = {"status": "filled", "filled_qty": "100", "filled_avg_price": "97.5"}
    assert news(book, bracket(stop(**sold), target(status="replaced"))) == [
        ("OrderFilled", STOP_ID),
        ("OrderCancelled", TARGET_ID),
    ]


@pytest.mark.parametrize(
    ("status", "fact"),
    [("expired", "OrderExpired"), ("rejected", "OrderRejected"), ("canceled", "OrderCancelled")],
)
def test_every_end_is_told_once(book: Book, status: str, fact: str):
    news(book, told(status="new"))
    assert news(book, told(status=status)) == [(fact, "cb-1")]
    assert news(book, told(status=status)) == []


@pytest.mark.parametrize("status", ["pending_cancel", "done_for_day", "suspended", "of next year"])
def test_what_may_go_on_is_no_end(book: Book, status: str):
    news(book, told(status="new"))
    assert news(book, told(status=status)) == []


def test_a_fill_that_comes_after_the_cancel_is_told(book: Book):
    news(book, told(status="canceled"))
    late = told(status="canceled", filled_qty="10", filled_avg_price="100")
    assert ("OrderFilled", "cb-1") in news(book, late)


def test_a_journal_teaches_what_was_told(book: Book):
    facts = book.news(read_orders([bracket(stop(), target())]), NOON)
    again = Book()
    again.learn([c.SubmitOrder(order=ENTRY, valid_until=NOON), *facts])
    assert again.unanswered() == []
    assert again.held() == {"ACME": Decimal(100)}
    assert news(again, bracket(stop(), target())) == []


def test_an_order_that_alpaca_does_not_know_in_time_is_not_waited_for():
    book = Book()
    submit = c.SubmitOrder(order=ENTRY, valid_until=NOON + timedelta(seconds=10))
    later = NOON + timedelta(hours=1)
    early = f.OrderLookedUp(at=NOON, client_order_id="cb-1", ticket=None)
    book.learn([submit, early])
    assert book.open_since(later) == ENTRY.approved_at
    book.learn([f.OrderLookedUp(at=later, client_order_id="cb-1", ticket=None)])
    assert book.open_since(later) == later


def test_a_finished_story_is_not_looked_back_to(book: Book):
    later = NOON + timedelta(days=1)
    live(book)
    assert book.open_since(later) == ENTRY.approved_at
    sold = {"status": "filled", "filled_qty": "100", "filled_avg_price": "107.2"}
    closing = bracket(stop(status="canceled"), target(**sold))
    facts = book.news(read_orders([closing]), NOON)
    assert book.open_since(later) == later
    again = Book()
    opening = Book()
    opening.add(c.SubmitOrder(order=ENTRY, valid_until=NOON))
    told_before = opening.news(read_orders([bracket(stop(), target())]), NOON)
    again.learn([c.SubmitOrder(order=ENTRY, valid_until=NOON), *told_before, *facts])
    assert again.open_since(later) == later


PAIR = approved_order(
    client_order_id="cb-2",
    role=OrderRole.TAKE_PROFIT,
    side=Side.SELL,
    kind=OrderKind.LIMIT,
    limit_price=Decimal("107.2"),
    take_profit_price=None,
)


def pair(*legs: dict[str, Any], **given: Any) -> dict[str, Any]:
    head = {"id": "p-1", "client_order_id": "cb-2", "type": "limit", "limit_price": "107.2"}
    return told(**(head | {"side": "sell", "legs": list(legs)} | given))


@pytest.fixture
def pair_book() -> Book:
    made = Book()
    made.add(c.SubmitOrder(order=PAIR, valid_until=NOON + timedelta(seconds=10)))
    return made


def test_both_orders_of_a_pair_are_at_work_at_once(pair_book: Book):
    assert news(pair_book, pair(stop())) == [
        ("OrderAccepted", "cb-2"),
        ("OrderAccepted", "cb-2-sl"),
    ]
    ours, line = pair_book.find("cb-2-sl") or (None, None)
    assert ours is not None
    assert line is not None
    ticket = ours.ticket(line)
    assert ticket is not None
    assert (ticket.status, ticket.role) == (OrderStatus.WORKING, OrderRole.STOP_LOSS)
    assert ticket.stop_price == PAIR.stop_loss_price


@pytest.mark.parametrize("end", ["canceled", "replaced"])
def test_a_stop_of_a_pair_that_sold_explains_the_end_of_its_target(pair_book: Book, end: str):
    news(pair_book, pair(stop()))
    sold = {"status": "filled", "filled_qty": "100", "filled_avg_price": "97.5"}
    assert news(pair_book, pair(stop(**sold), status=end)) == [
        ("OrderFilled", "cb-2-sl"),
        ("OrderCancelled", "cb-2"),
    ]
    assert not pair_book.has_open()


def test_a_target_of_a_pair_that_sold_in_part_leaves_the_rest_to_both(pair_book: Book):
    news(pair_book, pair(stop()))
    part = {"status": "partially_filled", "filled_qty": "40", "filled_avg_price": "107.2"}
    assert news(pair_book, pair(stop(qty="60"), **part)) == [("OrderFilled", "cb-2")]
    ours, _ = pair_book.find("cb-2") or (None, None)
    assert ours is not None
    assert [ours.whole(line) for line in ours.lines] == [Decimal(100), Decimal(60)]


def test_a_pair_is_known_again_after_a_restart(pair_book: Book):
    submit = c.SubmitOrder(order=PAIR, valid_until=NOON)
    facts = pair_book.news(read_orders([pair(stop())]), NOON)
    again = Book()
    again.learn([submit, *facts])
    assert again.has_open()
    assert news(again, pair(stop())) == []
    sold = {"status": "filled", "filled_qty": "100", "filled_avg_price": "107.2"}
    more = again.news(read_orders([pair(stop(status="canceled"), **sold)]), NOON)
    last = Book()
    last.learn([submit, *facts, *more])
    assert not last.has_open()


def test_a_moved_limit_is_told_with_its_price(book: Book):
    limit = approved_order(
        client_order_id="cb-3",
        kind=OrderKind.LIMIT,
        limit_price=Decimal(99),
        stop_loss_price=None,
        take_profit_price=None,
    )
    book.add(c.SubmitOrder(order=limit, valid_until=NOON))
    shape = {"client_order_id": "cb-3", "type": "limit", "id": "l-1"}
    news(book, told(**shape, limit_price="99"))
    old = told(**shape, limit_price="99", status="replaced", replaced_by="l-2")
    new = told(id="l-2", client_order_id="theirs", type="limit", limit_price="99.5")
    (moved,) = book.news(read_orders([old, new | {"replaces": "l-1"}]), NOON)
    assert isinstance(moved, f.OrderReplaced)
    assert (moved.limit_price, moved.stop_price) == (Decimal("99.5"), None)
    assert book.news(read_orders([old, new | {"replaces": "l-1"}]), NOON) == []


def test_a_successor_that_is_heard_of_first_belongs_to_the_order(book: Book):
    live(book)
    moved = stop(id="s-2", stop_price="99", replaces="s-1")
    (told_now,) = book.news(read_orders([moved]), NOON, is_whole=False)
    assert isinstance(told_now, f.OrderReplaced)
    assert told_now.stop_price == Decimal(99)
    gone = stop(status="replaced", replaced_by="s-2")
    assert book.news(read_orders([gone]), NOON, is_whole=False) == []


def test_a_replaced_leg_that_is_listed_no_more_is_still_the_same_leg(book: Book):
    live(book)
    moved = stop(id="s-2", stop_price="99", replaces="s-1")
    assert news(book, bracket(moved, target())) == [("OrderReplaced", STOP_ID)]
    again = stop(id="s-3", stop_price="99.5", replaces="s-2")
    assert news(book, bracket(again, target())) == [("OrderReplaced", STOP_ID)]
    assert news(book, bracket(moved, target())) == []


def test_a_replacement_that_was_refused_moved_nothing(book: Book):
    live(book)
    refused = stop(id="s-2", stop_price="99", replaces="s-1", status="rejected")
    assert book.news(read_orders([refused]), NOON, is_whole=False) == []
    assert news(book, bracket(stop(), target())) == []


def test_a_price_that_lies_off_tick_was_not_moved_by_rounding_it(book: Book):
    odd = approved_order(client_order_id="cb-4", stop_loss_price=Decimal("97.604"))
    book.add(c.SubmitOrder(order=odd, valid_until=NOON))
    shape = {"client_order_id": "cb-4", "id": "o-1"}
    facts = news(book, bracket(stop(stop_price="97.6"), target(), **shape))
    assert "OrderReplaced" not in {name for name, _ in facts}


def test_a_leg_that_ends_alone_waits_for_the_whole_picture(book: Book):
    live(book)
    gone = read_orders([stop(status="canceled")])
    assert book.news(gone, NOON, is_whole=False) == []
    assert news(book, bracket(stop(), target())) == []  # an answer from before
    assert news(book, bracket(stop(status="canceled"), target())) == [("OrderCancelled", STOP_ID)]


def test_orders_of_others_are_not_ours(book: Book):
    live(book)
    by_hand = told(id="x", client_order_id="by-hand")
    (other,) = book.others(flat(read_orders([by_hand, bracket(stop(), target())])))
    assert other.client_order_id == "by-hand"
    assert not book.is_ours(read_orders([by_hand])[0])
    assert book.is_ours(read_orders([target()])[0])


def test_a_plain_stop_that_was_replaced_has_not_ended():
    """The stream speaks of the old order first: by what it was replaced is told later."""
    alone = approved_order(
        client_order_id="cb-2",
        role=OrderRole.STOP_LOSS,
        side=Side.SELL,
        kind=OrderKind.STOP,
        take_profit_price=None,
    )
    book = Book()
    book.add(c.SubmitOrder(order=alone, valid_until=NOON + timedelta(seconds=10)))
    shape = {"client_order_id": "cb-2", "status": "new"}
    assert news(book, stop(**shape)) == [("OrderAccepted", "cb-2")]
    assert news(book, stop(**shape | {"status": "replaced"})) == []
    moved = stop(id="s-2", replaces="s-1", stop_price="99", status="new")
    assert news(book, moved) == [("OrderReplaced", "cb-2")]
