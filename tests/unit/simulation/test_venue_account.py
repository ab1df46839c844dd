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
    assert (books.held("ACME"), books.cost_usd(), books.cash_usd) == (-100, -1_000, 11_000)
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
    start_usd = 10_000 + books.realised_usd - books.fees_usd
    assert books.cash_usd + books.cost_usd() == start_usd


def test_a_renamed_symbol_keeps_its_position():
    books = account()
    trade(books, Side.BUY, "5", "10")
    books.rename("ACME", "APEX")
    assert (books.held("ACME"), books.held("APEX")) == (0, 5)


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
