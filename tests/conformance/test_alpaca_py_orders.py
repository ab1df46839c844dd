"""alpaca-py, unmodified: single orders of every type and time in force, in the regular session."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.conformance.sdk import APIError, Desk, Order, order
from tests.conformance.world import DAY

WAVE_S = 60  # one wave: from 100 to 101 and 99 and back


def row(kind: str, lives: str) -> Any:
    return pytest.mark.proves(f"order: {kind} simple {lives}")


def each(kind: str, *lives: str) -> Any:
    """Run a test for each time in force of an order type, which it proves."""
    cases = [pytest.param(life, marks=row(kind, life)) for life in lives]
    return pytest.mark.parametrize("lives", cases)


def market(side: str, quantity: float, lives: str = "day", **more: Any) -> Any:
    return order.MarketOrderRequest(
        symbol="WAVE", qty=quantity, side=side, time_in_force=lives, **more
    )


def limit(side: str, price: float, lives: str = "day", **more: Any) -> Any:
    fields = {"symbol": "WAVE", "qty": 10} | more
    return order.LimitOrderRequest(side=side, limit_price=price, time_in_force=lives, **fields)


def price_of(found: Order) -> Decimal:
    assert found.filled_avg_price is not None
    return Decimal(found.filled_avg_price)


@each("market", "day", "gtc", "ioc", "fok")
@pytest.mark.proves("POST /v2/orders", "GET /v2/orders/{order_id}")
def test_a_market_order_fills_at_the_quote(desk: Desk, lives: str):
    _, ask = desk.quote()
    bought = desk.submit(market("buy", 10, lives))
    assert bought.status == "filled"
    assert bought.filled_qty == "10"
    assert price_of(bought) == ask
    assert bought.order_class == "simple"
    assert bought.legs is None
    bid, _ = desk.quote()
    sold = desk.submit(market("sell", 10, lives))
    assert price_of(sold) == bid
    assert desk.quantity() == 0


@each("limit", "day", "gtc", "ioc", "fok")
def test_a_limit_within_the_market_fills_at_the_quote(desk: Desk, lives: str):
    _, ask = desk.quote()
    bought = desk.submit(limit("buy", 100.9, lives))
    assert bought.status == "filled"
    assert price_of(bought) == ask
    assert bought.limit_price == "100.9"


@each("limit", "day", "gtc")
def test_a_limit_outside_the_market_waits_for_its_price(desk: Desk, lives: str):
    resting = desk.submit(limit("buy", 99.5, lives))
    assert resting.status == "new"
    days = {"day": 0, "gtc": 90}[lives]
    assert resting.expires_at.date() == DAY + timedelta(days=days)
    desk.advance(seconds=WAVE_S)
    filled = desk.look_up(resting)
    assert filled.status == "filled"
    assert 99 <= price_of(filled) <= Decimal("99.5")
    assert resting.submitted_at < filled.filled_at <= desk.now()


@each("limit", "ioc", "fok")
def test_at_once_or_not_at_all(desk: Desk, lives: str):
    missed = desk.submit(limit("buy", 99.5, lives))
    assert missed.status == "canceled"
    assert missed.filled_qty == "0"
    assert missed.canceled_at is not None


@each("stop", "day", "gtc")
def test_a_sell_stop_sells_at_the_market(desk: Desk, lives: str):
    desk.buy()
    resting = desk.submit(
        order.StopOrderRequest(
            symbol="WAVE", qty=10, side="sell", time_in_force=lives, stop_price=99.5
        )
    )
    assert resting.status == "new"
    assert resting.stop_price == "99.5"
    desk.advance(seconds=WAVE_S)
    filled = desk.look_up(resting)
    assert filled.status == "filled"
    assert price_of(filled) <= Decimal("99.5")
    assert desk.quantity() == 0


@row("stop", "day")
def test_a_buy_stop_buys_with_a_limit_above_it(desk: Desk):
    resting = desk.submit(
        order.StopOrderRequest(
            symbol="WAVE", qty=10, side="buy", time_in_force="day", stop_price=100.5
        )
    )
    desk.advance(seconds=WAVE_S)
    filled = desk.look_up(resting)
    assert filled.status == "filled"
    assert Decimal("100.5") <= price_of(filled) <= Decimal("100.5") * Decimal("1.025")


@each("stop_limit", "day", "gtc")
def test_a_stop_limit_order_keeps_its_limit(desk: Desk, lives: str):
    desk.buy()
    fields = {"symbol": "WAVE", "qty": 10, "side": "sell", "time_in_force": lives}
    resting = desk.submit(order.StopLimitOrderRequest(stop_price=99.5, limit_price=99.2, **fields))
    desk.advance(seconds=WAVE_S)
    filled = desk.look_up(resting)
    assert filled.status == "filled"
    assert price_of(filled) >= Decimal("99.2")


@each("trailing_stop", "day", "gtc")
@pytest.mark.parametrize("trail", [{"trail_price": 1.5}, {"trail_percent": 1.5}])
def test_a_trailing_stop_follows_the_price(desk: Desk, lives: str, trail: dict[str, float]):
    desk.buy()
    before = desk.current_price()
    fields = {"symbol": "WAVE", "qty": 10, "side": "sell", "time_in_force": lives}
    resting = desk.submit(order.TrailingStopOrderRequest(**fields, **trail))
    assert resting.status == "new"
    assert Decimal(resting.hwm) == before
    assert Decimal(resting.stop_price) == before - (
        Decimal("1.5") if "trail_price" in trail else before * Decimal("0.015")
    )
    desk.advance(seconds=2 * WAVE_S)
    filled = desk.look_up(resting)
    assert filled.status == "filled"
    assert Decimal(filled.hwm) == 101
    assert price_of(filled) <= Decimal(filled.stop_price)


@row("trailing_stop", "day")
def test_a_trailing_buy_follows_the_price_down(desk: Desk):
    fields = {"symbol": "WAVE", "qty": 10, "side": "buy", "time_in_force": "day"}
    resting = desk.submit(order.TrailingStopOrderRequest(trail_price=1.5, **fields))
    desk.advance(seconds=2 * WAVE_S)
    filled = desk.look_up(resting)
    assert filled.status == "filled"
    assert Decimal(filled.hwm) == 99


@pytest.mark.proves("behaviour: dollars instead of shares", "behaviour: fractions of a share")
def test_dollars_and_fractions_of_shares(desk: Desk):
    fields = {"symbol": "WAVE", "side": "buy", "time_in_force": "day"}
    spent = desk.submit(order.MarketOrderRequest(notional=250.5, **fields))
    assert spent.status == "filled"
    assert spent.notional == "250.5"
    assert spent.qty is None
    assert abs(price_of(spent) * Decimal(spent.filled_qty) - Decimal("250.5")) < Decimal("0.01")
    part = desk.submit(order.MarketOrderRequest(qty=0.123456789, **fields))
    assert part.filled_qty == "0.123456789"
    assert desk.quantity() == Decimal(spent.filled_qty) + Decimal(part.filled_qty)
    desk.trading.close_position("WAVE")
    assert desk.quantity() == 0


@pytest.mark.proves("behaviour: fractions of a share")
def test_fractions_with_prices(desk: Desk):
    resting = desk.submit(limit("buy", 99.5, qty=0.5))
    desk.advance(seconds=WAVE_S)
    assert desk.look_up(resting).filled_qty == "0.5"
    fields = {"symbol": "WAVE", "qty": 0.25, "side": "sell", "time_in_force": "day"}
    stop = desk.submit(order.StopOrderRequest(stop_price=99.5, **fields))
    both = desk.submit(order.StopLimitOrderRequest(stop_price=99.5, limit_price=99, **fields))
    desk.advance(seconds=WAVE_S)
    assert desk.look_up(stop).status == desk.look_up(both).status == "filled"
    assert desk.quantity() == 0


@pytest.mark.proves("behaviour: short sales", "GET /v2/positions/{symbol_or_asset_id}")
def test_a_short_sale_and_its_cover(desk: Desk):
    sold = desk.submit(market("sell", 20, position_intent="sell_to_open"))
    assert sold.position_intent == "sell_to_open"
    position = desk.trading.get_open_position("WAVE")
    assert (position.side, position.qty) == ("short", "-20")
    assert Decimal(position.market_value) == -20 * Decimal(position.current_price)
    account = desk.trading.get_account()
    assert Decimal(account.short_market_value) == Decimal(position.market_value)
    covered = desk.submit(market("buy", 20, position_intent="buy_to_close"))
    assert covered.status == "filled"
    assert desk.quantity() == 0


@pytest.mark.proves("behaviour: prices below a dollar have four decimals")
def test_prices_below_a_dollar_have_four_decimals(desk: Desk):
    resting = desk.submit(limit("buy", 0.4912, symbol="DIME"))
    assert resting.limit_price == "0.4912"
    desk.advance(seconds=WAVE_S)
    assert desk.look_up(resting).status == "filled"


@pytest.mark.proves("PATCH /v2/orders/{order_id}")
def test_a_replaced_order_has_a_successor(desk: Desk):
    first = desk.submit(limit("buy", 90))
    change = order.ReplaceOrderRequest(qty=5, limit_price=91, client_order_id="second")
    second = desk.trading.replace_order_by_id(first.id, change)
    assert (second.replaces, second.client_order_id) == (first.id, "second")
    assert (second.qty, second.limit_price) == ("5", "91")
    old = desk.look_up(first)
    assert (old.status, old.replaced_by) == ("replaced", second.id)
    assert old.replaced_at is not None
    assert [found.id for found in desk.trading.get_orders()] == [second.id]


@pytest.mark.proves("PATCH /v2/orders/{order_id}")
def test_a_stop_and_a_trail_can_be_replaced(desk: Desk):
    desk.buy()
    fields = {"symbol": "WAVE", "qty": 5, "side": "sell", "time_in_force": "day"}
    stop = desk.submit(order.StopOrderRequest(stop_price=90, **fields))
    moved = desk.trading.replace_order_by_id(stop.id, order.ReplaceOrderRequest(stop_price=91))
    assert moved.stop_price == "91"
    trailing = desk.submit(order.TrailingStopOrderRequest(trail_price=10, **fields))
    closer = order.ReplaceOrderRequest(trail=9)
    assert desk.trading.replace_order_by_id(trailing.id, closer).trail_price == "9"


@pytest.mark.proves(
    "DELETE /v2/orders/{order_id}", "DELETE /v2/orders", "GET /v2/orders:by_client_order_id"
)
def test_cancelling_one_and_all(desk: Desk):
    named = limit("buy", 90, client_order_id="mine")
    first, second = desk.submit(named), desk.submit(limit("buy", 91))
    desk.trading.cancel_order_by_id(first.id)
    assert desk.trading.get_order_by_client_id("mine").status == "canceled"
    told = desk.trading.cancel_orders()
    assert [(answer.id, answer.status) for answer in told] == [(second.id, 200)]
    assert desk.look_up(second).status == "canceled"
    assert desk.trading.get_orders() == []


@pytest.mark.proves("GET /v2/orders")
def test_listing_orders(desk: Desk):
    made = [desk.submit(limit("buy", 90 + n)) for n in range(3)]
    other = desk.submit(limit("sell", 60, symbol="FLAT", qty=1))
    desk.trading.cancel_order_by_id(made[0].id)

    def listed(**asked: Any) -> list[UUID]:
        return [found.id for found in desk.trading.get_orders(order.GetOrdersRequest(**asked))]

    ids = [found.id for found in (*made, other)]
    assert listed() == ids[:0:-1]
    assert listed(status="all", direction="asc") == ids
    assert listed(status="closed") == ids[:1]
    assert listed(status="all", symbols=["FLAT"]) == ids[3:]
    assert listed(status="all", side="buy", direction="asc", limit=2) == ids[:2]
    desk.advance(seconds=1)
    later = desk.submit(limit("buy", 95))
    assert listed(status="all", after=other.submitted_at) == [later.id]
    assert listed(status="all", until=later.submitted_at, direction="asc") == ids


@pytest.mark.proves("GET /v2/orders/{order_id}")
def test_an_unknown_order(desk: Desk):
    with pytest.raises(APIError) as refused:
        desk.trading.get_order_by_id(uuid4())
    assert (refused.value.status_code, refused.value.code) == (404, 40410000)


@pytest.mark.proves(
    "GET /v2/positions",
    "DELETE /v2/positions/{symbol_or_asset_id}",
    "GET /v2/positions/{symbol_or_asset_id}",
)
def test_positions_and_closing_them(desk: Desk):
    bought = desk.buy(quantity=10)
    desk.buy("FLAT", quantity=4)
    assert {position.symbol for position in desk.trading.get_all_positions()} == {"WAVE", "FLAT"}
    wave = desk.trading.get_open_position("WAVE")
    cost = 10 * price_of(bought)
    assert Decimal(wave.cost_basis) == cost
    assert Decimal(wave.unrealized_pl) == Decimal(wave.market_value) - cost
    assert wave.qty_available == "10"
    assert desk.trading.get_open_position(wave.asset_id).symbol == "WAVE"
    part = desk.trading.close_position("WAVE", order.ClosePositionRequest(qty="4"))
    assert (part.type, part.side, part.qty) == ("market", "sell", "4")
    assert desk.quantity() == 6
    desk.trading.close_position("WAVE", order.ClosePositionRequest(percentage="50"))
    assert desk.quantity() == 3
    desk.trading.close_position(wave.asset_id)
    assert desk.quantity() == 0


@pytest.mark.proves("DELETE /v2/positions")
def test_closing_everything(desk: Desk):
    desk.buy(quantity=10)
    desk.buy("FLAT", quantity=4)
    held = desk.submit(limit("sell", 120))
    told = desk.trading.close_all_positions(cancel_orders=True)
    assert {(answer.symbol, answer.status) for answer in told} == {("WAVE", 200), ("FLAT", 200)}
    assert desk.look_up(held).status == "canceled"
    assert desk.trading.get_all_positions() == []


@pytest.mark.proves("DELETE /v2/positions")
def test_closing_what_orders_hold_is_told_as_a_failure(desk: Desk):
    desk.buy(quantity=10)
    desk.submit(limit("sell", 120))
    (told,) = desk.trading.close_all_positions()
    assert told.status == 403
    assert (told.body.code, told.body.held_for_orders) == (40310000, 10)
    assert desk.quantity() == 10
