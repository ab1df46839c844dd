"""A whole day at the exchange, seen through alpaca-py: what works when, and what ends when.

Each test has an exchange of its own, for the clock of one cannot go back.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.conformance.conftest import Serve
from tests.conformance.sdk import APIError, Desk, Order, order
from tests.conformance.served import Exchange
from tests.conformance.world import DAYS, at


@pytest.fixture
def desk(serving: Serve, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk at an exchange that begins at the time the test asks for."""
    with serving(start=request.param) as exchange, open_desk(exchange) as desk:
        yield desk
        desk.check_books()


def open_desk(exchange: Exchange) -> Desk:
    return Desk(exchange, exchange.new_account())


def begins(hour: int, minute: int = 0, **more: Any) -> Any:
    return pytest.mark.parametrize("desk", [at(hour, minute, **more)], indirect=True)


def limit(side: str, price: float, lives: str = "day", **more: Any) -> Any:
    fields = {"symbol": "WAVE", "qty": 10, "side": side, "time_in_force": lives} | more
    return order.LimitOrderRequest(limit_price=price, **fields)


def market(side: str, lives: str = "day", **more: Any) -> Any:
    fields = {"symbol": "WAVE", "qty": 10, "side": side, "time_in_force": lives} | more
    return order.MarketOrderRequest(**fields)


def statuses(desk: Desk, *orders: Order) -> list[str]:
    return [desk.look_up(found).status.value for found in orders]


@begins(13)
@pytest.mark.proves(
    "order: market simple opg",
    "order: limit simple opg",
    "order: market simple cls",
    "order: limit simple cls",
    "behaviour: orders queue for the open",
    "behaviour: limit orders in extended hours",
    "behaviour: day orders expire at the close",
)
def test_from_before_the_open_to_the_close(desk: Desk):
    assert not desk.trading.get_clock().is_open
    at_open = desk.submit(market("buy", "opg"))
    at_open_limit = desk.submit(limit("buy", 110, "opg"))
    too_low = desk.submit(limit("buy", 80, "opg"))
    queued = desk.submit(market("buy"))
    assert statuses(desk, at_open, at_open_limit, queued) == ["accepted"] * 3
    early = desk.submit(limit("buy", 101, extended_hours=True))
    assert early.extended_hours
    desk.advance(minutes=2)
    assert statuses(desk, early, queued) == ["filled", "accepted"]
    desk.exchange.advance(at(13, 31))
    assert statuses(desk, at_open, at_open_limit, queued) == ["filled"] * 3
    assert statuses(desk, too_low)[0] in {"canceled", "expired"}
    desk.exchange.advance(at(19, 45))
    at_close = desk.submit(market("sell", "cls"))
    at_close_limit = desk.submit(limit("sell", 90, "cls"))
    too_high = desk.submit(limit("sell", 130, "cls", qty=1))
    of_the_day = desk.submit(limit("buy", 40, symbol="FLAT"))
    for_long = desk.submit(limit("buy", 40, "gtc", symbol="FLAT"))
    until_eight = desk.submit(limit("buy", 40, symbol="FLAT", extended_hours=True))
    assert (
        statuses(desk, at_close, at_close_limit) == ["accepted"] * 2
        or statuses(desk, at_close, at_close_limit) == ["new"] * 2
    )
    desk.exchange.advance(at(20, 1))
    assert statuses(desk, at_close, at_close_limit) == ["filled"] * 2
    assert statuses(desk, too_high)[0] in {"canceled", "expired"}
    assert statuses(desk, of_the_day, for_long, until_eight) == ["expired", "new", "new"]
    late = desk.submit(limit("sell", 99, extended_hours=True))
    desk.advance(minutes=2)
    assert statuses(desk, late) == ["filled"]
    desk.exchange.advance(at(0, 1, day=DAYS[3]))
    assert statuses(desk, until_eight, for_long) == ["expired", "new"]


@begins(20, 5)
@pytest.mark.proves("behaviour: a cancel while closed is pending and holds the shares")
def test_a_cancel_after_hours_waits_for_the_open_and_holds_the_shares(desk: Desk):
    early = desk.submit(limit("buy", 101, extended_hours=True))
    desk.advance(minutes=1)
    assert statuses(desk, early) == ["filled"]
    held = desk.submit(limit("sell", 120, "gtc"))
    desk.trading.cancel_order_by_id(held.id)
    assert statuses(desk, held) == ["pending_cancel"]
    assert desk.trading.get_open_position("WAVE").qty_available == "0"
    with pytest.raises(APIError) as refused:
        desk.trading.cancel_order_by_id(held.id)
    assert refused.value.status_code == 422
    desk.exchange.advance(at(13, 31, day=DAYS[3]))
    assert statuses(desk, held) == ["canceled"]
    assert desk.trading.get_open_position("WAVE").qty_available == "10"


@begins(19, 55)
@pytest.mark.proves("GET /v2/account", "GET /v2/positions/{symbol_or_asset_id}")
def test_yesterday_is_remembered(desk: Desk):
    desk.buy(quantity=100)
    desk.exchange.advance(at(14, day=DAYS[3]))
    account = desk.trading.get_account()
    position = desk.trading.get_open_position("WAVE")
    closing = Decimal(100)  # WAVE ends every minute where it began
    assert Decimal(position.lastday_price) == closing
    assert Decimal(account.last_equity) == Decimal(account.cash) + 100 * closing
    assert Decimal(account.last_maintenance_margin) == 100 * closing * Decimal("0.3")
    change = Decimal(position.current_price) / closing - 1
    assert abs(Decimal(position.change_today) - change) < Decimal("0.0001")


@begins(19, 58, day=DAYS[1])
@pytest.mark.proves(
    "behaviour: a buy stop has a limit 4 % (2.5 % from $50 up) above it, a sell stop has none"
)
def test_stops_meet_a_gap(desk: Desk):
    def stops(symbol: str, side: str, *prices: float) -> list[Order]:
        fields = {"symbol": symbol, "side": side, "qty": 10, "time_in_force": "gtc"}
        return [desk.submit(order.StopOrderRequest(stop_price=p, **fields)) for p in prices]

    desk.buy("DROP", 10)
    (sold,) = stops("DROP", "sell", 53)
    bought = stops("LEAP", "buy", 47.5, 48.5)
    desk.exchange.advance(at(13, 31))
    assert abs(Decimal(desk.look_up(sold).filled_avg_price) - 48) < Decimal("0.1")
    assert desk.current_price("LEAP") == 50  # above 49.40, not above 50.44
    assert statuses(desk, *bought) == ["new", "filled"]
    desk.trading.cancel_orders()
    bought = stops("LEAP", "buy", 54, 55)
    desk.exchange.advance(at(13, 31, day=DAYS[3]))
    assert desk.current_price("LEAP") == 56  # above 55.35, not above 56.38
    assert statuses(desk, *bought) == ["new", "filled"]
    desk.trading.cancel_orders()


@pytest.mark.proves("behaviour: random partial fills")
def test_partial_fills_come_by_chance(serving: Serve):
    with serving(partial_probability=1, seed=5) as exchange, open_desk(exchange) as partly:
        bought = partly.submit(limit("buy", 101, "gtc", qty=1000))
        assert bought.status == "partially_filled"
        assert 0 < Decimal(bought.filled_qty) < 1000
        fills = partly.trading.get("/account/activities/FILL")
        assert {fill["type"] for fill in fills} == {"partial_fill"}
        assert fills[0]["cum_qty"] == bought.filled_qty
        assert Decimal(fills[0]["leaves_qty"]) == 1000 - Decimal(bought.filled_qty)
        partly.check_books()
