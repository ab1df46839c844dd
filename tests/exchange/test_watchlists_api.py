from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.exchange.desk import Desk

NOBODY = "904837e3-3b76-47ec-b432-046db621571b"


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


def make(desk: Desk, name: str, *symbols: str) -> dict[str, Any]:
    reply = desk.ask("POST", "/v2/watchlists", json={"name": name, "symbols": list(symbols)})
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


def names(watchlist: dict[str, Any]) -> list[str]:
    return [asset["symbol"] for asset in watchlist["assets"]]


def test_a_watchlist_from_first_to_last(desk: Desk) -> None:
    made = make(desk, "Tech", "AAPL", "MSFT")
    assert names(made) == ["AAPL", "MSFT"]
    assert made["account_id"] == desk.get("/v2/account")["id"]
    at = f"/v2/watchlists/{made['id']}"
    assert desk.get(at) == made
    listed = desk.get("/v2/watchlists")
    assert listed == [{key: value for key, value in made.items() if key != "assets"}]
    assert names(desk.ask("POST", at, json={"symbol": "SPY"}).json()) == ["AAPL", "MSFT", "SPY"]
    assert names(desk.ask("DELETE", f"{at}/MSFT").json()) == ["AAPL", "SPY"]
    changed = desk.ask("PUT", at, json={"name": "Funds", "symbols": ["SPY"]}).json()
    assert (changed["name"], names(changed)) == ("Funds", ["SPY"])
    assert desk.ask("PUT", at, json={"name": "Other"}).json()["name"] == "Other"
    assert desk.ask("DELETE", at).status_code == 204
    assert desk.ask("GET", at).status_code == 404
    assert desk.get("/v2/watchlists") == []


def test_the_same_by_name(desk: Desk) -> None:
    made = make(desk, "My list", "AAPL")
    at, asked = "/v2/watchlists:by_name", {"name": "My list"}
    assert desk.get(at, **asked) == made
    more = desk.ask("POST", at, params=asked, json={"symbol": "SPY"}).json()
    assert names(more) == ["AAPL", "SPY"]
    changed = desk.ask("PUT", at, params=asked, json={"symbols": ["MSFT"]}).json()
    assert (names(changed), changed["name"]) == (["MSFT"], "My list")
    assert desk.ask("DELETE", at, params=asked).status_code == 204
    assert desk.ask("GET", at, params=asked).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v2/watchlists", {"name": ""}, 422),
        ("POST", "/v2/watchlists", {"name": "x" * 65}, 422),
        ("POST", "/v2/watchlists", {"name": "taken"}, 422),
        ("POST", "/v2/watchlists", {"name": "n", "symbols": ["NONE"]}, 404),
        ("POST", "/v2/watchlists", {"name": "n", "symbols": "AAPL"}, 400),
        ("POST", "/v2/watchlists", {"name": 7}, 400),
        ("GET", "/v2/watchlists/x", None, 422),
        ("GET", f"/v2/watchlists/{NOBODY}", None, 404),
        ("DELETE", f"/v2/watchlists/{NOBODY}/AAPL", None, 404),
        ("GET", "/v2/watchlists:by_name", None, 422),
        ("GET", "/v2/watchlists:by_name?name=none", None, 404),
        ("POST", "/v2/watchlists:by_name?name=taken", {"symbol": "AAPL"}, 422),
        ("POST", "/v2/watchlists:by_name?name=taken", {}, 422),
    ],
)
def test_wrong_requests(
    desk: Desk, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    make(desk, "taken", "AAPL")
    reply = desk.ask(method, path, json=body)
    assert reply.status_code == status
    assert reply.json()["message"]
    assert len(desk.get("/v2/watchlists")) == 1
