from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange.desk import CLOSE, NEXT_OPEN, OPEN, Desk

KEYS = {
    "id", "client_order_id", "created_at", "updated_at", "submitted_at", "filled_at", "expired_at",
    "expires_at", "canceled_at", "failed_at", "replaced_at", "replaced_by", "replaces", "asset_id",
    "symbol", "asset_class", "notional", "qty", "filled_qty", "filled_avg_price", "order_class",
    "order_type", "type", "side", "position_intent", "time_in_force", "limit_price", "stop_price",
    "status", "extended_hours", "legs", "trail_percent", "trail_price", "hwm", "subtag", "source",
}  # fmt: skip
GROUP = {"group_id", "group_role"}


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(moves={"AAPL": {5: 95.0, 10: 111.0, 20: 90.0}})
    yield made
    made.close()


def test_a_market_order_is_answered_pending_new_and_filled_at_the_ask(desk: Desk) -> None:
    order = desk.order(qty=10, client_order_id="mine")
    assert set(order) == KEYS
    assert (order["status"], order["filled_qty"]) == ("pending_new", "0")
    assert order["order_class"] == ""
    now = desk.again(order)
    assert (now["status"], now["filled_qty"], now["filled_avg_price"]) == ("filled", "10", "100.1")
    assert now["position_intent"] == "buy_to_open"
    assert now["id"] == order["id"]
    assert now["client_order_id"] == "mine"
    assert desk.events(order) == ["new", "fill"]


def test_a_sale_meets_the_bid(desk: Desk) -> None:
    desk.order(qty=10)
    sale = desk.order(qty=10, side="sell")
    assert desk.again(sale)["filled_avg_price"] == "99.9"
    assert desk.again(sale)["position_intent"] == "sell_to_close"
    assert desk.get("/v2/positions") == []
    assert Decimal(desk.get("/v2/account")["cash"]) == Decimal("99998")


def test_a_limit_order_waits_for_its_price(desk: Desk) -> None:
    order = desk.order(type="limit", limit_price="96.00", qty=4)
    assert desk.again(order)["status"] == "new"
    assert order["limit_price"] == "96"
    desk.minute(6)
    filled = desk.again(order)
    assert filled["status"] == "filled"
    assert Decimal(filled["filled_avg_price"]) < 96
    assert desk.events(order) == ["new", "fill"]


def test_orders_of_a_closed_market_are_accepted_and_wait_for_the_open() -> None:
    desk = Desk(start=CLOSE + timedelta(hours=5))
    order = desk.order()
    assert order["status"] == "accepted"
    assert desk.events(order) == ["accepted"]
    desk.advance(NEXT_OPEN + timedelta(seconds=20))
    assert desk.again(order)["status"] == "filled"
    assert desk.events(order) == ["accepted", "new", "fill"]


def test_day_orders_expire_at_the_close_and_gtc_orders_live_on(desk: Desk) -> None:
    day = desk.order(type="limit", limit_price="50")
    gtc = desk.order(type="limit", limit_price="50", time_in_force="gtc")
    assert day["expires_at"] == "2025-10-22T20:00:00Z"
    assert gtc["expires_at"].startswith("2026-01-20")
    desk.advance(CLOSE + timedelta(seconds=1))
    lapsed = desk.again(day)
    assert lapsed["status"] == "expired"
    assert lapsed["expired_at"] == "2025-10-22T20:00:00Z"
    assert desk.events(day) == ["new", "expired"]
    assert desk.again(gtc)["status"] == "new"


def test_a_bracket_taken_at_its_profit(desk: Desk) -> None:
    order = desk.order(
        qty=10,
        order_class="bracket",
        time_in_force="gtc",
        take_profit={"limit_price": "110"},
        stop_loss={"stop_price": "80", "limit_price": "79.5"},
    )
    assert set(order) == KEYS | GROUP
    target, stop = order["legs"]
    assert set(target) == KEYS | GROUP
    assert [leg["group_role"] for leg in (order, target, stop)] == [
        "entry",
        "take_profit",
        "stop_loss",
    ]
    assert {leg["group_id"] for leg in (order, target, stop)} == {order["group_id"]}
    assert [leg["status"] for leg in (target, stop)] == ["held", "held"]
    assert (stop["type"], stop["stop_price"], stop["limit_price"]) == ("stop_limit", "80", "79.5")
    assert (target["side"], target["type"], target["legs"]) == ("sell", "limit", None)
    assert desk.again(target)["status"] == "new"
    assert desk.again(stop)["status"] == "held"
    desk.minute(11)
    assert desk.again(target)["status"] == "filled"
    assert desk.again(stop)["status"] == "canceled"
    assert desk.get("/v2/positions") == []
    assert desk.events(stop) == ["held", "canceled"]
    assert all(update["order"]["legs"] is None for update in desk.updates)


def test_a_bracket_stopped_out(desk: Desk) -> None:
    order = desk.order(
        qty=10,
        order_class="bracket",
        take_profit={"limit_price": 110},
        stop_loss={"stop_price": 96},
    )
    target, stop = order["legs"]
    desk.minute(6)
    assert desk.again(stop)["status"] == "filled"
    assert desk.again(target)["status"] == "canceled"
    nested = desk.again(order, nested=True)
    assert [leg["id"] for leg in nested["legs"]] == [target["id"], stop["id"]]
    assert desk.again(order)["legs"] is None


def test_legs_are_listed_under_their_parent_or_not_at_all(desk: Desk) -> None:
    order = desk.order(
        type="limit",
        limit_price="98",
        order_class="bracket",
        take_profit={"limit_price": 110},
        stop_loss={"stop_price": 80},
    )
    target, stop = order["legs"]
    assert [row["id"] for row in desk.get("/v2/orders")] == [order["id"]]
    nested = desk.get("/v2/orders", nested="True")
    assert [leg["id"] for leg in nested[0]["legs"]] == [target["id"], stop["id"]]
    desk.minute(6)  # the entry fills: only the take profit is open, and stands alone
    assert [row["id"] for row in desk.get("/v2/orders", nested=True)] == [target["id"]]
    assert [row["id"] for row in desk.get("/v2/orders", status="closed")] == [order["id"]]
    assert len(desk.get("/v2/orders", status="all")) == 3


def test_one_cancels_the_other(desk: Desk) -> None:
    desk.order(qty=5)
    oco = desk.order(
        side="sell",
        qty=5,
        type="limit",
        order_class="oco",
        time_in_force="gtc",
        take_profit={"limit_price": "110"},
        stop_loss={"stop_price": "96"},
    )
    assert oco["group_role"] == "take_profit"
    assert oco["limit_price"] == "110"
    (stop,) = oco["legs"]
    assert (stop["group_role"], stop["status"]) == ("stop_loss", "held")
    desk.minute(6)
    assert desk.again(stop)["status"] == "filled"
    assert desk.again(oco)["status"] == "canceled"


def test_one_triggers_the_other(desk: Desk) -> None:
    oto = desk.order(qty=5, order_class="oto", stop_loss={"stop_price": "96"})
    (stop,) = oto["legs"]
    assert stop["group_role"] == "stop_loss"
    desk.minute(6)
    assert desk.again(stop)["status"] == "filled"
    status, body = _patch(desk, oto, {"limit_price": 5})
    assert status == 422
    assert body["code"] in {40010001, 42210000}


def test_a_trailing_stop_follows_the_market(desk: Desk) -> None:
    desk.order(qty=5)
    order = desk.order(
        side="sell", qty=5, type="trailing_stop", trail_percent="10", time_in_force="gtc"
    )
    assert (order["hwm"], order["stop_price"]) == ("100", "90")
    assert (order["trail_percent"], order["trail_price"]) == ("10", None)
    desk.minute(11)
    moved = desk.again(order)
    assert (moved["hwm"], moved["stop_price"]) == ("111", "99.9")
    desk.minute(21)
    assert desk.again(order)["status"] == "filled"


def test_orders_for_a_moment(desk: Desk) -> None:
    gone = desk.order(type="limit", limit_price="90", time_in_force="ioc")
    assert desk.again(gone)["status"] == "canceled"
    done = desk.order(type="limit", limit_price="101", time_in_force="fok", qty=3)
    assert desk.again(done)["status"] == "filled"


def test_orders_for_the_auctions(desk: Desk) -> None:
    status, body = desk.refusal(time_in_force="opg")
    assert (status, body["code"]) == (403, 40310000)
    assert body["message"] == "opg orders must be submitted after 7:00pm and before 9:28am"
    order = desk.order(time_in_force="cls", qty=2)
    desk.advance(CLOSE - timedelta(minutes=6))
    desk.order(time_in_force="cls", qty=2)
    desk.advance(CLOSE - timedelta(minutes=5))
    status, body = desk.refusal(time_in_force="cls")
    assert body["message"] == "cls orders must be submitted after 7:00pm and before 3:55pm"
    desk.advance(CLOSE + timedelta(seconds=1))
    assert desk.again(order)["status"] == "filled"
    desk.advance(CLOSE + timedelta(hours=4))
    opening = desk.order(time_in_force="opg", qty=2)
    assert opening["status"] == "accepted"
    desk.advance(NEXT_OPEN + timedelta(seconds=20))
    assert desk.again(opening)["status"] == "filled"


def test_fractions_and_dollars(desk: Desk) -> None:
    part = desk.order(qty="0.5")
    assert desk.again(part)["filled_qty"] == "0.5"
    dollars = desk.order(notional="50.05")
    assert (dollars["qty"], dollars["notional"]) == (None, "50.05")
    filled = desk.again(dollars)
    assert (filled["filled_qty"], filled["qty"]) == ("0.5", None)
    assert desk.get("/v2/positions/AAPL")["qty"] == "1"


def test_extended_hours() -> None:
    desk = Desk(start=OPEN - timedelta(minutes=30))
    order = desk.order(type="limit", limit_price="101", extended_hours=True)
    assert order["status"] == "pending_new"
    assert desk.again(order)["status"] == "new"  # nothing has traded yet
    assert order["expires_at"] == "2025-10-23T00:00:00Z"
    desk.advance(OPEN + timedelta(seconds=10))
    assert desk.again(order)["status"] == "filled"


def test_replacing_makes_a_new_order(desk: Desk) -> None:
    order = desk.order(type="limit", limit_price="90", qty=3)
    status, new = _patch(desk, order, {"limit_price": 91.5, "client_order_id": "second"})
    assert status == 200
    assert new["id"] != order["id"]
    assert (new["replaces"], new["client_order_id"]) == (order["id"], "second")
    assert (new["limit_price"], new["qty"]) == ("91.5", "3")
    old = desk.again(order)
    assert (old["status"], old["replaced_by"]) == ("replaced", new["id"])
    assert old["replaced_at"] is not None
    assert desk.events(order) == ["new", "replaced"]
    assert desk.events(new) == ["new"]
    status, body = _patch(desk, order, {"limit_price": 92})
    assert (status, body["code"]) == (422, 42210000)
    assert body["message"] == "unable to replace order, order is not open"


def test_a_replacement_that_is_marketable_fills(desk: Desk) -> None:
    order = desk.order(type="limit", limit_price="90")
    _, new = _patch(desk, order, {"limit_price": 101})
    assert desk.again(new)["status"] == "filled"


def test_wrong_replacements(desk: Desk) -> None:
    order = desk.order(type="limit", limit_price="90", qty=3)
    for changes, message in (
        ({"stop_price": 5}, "limit orders must not have stop_price"),
        ({"qty": 0}, "qty must be > 0"),
        ({"limit_price": "90.001"}, "sub-penny increment"),
        ({"time_in_force": "soon"}, "invalid time_in_force"),
        ({"notional": 5}, "notional"),
        ({"trail": 1}, "limit orders must not have trail"),
        ({"client_order_id": order["client_order_id"]}, "client_order_id must be unique"),
    ):
        status, body = _patch(desk, order, changes)
        assert status == 422
        assert message in body["message"], changes
    assert desk.again(order)["status"] == "new"


def test_a_leg_can_be_replaced_and_keeps_its_group(desk: Desk) -> None:
    order = desk.order(
        qty=2, order_class="bracket", take_profit={"limit_price": 120}, stop_loss={"stop_price": 80}
    )
    target, stop = order["legs"]
    _, new = _patch(desk, target, {"limit_price": "110"})
    assert (new["group_id"], new["group_role"]) == (order["group_id"], "take_profit")
    _, moved = _patch(desk, stop, {"stop_price": "96"})
    assert (moved["status"], moved["group_role"]) == ("held", "stop_loss")
    nested = desk.again(order, nested=True)
    assert [leg["id"] for leg in nested["legs"]] == [new["id"], moved["id"]]
    desk.minute(6)
    assert desk.again(moved)["status"] == "filled"
    assert desk.again(new)["status"] == "canceled"


def test_cancelling(desk: Desk) -> None:
    order = desk.order(type="limit", limit_price="90")
    assert desk.ask("DELETE", f"/v2/orders/{order['id']}").status_code == 204
    now = desk.again(order)
    assert now["status"] == "canceled"
    assert now["canceled_at"] is not None
    assert desk.events(order) == ["new", "canceled"]
    reply = desk.ask("DELETE", f"/v2/orders/{order['id']}")
    assert (reply.status_code, reply.json()["code"]) == (422, 42210000)
    assert reply.json()["message"] == 'order is already in "canceled" state'


def test_cancelling_one_of_a_group_cancels_the_others(desk: Desk) -> None:
    order = desk.order(
        qty=2, order_class="bracket", take_profit={"limit_price": 120}, stop_loss={"stop_price": 80}
    )
    target, stop = order["legs"]
    assert desk.ask("DELETE", f"/v2/orders/{target['id']}").status_code == 204
    assert desk.again(stop)["status"] == "canceled"


def test_cancelling_all(desk: Desk) -> None:
    orders = [desk.order(type="limit", limit_price=90 - n) for n in range(3)]
    reply = desk.ask("DELETE", "/v2/orders")
    assert reply.status_code == 207
    assert {(row["id"], row["status"]) for row in reply.json()} == {(o["id"], 200) for o in orders}
    assert desk.get("/v2/orders") == []
    assert desk.ask("DELETE", "/v2/orders").json() == []


def test_a_cancel_outside_the_session_stays_pending_and_reserves(desk: Desk) -> None:
    desk.order(qty=5)
    order = desk.order(side="sell", qty=5, type="limit", limit_price=200, time_in_force="gtc")
    desk.advance(CLOSE + timedelta(hours=5))
    assert desk.ask("DELETE", f"/v2/orders/{order['id']}").status_code == 204
    assert desk.again(order)["status"] == "pending_cancel"
    assert desk.updates[-1]["event"] == "pending_cancel"
    assert desk.updates[-1]["order"]["cancel_requested_at"] is not None
    assert desk.get("/v2/positions/AAPL")["qty_available"] == "0"
    desk.advance(NEXT_OPEN + timedelta(seconds=1))
    assert desk.again(order)["status"] == "canceled"
    assert desk.get("/v2/positions/AAPL")["qty_available"] == "5"


def test_finding_orders(desk: Desk) -> None:
    first = desk.order(type="limit", limit_price=90, client_order_id="one")
    desk.advance(timedelta(seconds=10))
    second = desk.order(symbol="MSFT", type="limit", limit_price=40)
    desk.advance(timedelta(seconds=10))
    third = desk.order(type="limit", limit_price=89)
    ids = [first["id"], second["id"], third["id"]]

    def found(**asked: Any) -> list[str]:
        return [row["id"] for row in desk.get("/v2/orders", **asked)]

    assert found() == ids[::-1]
    assert found(direction="asc") == ids
    assert found(limit=1) == ids[2:]
    assert found(limit=500) == ids[::-1]
    assert found(symbols="MSFT,SPY") == [second["id"]]
    assert found(side="sell") == []
    assert found(after=second["submitted_at"]) == [third["id"]]
    assert found(until=second["submitted_at"]) == [first["id"]]
    assert found(before_order_id=second["id"]) == [first["id"]]
    assert found(after_order_id=second["id"]) == [third["id"]]
    assert found(asset_class="crypto") == []
    assert found(status="closed") == []
    assert found(status="all", after="2030-01-01") == []
    assert desk.get("/v2/orders:by_client_order_id", client_order_id="one")["id"] == first["id"]


@pytest.mark.parametrize(
    ("path", "status", "code", "message"),
    [
        ("/v2/orders/nothing", 422, 40010001, "order_id is missing"),
        (
            "/v2/orders/904837e3-3b76-47ec-b432-046db621571b",
            404,
            40410000,
            "order not found for 904837e3-3b76-47ec-b432-046db621571b",
        ),
        ("/v2/orders:by_client_order_id", 422, 40010001, "client_order_id is missing"),
        (
            "/v2/orders:by_client_order_id?client_order_id=x",
            404,
            40410000,
            "order not found for x",
        ),
        (
            "/v2/orders?direction=up",
            422,
            40010001,
            'direction can only be "asc" or "desc"',
        ),
        ("/v2/orders?after=yesterday", 422, 40010001, "after is invalid format"),
        ("/v2/orders?limit=many", 422, 40010001, "limit is invalid format"),
    ],
)
def test_wrong_questions(desk: Desk, path: str, status: int, code: int, message: str) -> None:
    reply = desk.ask("GET", path)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert message in reply.json()["message"]


def test_bodies_that_are_none(desk: Desk) -> None:
    for content in (b"", b"[]", b"{", b"\xff", b"null", b'{"qty": NaN}', b'{"a":' * 50_000):
        reply = desk.ask("POST", "/v2/orders", content=content)
        assert (reply.status_code, reply.json()) == (
            400,
            {"code": 40010000, "message": "request body format is invalid"},
        )


def _patch(desk: Desk, order: dict[str, Any], changes: dict[str, Any]) -> tuple[int, Any]:
    reply = desk.ask("PATCH", f"/v2/orders/{order['id']}", json=changes)
    return reply.status_code, reply.json()
