"""Orders in other shares after a split."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from catalyst_bot.domain.messages.decisions import OrderRescaled
from catalyst_bot.domain.messages.facts import SplitApplied
from catalyst_bot.execution.corporate import rescale_orders
from catalyst_bot.execution.state import State
from tests import builders


def rescaled(ticket, shares_per_share: str, symbol: str = "ACME") -> list[OrderRescaled]:
    split = SplitApplied(
        at=builders.NOON,
        symbol=symbol,
        shares_per_share=Decimal(shares_per_share),
        effective_on=date(2025, 10, 7),
    )
    state = State()
    state.open_tickets[ticket.client_order_id] = ticket
    return rescale_orders(state, split)


@pytest.mark.parametrize(
    ("shares_per_share", "quantity", "filled", "price"),
    [("2", 202, 82, "50"), ("0.5", 50, 20, "200"), ("1.5", 151, 61, "66.67")],
)
def test_shares_stay_whole_and_prices_follow(
    shares_per_share: str, quantity: int, filled: int, price: str
):
    ticket = replace(
        builders.ticket(),
        quantity=Decimal(101),
        filled_quantity=Decimal(41),
        reference_price=Decimal(100),
        limit_price=Decimal(100),
        stop_price=None,
        worst_price=Decimal(100),
    )
    (told,) = rescaled(ticket, shares_per_share)
    assert (told.client_order_id, told.catalyst_id) == (ticket.client_order_id, ticket.catalyst_id)
    assert (told.quantity, told.filled_quantity) == (quantity, filled)
    assert told.reference_price == told.limit_price == told.worst_price == Decimal(price)
    assert told.stop_price is None


def test_orders_of_other_symbols_stay_as_they_are():
    assert rescaled(builders.ticket(), "2", symbol="OTHER") == []


@pytest.mark.parametrize(
    ("sent_at", "is_rescaled"),
    [
        (None, True),
        (datetime(2025, 10, 7, 0, 30, tzinfo=UTC), True),  # late trading of the day before
        (datetime(2025, 10, 7, 8, 0, tzinfo=UTC), False),
        (datetime(2025, 10, 8, 14, 0, tzinfo=UTC), False),
    ],
)
def test_an_order_that_was_sent_in_new_shares_stays_as_it_is(
    sent_at: datetime | None, is_rescaled: bool
):
    """The split was told late: the broker has the order in the shares it was sent in."""
    told = rescaled(replace(builders.ticket(), submitted_at=sent_at), "2")
    assert bool(told) is is_rescaled
