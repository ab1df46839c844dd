"""A limit order follows the quote, so often, inside the price that risk allowed."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, Side
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import facts as f
from tests.builders import approved_order, bar, quote
from tests.stages import Stages, of_type

ENTRY = approved_order(
    kind=OrderKind.LIMIT, limit_price=Decimal("100.02"), worst_price=Decimal("100.30")
)
ENTRY_ID = ENTRY.client_order_id
REPRICE = f"reprice:{ENTRY_ID}"
RULES = ExecutionRules(reprice_after_s=15, max_reprices=2)


def sent(working: ExecutionRules = RULES) -> Stages:
    stages = Stages(working=working)
    stages.approve(ENTRY)
    return stages


def working() -> Stages:
    stages = sent()
    stages.accept(ENTRY_ID)
    return stages


def sample(stages: Stages, bid: float, ask: float) -> list[Any]:
    told = quote(at=stages.now, bid=bid, ask=ask)
    return stages.handle(f.QuoteSampled(at=stages.now, quote=told))


def moves(said: list[Any]) -> list[Decimal]:
    return [m.limit_price for m in of_type(said, c.ReplaceOrder)]


def confirm(stages: Stages, price: str) -> None:
    stages.handle(
        f.OrderReplaced(
            at=stages.now,
            client_order_id=ENTRY_ID,
            stop_price=None,
            limit_price=Decimal(price),
        )
    )


def test_a_limit_entry_is_watched_and_given_its_time_once_it_is_accepted():
    stages = sent()
    assert of_type(stages.said, c.WatchSymbol) == [c.WatchSymbol(symbol="ACME")]
    assert REPRICE not in {m.timer_id for m in of_type(stages.said, c.SetTimer)}
    (timer,) = of_type(stages.accept(ENTRY_ID), c.SetTimer)
    assert (timer.timer_id, (timer.due_at - stages.now).total_seconds()) == (REPRICE, 15)
    assert not of_type(stages.accept(ENTRY_ID), c.SetTimer)  # told twice


def test_the_limit_goes_a_tick_above_the_ask():
    stages = working()
    stages.wait(14)
    assert moves(sample(stages, 100.05, 100.07)) == []  # its time is not over
    stages.wait(1)
    assert moves(stages.fire(REPRICE)) == [Decimal("100.08")]


def test_when_the_quote_was_silent_the_next_one_moves_it():
    stages = working()
    stages.wait(60)
    assert stages.fire(REPRICE) == []
    stages.wait(5)
    assert moves(sample(stages, 100.05, 100.07)) == [Decimal("100.08")]


def test_a_better_ask_moves_nothing():
    stages = working()
    stages.wait(20)
    assert moves(sample(stages, 99.90, 99.92)) == []


def test_the_approved_price_is_the_end():
    stages = working()
    stages.wait(20)
    assert moves(sample(stages, 104.0, 104.02)) == [Decimal("100.30")]
    confirm(stages, "100.30")
    stages.wait(20)
    assert moves(sample(stages, 105.0, 105.02)) == []


def test_it_is_moved_so_often_and_no_more():
    stages = working()
    for ask, price in ((100.05, "100.06"), (100.10, "100.11")):
        stages.wait(20)
        assert moves(sample(stages, ask - 0.02, ask)) == [Decimal(price)]
        confirm(stages, price)
    stages.wait(20)
    assert moves(sample(stages, 100.18, 100.20)) == []
    assert stages.execution.reprices[ENTRY_ID] == 2
    stages.cancel(ENTRY_ID)
    assert not stages.execution.reprices


def test_an_order_that_is_being_cancelled_stands_still():
    stages = working()
    stages.fire(f"timeout:{ENTRY_ID}")
    stages.wait(20)
    assert moves(sample(stages, 100.05, 100.07)) == []


def test_a_part_that_filled_changes_nothing_about_the_rest():
    stages = working()
    stages.fill(ENTRY_ID, quantity=Decimal(40))
    stages.wait(20)
    assert moves(sample(stages, 100.05, 100.07)) == [Decimal("100.08")]


def test_without_quotes_the_close_of_a_bar_stands_in():
    stages = working()
    stages.wait(300)
    said = stages.handle(f.BarClosed(at=stages.now, bar=bar(close=100.06)))
    assert moves(said) == [Decimal("100.07")]


def test_a_market_order_is_left_alone():
    stages = Stages(working=RULES)
    stages.approve(approved_order())
    stages.accept(ENTRY_ID)
    assert not [m for m in of_type(stages.said, c.SetTimer) if m.timer_id.startswith("reprice")]
    stages.wait(20)
    assert moves(sample(stages, 100.05, 100.07)) == []


def test_an_exit_limit_falls_with_the_bid_to_its_collar():
    stages = Stages(working=RULES)
    stages.approve(replace(ENTRY, stop_loss_price=None, take_profit_price=None))
    stages.fill(ENTRY_ID)
    for order_id in list(stages.execution.open_tickets):
        stages.handle(f.OrderRejected(at=stages.now, client_order_id=order_id, reason="no"))
    left = replace(
        ENTRY,
        client_order_id="cb-exit",
        role=OrderRole.EXIT,
        side=Side.SELL,
        stop_loss_price=None,
        take_profit_price=None,
        limit_price=Decimal("99.00"),
        worst_price=Decimal("95.00"),
    )
    stages.approve(left)
    stages.accept("cb-exit")
    assert stages.execution.open_tickets["cb-exit"].status is OrderStatus.WORKING
    stages.wait(20)
    assert moves(sample(stages, 98.00, 98.02)) == [Decimal("97.02")]
    stages.wait(20)
    assert moves(sample(stages, 90.00, 90.02)) == [Decimal("95.00")]


def test_prices_of_an_entry_that_bought_nothing_are_not_needed_any_more():
    stages = working()
    assert c.UnwatchSymbol(symbol="ACME") in stages.cancel(ENTRY_ID)
    stages = working()
    stages.fill(ENTRY_ID, quantity=Decimal(10))
    assert c.UnwatchSymbol(symbol="ACME") not in stages.cancel(ENTRY_ID)
