from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from catalyst_bot.exchange.api.event_routes import Bounds, past_updates, stream_updates
from catalyst_bot.exchange.api.order_desk import OrderDesk
from catalyst_bot.exchange.books.trade_updates import EventIds, first_event_id
from catalyst_bot.exchange.knobs import Knobs
from tests.exchange.desk import CLOSE, OPEN, Desk

MOVES = {"AAPL": {5: 95.0, 10: 111.0, 20: 90.0}}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(moves=MOVES, path=tmp_path / "exchange.db")
    yield made
    made.close()


def knobs(**changes: Any) -> Knobs:
    return Knobs(rate_limit_per_min=0, **{"partial_probability": 0, **changes})


def told(desk: Desk) -> list[dict[str, Any]]:
    return [{k: v for k, v in update.items() if k != "account"} for update in desk.updates]


def busy_day(desk: Desk) -> None:
    """Let orders of every kind live and die."""
    desk.order(qty=10)
    limit = desk.order(type="limit", limit_price=80, qty=5)
    desk.ask("PATCH", f"/v2/orders/{limit['id']}", json={"limit_price": 81})
    cancelled = desk.order(type="limit", limit_price=70)
    desk.ask("DELETE", f"/v2/orders/{cancelled['id']}")
    desk.order(
        symbol="MSFT",
        qty=3,
        order_class="bracket",
        take_profit={"limit_price": 60},
        stop_loss={"stop_price": 40},
    )
    desk.order(side="sell", qty=4, type="trailing_stop", trail_percent=3, time_in_force="gtc")
    desk.order(type="limit", limit_price=80, time_in_force="ioc")
    desk.minute(25)
    desk.order(side="sell", qty=2, type="limit", limit_price=200, time_in_force="gtc")
    desk.advance(CLOSE + timedelta(hours=5))
    desk.ask("DELETE", "/v2/orders")


def test_a_fill_tells_price_quantity_and_position(desk: Desk) -> None:
    order = desk.order(qty=10)
    new, fill = desk.updates
    assert set(new) - {"account"} == {"at", "event", "event_id", "order", "timestamp"}
    assert set(fill) - set(new) == {"execution_id", "position_qty", "price", "qty"}
    assert (fill["qty"], fill["price"], fill["position_qty"]) == ("10", "100.1", "10")
    assert fill["at"] == fill["timestamp"] == "2025-10-22T13:30:30Z"
    assert fill["account"] == desk.account.account_id
    assert set(fill["order"]) == {*order, "cancel_requested_at"}
    assert (new["order"]["status"], fill["order"]["status"]) == ("new", "filled")
    assert (new["order"]["filled_qty"], fill["order"]["filled_qty"]) == ("0", "10")
    desk.order(side="sell", qty=10)
    short = desk.order(side="sell", qty=3)
    assert desk.updates[-1]["order"]["id"] == short["id"]
    assert desk.updates[-1]["position_qty"] == "-3"


def test_ids_rise_and_are_the_same_in_every_run(tmp_path: Path) -> None:
    runs = []
    for name in ("one", "two"):
        desk = Desk(moves=MOVES, path=tmp_path / f"{name}.db")
        busy_day(desk)
        runs.append(told(desk))
        desk.close()
    assert runs[0] == runs[1]
    ids = [update["event_id"] for update in runs[0]]
    assert ids == sorted(set(ids))
    assert all(len(each) == 26 for each in ids)


def test_event_ids_never_go_back_with_the_clock() -> None:
    ids = EventIds("account")
    ids.pass_by(OPEN)
    first = ids.of(1)
    ids.pass_by(OPEN - timedelta(hours=1))
    second = ids.of(2)
    assert first_event_id(OPEN) <= first < second
    assert EventIds("other") is not ids


def test_the_log_tells_again_what_was_told(desk: Desk) -> None:
    busy_day(desk)
    again = [update for update in past_updates(desk.exchange, desk.account) if update]
    assert again == told(desk)
    words = {update["event"] for update in again}
    assert words >= {
        "new", "fill", "replaced", "canceled", "held", "expired", "pending_cancel",
    }  # fmt: skip


def test_a_sibling_can_be_passed_over_in_silence() -> None:
    desk = Desk(moves=MOVES, knobs=knobs(emits_sibling_cancel=False))
    order = desk.order(
        qty=5, order_class="bracket", take_profit={"limit_price": 110}, stop_loss={"stop_price": 70}
    )
    target, stop = order["legs"]
    desk.minute(11)
    assert desk.again(stop)["status"] == "canceled"
    assert desk.events(stop) == ["held"]
    assert desk.events(target) == ["held", "new", "fill"]
    order = desk.order(
        qty=5, order_class="bracket", take_profit={"limit_price": 200}, stop_loss={"stop_price": 95}
    )
    target, stop = order["legs"]
    desk.minute(21)
    assert desk.events(target) == ["held", "new", "replaced"]
    assert desk.again(target)["status"] == "canceled"


def test_an_acknowledgement_that_takes_its_time() -> None:
    desk = Desk(knobs=knobs(ack_delay_s=2.0))
    order = desk.order()
    assert (order["status"], desk.again(order)["status"]) == ("pending_new", "pending_new")
    assert desk.events(order) == ["pending_new"]
    reply = desk.ask("PATCH", f"/v2/orders/{order['id']}", json={"qty": 2})
    assert reply.status_code == 422
    desk.advance(timedelta(seconds=1))
    assert desk.again(order)["status"] == "pending_new"
    desk.advance(timedelta(seconds=2))
    assert desk.again(order)["status"] == "filled"
    assert desk.events(order) == ["pending_new", "new", "fill"]


def test_a_cancel_that_takes_its_time() -> None:
    desk = Desk(moves=MOVES, knobs=knobs(cancel_latency_s=2.0))
    order = desk.order(type="limit", limit_price=90)
    assert desk.ask("DELETE", f"/v2/orders/{order['id']}").status_code == 204
    assert desk.again(order)["status"] == "pending_cancel"
    desk.advance(timedelta(seconds=3))
    assert desk.again(order)["status"] == "canceled"
    assert desk.events(order) == ["new", "pending_cancel", "canceled"]
    late = desk.order(type="limit", limit_price=96)
    desk.advance(OPEN + timedelta(minutes=5) - timedelta(seconds=1))
    desk.ask("DELETE", f"/v2/orders/{late['id']}")
    desk.minute(6)  # the price came before the cancel was done
    assert desk.again(late)["status"] == "filled"


def test_what_was_under_way_goes_on_after_a_restart(tmp_path: Path) -> None:
    path, slow = tmp_path / "exchange.db", knobs(ack_delay_s=2.0, cancel_latency_s=2.0)
    desk = Desk(path=path, knobs=slow)
    order = desk.order()
    resting = desk.order(type="limit", limit_price=90)
    desk.advance(timedelta(seconds=3))
    desk.ask("DELETE", f"/v2/orders/{resting['id']}")
    second = desk.order()
    desk.close()
    desk = Desk(path=path, knobs=slow)
    assert desk.again(order)["status"] == "filled"
    assert desk.again(second)["status"] == "pending_new"
    desk.advance(timedelta(seconds=3))
    assert desk.again(second)["status"] == "filled"
    assert desk.again(resting)["status"] == "canceled"
    desk.close()


async def test_server_sent_events_give_the_past_and_then_the_present(desk: Desk) -> None:
    first = desk.order(qty=1)
    desk.advance(timedelta(seconds=5))
    middle = desk.clock.now()
    second = desk.order(qty=2)

    everything = await take(desk, 4, Bounds(after_id="", until_id="", has_past=True))
    assert everything == told(desk)
    later = Bounds(after_id=first_event_id(middle), until_id="", has_past=True)
    assert {update["order"]["id"] for update in await take(desk, 2, later)} == {second["id"]}
    behind = Bounds(after_id=everything[1]["event_id"], until_id="", has_past=True)
    assert await take(desk, 2, behind) == everything[2:]

    waiting = asyncio.create_task(take(desk, 2, Bounds(after_id="", until_id="", has_past=False)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    fields = {"symbol": "AAPL", "qty": 3, "side": "buy", "type": "market", "time_in_force": "day"}
    third = OrderDesk(desk.exchange).place(desk.account, fields)
    assert {update["order"]["id"] for update in await waiting} == {third["id"]}
    assert first["id"] != third["id"]


async def take(desk: Desk, count: int, bounds: Bounds) -> list[dict[str, Any]]:
    updates: list[dict[str, Any]] = []
    stream: AsyncIterator[bytes] = stream_updates(desk.exchange, desk.account, bounds)
    async for chunk in stream:
        if chunk.startswith(b"data: "):
            updates.append(msgspec.json.decode(chunk.removeprefix(b"data: ")))
        if len(updates) == count:
            break
    return updates


def test_the_event_stream_over_http_ends_where_it_is_told_to(desk: Desk) -> None:
    desk.order()
    reply = desk.ask(
        "GET",
        "/v2/events/trades",
        params={"since": "2025-10-22", "until": "2025-10-22T13:30:30Z"},
    )
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.text.startswith(": heartbeat")
