from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalyst_bot.domain.enums import Side
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.simulation.venue_account import VenueAccount, affordable_shares, fee_usd
from tests.builders import fill

D = Decimal
COMMISSION = D("0.001")


def account(**given_fields: Decimal) -> VenueAccount:
    defaults = {"cash_usd": D(10_000), "buying_power_multiplier": D(1)}
    return VenueAccount(**(defaults | given_fields))


def test_average_cost_survives_partial_sales():
    books = account()
    books.book(fill(quantity=D(3), price=D(10), fee_usd=D("0.03")))
    books.book(fill(quantity=D(4), price=D(11), fee_usd=D("0.04")))
    books.book(fill(side=Side.SELL, quantity=D(2), price=D(12), fee_usd=D("0.02")))
    (position,) = books.positions()
    assert position.quantity == 5
    assert position.average_cost == pytest.approx(D(74) / 7, abs=D("0.0001"))
    assert books.fees_usd == D("0.09")
    assert books.cash_usd == 10_000 - 74 + 24 - D("0.09")


def test_selling_more_than_held_is_a_bug():
    with pytest.raises(InvariantViolated):
        account().book(fill(side=Side.SELL))


def test_buying_power_is_the_cash_unless_money_is_lent():
    for multiplier, before, after in ((1, 10_000, 9_000), (2, 20_000, 19_000)):
        books = account(buying_power_multiplier=D(multiplier))
        assert books.buying_power_usd() == before
        books.book(fill(quantity=D(10), price=D(100), fee_usd=D(0)))
        assert books.buying_power_usd() == after


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
