"""A replacement is a new order in the place of the old one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.domain.market import OpenPrint
from catalyst_bot.simulation import events as e
from catalyst_bot.simulation.fill_profile import FillProfile
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderChanges, OrderClass
from catalyst_bot.simulation.refusals import Refusal, RefusalKind, Refused
from catalyst_bot.simulation.venue_rules import LegRule
from tests.builders import bar
from tests.unit.simulation.exchange_venue import (
    alpaca_rules,
    bought,
    bracket,
    exchange_venue,
    limit,
    market,
    oco,
    order,
    request,
    second,
    status,
    story,
    submit,
    trade,
)

D = Decimal


def replace(engine: MatchingEngine, name: str, at: float = 5, **changes: Any) -> list[e.VenueEvent]:
    return engine.replace(f"o-{name}", OrderChanges(**changes), second(at), market=market())


def refused(engine: MatchingEngine, name: str, **changes: Any) -> Refusal:
    known = set(engine.state.orders)
    with pytest.raises(Refused) as caught:
        replace(engine, name, **changes)
    assert set(engine.state.orders) == known
    return caught.value.refusal


def test_old_and_new_name_each_other():
    engine = exchange_venue()
    submit(engine, limit("x", "90"))
    assert story(replace(engine, "x", limit_price=D(91))) == [
        "OrderReplaced x",
        "OrderEntered x.r1",
    ]
    old, new = order(engine, "x"), order(engine, "x.r1")
    assert (old.status, old.replaced_by, old.replaced_at) == ("replaced", "o-x.r1", second(5))
    assert (new.status, new.replaces, new.limit_price) == ("new", "o-x", 91)
    assert (old.limit_price, new.quantity) == (90, 100)
    assert replace(engine, "x.r1", limit_price=D(92))[-1].order_id == "o-x.r2"


def test_what_is_not_changed_stays():
    engine = exchange_venue()
    gtc = TimeInForce.GTC
    submit(engine, limit("x", "90", time_in_force=gtc, extended_hours=True))
    replace(engine, "x", quantity=D(30), client_order_id="mine")
    new = engine.state.by_client_id("mine")
    assert new is not None
    assert (new.limit_price, new.quantity, new.time_in_force) == (90, 30, gtc)
    assert new.extended_hours
    assert new.expires_at is not None


def test_the_new_order_is_for_the_rest_of_the_old_one():
    engine = exchange_venue(rules=alpaca_rules(partial_probability=1.0))
    submit(engine, limit("x", "101"))
    (fill,) = trade(engine, 100.0, 1)
    replace(engine, "x", limit_price=D(102))
    assert order(engine, "x.r1").quantity == 100 - fill.quantity
    for at in range(10, 300):
        trade(engine, 100.0, at)
    assert engine.state.account.held("ACME") == 100


def test_the_larger_of_old_and_new_must_be_paid_for():
    engine = exchange_venue(buying_power_multiplier=D(1))
    submit(engine, limit("x", "90", quantity=D(1_000)))
    replace(engine, "x", limit_price=D(100))
    assert engine.figures({}).buying_power_usd == 0
    refusal = refused(engine, "x.r1", limit_price=D("100.01"))
    assert refusal.kind is RefusalKind.BUYING_POWER
    assert refusal.context == {"buying_power": "100000", "cost_basis": "100010"}
    replace(engine, "x.r1", limit_price=D(80))
    assert engine.figures({}).buying_power_usd == 20_000


def test_the_shares_of_the_old_order_are_free_for_the_new_one():
    engine = bought(exchange_venue())
    submit(engine, limit("x", "105", Side.SELL, quantity=D(60)))
    replace(engine, "x", quantity=D(100))
    assert engine.state.available_shares("ACME") == 0
    refusal = refused(engine, "x.r1", quantity=D(101))
    assert refusal.message.endswith("(requested: 101, available: 100)")


def test_a_held_stop_is_moved_and_stays_held():
    engine = exchange_venue()
    submit(engine, bracket())
    trade(engine, 100.0, 1)
    replace(engine, "entry.sl", stop_price=D(97))
    new = order(engine, "entry.sl.r1")
    assert (new.status, new.group_id, new.parent_id) == ("held", "o-entry", "o-entry")
    assert order(engine, "entry").leg_ids == ("o-entry.tp", "o-entry.sl.r1")
    assert story(trade(engine, 96.9, 6)) == [
        "StopTriggered entry.sl.r1",
        "OrderFilled entry.sl.r1 100 @ 96.85",
        "OrderCanceled entry.tp",
    ]


def test_a_moved_target_still_ends_its_stop():
    engine = bought(exchange_venue())
    submit(engine, oco())
    replace(engine, "exit", limit_price=D(103))
    assert order(engine, "exit.sl").parent_id == "o-exit.r1"
    trade(engine, 103.1, 6)
    assert [status(engine, name) for name in ("exit.r1", "exit.sl")] == ["filled", "canceled"]


def test_a_replaced_entry_keeps_its_legs():
    engine = exchange_venue()
    submit(engine, bracket(kind=OrderKind.LIMIT, limit_price=D(99)))
    replace(engine, "entry", limit_price=D(101))
    assert [status(engine, n) for n in ("entry.tp", "entry.sl")] == ["held", "held"]
    trade(engine, 100.0, 6)
    assert [status(engine, n) for n in ("entry.r1", "entry.tp", "entry.sl")] == [
        "filled",
        "new",
        "held",
    ]


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_trail_is_changed_in_its_own_unit(side: Side):
    engine = bought(exchange_venue(), "100" if side is Side.SELL else "-100")
    submit(engine, request("x", side, kind=OrderKind.TRAILING_STOP, trail_percent=D(5)))
    replace(engine, "x", trail=D(2))
    new = order(engine, "x.r1")
    assert (new.trail_percent, new.trail_price, new.high_water_mark) == (2, None, 100)
    assert new.stop_price == (98 if side is Side.SELL else 102)


def test_prices_from_before_the_change_are_judged_by_the_old_price():
    engine = bought(exchange_venue(), at=-400)
    submit(engine, limit("x", "105", Side.SELL), -100)
    replace(engine, "x", 200, limit_price=D(101))
    assert order(engine, "x.r1").prices_in(second(0)).limit_price == 105
    assert order(engine, "x.r1").prices_in(second(200)).limit_price == 101


def test_a_replaced_order_does_not_fill_twice_in_a_bar():
    engine = exchange_venue(FillProfile.OURS)
    submit(engine, limit("x", "101", quantity=D(300)))
    opening = OpenPrint(symbol="ACME", price=100.0, volume=1_000.0)
    (fill,) = engine.on_open_print(opening, second(0))
    assert fill.quantity == 100
    replace(engine, "x", 30, quantity=D(50))
    one = bar(opened_at=second(0), closed_at=second(300), volume=1_000.0)
    assert engine.on_bar(one, second(300)) == []


def test_a_moved_target_still_comes_after_its_stop():
    engine = exchange_venue(FillProfile.OURS, rules=alpaca_rules(legs=LegRule.FIRST_FILL))
    submit(engine, bracket())
    engine.on_open_print(OpenPrint(symbol="ACME", price=100.0), second(0))
    replace(engine, "entry.tp", limit_price=D(104))
    both = bar(opened_at=second(300), closed_at=second(600), open=100.0, high=106.0, low=94.0)
    assert story(engine.on_bar(both, second(600)))[1].startswith("OrderFilled entry.sl")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stop_price": D(90)}, "limit orders must not have stop_price"),
        ({"trail": D(1)}, "limit orders must not have trail"),
        ({"quantity": D(0)}, "qty must be > 0"),
        ({"quantity": D("1.5")}, "qty of notional and fractional orders cannot be replaced"),
        ({"limit_price": D("90.001")}, "invalid limit_price 90.001. sub-penny increment"),
        ({"client_order_id": "x"}, "client_order_id must be unique"),
    ],
)
def test_a_limit_order_is_not_changed_to_nonsense(changes: dict[str, Any], message: str):
    engine = exchange_venue()
    submit(engine, limit("x", "90"))
    assert refused(engine, "x", **changes).message.startswith(message)


def test_a_stop_is_not_moved_through_the_market_or_the_target():
    engine = exchange_venue()
    submit(engine, bracket())
    trade(engine, 100.0, 1)
    for price in ("100", "106"):
        refusal = refused(engine, "entry.sl", stop_price=D(price))
        assert refusal.message == "stop price must be less than current price"
    assert refused(engine, "entry.tp", limit_price=D(95)).kind is RefusalKind.LEG_PRICES
    assert "qty of bracket" in refused(engine, "entry.tp", quantity=D(5)).message


def test_a_triggered_stop_is_not_moved():
    engine = bought(exchange_venue())
    stop = {"kind": OrderKind.STOP_LIMIT, "stop_price": D(97), "limit_price": D(96)}
    submit(engine, request("x", Side.SELL, **stop))
    trade(engine, 95.0, 1)
    assert "was triggered" in refused(engine, "x", stop_price=D(90)).message


def test_one_triggers_other_is_not_replaced():
    engine = exchange_venue()
    oto = bracket(
        order_class=OrderClass.OTO, take_profit_price=None, kind=OrderKind.LIMIT, limit_price=D(99)
    )
    submit(engine, oto)
    assert "not supported yet" in refused(engine, "entry", limit_price=D(98)).message


@pytest.mark.parametrize("state", ["filled", "accepted", "pending_cancel", "unknown"])
def test_only_a_working_order_is_replaced(state: str):
    engine = exchange_venue()
    closed = market(phase=SessionPhase.CLOSED)
    submit(engine, limit("x", "101"), now=closed if state == "accepted" else None)
    if state == "filled":
        trade(engine, 100.0, 1)
    if state == "pending_cancel":
        engine.request_cancel("o-x", second(1))
    if state == "unknown":
        assert refused(engine, "y").kind is RefusalKind.ORDER_UNKNOWN
        return
    assert status(engine, "x") == state
    refusal = refused(engine, "x", limit_price=D(99))
    assert refusal.message == "unable to replace order, order is not open"


def test_a_change_of_price_is_checked_for_wash_trades():
    engine = bought(exchange_venue())
    submit(engine, limit("exit", "105", Side.SELL))
    submit(engine, limit("more", "99"))
    assert refused(engine, "more", limit_price=D(105)).kind is RefusalKind.WASH_TRADE
