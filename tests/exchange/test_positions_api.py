from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.exchange.desk import CLOSE, NEXT_OPEN, Desk

KEYS = {
    "asset_id", "symbol", "exchange", "asset_class", "asset_marginable", "qty", "qty_available",
    "avg_entry_price", "side", "market_value", "cost_basis", "unrealized_pl", "unrealized_plpc",
    "unrealized_intraday_pl", "unrealized_intraday_plpc", "current_price", "lastday_price",
    "change_today",
}  # fmt: skip


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(moves={"AAPL": {5: 110.0, 390: 120.0}})
    yield made
    made.close()


def test_an_average_that_never_ends_leaves_no_crumbs_in_the_profit(desk: Desk) -> None:
    desk.order(qty=1)
    desk.minute(6)
    desk.order(qty=2)
    position = desk.get("/v2/positions/AAPL")
    assert len(position["avg_entry_price"]) > len("106.79"), "else there is nothing to see here"
    assert position["unrealized_intraday_pl"] == position["unrealized_pl"]
    desk.advance(NEXT_OPEN)
    desk.order(qty=4)
    position = desk.get("/v2/positions/AAPL")
    assert len(position["unrealized_intraday_pl"].partition(".")[2]) <= 6


def test_a_long_position(desk: Desk) -> None:
    desk.order(qty=10)
    desk.minute(6)
    position = desk.get("/v2/positions/AAPL")
    assert set(position) == KEYS
    assert all(isinstance(value, str | bool) for value in position.values())
    assert position["side"] == "long"
    assert position["avg_entry_price"] == "100.1"
    assert position["cost_basis"] == "1001"
    assert position["market_value"] == "1100"
    assert position["unrealized_pl"] == "99"
    assert Decimal(position["unrealized_plpc"]) == round(Decimal(99) / 1001, 16)
    assert position["unrealized_intraday_pl"] == "99"
    assert position["current_price"] == "110"
    assert position["qty_available"] == "10"
    assert desk.get("/v2/positions") == [position]
    assert desk.get(f"/v2/positions/{position['asset_id']}") == position


def test_the_next_day_profit_counts_from_the_close(desk: Desk) -> None:
    desk.order(qty=10)
    desk.advance(NEXT_OPEN + timedelta(seconds=30))
    position = desk.get("/v2/positions/AAPL")
    assert (position["lastday_price"], position["current_price"]) == ("110", "120")
    assert position["unrealized_intraday_pl"] == "100"
    assert position["unrealized_pl"] == "199"
    assert Decimal(position["change_today"]) == round(Decimal(10) / 110, 16)


def test_what_is_bought_again_today_is_of_today(desk: Desk) -> None:
    desk.order(qty=10)
    desk.advance(NEXT_OPEN + timedelta(seconds=30))
    desk.order(side="sell", qty=10)
    short = desk.order(side="sell", qty=4)
    paid = Decimal(desk.again(short)["filled_avg_price"])
    position = desk.get("/v2/positions/AAPL")
    assert Decimal(position["unrealized_intraday_pl"]) == -4 * (120 - paid)
    desk.ask("DELETE", "/v2/positions/AAPL")
    bought = desk.order(qty=3)
    paid = Decimal(desk.again(bought)["filled_avg_price"])
    position = desk.get("/v2/positions/AAPL")
    assert Decimal(position["unrealized_intraday_pl"]) == 3 * (120 - paid)


def test_a_short_position(desk: Desk) -> None:
    desk.order(side="sell", qty=10)
    desk.minute(6)
    position = desk.get("/v2/positions/AAPL")
    assert (position["side"], position["qty"]) == ("short", "-10")
    assert position["market_value"] == "-1100"
    assert position["cost_basis"] == "-999"
    assert position["unrealized_pl"] == "-101"
    assert position["qty_available"] == "-10"
    order = desk.ask("DELETE", "/v2/positions/AAPL").json()
    assert (order["side"], order["qty"], order["type"]) == ("buy", "10", "market")
    assert desk.get("/v2/positions") == []


def test_a_flat_account(desk: Desk) -> None:
    for method in ("GET", "DELETE"):
        reply = desk.ask(method, "/v2/positions/AAPL")
        assert (reply.status_code, reply.json()) == (
            404,
            {"code": 40410000, "message": "position does not exist"},
        )
        reply = desk.ask(method, "/v2/positions/NONE")
        assert (reply.status_code, reply.json()) == (
            404,
            {"code": 40410000, "message": "symbol not found: NONE"},
        )
    assert desk.get("/v2/positions") == []
    assert desk.ask("DELETE", "/v2/positions").json() == []


def test_closing_parts(desk: Desk) -> None:
    desk.order(qty=11)
    order = desk.ask("DELETE", "/v2/positions/AAPL", params={"qty": 3}).json()
    assert (order["qty"], order["side"], order["time_in_force"]) == ("3", "sell", "day")
    assert order["position_intent"] == "sell_to_close"
    order = desk.ask("DELETE", "/v2/positions/AAPL", params={"percentage": 33}).json()
    assert order["qty"] == "2"  # a whole position is closed in whole shares
    desk.order(qty="0.5")
    order = desk.ask("DELETE", "/v2/positions/AAPL", params={"percentage": "10"}).json()
    assert order["qty"] == "0.65"
    for wrong in ({"percentage": 101}, {"percentage": 0}, {"qty": 1, "percentage": 5}, {"qty": 0}):
        reply = desk.ask("DELETE", "/v2/positions/AAPL", params=wrong)
        assert (reply.status_code, reply.json()["code"]) == (422, 40010001)


def test_closing_reserved_shares_is_refused_without_naming_the_orders(desk: Desk) -> None:
    desk.order(qty=10)
    desk.order(side="sell", qty=4, type="limit", limit_price=200)
    reply = desk.ask("DELETE", "/v2/positions/AAPL")
    assert reply.status_code == 403
    assert reply.json() == {
        "available": "6",
        "code": 40310000,
        "existing_qty": "10",
        "held_for_orders": "4",
        "message": "insufficient qty available for order (requested: 10, available: 6)",
        "symbol": "AAPL",
    }
    assert desk.get("/v2/positions/AAPL")["qty_available"] == "6"


def test_closing_everything(desk: Desk) -> None:
    desk.order(qty=10)
    desk.order(symbol="MSFT", qty=5)
    desk.order(side="sell", qty=4, type="limit", limit_price=200)
    reply = desk.ask("DELETE", "/v2/positions")
    assert reply.status_code == 207
    failed, done = reply.json()
    assert (failed["symbol"], failed["status"]) == ("AAPL", 403)
    assert failed["body"]["held_for_orders"] == "4"
    assert failed["body"]["code"] == 40310000
    assert (done["symbol"], done["status"]) == ("MSFT", 200)
    assert done["body"]["symbol"] == "MSFT"
    reply = desk.ask("DELETE", "/v2/positions", params={"cancel_orders": "True"})
    assert [row["status"] for row in reply.json()] == [200]
    assert desk.get("/v2/positions") == []
    assert desk.get("/v2/orders") == []


def test_closing_after_hours_waits_for_the_open(desk: Desk) -> None:
    desk.order(qty=10)
    desk.advance(CLOSE + timedelta(hours=5))
    order = desk.ask("DELETE", "/v2/positions/AAPL").json()
    assert order["status"] == "accepted"
    assert desk.get("/v2/positions/AAPL")["qty_available"] == "0"
    desk.advance(NEXT_OPEN + timedelta(seconds=30))
    assert desk.get("/v2/positions") == []
