"""Sessions, pending cancels, halts, splits and new names at the general venue."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.simulation.refusals import RefusalKind, Refused
from catalyst_bot.simulation.venue_rules import CancelWhenClosed
from tests.unit.simulation.exchange_venue import (
    alpaca_rules,
    bought,
    bracket,
    exchange_venue,
    limit,
    market,
    order,
    request,
    second,
    status,
    story,
    submit,
    trade,
)

D = Decimal
CLOSED, PRE, POST = SessionPhase.CLOSED, SessionPhase.PRE, SessionPhase.POST


def test_each_close_ends_the_day_orders_of_its_own_session():
    engine = exchange_venue()
    submit(engine, limit("day", "90"))
    submit(engine, limit("gtc", "90", time_in_force=TimeInForce.GTC))
    submit(engine, limit("flagged", "90", extended_hours=True))
    assert story(engine.on_session_close(second(10))) == ["OrderExpired day"]
    submit(engine, limit("tomorrow", "90"), 11, market(phase=POST))
    assert story(engine.on_session_close(second(20), phase=POST)) == ["OrderExpired flagged"]
    assert [status(engine, name) for name in ("gtc", "tomorrow")] == ["new", "accepted"]


def test_a_good_until_cancelled_order_ends_after_ninety_days():
    engine = exchange_venue()
    submit(engine, limit("x", "90", time_in_force=TimeInForce.GTC))
    expires_at = order(engine, "x").expires_at
    assert expires_at == second(0) + timedelta(days=90)
    assert engine.on_session_close(expires_at - timedelta(seconds=1)) == []
    assert story(engine.on_session_close(expires_at)) == ["OrderCanceled x"]


def test_a_cancel_outside_the_session_waits_for_it_and_keeps_the_shares():
    engine = bought(exchange_venue())
    submit(engine, limit("x", "105", Side.SELL, time_in_force=TimeInForce.GTC))
    assert story(engine.cancel("o-x", second(1), phase=CLOSED)) == ["CancelRequested x"]
    assert status(engine, "x") == "pending_cancel"
    assert engine.state.available_shares("ACME") == 0
    with pytest.raises(Refused, match='order is already in "pending_cancel" state'):
        engine.cancel("o-x", second(2), phase=CLOSED)
    assert engine.on_session_open(second(3), phase=PRE) == []
    assert story(engine.on_session_open(second(4))) == ["OrderCanceled x"]
    assert engine.state.available_shares("ACME") == 100


def test_a_waiting_leg_that_is_cancelled_at_night_ends_its_group_in_the_morning():
    engine = exchange_venue()
    submit(engine, bracket(), now=market(phase=CLOSED))
    assert story(engine.cancel("o-entry.sl", second(1), phase=CLOSED)) == ["CancelRequested entry"]
    engine.on_session_open(second(2))
    names = ("entry", "entry.sl", "entry.tp")
    assert [status(engine, name) for name in names] == ["canceled"] * 3


def test_a_cancel_outside_the_session_may_be_done_at_once():
    at_once = alpaca_rules(cancel_when_closed=CancelWhenClosed.AT_ONCE)
    engine = exchange_venue(rules=at_once)
    submit(engine, limit("x", "90"))
    assert story(engine.cancel("o-x", second(1), phase=CLOSED)) == ["OrderCanceled x"]


@pytest.mark.parametrize(("phase", "event"), [(PRE, "OrderCanceled"), (CLOSED, "CancelRequested")])
def test_an_order_for_extended_hours_is_cancelled_in_them(phase: SessionPhase, event: str):
    engine = exchange_venue()
    submit(engine, limit("x", "90", extended_hours=True), now=market(phase=PRE))
    assert story(engine.cancel("o-x", second(1), phase=phase)) == [f"{event} x"]


def test_an_order_may_fill_while_its_cancel_is_under_way():
    engine = exchange_venue(rules=alpaca_rules(partial_probability=1.0))
    submit(engine, limit("x", "101"))
    engine.request_cancel("o-x", second(1))
    (fill,) = trade(engine, 100.0, 2)
    assert 0 < fill.quantity < 100
    assert (status(engine, "x"), order(engine, "x").cancel_requested_at) == (
        "pending_cancel",
        second(1),
    )
    assert story(engine.confirm_cancel("o-x", second(3))) == ["OrderCanceled x"]
    assert engine.confirm_cancel("o-x", second(4)) == []


def test_a_day_order_with_a_cancel_under_way_ends_as_cancelled():
    engine = exchange_venue()
    submit(engine, limit("x", "90"))
    engine.request_cancel("o-x", second(1))
    assert story(engine.on_session_close(second(2))) == ["OrderCanceled x"]


def test_all_orders_are_cancelled_once():
    engine = exchange_venue()
    submit(engine, bracket("group", kind=OrderKind.LIMIT, limit_price=D(99)))
    submit(engine, limit("single", "90", symbol="BETA"))
    events = story(engine.cancel_all(second(1)))
    assert sorted(events) == [
        "OrderCanceled group",
        "OrderCanceled group.sl",
        "OrderCanceled group.tp",
        "OrderCanceled single",
    ]
    assert engine.cancel_all(second(2)) == []


def test_an_unknown_order_cannot_be_cancelled():
    with pytest.raises(Refused, match="order not found for o-x") as caught:
        exchange_venue().cancel("o-x", second(0))
    assert caught.value.refusal.kind is RefusalKind.ORDER_UNKNOWN


def test_a_halted_symbol_takes_orders_and_trades_none():
    engine = exchange_venue()
    assert story(engine.halt("ACME", second(0))) == ["SymbolHalted ACME"]
    submit(engine, request("x"))
    submit(engine, request("other", symbol="BETA"))
    assert trade(engine, 100.0, 1) == []
    assert len(trade(engine, 100.0, 1, symbol="BETA")) == 1
    engine.resume("ACME", second(2))
    assert len(trade(engine, 100.0, 3)) == 1


@pytest.mark.parametrize(
    ("held", "ratio", "after", "in_lieu"), [("100", "4", "400", "0"), ("105", "0.05", "5", "25")]
)
def test_a_split_cancels_orders_and_pays_out_the_fraction(
    held: str, ratio: str, after: str, in_lieu: str
):
    engine = bought(exchange_venue(), held)
    submit(engine, limit("exit", "105", Side.SELL, time_in_force=TimeInForce.GTC))
    cash_usd = engine.state.account.cash_usd
    events = engine.apply_split("ACME", D(ratio), D(100), second(1))
    assert story(events) == ["OrderCanceled exit", "SplitApplied ACME"]
    assert engine.state.account.held("ACME") == D(after)
    assert engine.state.account.cash_usd - cash_usd == D(in_lieu)
    assert engine.state.available_shares("ACME") == D(after)


def test_a_new_name_goes_with_holdings_and_orders():
    engine = bought(exchange_venue())
    submit(engine, limit("exit", "105", Side.SELL, time_in_force=TimeInForce.GTC))
    engine.halt("ACME", second(0))
    engine.rename("ACME", "APEX", second(1))
    assert engine.state.account.held("APEX") == 100
    assert engine.working_symbols() == {"APEX"}
    assert engine.state.available_shares("APEX") == 0
    engine.resume("APEX", second(2))
    assert trade(engine, 106.0, 3) == []
    assert story(trade(engine, 106.0, 3, symbol="APEX")) == ["OrderFilled exit 100 @ 105.95"]
    assert engine.state.account.holdings == {}
