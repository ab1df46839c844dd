"""Brackets, one-cancels-other and one-triggers-other as Alpaca works them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from catalyst_bot.domain.enums import OrderKind, SessionPhase, Side, TimeInForce
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderClass
from catalyst_bot.simulation.refusals import Refused
from catalyst_bot.simulation.venue_order import VenueRole
from catalyst_bot.simulation.venue_rules import LegRule
from tests.unit.simulation.exchange_venue import (
    alpaca_rules,
    bought,
    bracket,
    exchange_venue,
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


def entered(side: Side = Side.BUY, **given: object) -> MatchingEngine:
    """A venue where a bracket's entry is completely filled."""
    engine = exchange_venue()
    submit(engine, bracket(side=side, **given))
    trade(engine, 100.0, 1)
    return engine


def statuses(engine: MatchingEngine, *names: str) -> list[str]:
    return [status(engine, name).value for name in names]


LEGS = ("entry.tp", "entry.sl")


def test_a_group_knows_its_members():
    engine = exchange_venue()
    submit(engine, bracket(time_in_force=TimeInForce.GTC))
    entry, target, stop = (order(engine, name) for name in ("entry", *LEGS))
    assert entry.leg_ids == (target.order_id, stop.order_id)
    assert {o.group_id for o in (entry, target, stop)} == {entry.order_id}
    assert target.parent_id == stop.parent_id == entry.order_id
    assert [o.role for o in (entry, target, stop)] == [
        VenueRole.ENTRY,
        VenueRole.TAKE_PROFIT,
        VenueRole.STOP_LOSS,
    ]
    assert [o.kind for o in (target, stop)] == [OrderKind.LIMIT, OrderKind.STOP]
    assert {o.side for o in (target, stop)} == {Side.SELL}
    assert {o.time_in_force for o in (target, stop)} == {TimeInForce.GTC}
    assert statuses(engine, "entry", *LEGS) == ["new", "held", "held"]


def test_legs_wait_for_the_whole_entry():
    engine = exchange_venue(rules=alpaca_rules(partial_probability=1.0))
    submit(engine, bracket())
    trade(engine, 100.0, 1)
    assert statuses(engine, "entry", *LEGS) == ["partially_filled", "held", "held"]
    for at in range(2, 300):
        trade(engine, 100.0, at)
    assert statuses(engine, "entry", *LEGS) == ["filled", "new", "held"]
    assert {order(engine, name).quantity for name in LEGS} == {100}


def test_the_stop_stays_held_until_it_is_met_and_then_ends_the_target():
    engine = entered()
    assert story(trade(engine, 94.9, 2)) == [
        "StopTriggered entry.sl",
        "OrderFilled entry.sl 100 @ 94.85",
        "OrderCanceled entry.tp",
    ]
    assert engine.state.account.holdings == {}


def test_the_target_ends_the_stop():
    engine = entered()
    assert story(trade(engine, 105.1, 2)) == [
        "OrderFilled entry.tp 100 @ 105.05",
        "OrderCanceled entry.sl",
    ]


def test_a_bracket_for_a_short_position_is_the_mirror_image():
    engine = entered(Side.SELL)
    assert engine.state.account.held("ACME") == -100
    assert story(trade(engine, 105.0, 2)) == [
        "StopTriggered entry.sl",
        "OrderFilled entry.sl 100 @ 105.05",
        "OrderCanceled entry.tp",
    ]


def test_a_stop_with_a_limit_ends_the_target_before_it_fills():
    engine = entered(stop_loss_limit_price=D("94.50"))
    assert story(trade(engine, 94.0, 2)) == ["StopTriggered entry.sl", "OrderCanceled entry.tp"]
    assert statuses(engine, *LEGS) == ["canceled", "new"]
    assert story(trade(engine, 94.6, 3)) == ["OrderFilled entry.sl 100 @ 94.55"]


def test_a_part_of_the_target_shrinks_the_stop():
    engine = exchange_venue(rules=alpaca_rules(partial_probability=1.0))
    submit(engine, bracket(quantity=D(20)))
    for at in range(1, 100):
        trade(engine, 100.0, at)
    (fill,) = trade(engine, 105.1, 100)
    assert order(engine, "entry.sl").quantity == 20 - fill.quantity
    assert engine.state.available_shares("ACME") == 0


@pytest.mark.parametrize("name", ["entry", "entry.tp", "entry.sl"])
def test_cancelling_any_member_of_a_waiting_group_ends_it(name: str):
    engine = exchange_venue()
    submit(engine, bracket())
    engine.cancel(f"o-{name}", second(1))
    assert statuses(engine, "entry", *LEGS) == ["canceled"] * 3


@pytest.mark.parametrize("name", LEGS)
def test_cancelling_an_exit_ends_the_other(name: str):
    engine = entered()
    engine.cancel(f"o-{name}", second(2))
    assert statuses(engine, "entry", *LEGS) == ["filled", "canceled", "canceled"]
    assert engine.state.available_shares("ACME") == 100


def test_legs_end_with_an_entry_that_filled_in_part():
    engine = exchange_venue(rules=alpaca_rules(partial_probability=1.0))
    submit(engine, bracket())
    trade(engine, 100.0, 1)
    engine.cancel("o-entry", second(2))
    assert statuses(engine, "entry", *LEGS) == ["canceled"] * 3


def test_legs_protect_no_more_than_no_other_order_holds():
    engine = exchange_venue(rules=alpaca_rules(partial_probability=1.0))
    submit(engine, bracket())
    (fill,) = trade(engine, 100.0, 1)
    assert fill.quantity < 100
    trailing = {"kind": OrderKind.TRAILING_STOP, "trail_percent": D(10)}
    submit(engine, request("trail", Side.SELL, quantity=fill.quantity, **trailing), 2)
    for at in range(3, 300):
        trade(engine, 100.0, at)
    assert status(engine, "entry") == "filled"
    assert {order(engine, name).quantity for name in LEGS} == {100 - fill.quantity}


def test_two_exits_hold_their_shares_once():
    engine = entered()
    assert engine.state.reservations.shares == {"ACME": 100}
    assert engine.state.available_shares("ACME") == 0


@pytest.mark.parametrize(("quantity", "side"), [("100", Side.SELL), ("-100", Side.BUY)])
def test_a_pair_guards_a_position_that_is_held(quantity: str, side: Side):
    engine = bought(exchange_venue(), quantity)
    assert story(submit(engine, oco(side=side))) == [
        "OrderEntered exit",
        "OrderEntered exit.sl",
        "LegArmed exit.sl",
    ]
    assert statuses(engine, "exit", "exit.sl") == ["new", "held"]
    assert order(engine, "exit").role is VenueRole.TAKE_PROFIT
    assert engine.state.available_shares("ACME") == 0
    stopped_at = 94.0 if side is Side.SELL else 106.0
    assert story(trade(engine, stopped_at, 1))[0] == "StopTriggered exit.sl"
    assert statuses(engine, "exit", "exit.sl") == ["canceled", "filled"]


def test_the_target_of_a_pair_ends_its_stop():
    engine = bought(exchange_venue())
    submit(engine, oco())
    trade(engine, 105.1, 1)
    assert statuses(engine, "exit", "exit.sl") == ["filled", "canceled"]


def test_a_pair_that_waits_for_the_session_begins_with_it():
    engine = bought(exchange_venue())
    submit(engine, oco(), now=market(phase=SessionPhase.CLOSED))
    assert statuses(engine, "exit", "exit.sl") == ["accepted", "held"]
    assert engine.state.available_shares("ACME") == 0
    assert story(engine.on_session_open(second(1))) == ["OrderActivated exit", "LegArmed exit.sl"]


def test_a_pair_works_at_once_where_legs_begin_with_the_first_fill():
    engine = bought(exchange_venue(rules=alpaca_rules(legs=LegRule.FIRST_FILL)))
    assert story(submit(engine, oco()))[-1] == "OrderActivated exit.sl"
    assert statuses(engine, "exit", "exit.sl") == ["new", "new"]


@pytest.mark.parametrize(
    ("exits", "leg"),
    [({"stop_loss_price": None}, "entry.tp"), ({"take_profit_price": None}, "entry.sl")],
)
def test_one_triggers_other(exits: dict[str, None], leg: str):
    engine = exchange_venue()
    submit(engine, bracket(order_class=OrderClass.OTO, **exits))
    assert order(engine, "entry").leg_ids == (f"o-{leg}",)
    assert story(trade(engine, 100.0, 1))[-1] == f"OrderActivated {leg}"
    assert status(engine, leg) == "new"


def test_day_exits_lapse_together_at_the_close():
    engine = entered()
    assert story(engine.on_session_close(second(100))) == [
        "OrderExpired entry.tp",
        "OrderExpired entry.sl",
    ]


def test_a_group_whose_entry_lapses_is_over():
    engine = exchange_venue()
    submit(engine, bracket(kind=OrderKind.LIMIT, limit_price=D(99)))
    engine.on_session_close(second(100))
    assert statuses(engine, "entry", *LEGS) == ["expired", "canceled", "canceled"]


def test_an_ended_group_cannot_be_cancelled_again():
    engine = entered()
    trade(engine, 94.0, 2)
    for name, word in (("entry", "filled"), ("entry.tp", "canceled"), ("entry.sl", "filled")):
        with pytest.raises(Refused, match=f'order is already in "{word}" state'):
            engine.cancel(f"o-{name}", second(3))
