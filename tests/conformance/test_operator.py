"""What whoever runs the exchange can do over HTTP, beside what Alpaca has."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from websockets.sync.client import connect

from tests.conformance.conftest import Serve
from tests.conformance.refusals import market
from tests.conformance.served import Exchange, Keys


@pytest.fixture
def client(exchange: Exchange, keys: Keys) -> Any:
    with exchange.client(keys) as client:
        yield client


@pytest.mark.proves("GET /admin/clock", "POST /admin/clock/advance")
def test_the_clock_stands_until_it_is_moved(exchange: Exchange):
    before = exchange.admin("GET", "/admin/clock")
    assert before["kind"] == "step"
    assert exchange.admin("GET", "/admin/clock")["now"] == before["now"]
    start = exchange.now()
    assert exchange.advance_by(seconds=90) == start + timedelta(seconds=90)


@pytest.mark.proves("GET /admin/streams")
def test_the_frames_of_streams_are_counted(exchange: Exchange, keys: Keys):
    with connect(exchange.ws("/stream")) as socket:
        assert socket.response is not None
        name = socket.response.headers["X-Request-ID"]
        socket.send(json.dumps({"action": "auth", "key": keys.key, "secret": keys.secret}))
        socket.recv()
        rows = {row["id"]: row for row in exchange.admin("GET", "/admin/streams")["streams"]}
        assert rows[name] == {"id": name, "heard": 1, "sent": 1}


@pytest.mark.proves("POST /admin/accounts", "GET /admin/state", "POST /admin/reset")
def test_accounts_are_opened_and_begin_anew(exchange: Exchange):
    keys = exchange.new_account(cash=5_000)
    with exchange.client(keys) as client:
        first = client.get("/v2/account").json()
        assert first["cash"] == "5000"
        client.post("/v2/orders", json=market())
        told = exchange.admin("POST", "/admin/reset", json={"key": keys.key, "cash": 7_000})
        second = client.get("/v2/account").json()
        assert (second["id"], second["cash"]) == (told["id"], "7000")
        assert second["id"] != first["id"] == told["replaces"]
        assert client.get("/v2/orders?status=all").json() == []
    state = exchange.admin("GET", "/admin/state")
    assert keys.key in {key for account in state["accounts"] for key in account["keys"]}


@pytest.mark.proves(
    "GET /admin/faults", "POST /admin/faults", "PUT /admin/faults", "DELETE /admin/faults"
)
def test_faults_are_added_counted_and_lifted(exchange: Exchange, keys: Keys):
    rule = {
        "match": {"method": "POST", "path": "^/v2/orders$"},
        "when": {"times": 1},
        "action": {"stage": "after", "status": 504, "html": "<html>nginx</html>"},
    }
    exchange.admin("POST", "/admin/faults", json={"rules": [rule]})
    url = f"{exchange.url}/v2/orders"
    order = market(client_order_id="lost")
    lost = httpx2.post(url, json=order, headers=keys.headers)
    assert lost.status_code == 504
    with exchange.client(keys) as client:
        found = client.get(f"{url}:by_client_order_id?client_order_id=lost")
        assert found.json()["status"] == "filled"  # it was taken before the answer was lost
        again = client.post("/v2/orders", json=order)
        assert again.json()["message"] == "client_order_id must be unique"
    (listed,) = exchange.admin("GET", "/admin/faults")["rules"]
    assert (listed["matched"], listed["fired"]) == (2, 1)
    replaced = exchange.admin("PUT", "/admin/faults", json={"rules": [rule, rule]})
    assert len(replaced["rules"]) == 2
    assert exchange.admin("DELETE", "/admin/faults")["rules"] == []


@pytest.mark.proves("POST /admin/corporate_actions", "behaviour: changed symbols")
def test_a_company_changes_its_symbol(serving: Serve):
    with serving() as exchange, exchange.client(exchange.new_account()) as client:
        change = {"kind": "symbol_change", "symbol": "FLAT", "new_symbol": "LEVL"}
        exchange.admin("POST", "/admin/corporate_actions", json=change | {"on": "2025-10-23"})
        client.post("/v2/orders", json=market(symbol="FLAT", quantity=3))
        exchange.advance_by(days=1)
        (position,) = client.get("/v2/positions").json()
        assert (position["symbol"], position["qty"]) == ("LEVL", "3")
        assert client.get("/v2/positions/FLAT").status_code == 404
        assert client.delete("/v2/positions/LEVL").status_code == 200


def test_only_the_token_opens_these_doors(exchange: Exchange):
    for path in ("/admin/state", "/admin/clock", "/admin/faults", "/admin/streams"):
        for headers in ({}, {"X-Admin-Token": "guess"}):
            answer = httpx2.get(exchange.url + path, headers=headers)
            assert (answer.status_code, answer.json()) == (401, {"message": "unauthorized."})
