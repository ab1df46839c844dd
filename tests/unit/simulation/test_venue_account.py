from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.simulation.venue_account import VenueAccount, affordable_shares, fee_usd

D = Decimal
COMMISSION = D("0.001")


def trade(books: VenueAccount, side: Side, quantity: str, price: str, fee: str = "0") -> None:
    books.book("ACME", side, quantity=D(quantity), price=D(price), fee_usd=D(fee))


def account() -> VenueAccount:
    return VenueAccount(cash_usd=D(10_000))


def test_average_cost_survives_partial_sales():
    books = account()
    trade(books, Side.BUY, "3", "10", "0.03")
    trade(books, Side.BUY, "4", "11", "0.04")
    trade(books, Side.SELL, "2", "12", "0.02")
    holding = books.holdings["ACME"]
    assert holding.quantity == 5
    assert holding.average_cost == pytest.approx(D(74) / 7, abs=D("0.0001"))
    assert books.fees_usd == D("0.09")
    assert books.cash_usd == 10_000 - 74 + 24 - D("0.09")


def test_a_short_position_owes_shares_and_earns_when_the_price_falls():
    books = account()
    trade(books, Side.SELL, "100", "10")
    assert (books.held("ACME"), books.cash_usd) == (-100, 11_000)
    assert books.holdings["ACME"].cost_usd == -1_000
    trade(books, Side.SELL, "100", "12")
    assert books.holdings["ACME"].average_cost == 11
    trade(books, Side.BUY, "50", "9")
    assert books.realised_usd == 50 * (11 - 9)
    trade(books, Side.BUY, "150", "13")
    assert books.realised_usd == 100 - 150 * 2
    assert books.cash_usd == 10_000 + books.realised_usd
    assert books.holdings == {}


@pytest.mark.parametrize(("first", "then"), [(Side.BUY, Side.SELL), (Side.SELL, Side.BUY)])
def test_one_trade_does_not_cross_zero(first: Side, then: Side):
    books = account()
    trade(books, first, "5", "10")
    with pytest.raises(InvariantViolated):
        trade(books, then, "6", "10")


@pytest.mark.parametrize(
    ("held", "ratio", "after", "fraction"),
    [
        ("10", "3", "30", "0"),
        ("105", "0.05", "5", "0.25"),
        ("-105", "0.05", "-5", "-0.25"),
        ("7", "0.1", "0", "0.7"),
        ("1.5", "3", "4.5", "0"),  # who holds fractions keeps them
    ],
)
def test_a_split_changes_shares_and_pays_out_the_fraction_of_one(
    held: str, ratio: str, after: str, fraction: str
):
    books = account()
    side = Side.BUY if D(held) > 0 else Side.SELL
    trade(books, side, str(abs(D(held))), "10")
    assert books.fraction_after_split("ACME", D(ratio)) == D(fraction)
    in_lieu_usd = D(fraction) * 100
    books.split("ACME", D(ratio), in_lieu_usd)
    assert books.held("ACME") == D(after)
    cost_usd = sum(holding.cost_usd for holding in books.holdings.values())
    assert books.cash_usd + cost_usd == 10_000 + books.realised_usd


@pytest.mark.parametrize(("multiplier", "before", "after"), [(1, 10, 9), (2, 20, 19), (4, 40, 39)])
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_what_is_held_or_owed_is_spent(side: Side, multiplier: int, before: int, after: int):
    books = account()
    assert books.spendable_usd(D(multiplier)) == before * 1_000
    trade(books, side, "10", "100")
    assert books.spendable_usd(D(multiplier)) == after * 1_000


def test_a_renamed_symbol_keeps_its_position():
    books = account()
    trade(books, Side.BUY, "5", "10")
    books.rename("ACME", "APEX")
    assert (books.held("ACME"), books.held("APEX")) == (0, 5)


@pytest.mark.parametrize(("side", "left"), [(Side.BUY, 8), (Side.SELL, 2)])
def test_a_renamed_position_joins_what_is_held_there(side: Side, left: int):
    books = account()
    trade(books, Side.BUY, "5", "10")
    books.book("APEX", side, quantity=D(3), price=D(20), fee_usd=D(0))
    books.rename("ACME", "APEX")
    assert books.held("APEX") == left
    cost_usd = books.holdings["APEX"].cost_usd
    assert books.cash_usd + cost_usd == 10_000 + books.realised_usd


def test_a_renamed_position_may_cancel_out():
    books = account()
    trade(books, Side.BUY, "5", "10")
    books.book("APEX", Side.SELL, quantity=D(5), price=D(12), fee_usd=D(0))
    books.rename("ACME", "APEX")
    assert books.holdings == {}
    assert (books.realised_usd, books.cash_usd) == (10, 10_010)


@given(
    price=st.integers(1, 10**7).map(lambda ticks: D(ticks) / 10_000),
    available=st.integers(-100, 10**9).map(lambda cents: D(cents) / 10_000),
)
@example(price=D("15.50"), available=D("15.5160"))
def test_what_is_affordable_can_be_paid_and_not_much_more(price: Decimal, available: Decimal):
    shares = affordable_shares(price, available_usd=available, commission_fraction=COMMISSION)
    amount = shares * price
    assert shares >= 0
    assert amount + (fee_usd(amount, COMMISSION) if shares else 0) <= max(available, D(0))
    assert (shares + 1) * price * (1 + COMMISSION) > available - D("0.01")
