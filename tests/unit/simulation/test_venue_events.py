"""The event log: written, read again, and folded into the same venue."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.simulation import events as e
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderChanges
from tests.unit.simulation.exchange_venue import (
    bracket,
    exchange_venue,
    limit,
    market,
    order,
    request,
    second,
    submit,
    trade,
)

D = Decimal


def full_log() -> tuple[MatchingEngine, list[e.VenueEvent]]:
    """A venue that has recorded every event there is, but a rejection."""
    engine = exchange_venue()
    log: list[e.VenueEvent] = []
    log += submit(engine, bracket(stop_loss_limit_price=D("94.50"), time_in_force=TimeInForce.GTC))
    log += trade(engine, 100.0, 1)
    log += engine.replace("o-entry.sl", OrderChanges(stop_price=D(96)), second(2), market=market())
    trailing = {"kind": OrderKind.TRAILING_STOP, "trail_percent": D(1)}
    log += submit(engine, request("trail", symbol="BETA", **trailing), 3)
    log += trade(engine, 99.0, 4, symbol="BETA")
    log += trade(engine, 95.9, 5)
    log += submit(engine, limit("queued", "90", symbol="BETA"), 6, market(phase=SessionPhase.POST))
    log += engine.request_cancel("o-queued", second(7))
    log += engine.on_session_close(second(8))
    log += submit(engine, request("dollars", quantity=None, notional_usd=D(50)), 9)
    log += engine.halt("BETA", second(10)) + engine.resume("BETA", second(11))
    log += engine.apply_split("ACME", D("0.3"), D(300), second(12))
    log += engine.rename("ACME", "APEX", second(13)) + engine.roll_day(second(14), {})
    return engine, log


def test_every_event_is_written_and_read_again():
    _, log = full_log()
    told = {type(event).__name__ for event in log}
    assert told == set(e.EVENT_TYPES) - {"OrderRejected"}
    for event in log:
        text = msgspec.json.encode(event)
        assert msgspec.json.decode(text, type=e.EVENT_TYPES[type(event).__name__]) == event


def test_a_venue_is_the_fold_of_its_events():
    engine, log = full_log()
    again = exchange_venue()
    again.rebuild(log)
    assert again.state == engine.state
    assert again.settle(second(20)) == []


def test_an_order_can_be_rejected_after_it_was_taken():
    engine = exchange_venue()
    submit(engine, limit("x", "90"))
    engine.apply(e.OrderRejected(at=second(1), order_id="o-x", reason="asset delisted"))
    assert (order(engine, "x").status, order(engine, "x").failed_at) == ("rejected", second(1))
    assert engine.figures({}).reserved_usd == 0


@pytest.mark.parametrize(
    "event",
    [
        e.OrderCanceled(at=second(2), order_id="o-x", reason=""),
        e.OrderExpired(at=second(2), order_id="o-x"),
        e.OrderRejected(at=second(2), order_id="o-x", reason=""),
        e.OrderActivated(at=second(2), order_id="o-x"),
    ],
)
def test_what_ended_does_not_end_again(event: e.OrderEvent):
    engine = exchange_venue()
    submit(engine, request("x"))
    trade(engine, 100.0, 1)
    before = order(engine, "x").updated_at
    engine.apply(event)
    assert (order(engine, "x").status, order(engine, "x").updated_at) == ("filled", before)


def test_the_same_execution_counts_once():
    engine = exchange_venue()
    submit(engine, request("x", Side.SELL))
    (fill,) = trade(engine, 100.0, 1)
    engine.apply(fill)
    assert engine.state.account.held("ACME") == -100


def test_an_event_about_an_unknown_order_is_a_bug():
    with pytest.raises(InvariantViolated, match="o-x"):
        exchange_venue().apply(e.OrderExpired(at=second(1), order_id="o-x"))
