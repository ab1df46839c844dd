from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.exchange.desk import ADMIN, NEXT_OPEN, Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


def admin(desk: Desk, method: str, path: str, body: Any = None) -> Any:
    reply = desk.ask(method, path, json=body, headers=ADMIN)
    assert reply.status_code == 200, reply.text
    return reply.json()


def keys_of(opened: dict[str, str]) -> dict[str, str]:
    return {"APCA-API-KEY-ID": opened["key"], "APCA-API-SECRET-KEY": opened["secret"]}


def test_only_the_token_opens_the_admin_routes(desk: Desk) -> None:
    for headers in ({}, {"X-Admin-Token": "wrong"}, {"X-Admin-Token": ""}):
        for method, path in (("GET", "state"), ("POST", "reset"), ("POST", "accounts")):
            reply = desk.ask(method, f"/admin/{path}", headers=headers)
            assert (reply.status_code, reply.json()) == (401, {"message": "unauthorized."})
    assert len(admin(desk, "GET", "/admin/state")["accounts"]) == 1


def test_accounts_do_not_know_of_each_other(desk: Desk) -> None:
    opened = admin(desk, "POST", "/admin/accounts", {"cash": "5000"})
    theirs = keys_of(opened)
    mine = desk.order(qty=2, client_order_id="same")
    body = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
    reply = desk.ask("POST", "/v2/orders", keys=theirs, json={**body, "client_order_id": "same"})
    assert reply.status_code == 200
    assert reply.json()["id"] != mine["id"]
    assert desk.ask("GET", f"/v2/orders/{mine['id']}", keys=theirs).status_code == 404
    assert desk.ask("GET", "/v2/positions/AAPL", keys=theirs).json()["qty"] == "1"
    assert desk.get("/v2/positions/AAPL")["qty"] == "2"
    account = desk.ask("GET", "/v2/account", keys=theirs).json()
    assert (account["id"], account["last_equity"]) == (opened["id"], "5000")
    assert account["id"] != desk.get("/v2/account")["id"]
    told = {update["account"] for update in desk.updates if update["order"]["id"] == mine["id"]}
    assert told == {desk.account.account_id}


def test_a_reset_gives_another_account_under_the_same_keys(desk: Desk) -> None:
    before = desk.get("/v2/account")
    order = desk.order(qty=2)
    desk.ask("POST", "/v2/watchlists", json={"name": "gone"})
    fresh = admin(desk, "POST", "/admin/reset")
    assert fresh["replaces"] == before["id"]
    assert fresh["keys"] == ["PKTEST"]
    after = desk.get("/v2/account")
    assert after["id"] == fresh["id"] != before["id"]
    assert after["account_number"] != before["account_number"]
    assert after["cash"] == "100000"
    assert desk.get("/v2/orders", status="all") == []
    assert desk.get("/v2/watchlists") == []
    assert desk.ask("GET", f"/v2/orders/{order['id']}").status_code == 404
    assert admin(desk, "POST", "/admin/reset", {"cash": 2500})["id"] != fresh["id"]
    assert desk.get("/v2/account")["cash"] == "2500"
    desk.order()


def test_which_account_is_reset(desk: Desk) -> None:
    opened = admin(desk, "POST", "/admin/accounts", {"key": "PKSECOND", "secret": "s"})
    reply = desk.ask("POST", "/admin/reset", headers=ADMIN)
    assert reply.status_code == 422
    assert admin(desk, "POST", "/admin/reset", {"key": "PKSECOND"})["replaces"] == opened["id"]
    reply = desk.ask("POST", "/admin/reset", headers=ADMIN, json={"key": "PKNONE"})
    assert reply.status_code == 404
    reply = desk.ask("POST", "/admin/reset", headers=ADMIN, json={"key": "PKSECOND", "cash": -1})
    assert reply.status_code == 422


def test_a_known_key_is_the_same_account_and_keeps_its_secret(desk: Desk) -> None:
    again = admin(desk, "POST", "/admin/accounts", {"key": "PKTEST", "secret": "secret"})
    assert again["id"] == desk.account.account_id
    body = {"key": "PKTEST", "secret": "other"}
    reply = desk.ask("POST", "/admin/accounts", headers=ADMIN, json=body)
    assert reply.status_code == 422


@pytest.mark.parametrize("word", ["", "a b", "ü", "a\nb"])
@pytest.mark.parametrize("field", ["key", "secret"])
def test_no_key_or_secret_that_a_header_cannot_carry(desk: Desk, field: str, word: str) -> None:
    body = {"key": "PKNEW", "secret": "s", field: word}
    reply = desk.ask("POST", "/admin/accounts", headers=ADMIN, json=body)
    assert (reply.status_code, reply.json()["code"]) == (422, 40010001)
    assert len(desk.exchange.accounts) == 1


def test_a_halt_stops_fills_until_it_is_lifted(desk: Desk) -> None:
    halted = admin(desk, "POST", "/admin/halt", {"symbol": "AAPL"})
    assert halted["symbol"] == "AAPL"
    assert admin(desk, "GET", "/admin/state")["halted"] == ["AAPL"]
    order = desk.order()
    opened = admin(desk, "POST", "/admin/accounts")
    reply = desk.ask(
        "POST",
        "/v2/orders",
        keys=keys_of(opened),
        json={
            "symbol": "AAPL",
            "qty": "1",
            "side": "buy",
            "type": "market",
            "time_in_force": "day",
        },
    )
    desk.minute(4)
    assert desk.again(order)["status"] == "new"
    theirs = desk.ask("GET", f"/v2/orders/{reply.json()['id']}", keys=keys_of(opened)).json()
    assert theirs["status"] == "new"
    admin(desk, "POST", "/admin/resume", {"symbol": "AAPL"})
    desk.minute(6)
    assert desk.again(order)["status"] == "filled"
    for path, body in (("halt", {"symbol": "NONE"}), ("resume", {"symbol": "AAPL"})):
        reply = desk.ask("POST", f"/admin/{path}", headers=ADMIN, json=body)
        assert reply.status_code == 422


def test_a_symbol_changes(desk: Desk) -> None:
    desk.order(qty=5)
    asset_id = desk.get("/v2/assets/AAPL")["id"]
    admin(
        desk,
        "POST",
        "/admin/corporate_actions",
        {"kind": "symbol_change", "symbol": "AAPL", "on": "2025-10-23", "new_symbol": "PEAR"},
    )
    desk.advance(NEXT_OPEN + timedelta(seconds=30))
    position = desk.get("/v2/positions/PEAR")
    assert (position["qty"], position["asset_id"]) == ("5", asset_id)
    assert desk.ask("GET", "/v2/positions/AAPL").status_code == 404
    assert desk.refusal(symbol="AAPL")[1]["message"] == 'asset "AAPL" not found'
    rows = desk.get("/v2/account/activities/NC")
    assert [(row["symbol"], row["activity_sub_type"]) for row in rows] == [("PEAR", "SNC")]
    sold = desk.order(symbol="PEAR", side="sell", qty=5)
    assert desk.again(sold)["status"] == "filled"


def test_wrong_corporate_actions(desk: Desk) -> None:
    for body in (
        {},
        {"kind": "split", "symbol": "AAPL", "on": "2025-10-20", "new_rate": 2, "old_rate": 1},
        {"kind": "split", "symbol": "NONE", "on": "2025-10-23", "new_rate": 2, "old_rate": 1},
        {"kind": "split", "symbol": "AAPL", "on": "2025-10-23", "new_rate": 0, "old_rate": 1},
    ):
        reply = desk.ask("POST", "/admin/corporate_actions", headers=ADMIN, json=body)
        assert (reply.status_code, reply.json()["code"]) == (422, 40010001), body


def test_the_books_of_all_accounts(desk: Desk) -> None:
    desk.order(qty=5)
    desk.order(type="limit", limit_price=90)
    (account,) = admin(desk, "GET", "/admin/state")["accounts"]
    assert account["positions"] == {"AAPL": {"cost": "500.5", "qty": "5"}}
    assert (account["cash"], account["fees"], account["realised"]) == ("99499.5", "0", "0")
    assert (account["open_orders"], account["orders"], account["fills"]) == (1, 2, 1)
    assert account["reserved"] == "90"
