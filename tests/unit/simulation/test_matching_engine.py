from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain.enums import OrderKind, OrderRole, OrderStatus, TimeInForce
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import stop_leg_id
from catalyst_bot.simulation.fill_profile import FillProfile
from tests.unit.simulation.venue import (
    at,
    bracket,
    buy,
    candle,
    fills,
    flat,
    limit_buy,
    open_at,
    sell,
    show,
    story,
    venue,
)

D = Decimal


def test_a_market_order_fills_at_the_next_open_and_later_than_the_decision():
    engine = venue()
    engine.submit(buy(), at(0))
    (fill,) = fills(open_at(engine, 0, 100.0))
    assert (fill.quantity, fill.price) == (100, D("100.01"))  # half a tick, rounded up
    assert fill.filled_at == at(0, seconds=0.25)


def test_an_open_before_the_decision_is_never_used():
    engine = venue()
    engine.submit(buy(approved_at=at(0, seconds=1)), at(0, seconds=1))
    assert open_at(engine, 0) == []
    assert show(engine, flat(0)) == []
    (fill,) = fills(show(engine, flat(1, 101.0)))
    assert fill.filled_at == at(1)


def test_an_order_that_came_late_counts_from_when_it_came():
    engine = venue()
    engine.submit(buy(approved_at=at(0)), at(1, seconds=3))
    assert show(engine, flat(0), flat(1)) == []
    assert len(fills(show(engine, flat(2)))) == 1


def test_a_bar_fills_at_its_open_when_no_print_was_shown():
    engine = venue()
    engine.submit(buy(), at(0))
    (fact,) = show(engine, candle(0, (100.0, 103.0, 99.0, 102.0)))
    assert isinstance(fact, f.OrderFilled)
    assert fact.fill.price == D("100.01")
    assert fact.fill.filled_at == at(0, seconds=0.25)
    assert fact.at == at(1)  # the venue learned of it when the bar was complete


def test_the_print_and_its_bar_fill_an_order_once():
    engine = venue()
    engine.submit(buy(quantity=D(500)), at(0))
    (first,) = fills(open_at(engine, 0, volume=1_000.0))
    assert first.quantity == 100
    assert show(engine, flat(0, volume=1_000.0)) == []
    (second,) = fills(show(engine, flat(1, volume=2_000.0)))
    assert second.quantity == 200
    assert second.fill_id != first.fill_id


def test_print_and_bar_give_the_same_fill():
    one, other = venue(), venue()
    for engine in (one, other):
        engine.submit(buy(), at(0))
    assert fills(open_at(one, 0, volume=5_000.0)) == fills(show(other, flat(0, volume=5_000.0)))


def test_costs_of_our_profile():
    engine = venue(CostRules())
    engine.submit(buy(), at(0))
    (fill,) = fills(show(engine, flat(0, 100.0, volume=100_000.0)))
    assert fill.price == D("100.11")  # 1 bps half spread (a liquid bar) and 0.1 % slippage
    assert fill.fee_usd == D("10.01")
    assert engine.snapshot().cash_usd == D(100_000) - D(10_011) - D("10.01")


def test_the_participation_cap_leaves_the_rest_for_later_bars():
    engine = venue()
    engine.submit(buy(quantity=D(25)), at(0))
    sizes = [
        fill.quantity
        for number in range(4)
        for fill in fills(show(engine, flat(number, volume=100.0)))
    ]
    assert sizes == [10, 10, 5]


def test_a_bar_without_trades_fills_nothing():
    engine = venue()
    engine.submit(buy(), at(0))
    assert show(engine, flat(0, volume=0.0)) == []


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ((100.0, 101.0, 99.5, 100.0), None),
        ((100.0, 101.0, 98.0, 100.0), "99"),
        ((98.5, 101.0, 98.0, 100.0), "98.51"),
        ((98.999, 101.0, 98.0, 100.0), "99"),  # costs, but never beyond the limit
    ],
)
def test_a_limit_buy_at_99(prices: tuple[float, float, float, float], expected: str | None):
    engine = venue()
    engine.submit(limit_buy("99", stop_loss_price=None), at(0))
    found = [fill.price for fill in fills(show(engine, candle(0, prices)))]
    assert found == ([D(expected)] if expected else [])


def test_a_limit_order_waits_for_a_bar_that_opens_after_it():
    engine = venue()
    engine.submit(limit_buy("99", approved_at=at(0, seconds=60)), at(0, seconds=60))
    assert show(engine, candle(0, (100.0, 100.0, 98.0, 100.0))) == []
    assert len(fills(show(engine, candle(1, (100.0, 100.0, 98.0, 100.0))))) == 1


def test_the_paper_profile_has_no_costs_but_the_spread():
    engine = venue(CostRules(), profile=FillProfile.ALPACA)
    engine.submit(buy(quantity=D(900)), at(0))
    (fill,) = fills(show(engine, flat(0, 100.0, volume=100_000.0)))
    assert (fill.quantity, fill.price, fill.fee_usd) == (900, D("100.01"), 0)


def test_the_paper_profile_fills_a_limit_when_the_ask_reaches_it():
    engine = venue(CostRules(), profile=FillProfile.ALPACA)
    engine.submit(limit_buy("99"), at(0))
    assert show(engine, candle(0, (100.0, 100.0, 99.0, 100.0))) == []
    touched = show(engine, candle(1, (100.0, 100.0, 98.98, 100.0)))
    assert [fill.price for fill in fills(touched)] == [99]


def test_the_paper_profile_fills_a_marketable_limit_at_the_quote():
    engine = venue(CostRules(), profile=FillProfile.ALPACA)
    engine.submit(limit_buy("205", reference_price=D(200), take_profit_price=None), at(0))
    (fill,) = fills(show(engine, flat(0, 200.0, volume=1_000.0)))
    assert fill.price == D("200.20")  # 10 bps half spread of a thin bar


def test_the_paper_profile_splits_one_fill_in_ten():
    split = 0
    for number in range(400):
        engine = venue(CostRules(), profile=FillProfile.ALPACA, seed=7)
        engine.submit(buy(str(number)), at(0))
        (fill,) = fills(show(engine, flat(0)))
        split += fill.quantity < 100
    assert 20 <= split <= 60


def test_another_seed_splits_other_fills():
    def sizes(seed: int) -> list[Decimal]:
        found = []
        for number in range(60):
            engine = venue(CostRules(), profile=FillProfile.ALPACA, seed=seed)
            engine.submit(buy(str(number)), at(0))
            found += [fill.quantity for fill in fills(show(engine, flat(0)))]
        return found

    assert sizes(1) == sizes(1)
    assert sizes(1) != sizes(2)


def test_a_known_id_is_answered_again_and_nothing_else_happens():
    engine = venue()
    (first,) = engine.submit(buy(), at(0))
    show(engine, flat(0))
    before = engine.snapshot()
    (again,) = engine.submit(buy(), at(3))
    assert isinstance(first, f.OrderAccepted)
    assert isinstance(again, f.OrderAccepted)
    assert again.broker_order_id == first.broker_order_id
    assert engine.snapshot() == before


def test_a_rejected_id_stays_rejected():
    engine = venue()
    (first,) = engine.submit(sell(), at(0))
    (again,) = engine.submit(sell(), at(1))
    assert isinstance(first, f.OrderRejected)
    assert isinstance(again, f.OrderRejected)
    assert again.reason == first.reason


def test_a_halted_symbol_takes_orders_and_fills_none():
    engine = venue()
    engine.halt("ACME", at(0))
    (answer,) = engine.submit(buy(), at(0))
    assert isinstance(answer, f.OrderAccepted)
    assert open_at(engine, 0) == show(engine, flat(0)) == []
    engine.resume("ACME", at(1, seconds=30))
    assert show(engine, flat(1)) == []  # it opened before trading resumed
    assert len(fills(show(engine, flat(2)))) == 1


def test_day_orders_lapse_at_the_close_and_others_stay():
    engine = venue()
    engine.submit(limit_buy("90", "day", stop_loss_price=None), at(0))
    engine.submit(
        limit_buy("90", "gtc", stop_loss_price=None, time_in_force=TimeInForce.GTC), at(0)
    )
    facts = engine.on_session_close(at(48))
    assert story(facts) == ["OrderExpired order"]
    assert len(engine.snapshot().open_orders) == 1


def test_a_close_does_not_end_orders_for_the_next_session():
    engine = venue()
    engine.submit(buy("at the close", approved_at=at(48)), at(48))
    engine.submit(buy("after it", approved_at=at(49)), at(49))
    assert engine.on_session_close(at(48)) == []


def test_cancel_ends_what_is_left():
    engine = venue()
    order = buy(quantity=D(500))
    engine.submit(order, at(0))
    show(engine, flat(0, volume=1_000.0))
    assert story(engine.cancel(order.client_order_id, at(1))) == ["OrderCancelled order"]
    assert show(engine, flat(2)) == []
    ticket = engine.ticket(order.client_order_id)
    assert ticket is not None
    assert (ticket.status, ticket.filled_quantity) == (OrderStatus.CANCELLED, 100)


@pytest.mark.parametrize("name", ["known", "unknown"])
def test_what_is_not_open_cannot_be_cancelled(name: str):
    engine = venue()
    engine.submit(buy("known"), at(0))
    show(engine, flat(0))
    (fact,) = engine.cancel(buy(name).client_order_id, at(1))
    assert isinstance(fact, f.ChangeRefused)
    assert (
        fact.reason
        == {
            "known": 'order is already in "filled" state',
            "unknown": "order not found",
        }[name]
    )


def test_a_stand_alone_stop_protects_a_position():
    engine = venue()
    engine.submit(buy(), at(0))
    show(engine, flat(0))
    stop = sell(
        kind=OrderKind.STOP, role=OrderRole.STOP_LOSS, stop_loss_price=D(97), approved_at=at(1)
    )
    engine.submit(stop, at(1))
    assert show(engine, candle(1, (100.0, 101.0, 97.01, 100.0))) == []
    (fill,) = fills(show(engine, candle(2, (100.0, 101.0, 96.0, 100.0))))
    assert fill.price == D("96.99")


def test_money_that_ran_out_ends_the_order():
    engine = venue(starting_cash_usd=D(10_000))
    engine.submit(buy(), at(0))  # sized at $100: just enough
    facts = open_at(engine, 0, 125.0)
    assert story(facts) == ["OrderFilled order 79 @ 125.01", "OrderCancelled order"]
    assert facts[0].at == facts[1].at
    assert engine.snapshot().cash_usd >= 0


def test_money_that_others_reserved_is_not_spent():
    engine = venue(starting_cash_usd=D(20_000))
    engine.submit(buy("market"), at(0))
    engine.submit(limit_buy("99", "other"), at(0))
    assert fills(open_at(engine, 0, 125.0))[0].quantity == 80  # of $10,100


def test_the_books():
    engine = venue()
    engine.submit(buy(), at(0))
    show(engine, flat(0))
    engine.submit(limit_buy("99", "more", quantity=D(7)), at(1))
    books = engine.snapshot()
    assert books.cash_usd == D(100_000) - 100 * D("100.01")
    assert [(p.symbol, p.quantity, p.average_cost) for p in books.positions] == [
        ("ACME", 100, D("100.01"))
    ]
    assert [(o.symbol, o.quantity, o.filled_quantity) for o in books.open_orders] == [
        ("ACME", 7, 0)
    ]
    assert engine.working_symbols() == {"ACME"}


def test_a_flat_position_is_gone_from_the_books():
    engine = venue()
    engine.submit(buy(), at(0))
    show(engine, flat(0))
    engine.submit(sell(approved_at=at(1)), at(1))
    show(engine, flat(1, 110.0))
    assert engine.snapshot().positions == ()
    assert engine.snapshot().cash_usd == D(100_000) + 100 * (D("109.99") - D("100.01"))
    assert engine.working_symbols() == set()


def test_an_unknown_order_has_no_ticket():
    assert venue().ticket("cb-none") is None


@pytest.mark.parametrize("latency_s", [0.0, -1.0, float("nan")])
def test_a_venue_without_latency_is_refused(latency_s: float):
    with pytest.raises(BadData, match="latency_s"):
        venue(CostRules(latency_s=latency_s))


def test_prices_that_were_over_when_an_order_arrived_do_not_fill_it():
    engine = venue(CostRules(latency_s=301.0))
    engine.submit(limit_buy("99"), at(0))
    down = (100.0, 100.0, 98.0, 100.0)
    assert show(engine, candle(0, down)) == []
    assert len(fills(show(engine, candle(1, down)))) == 1


def test_what_waits_at_the_venue_fills_before_what_arrives():
    engine = venue()
    engine.submit(limit_buy("99"), at(0))
    late = at(0, seconds=299.9)
    engine.submit(buy("second", approved_at=late), late)
    show(engine, candle(0, (100.0, 100.0, 98.0, 98.0)))  # now the legs wait too
    facts = open_at(engine, 1, 96.0)
    assert story(facts) == [
        "OrderFilled -sl 100 @ 95.99",
        "OrderCancelled -tp",
        "OrderFilled order 100 @ 96.01",
    ]
    assert [fact.at for fact in facts] == [at(1), at(1), at(1, seconds=0.15)]


@pytest.mark.parametrize("change", ["cancel the entry", "cancel a leg", "move the stop", "close"])
def test_a_fill_under_way_is_told_before_any_later_change(change: str):
    engine, order = venue(), bracket(quantity=D(300))
    engine.submit(order, at(0))
    open_at(engine, 0, volume=1_000.0)
    stop_id, soon = stop_leg_id(order.client_order_id), at(0, seconds=0.1)
    facts = {
        "cancel the entry": lambda: engine.cancel(order.client_order_id, soon),
        "cancel a leg": lambda: engine.cancel(stop_id, soon),
        "move the stop": lambda: engine.replace(stop_id, soon, stop_price=D(98)),
        "close": lambda: engine.on_session_close(soon),
    }[change]()
    assert facts
    assert {fact.at for fact in facts} == {at(0, seconds=0.25)}


def test_latency_delays_the_fill():
    engine = venue(CostRules(latency_s=2.5))
    engine.submit(buy(), at(0))
    (fill,) = fills(open_at(engine, 0))
    assert fill.filled_at - at(0) == timedelta(seconds=2.5)
