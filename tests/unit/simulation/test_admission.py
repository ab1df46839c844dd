from __future__ import annotations

from decimal import Decimal

import pytest

from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain.enums import OrderKind
from catalyst_bot.domain.messages.facts import OrderAccepted, OrderRejected
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.domain.trading import ApprovedOrder
from tests.unit.simulation.venue import (
    at,
    bracket,
    buy,
    candle,
    flat,
    limit_buy,
    sell,
    show,
    venue,
)

D = Decimal


def reason_of(facts: list[Fact]) -> str:
    (fact,) = facts
    assert isinstance(fact, OrderRejected), fact
    return fact.reason


def holding_100() -> EmbeddedVenue:
    engine = venue()
    engine.submit(buy("held"), at(0))
    show(engine, flat(0))
    return engine


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (buy(quantity=D(0)), "qty must be > 0"),
        (buy(quantity=D(-5)), "qty must be > 0"),
        (bracket(quantity=D("1.5")), "whole shares"),
        (buy(kind=OrderKind.LIMIT), "require a limit price"),
        (buy(kind=OrderKind.STOP, stop_loss_price=D(90)), "buy stop orders"),
        (sell(kind=OrderKind.STOP), "require a stop price"),
        (limit_buy("99.005"), "99.005"),
        (bracket(stop_loss_price=D("97.001")), "97.001"),
        (bracket(take_profit_price=D("106.001")), "106.001"),
        (bracket(stop_loss_price=D(-1)), "-1"),
        (bracket(stop_loss_price=D(100)), "both sides of the base price 100"),
        (bracket(take_profit_price=D(100)), "both sides of the base price 100"),
        (limit_buy("97"), "both sides of the base price 97"),
        (bracket(stop_loss_price=None, take_profit_price=D(99)), "both sides"),
    ],
)
def test_malformed_orders_are_rejected(order: ApprovedOrder, reason: str):
    engine = venue()
    assert reason in reason_of(engine.submit(order, at(0)))
    assert engine.snapshot().open_orders == ()


def test_an_order_beyond_the_cash_is_rejected():
    assert reason_of(venue().submit(buy(quantity=D(1_001)), at(0))) == (
        "insufficient buying power (required: 100100.00, available: 100000.00)"
    )


def test_open_buys_hold_their_money():
    engine = venue()
    engine.submit(limit_buy("99", "first", quantity=D(1_000)), at(0))
    assert "available: 1000.00" in reason_of(engine.submit(buy("second"), at(0)))
    engine.cancel(limit_buy("99", "first").client_order_id, at(0))
    (fact,) = engine.submit(buy("third"), at(0))
    assert isinstance(fact, OrderAccepted)


def test_a_multiplier_lends_money():
    engine = venue(buying_power_multiplier=D(2))
    (fact,) = engine.submit(buy(quantity=D(1_900)), at(0))
    assert isinstance(fact, OrderAccepted)
    show(engine, flat(0, volume=1e6))
    assert engine.snapshot().cash_usd < 0
    assert "available" in reason_of(engine.submit(buy("more"), at(1)))


def test_what_is_not_held_cannot_be_sold():
    assert reason_of(venue().submit(sell(), at(0))) == (
        "insufficient qty available for order (requested: 100, available: 0)"
    )


def test_shares_are_reserved_by_open_sells():
    engine = holding_100()
    engine.submit(sell("some", quantity=D(60)), at(1))
    assert reason_of(engine.submit(sell("all"), at(1))) == (
        "insufficient qty available for order (requested: 100, available: 40)"
    )
    (fact,) = engine.submit(sell("rest", quantity=D(40)), at(1))
    assert isinstance(fact, OrderAccepted)


def test_two_legs_reserve_their_shares_once_and_an_exit_needs_them_cancelled():
    engine = holding_100()
    entry = bracket(approved_at=at(1))
    engine.submit(entry, at(1))
    show(engine, candle(1, (100.0, 101.0, 99.0, 100.0)))
    exits = {"approved_at": at(2), "quantity": D(200)}
    assert "requested: 200, available: 100" in reason_of(
        engine.submit(sell("both", **exits), at(2))
    )
    engine.cancel(f"{entry.client_order_id}-sl", at(2))
    (fact,) = engine.submit(sell("again", **exits), at(2))
    assert isinstance(fact, OrderAccepted)
