"""Quotes, splits, new names, adopted trades and cash: the books follow without profit or loss."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import stop_leg_id
from catalyst_bot.portfolio import ledger
from catalyst_bot.portfolio.ledger import account_view
from catalyst_bot.portfolio.state import Books, Origin
from tests.builders import NOON, approved_order, fill, quote
from tests.stages import START_USD, Stages, of_type

ENTRY = approved_order()
ENTRY_ID, STOP_ID = ENTRY.client_order_id, stop_leg_id(ENTRY.client_order_id)
ORIGIN = Origin(trade_id="t", catalyst_id="c", strategy_id="s")


def held(quantity: int = 100) -> Stages:
    stages = Stages()
    stages.approve(approved_order(quantity=Decimal(quantity)))
    stages.accept(ENTRY_ID)
    stages.fill(ENTRY_ID, quantity=Decimal(quantity), price=Decimal(100), fee_usd=Decimal(0))
    stages.accept(STOP_ID)
    return stages


def sample(stages: Stages, bid: float, ask: float) -> list[Any]:
    told = quote(at=stages.now, bid=bid, ask=ask)
    return stages.handle(f.QuoteSampled(at=stages.now, quote=told))


def split(stages: Stages, shares: str) -> list[Any]:
    return stages.handle(
        f.SplitApplied(
            at=stages.now,
            symbol="ACME",
            shares_per_share=Decimal(shares),
            effective_on=NOON.date() + timedelta(days=1),
        )
    )


def position(stages: Stages) -> Position:
    return stages.portfolio.positions["ACME"]


# Quotes


def test_a_quote_values_what_is_held_at_its_middle():
    stages = held()
    sample(stages, 101.0, 101.04)
    assert position(stages).last_price == Decimal("101.02")
    assert account_view(stages.portfolio, NOON).unrealised_usd == 102


def test_the_account_is_told_when_it_moves_and_once_a_minute():
    stages = held()
    assert not of_type(sample(stages, 100.0, 100.02), d.EquityMarked)
    assert of_type(sample(stages, 101.0, 101.02), d.EquityMarked)  # 101 dollars: 10 bps
    stages.wait(61)
    assert of_type(sample(stages, 101.0, 101.02), d.EquityMarked)


@pytest.mark.parametrize(("bid", "ask"), [(50.0, 200.0), (101.0, 99.0), (0.0, 0.0)])
def test_a_quote_that_means_nothing_marks_nothing(bid: float, ask: float):
    stages = held()
    sample(stages, bid, ask)
    assert position(stages).last_price == 100


# Splits


@pytest.mark.parametrize(("shares", "quantity", "price"), [("10", 1000, "10"), ("0.05", 5, "2000")])
def test_a_split_is_the_same_money_in_other_shares(shares: str, quantity: int, price: str):
    stages = held()
    before = account_view(stages.portfolio, NOON)
    said = split(stages, shares)
    after = account_view(stages.portfolio, NOON)
    assert after == before
    assert not of_type(said, d.PositionClosed)
    assert (position(stages).quantity, position(stages).average_cost) == (quantity, Decimal(price))
    stop = stages.execution.open_tickets[STOP_ID]
    assert (stop.quantity, stop.stop_price) == (quantity, Decimal("97.60") / Decimal(shares))
    assert stages.execution.guards[ENTRY.trade_id].protected_by.value == "broker_stop"
    assert not of_type(said, c.SubmitOrder, c.CancelOrder)


def test_the_round_trip_over_a_split_earns_what_it_earned():
    stages = held()
    split(stages, "4")
    said = stages.fill(
        STOP_ID,
        side=Side.SELL,
        quantity=Decimal(400),
        price=Decimal("24.40"),
        fee_usd=Decimal(0),
        fill_id="out",
    )
    (closed,) = of_type(said, d.PositionClosed)
    assert (closed.trade.quantity, closed.trade.entry_price) == (400, 25)
    assert closed.trade.pnl_usd == -240
    assert not of_type(said, d.MismatchFound)


def test_a_fraction_of_a_share_is_paid_in_cash():
    stages = held(101)
    before = account_view(stages.portfolio, NOON)
    split(stages, "0.05")
    assert position(stages).quantity == 5
    after = account_view(stages.portfolio, NOON)
    assert after.equity_usd == before.equity_usd
    assert after.cash_usd == before.cash_usd + 100
    assert stages.execution.open_tickets[STOP_ID].quantity == 5


def test_less_than_one_share_ends_the_position():
    stages = held(10)
    said = split(stages, "0.05")
    assert of_type(said, d.PositionClosed)
    assert not stages.portfolio.positions
    assert account_view(stages.portfolio, NOON).equity_usd == START_USD


def test_a_split_of_something_else_says_nothing():
    stages = held()
    other = f.SplitApplied(
        at=NOON, symbol="ELSE", shares_per_share=Decimal(2), effective_on=NOON.date()
    )
    assert stages.handle(other) == []


@given(st.integers(1, 5000), st.sampled_from(["2", "3", "10", "0.5", "0.1", "0.05", "1.5"]))
def test_no_split_makes_or_loses_money(quantity: int, shares: str):
    books = ledger.start(Books(), Decimal(1_000_000))
    bought = fill(quantity=Decimal(quantity), price=Decimal(20), fee_usd=Decimal(1))
    books = ledger.apply_fill(books, bought, ORIGIN).books
    books = ledger.mark_price(books, "ACME", Decimal(30), NOON)
    after = ledger.split(books, "ACME", Decimal(shares), NOON).books
    assert abs(ledger.equity_usd(after) - ledger.equity_usd(books)) < Decimal("0.001")
    cost = sum((r.cost_usd for r in after.trades.values()), start=Decimal(0))
    assert after.cash_usd + cost == after.start_equity_usd + after.realised_usd
    assert all(p.quantity == int(p.quantity) for p in after.positions.values())


# New names


def test_a_new_name_is_the_same_position_under_the_same_stop():
    stages = held()
    before = position(stages)
    renamed = f.SymbolRenamed(at=NOON, symbol="ACME", new_symbol="NEWA", effective_on=NOON.date())
    said = stages.handle(renamed)
    assert c.UnwatchSymbol(symbol="ACME") in said
    assert c.WatchSymbol(symbol="NEWA") in said
    after = stages.portfolio.positions["NEWA"]
    assert (after.trade_id, after.quantity) == (before.trade_id, before.quantity)
    assert stages.execution.open_tickets[STOP_ID].symbol == "NEWA"
    said = stages.fill(STOP_ID, symbol="NEWA", side=Side.SELL, fill_id="out")
    (closed,) = of_type(said, d.PositionClosed)
    assert (closed.trade.symbol, closed.trade.trade_id) == ("NEWA", before.trade_id)


# Adopted trades and cash


def adopt(books: Books, **given: Any) -> ledger.Booked:
    one = fill(quantity=Decimal(10), price=Decimal(50), fee_usd=Decimal(0))
    return ledger.adopt_fill(books, one, ORIGIN, **given)


def test_what_was_always_there_moves_no_money():
    books = ledger.start(Books(), START_USD)
    after = adopt(books, is_in_cash=False).books
    assert after.cash_usd == START_USD
    assert ledger.equity_usd(after) == after.start_equity_usd == START_USD + 500
    assert adopt(books, is_in_cash=True).books.cash_usd == START_USD - 500


@given(st.decimals("-5000", "5000", places=2), st.booleans())
def test_cash_that_came_or_went_keeps_the_ledger_balanced(amount: Decimal, flow: bool):
    books = adopt(ledger.start(Books(), START_USD), is_in_cash=True).books
    message = d.CashAdjusted(amount_usd=amount, is_flow=flow, reason="test")
    after = ledger.adjust_cash(books, message)
    account = ledger.view(after, NOON)
    assert account.equity_usd == START_USD + amount
    started = account.start_equity_usd
    assert account.equity_usd == started + account.realised_usd + account.unrealised_usd
    if flow:
        assert account.drawdown == account.day_return == 0


def test_a_part_of_a_foreign_trade_carries_its_part_of_the_fee():
    stages = Stages()
    theirs = fill(
        client_order_id="theirs", quantity=Decimal(10), price=Decimal(50), fee_usd=Decimal(2)
    )
    stages.handle(
        d.ForeignTradeJudged(
            fill=theirs, adopted_quantity=Decimal(5), is_in_cash=True, reason="test"
        )
    )
    assert account_view(stages.portfolio, NOON).cash_usd == START_USD - 251
    assert stages.execution.books.foreign_shares == {"ACME": 5}
    assert stages.execution.books.foreign_cash_usd == -251


def test_a_later_start_of_the_day_counts_from_the_deposit():
    stages = held()
    stages.wait(60)
    deposit = d.CashAdjusted(amount_usd=Decimal(1000), is_flow=True, reason="a deposit")
    (marked,) = of_type(stages.handle(deposit), d.EquityMarked)
    assert marked.account.as_of == NOON + timedelta(seconds=60)
    assert marked.account.equity_usd == START_USD + 1000
