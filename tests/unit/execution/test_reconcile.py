"""Whose shares, whose cash: every comparison with the broker's books at its edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.execution.reconcile import adopted_part, was_in_first_look
from catalyst_bot.execution.state import Reconciliation
from catalyst_bot.portfolio.ledger import account_view
from tests.builders import NOON, approved_order, fill
from tests.stages import START_USD, Stages, of_type, run_started
from tests.unit.execution.test_books import at_work, flat, foreign, held, look, told

SECOND = timedelta(seconds=1)


def twice(stages: Stages, **given: Any) -> list[Any]:
    look(stages, **given)
    stages.wait(10)
    return look(stages, **given)


def looks_again(said: list[Any]) -> bool:
    return any(timer.timer_id == "second_look:" for timer in of_type(said, c.SetTimer))


def cash_of(stages: Stages) -> Decimal:
    return account_view(stages.portfolio, NOON).cash_usd


# Whose shares


@pytest.mark.parametrize(
    ("foreign_shares", "adopts", "order_id", "part"),
    [
        (0, True, "theirs", 50),
        (0, False, "theirs", 0),
        (0, False, "cb-lost", 50),
        (20, True, "theirs", 50),  # their own shares are no short
        (-20, True, "theirs", 30),  # a short is covered first
        (-20, False, "cb-lost", 30),
        (-80, True, "theirs", 0),
    ],
)
def test_of_a_purchase_what_covers_no_short_is_ours(foreign_shares, adopts, order_id, part):
    bought = fill(quantity=Decimal(50), client_order_id=order_id)
    found = adopted_part(
        bought, held=Decimal(7), foreign=Decimal(foreign_shares), adopts_purchases=adopts
    )
    assert found == part


@pytest.mark.parametrize(
    ("foreign_shares", "held_shares", "part"),
    [(0, 100, 50), (0, 30, 30), (20, 100, 30), (80, 100, 0), (-20, 100, 50), (20, 10, 10)],
)
def test_of_a_sale_what_was_not_the_persons_is_ours(foreign_shares, held_shares, part):
    sold = fill(quantity=Decimal(50), side=Side.SELL)
    found = adopted_part(
        sold, held=Decimal(held_shares), foreign=Decimal(foreign_shares), adopts_purchases=True
    )
    assert found == part


LOOKED = Reconciliation(
    began_at=NOON, first_look_at=NOON + SECOND, first_held={"ACME": Decimal(100)}
)


@pytest.mark.parametrize(
    ("given", "was_seen"),
    [
        ({}, True),
        ({"filled_at": NOON + SECOND}, True),
        ({"filled_at": NOON - SECOND}, False),
        ({"filled_at": NOON + 2 * SECOND}, False),
        ({"quantity": Decimal(101)}, False),
        ({"symbol": "OTHER"}, False),
        ({"side": Side.SELL}, False),
    ],
)
def test_the_first_look_held_what_was_bought_between_the_start_and_it(given, was_seen: bool):
    assert was_in_first_look(LOOKED, fill(**({"fee_usd": Decimal(0)} | given))) is was_seen


@pytest.mark.parametrize("missing", ["began_at", "first_look_at"])
def test_without_a_start_or_a_look_nothing_was_in_it(missing: str):
    assert was_in_first_look(replace(LOOKED, **{missing: None}), fill()) is False


@pytest.mark.parametrize(("quantity", "is_taken"), [(0, False), (1, True), (-1, True)])
def test_a_share_that_was_held_before_is_one_and_none_is_none(quantity: int, is_taken: bool):
    stages = Stages(is_compared=False)
    said = look(stages, positions={"OLD": quantity}, cash=START_USD)
    judged = of_type(said, d.ForeignTradeJudged)
    assert [m.fill.quantity for m in judged] == ([1] if is_taken else [])
    assert [m.fill.side for m in judged] == ([Side.BUY if quantity > 0 else Side.SELL] * is_taken)
    assert all(m.reason == "held before the bot's books began" for m in judged)


def test_what_we_know_already_is_not_held_before():
    stages = Stages(is_compared=False)
    stages.approve(order := approved_order())
    stages.accept(order.client_order_id)
    stages.fill(order.client_order_id)
    said = look(stages, positions={"ACME": 100}, orders=())
    assert not of_type(said, d.ForeignTradeJudged)


def test_a_share_that_is_theirs_and_not_ours_differs():
    stages = held()
    assert told(twice(stages, positions={"ACME": 101})) == {("position ACME", "100", "101")}
    stages = held()
    gone = told(twice(stages, positions={"ACME": 0}))
    assert ("position ACME", "100", "0") in gone


def test_a_symbol_that_we_sold_out_of_is_no_strangers():
    stages = held()
    foreign(stages, Side.SELL, 100)
    for order_id in list(stages.execution.open_tickets):
        stages.cancel(order_id)
    assert told(twice(stages, positions={"ACME": 5}, orders=())) == {("position ACME", "0", "5")}


def test_one_share_of_a_short_is_netted_too():
    stages = flat(ExecutionRules())
    foreign(stages, Side.SELL, 1)
    assert stages.execution.books.foreign_shares == {"ACME": Decimal(-1)}
    stages.approve(order := approved_order())
    stages.accept(order.client_order_id)
    said = stages.fill(order.client_order_id)
    (judged,) = of_type(said, d.ForeignTradeJudged)
    assert (judged.is_netted, judged.is_in_cash, judged.adopted_quantity) == (True, True, 1)
    cash = START_USD + 100 - (Decimal(10_010) + Decimal("10.01"))
    assert not told(twice(stages, positions={"ACME": 99}, cash=cash))


# Whose cash


@pytest.mark.parametrize(
    ("amount", "is_flow", "reason"),
    [
        ("10", False, "fees, interest and rounding"),
        ("-10", False, "fees, interest and rounding"),
        ("10.01", True, "a deposit or transfer"),
    ],
)
def test_a_ten_thousandth_of_equity_is_rounding(amount: str, is_flow: bool, reason: str):
    stages = flat()
    said = twice(stages, cash=START_USD + Decimal(amount))
    (adjusted,) = of_type(said, d.CashAdjusted)
    assert (adjusted.amount_usd, adjusted.is_flow) == (Decimal(amount), is_flow)
    assert adjusted.reason == reason
    texts = [m.text for m in of_type(said, c.SendNotification)]
    assert [f"{Decimal(amount):+f} USD" in text for text in texts] == [True] * is_flow


@pytest.mark.parametrize(("amount", "is_flow"), [("1", False), ("1.01", True)])
def test_a_dollar_is_rounding_in_any_account(amount: str, is_flow: bool):
    stages = flat(ExecutionRules(cash_tolerance_fraction=0.0))
    (adjusted,) = of_type(twice(stages, cash=START_USD + Decimal(amount)), d.CashAdjusted)
    assert adjusted.is_flow is is_flow


def test_what_was_traded_explains_no_deposit():
    stages = held()
    (adjusted,) = of_type(twice(stages, cash=cash_of(stages) + 45), d.CashAdjusted)
    assert adjusted.is_flow


def test_a_withdrawal_is_told_as_what_a_person_confirmed():
    stages = flat()
    less = START_USD - 5_000
    assert told(twice(stages, cash=less))
    stages.handle(d.TradingResumed(by="me", reason="seen"))
    (adjusted,) = of_type(look(stages, cash=less), d.CashAdjusted)
    assert adjusted.reason == "a withdrawal, confirmed by a person"


def test_the_price_and_the_fee_of_what_the_first_look_showed_go_out():
    stages = Stages(is_compared=False)
    stages.wait(1)
    look(stages, positions={"ACME": 40}, orders=(), cash=START_USD)
    fee = Decimal("1.25")
    said = foreign(stages, Side.BUY, 40, price=Decimal(50), fee_usd=fee, filled_at=NOON)
    (adjusted,) = of_type(said, d.CashAdjusted)
    assert (adjusted.amount_usd, adjusted.is_flow) == (-(40 * 50 + fee), True)


def test_the_news_of_a_purchase_explains_the_first_look_once():
    stages = Stages(is_compared=False)
    stages.wait(1)
    look(stages, positions={"ACME": 40}, orders=(), cash=START_USD)
    bought = {"price": Decimal(50), "filled_at": NOON}
    foreign(stages, Side.BUY, 30, fill_id="one", **bought)
    foreign(stages, Side.BUY, 30, fill_id="one", **bought)
    assert stages.execution.books.first_held == {"ACME": 10}
    foreign(stages, Side.BUY, 10, fill_id="two", **bought)
    assert stages.execution.books.first_held == {"ACME": 0}


@pytest.mark.parametrize(
    ("order_id", "reason"),
    [("theirs", "traded at the broker"), ("cb-lost", "by an order that our journal lost")],
)
def test_a_trade_says_whose_order_it_was(order_id: str, reason: str):
    (judged,) = of_type(
        foreign(flat(), Side.BUY, 20, client_order_id=order_id), d.ForeignTradeJudged
    )
    assert judged.reason == reason


def test_a_position_that_appears_was_found():
    said = twice(flat(), positions={"ELSE": 10}, cash=START_USD - 500)
    (judged,) = of_type(said, d.ForeignTradeJudged)
    assert (judged.reason, judged.fill.side) == ("found at the broker", Side.BUY)


def test_what_was_found_hid_the_cash_which_is_looked_at_soon():
    """Before the open the next planned look may be hours away."""
    stages, found = flat(), {"positions": {"ELSE": 10}, "cash": START_USD - 500}
    assert looks_again(twice(stages, **found))
    assert not looks_again(look(stages, **found))


@pytest.mark.parametrize(
    ("side", "text"), [(Side.BUY, "buy 100 ACME"), (None, "an order for 100 ACME")]
)
def test_a_persons_order_is_told_by_its_side(side: Side | None, text: str):
    (notice,) = of_type(look(flat(), orders=(at_work("theirs", side=side),)), c.SendNotification)
    assert notice.text.startswith(text)


# When


@pytest.mark.parametrize(("late_s", "timers"), [(299, 0), (300, 0), (301, 1)])
def test_a_look_that_is_still_to_come_is_not_planned_again(late_s: int, timers: int):
    stages = Stages()
    stages.now = NOON + timedelta(seconds=late_s)
    said = stages.handle(run_started())
    assert len([m for m in of_type(said, c.SetTimer) if m.timer_id == "look:"]) == timers


def test_looks_are_counted():
    stages = Stages(is_compared=False)
    for number in range(1, 4):
        look(stages, cash=START_USD)
        assert stages.execution.books.looks == number


def test_less_than_a_dollar_traded_is_traded():
    stages = flat()
    stages.handle(
        f.OrderFilled(
            at=NOON, fill=fill(quantity=Decimal(1), price=Decimal("0.50"), fee_usd=Decimal(0))
        )
    )
    assert stages.execution.books.turnover_usd == Decimal("0.50")
    assert of_type(look(stages), d.BooksCompared) == [d.BooksCompared(differences=())]


def test_trust_is_given_once_for_a_mismatch():
    stages = flat()
    twice(stages, cash=START_USD - 5_000)
    assert stages.execution.books.has_mismatch
    stages.handle(d.TradingResumed(by="me", reason="seen"))
    books = stages.execution.books
    assert (books.trusts_broker, books.has_mismatch) == (True, False)
    stages.handle(d.TradingResumed(by="me", reason="again"))
    assert not stages.execution.books.trusts_broker
