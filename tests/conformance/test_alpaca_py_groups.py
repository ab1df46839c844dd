"""alpaca-py, unmodified: brackets, one-cancels-other and one-triggers-other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.conformance.sdk import Desk, Order, order

ENTRIES: dict[str, tuple[Any, dict[str, float]]] = {
    "market": (order.MarketOrderRequest, {}),
    "limit": (order.LimitOrderRequest, {"limit_price": 100.5}),
    "stop": (order.StopOrderRequest, {"stop_price": 100.5}),
    "stop_limit": (order.StopLimitOrderRequest, {"stop_price": 100.5, "limit_price": 101}),
}
LIVES = ("day", "gtc")
WAVE_S = 60


def each(group: str, *kinds: str) -> Any:
    """Run a test for each entry and time in force of a group, which it proves."""
    cases = [
        pytest.param(kind, lives, marks=pytest.mark.proves(f"order: {kind} {group} {lives}"))
        for kind in kinds
        for lives in LIVES
    ]
    return pytest.mark.parametrize(("kind", "lives"), cases)


def entry(
    kind: str,
    lives: str,
    group: str,
    *,
    target: float | None = None,
    stop: float | None = None,
    stop_limit: float | None = None,
    side: str = "buy",
) -> Any:
    made, prices = ENTRIES[kind]
    exits: dict[str, Any] = {}
    if target is not None:
        exits["take_profit"] = order.TakeProfitRequest(limit_price=target)
    if stop is not None:
        exits["stop_loss"] = order.StopLossRequest(stop_price=stop, limit_price=stop_limit)
    return made(
        symbol="WAVE",
        qty=10,
        side=side,
        time_in_force=lives,
        order_class=group,
        **prices,
        **exits,
    )


def legs_of(found: Order) -> tuple[Order, Order]:
    """Return the take profit and the stop loss."""
    assert found.legs is not None
    legs = {leg.type: leg for leg in found.legs}
    return legs["limit"], legs.get("stop") or legs["stop_limit"]


def filled_entry(desk: Desk, placed: Order) -> Order:
    """Return the entry when the market has filled it."""
    if desk.look_up(placed).status != "filled":
        desk.advance(seconds=WAVE_S)
    found = desk.look_up(placed)
    assert found.status == "filled"
    return found


@each("bracket", *ENTRIES)
@pytest.mark.proves("POST /v2/orders")
def test_a_bracket_takes_its_profit(desk: Desk, kind: str, lives: str):
    asked = entry(kind, lives, "bracket", target=101.5, stop=90)
    placed = desk.trading.submit_order(asked)
    assert placed.order_class == "bracket"
    target, stop = legs_of(placed)
    assert {target.status, stop.status} == {"held"} or kind in {"market", "limit"}
    assert {target.side, stop.side} == {"sell"}
    found = filled_entry(desk, placed)
    target, stop = legs_of(found)
    assert (target.status, stop.status) == ("new", "held")
    assert (target.limit_price, stop.stop_price) == ("101.5", "90")
    closer = order.ReplaceOrderRequest(limit_price=100.8)
    nearer = desk.trading.replace_order_by_id(target.id, closer)
    desk.advance(seconds=WAVE_S)
    taken = desk.look_up(nearer)
    assert taken.status == "filled"
    assert Decimal(taken.filled_avg_price) >= Decimal("100.8")
    assert desk.look_up(stop).status == "canceled"
    assert desk.quantity() == 0


@each("bracket", *ENTRIES)
def test_a_bracket_is_stopped(desk: Desk, kind: str, lives: str):
    placed = desk.trading.submit_order(entry(kind, lives, "bracket", target=110, stop=99.3))
    found = filled_entry(desk, placed)
    target, stop = legs_of(found)
    desk.advance(seconds=WAVE_S)
    stopped = desk.look_up(stop)
    assert stopped.status == "filled"
    assert Decimal(stopped.filled_avg_price) <= Decimal("99.3")
    assert desk.look_up(target).status in {"canceled", "replaced"}
    assert desk.quantity() == 0


@pytest.mark.proves("order: market bracket day")
def test_a_stop_loss_with_a_limit(desk: Desk):
    asked = entry("market", "day", "bracket", target=110, stop=99.3, stop_limit=99.1)
    _, stop = legs_of(filled_entry(desk, desk.trading.submit_order(asked)))
    assert (stop.type, stop.limit_price) == ("stop_limit", "99.1")
    desk.advance(seconds=WAVE_S)
    assert Decimal(desk.look_up(stop).filled_avg_price) >= Decimal("99.1")


@pytest.mark.proves("order: market bracket day", "behaviour: short sales")
def test_a_bracket_around_a_short_sale(desk: Desk):
    asked = entry("market", "day", "bracket", side="sell", target=99.2, stop=110)
    target, stop = legs_of(filled_entry(desk, desk.trading.submit_order(asked)))
    assert {target.side, stop.side} == {"buy"}
    assert desk.quantity() == -10
    desk.advance(seconds=WAVE_S)
    assert desk.look_up(target).status == "filled"
    assert desk.quantity() == 0


@each("oco", "limit")
def test_one_cancels_the_other(desk: Desk, kind: str, lives: str):
    desk.buy(quantity=20)
    target = desk.submit(oco(lives, target=100.8, stop=90))
    assert (target.order_class, target.type, target.limit_price) == ("oco", "limit", "100.8")
    (stop,) = target.legs
    assert (stop.type, stop.stop_price) == ("stop", "90")
    assert desk.trading.get_open_position("WAVE").qty_available == "10"  # a group reserves once
    other = desk.submit(oco(lives, target=120, stop=99.3))
    desk.advance(seconds=WAVE_S)
    assert desk.look_up(target).status == "filled"
    assert desk.look_up(stop).status == "canceled"
    assert desk.look_up(other.legs[0]).status == "filled"
    assert desk.look_up(other).status in {"canceled", "replaced"}
    assert desk.quantity() == 0


def oco(lives: str, *, target: float, stop: float) -> Any:
    return order.LimitOrderRequest(
        symbol="WAVE",
        qty=10,
        side="sell",
        time_in_force=lives,
        order_class="oco",
        take_profit=order.TakeProfitRequest(limit_price=target),
        stop_loss=order.StopLossRequest(stop_price=stop),
    )


@each("oto", *ENTRIES)
def test_one_triggers_a_stop_loss(desk: Desk, kind: str, lives: str):
    placed = desk.trading.submit_order(entry(kind, lives, "oto", stop=99.3))
    (stop,) = filled_entry(desk, placed).legs
    assert stop.status == "new" or kind in {"stop", "stop_limit"}  # those may be through already
    desk.advance(seconds=WAVE_S)
    assert desk.look_up(stop).status == "filled"
    assert desk.quantity() == 0


@pytest.mark.proves("order: market oto day")
def test_one_triggers_a_take_profit(desk: Desk):
    placed = desk.trading.submit_order(entry("market", "day", "oto", target=100.8))
    (target,) = filled_entry(desk, placed).legs
    assert (target.type, target.status) == ("limit", "new")
    desk.advance(seconds=WAVE_S)
    assert desk.look_up(target).status == "filled"


@pytest.mark.proves("DELETE /v2/orders/{order_id}")
def test_cancelling_a_member_cancels_the_group(desk: Desk):
    placed = desk.trading.submit_order(entry("market", "day", "bracket", target=110, stop=90))
    target, stop = legs_of(filled_entry(desk, placed))
    desk.trading.cancel_order_by_id(target.id)
    assert desk.look_up(target).status == desk.look_up(stop).status == "canceled"
    resting = entry("stop", "gtc", "bracket", target=130, stop=90)
    resting = desk.trading.submit_order(resting.model_copy(update={"stop_price": 120}))
    desk.trading.cancel_order_by_id(resting.id)
    found = desk.look_up(resting)
    assert {found.status, *(leg.status for leg in found.legs)} == {"canceled"}


@pytest.mark.proves("GET /v2/orders")
def test_listing_a_group(desk: Desk):
    placed = desk.trading.submit_order(entry("market", "day", "bracket", target=110, stop=90))
    target, stop = legs_of(filled_entry(desk, placed))
    flat = desk.trading.get_orders(order.GetOrdersRequest(status="all", direction="asc"))
    assert {found.id for found in flat} == {placed.id, target.id, stop.id}
    nested = desk.trading.get_orders(order.GetOrdersRequest(status="all", nested=True))
    assert [found.id for found in nested] == [placed.id]
    assert {leg.id for leg in nested[0].legs} == {target.id, stop.id}
    working = desk.trading.get_orders()
    assert [found.id for found in working] == [target.id]  # held orders are not listed as open
    desk.trading.cancel_orders()


@pytest.mark.proves("behaviour: group_id and group_role")
def test_members_name_their_group_and_role(desk: Desk):
    placed = desk.trading.submit_order(entry("market", "day", "bracket", target=110, stop=90))
    raw = desk.trading.get(f"/orders/{placed.id}", {"nested": True})
    members = [raw, *raw["legs"]]
    assert len({member["group_id"] for member in members}) == 1
    assert [m["group_role"] for m in members] == ["entry", "take_profit", "stop_loss"]
    simple = desk.trading.get(f"/orders/{desk.buy().id}")
    assert "group_id" not in simple
