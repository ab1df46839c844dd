from __future__ import annotations

from decimal import Decimal

import pytest

from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain.enums import ExitReason, OrderRole, OrderStatus
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import OrderTicket, stop_leg_id, target_leg_id
from tests.unit.simulation.venue import (
    at,
    bracket,
    candle,
    fills,
    flat,
    limit_buy,
    open_at,
    show,
    story,
    venue,
)

D = Decimal
ENTRY = bracket().client_order_id
STOP, TARGET = stop_leg_id(ENTRY), target_leg_id(ENTRY)
LEGS_LIVE = ["OrderAccepted -sl", "OrderAccepted -tp"]


def entered(quantity: int = 100) -> EmbeddedVenue:
    """A venue where the bracket filled at the opening print of bar 0."""
    engine = venue()
    engine.submit(bracket(quantity=D(quantity)), at(0))
    open_at(engine, 0, 100.0)
    return engine


def ticket(engine: EmbeddedVenue, order_id: str) -> OrderTicket:
    found = engine.ticket(order_id)
    assert found is not None
    return found


def test_legs_wait_for_the_first_fill():
    engine = venue()
    engine.submit(bracket(), at(0))
    assert ticket(engine, STOP).status is OrderStatus.HELD
    assert [o.client_order_id for o in engine.snapshot().open_orders] == [ENTRY]
    assert story(open_at(engine, 0)) == ["OrderFilled order 100 @ 100.01", *LEGS_LIVE]
    stop, target = ticket(engine, STOP), ticket(engine, TARGET)
    assert (stop.status, stop.role, stop.stop_price) == (
        OrderStatus.WORKING,
        OrderRole.STOP_LOSS,
        97,
    )
    assert (target.limit_price, target.exit_reason) == (106, ExitReason.TAKE_PROFIT)


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ((100.0, 105.9, 97.1, 100.0), []),
        ((100.0, 101.0, 96.5, 97.0), ["OrderFilled -sl 100 @ 96.99", "OrderCancelled -tp"]),
        ((100.0, 107.0, 99.0, 105.0), ["OrderFilled -tp 100 @ 106", "OrderCancelled -sl"]),
        ((100.0, 107.0, 96.5, 105.0), ["OrderFilled -sl 100 @ 96.99", "OrderCancelled -tp"]),
        ((95.0, 96.0, 94.0, 95.0), ["OrderFilled -sl 100 @ 94.99", "OrderCancelled -tp"]),
        ((108.0, 109.0, 107.0, 108.0), ["OrderFilled -tp 100 @ 107.99", "OrderCancelled -sl"]),
    ],
    ids=["neither", "stop", "target", "both: the stop", "gap down", "gap up"],
)
def test_one_leg_fills_and_cancels_the_other(
    prices: tuple[float, float, float, float], expected: list[str]
):
    engine = entered()
    assert show(engine, flat(0)) == []
    assert story(show(engine, candle(1, prices))) == expected


def test_legs_count_in_the_bar_whose_open_filled_the_entry():
    engine = entered()
    assert story(show(engine, candle(0, (100.0, 107.0, 96.0, 100.0)))) == [
        "OrderFilled -sl 100 @ 96.99",
        "OrderCancelled -tp",
    ]


def test_prices_from_before_the_entry_filled_move_no_leg():
    engine = venue()
    engine.submit(limit_buy("99"), at(0))
    open_at(engine, 1, 98.5)
    assert show(engine, candle(0, (100.0, 107.0, 96.0, 100.0))) == []


def test_the_same_without_an_opening_print():
    engine = venue()
    engine.submit(bracket(), at(0))
    assert story(show(engine, candle(0, (100.0, 107.0, 99.0, 100.0)))) == [
        "OrderFilled order 100 @ 100.01",
        *LEGS_LIVE,
        "OrderFilled -tp 100 @ 106",
        "OrderCancelled -sl",
    ]


def test_after_a_limit_was_met_the_stop_counts_in_that_bar():
    engine = venue()
    engine.submit(limit_buy("99"), at(0))
    facts = show(engine, candle(0, (100.0, 100.0, 96.0, 100.0)))
    assert story(facts) == [
        "OrderFilled order 100 @ 99",
        *LEGS_LIVE,
        "OrderFilled -sl 100 @ 96.99",
        "OrderCancelled -tp",
    ]


def test_after_a_limit_was_met_the_target_does_not_count_in_that_bar():
    engine = venue()
    engine.submit(limit_buy("99"), at(0))
    facts = show(engine, candle(0, (100.0, 108.0, 98.0, 107.0)))
    assert story(facts) == ["OrderFilled order 100 @ 99", *LEGS_LIVE]
    assert story(open_at(engine, 1, 107.0))[0] == "OrderFilled -tp 100 @ 106.99"


def test_legs_grow_with_the_entry():
    engine = venue()
    engine.submit(bracket(quantity=D(300)), at(0))
    show(engine, flat(0, volume=1_000.0))
    assert ticket(engine, STOP).quantity == ticket(engine, TARGET).quantity == 100
    assert story(show(engine, flat(1, volume=1_000.0))) == ["OrderFilled order 100 @ 100.01"]
    assert ticket(engine, STOP).quantity == ticket(engine, TARGET).quantity == 200


def test_a_leg_that_sold_a_part_shrinks_the_other():
    engine = entered(quantity=150)
    facts = show(engine, candle(1, (100.0, 107.0, 99.0, 100.0), volume=400.0))
    assert story(facts) == ["OrderFilled -tp 40 @ 106"]
    assert ticket(engine, STOP).quantity == 110
    assert ticket(engine, TARGET).status is OrderStatus.PARTIALLY_FILLED
    assert story(show(engine, candle(2, (100.0, 100.0, 96.0, 96.0)))) == [
        "OrderFilled -sl 110 @ 96.99",
        "OrderCancelled -tp",
    ]
    assert engine.snapshot().positions == ()


def test_a_triggered_stop_sells_the_rest_at_the_next_open_wherever_it_is():
    engine = entered(quantity=150)
    facts = show(engine, candle(1, (100.0, 107.0, 96.0, 100.0), volume=400.0))
    assert story(facts) == ["OrderFilled -sl 40 @ 96.99", "OrderCancelled -tp"]
    assert story(open_at(engine, 2, 99.0)) == ["OrderFilled -sl 110 @ 98.99"]


def test_an_entry_that_gaps_below_its_stop_is_sold_again_in_that_bar():
    engine = venue()
    engine.submit(bracket(quantity=D(300)), at(0))
    show(engine, flat(0, volume=1_000.0))
    facts = open_at(engine, 1, 96.0)
    assert story(facts) == ["OrderFilled order 200 @ 96.01"]
    facts = show(engine, candle(1, (96.0, 96.0, 95.0, 95.0)))
    assert story(facts) == ["OrderFilled -sl 300 @ 95.99", "OrderCancelled -tp"]


def test_a_target_that_fills_cancels_the_rest_of_the_entry():
    engine = venue()
    engine.submit(limit_buy("99", quantity=D(300)), at(0))
    show(engine, candle(0, (100.0, 100.0, 99.0, 100.0), volume=1_000.0))
    assert story(show(engine, candle(1, (100.0, 107.0, 100.0, 107.0)))) == [
        "OrderFilled -tp 100 @ 106",
        "OrderCancelled -sl",
        "OrderCancelled order",
    ]


@pytest.mark.parametrize("ending", ["cancel", "expire"])
def test_legs_outlive_an_entry_that_filled_in_part(ending: str):
    engine = venue()
    engine.submit(bracket(quantity=D(300)), at(0))
    show(engine, flat(0, volume=1_000.0))
    if ending == "cancel":
        assert story(engine.cancel(ENTRY, at(1))) == ["OrderCancelled order"]
    else:
        assert story(engine.on_session_close(at(1))) == ["OrderExpired order"]
    assert {o.client_order_id for o in engine.snapshot().open_orders} == {STOP, TARGET}
    assert fills(show(engine, candle(2, (100.0, 100.0, 96.0, 96.0))))[0].quantity == 100


def test_legs_end_with_an_entry_that_bought_nothing():
    engine = venue()
    engine.submit(limit_buy("99"), at(0))
    assert story(engine.cancel(ENTRY, at(1))) == ["OrderCancelled order"]
    assert ticket(engine, STOP).status is OrderStatus.CANCELLED


@pytest.mark.parametrize("leg", [STOP, TARGET])
def test_cancelling_one_leg_cancels_the_other(leg: str):
    engine = entered()
    facts = engine.cancel(leg, at(1))
    assert {fact.client_order_id for fact in facts if isinstance(fact, f.OrderCancelled)} == {
        STOP,
        TARGET,
    }
    assert engine.snapshot().open_orders == ()


def test_a_held_leg_cannot_be_cancelled():
    engine = venue()
    engine.submit(bracket(), at(0))
    (fact,) = engine.cancel(STOP, at(0))
    assert isinstance(fact, f.ChangeRefused)
    assert "held" in fact.reason


def test_a_moved_stop_counts_from_the_next_bar():
    engine = entered()
    (fact,) = engine.replace(STOP, at(0, seconds=60), stop_price=D("99.50"))
    assert isinstance(fact, f.OrderReplaced)
    assert ticket(engine, STOP).stop_price == D("99.50")
    assert show(engine, candle(0, (100.0, 101.0, 98.0, 100.0))) == []
    (fill,) = fills(show(engine, candle(1, (100.0, 101.0, 99.0, 100.0))))
    assert fill.price == D("99.49")


@pytest.mark.parametrize(
    ("order_id", "price", "reason"),
    [
        (STOP, "99.505", "invalid stop price"),
        (STOP, "0", "invalid stop price"),
        (STOP, "106", "invalid stop price"),
        (TARGET, "99", "not a waiting stop"),
        (ENTRY, "99", "filled"),
        ("cb-none", "99", "not found"),
    ],
)
def test_a_stop_is_not_moved_to_nonsense(order_id: str, price: str, reason: str):
    engine = entered()
    (fact,) = engine.replace(order_id, at(1), stop_price=D(price))
    assert isinstance(fact, f.ChangeRefused)
    assert reason in fact.reason
    assert ticket(engine, STOP).stop_price == 97


def test_a_bracket_may_have_a_stop_only():
    engine = venue()
    engine.submit(bracket(take_profit_price=None), at(0))
    assert story(open_at(engine, 0))[1:] == ["OrderAccepted -sl"]
    assert story(show(engine, candle(1, (100.0, 110.0, 96.0, 96.0)))) == [
        "OrderFilled -sl 100 @ 96.99"
    ]
