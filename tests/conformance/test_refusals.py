"""Bad input: every refusal has Alpaca's own status, code and message, and changes nothing."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.conformance.conftest import Serve
from tests.conformance.refusals import (
    FIELD,
    FORBIDDEN,
    RULE,
    Refusal,
    all_refusals,
    limit,
    market,
)
from tests.conformance.served import Exchange, Keys
from tests.conformance.world import DAYS, at


def proof(status: int, code: int | None, message: str) -> Any:
    return pytest.mark.proves(refusal=(status, code, message))


def cases() -> list[Any]:
    return [
        pytest.param(case, id=case.name, marks=proof(*case.answer, case.message))
        for case in all_refusals()
    ]


@pytest.fixture
def client(exchange: Exchange, keys: Keys) -> Any:
    with exchange.client(keys) as client:
        yield client


@pytest.mark.parametrize("case", cases())
def test_refused(client: httpx2.Client, case: Refusal):
    place(client, market(quantity=10))
    ids = [place(client, order) for order in case.given]
    before = books(client)
    method, path = (_filled(part, ids) for part in case.ask.split(" ", 1))
    body = {} if case.body is None else {"json": case.body}
    answer = client.request(method, path, **body)
    told = answer.json()
    assert (answer.status_code, told.get("code")) == case.answer, told
    assert told["message"] == _filled(case.message, ids)
    assert set(told) == {"code", "message", *case.context} - ({"code"} - set(told))
    for name, value in case.context.items():
        assert value is None or told[name] == _filled(value, ids), name
    assert books(client) == before


def place(client: httpx2.Client, order: Any) -> str:
    answer = client.post("/v2/orders", json=order)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def _filled(text: Any, ids: list[str]) -> Any:
    if isinstance(text, list):
        return [_filled(part, ids) for part in text]
    for number, order_id in enumerate(ids):
        text = text.replace(f"{{{number}}}", order_id)
    return text


def books(client: httpx2.Client) -> Any:
    """What must not change: money, positions, orders."""
    account = client.get("/v2/account").json()
    orders = client.get("/v2/orders", params={"status": "all", "limit": "500"}).json()
    return account["cash"], account["buying_power"], client.get("/v2/positions").json(), orders


@proof(401, None, "unauthorized.")
@pytest.mark.parametrize(
    "headers",
    [
        {"APCA-API-KEY-ID": "PKSTRANGER", "APCA-API-SECRET-KEY": "wrong"},
        {"Authorization": "Bearer stranger"},
        {"Authorization": "Basic c3RyYW5nZXI6d3Jvbmc="},
    ],
)
def test_a_wrong_key(exchange: Exchange, headers: dict[str, str]):
    answer = httpx2.get(f"{exchange.url}/v2/account", headers=headers)
    assert (answer.status_code, answer.content) == (401, b'{"message":"unauthorized."}\n')
    assert httpx2.get(f"{exchange.url}/v2/stocks/bars", headers=headers).status_code == 403


def test_no_key_meets_the_gateway(exchange: Exchange):
    answer = httpx2.get(f"{exchange.url}/v2/account")
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert "nginx" in answer.text


def test_other_ways_to_sign_in(exchange: Exchange, keys: Keys):
    basic = httpx2.BasicAuth(keys.key, keys.secret)
    assert httpx2.get(f"{exchange.url}/v2/account", auth=basic).status_code == 200
    bearer = {"Authorization": f"Bearer {keys.secret}"}
    assert httpx2.get(f"{exchange.url}/v2/account", headers=bearer).status_code == 200


@proof(404, 40410000, "endpoint not found")
@proof(405, 40510000, "method not allowed")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/v2/account/", 404),
        ("POST", "/v2/account", 405),
        ("PUT", "/v2/orders", 405),
    ],
)
def test_unknown_routes_and_methods(client: httpx2.Client, method: str, path: str, status: int):
    answer = client.request(method, path)
    text = {404: "endpoint not found", 405: "method not allowed"}[status]
    assert (answer.status_code, answer.json()["message"]) == (status, text)


def test_a_body_that_is_too_large(client: httpx2.Client):
    answer = client.post("/v2/orders", content=b" " * (1024 * 1024 + 1))
    assert answer.status_code == 413


@proof(400, 40010000, "request body format is invalid")
@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null", b"\xff\xfe", b'{"qty": NaN}'])
def test_bodies_that_are_no_object(client: httpx2.Client, body: bytes):
    answer = client.post("/v2/orders", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, 40010000)
    assert answer.json()["message"] == "request body format is invalid"


def test_slashes_and_spellings_are_forgiven(client: httpx2.Client):
    assert client.get(f"{client.base_url}/v2//account").status_code == 200
    bought = client.post("/v2/orders", json=market(quantity=2.0))
    assert bought.json()["qty"] == "2"
    flags = {"nested": "True", "status": "ALL"}
    assert len(client.get("/v2/orders", params=flags).json()) == 1


@proof(*FORBIDDEN, "new orders are rejected by user request")
def test_a_suspended_account(client: httpx2.Client):
    client.patch("/v2/account/configurations", json={"suspend_trade": True})
    refused(client, market(), 403, 40310000, "new orders are rejected by user request")


@proof(*FORBIDDEN, "fractional trading is disabled for this account")
def test_fractions_switched_off(client: httpx2.Client):
    client.patch("/v2/account/configurations", json={"fractional_trading": False})
    message = "fractional trading is disabled for this account"
    refused(client, market(quantity="0.5"), 403, 40310000, message)


@proof(*FORBIDDEN, "account is not allowed to short")
def test_shorting_switched_off(client: httpx2.Client):
    client.patch("/v2/account/configurations", json={"no_shorting": True})
    refused(client, market("sell"), 403, 40310000, "account is not allowed to short")


@proof(*FORBIDDEN, "account is not allowed to short")
def test_a_poor_account_does_not_short(exchange: Exchange):
    with exchange.client(exchange.new_account(cash=1999)) as client:
        refused(client, market("sell"), 403, 40310000, "account is not allowed to short")


def refused(client: httpx2.Client, order: Any, status: int, code: int, message: str) -> None:
    answer = client.post("/v2/orders", json=order)
    told = answer.json()
    assert (answer.status_code, told["code"], told["message"]) == (status, code, message)


@proof(422, 40010001, "watchlist name must be unique")
@proof(422, 40010001, "duplicate symbol WAVE")
@proof(404, 40410000, "symbol not found: FLAT")
def test_watchlists_with_doubles(client: httpx2.Client):
    made = client.post("/v2/watchlists", json={"name": "w", "symbols": ["WAVE"]}).json()
    again = client.post("/v2/watchlists", json={"name": "w"})
    assert again.json()["message"] == "watchlist name must be unique"
    path = f"/v2/watchlists/{made['id']}"
    doubled = client.post(path, json={"symbol": "WAVE"})
    assert doubled.json() == {"code": 40010001, "message": "duplicate symbol WAVE"}
    gone = client.delete(f"{path}/FLAT")
    assert gone.json() == {"code": 40410000, "message": "symbol not found: FLAT"}


@proof(422, 42210000, "unable to replace order, order was triggered")
def test_a_triggered_stop_does_not_move(exchange: Exchange, client: httpx2.Client):
    place(client, market(quantity=10))
    order = limit("sell", 105, type="stop_limit", stop_price="99.5")
    order_id = place(client, order)
    exchange.advance_by(minutes=1)
    answer = client.patch(f"/v2/orders/{order_id}", json={"stop_price": 98})
    assert answer.json()["message"] == "unable to replace order, order was triggered"


@proof(*FORBIDDEN, "opg orders must be submitted after 7:00pm and before 9:28am")
def test_too_late_for_the_opening_auction(client: httpx2.Client):
    message = "opg orders must be submitted after 7:00pm and before 9:28am"
    refused(client, market(time_in_force="opg"), 403, 40310000, message)


@proof(*FORBIDDEN, "cls orders must be submitted after 7:00pm and before 3:55pm")
def test_too_late_for_the_closing_auction(serving: Serve):
    with serving(start=at(19, 56)) as exchange, exchange.client(exchange.new_account()) as client:
        message = "cls orders must be submitted after 7:00pm and before 3:55pm"
        refused(client, market(time_in_force="cls"), 403, 40310000, message)


@proof(429, 42910000, "rate limit exceeded")
@proof(429, None, "too many requests.")
def test_too_many_requests(serving: Serve):
    with (
        serving(rate_limit_per_min=3) as exchange,
        exchange.client(exchange.new_account()) as client,
    ):
        answers = [client.get("/v2/account") for _ in range(8)]
        assert [answer.status_code for answer in answers][-1] == 429
        assert answers[-1].json() == {"code": 42910000, "message": "rate limit exceeded"}
        assert answers[-1].headers["X-RateLimit-Limit"] == "3"
        assert answers[-1].headers["X-RateLimit-Remaining"] == "0"
        assert int(answers[-1].headers["X-RateLimit-Reset"]) > 0
        news = client.get("/v1beta1/news")
        assert (news.status_code, news.json()) == (429, {"message": "too many requests."})


@proof(422, 40010001, "client_order_id must be unique")
def test_client_ids_may_return_where_only_active_ones_count(serving: Serve):
    with (
        serving(client_id_scope="active_only") as exchange,
        exchange.client(exchange.new_account()) as client,
    ):
        for _ in range(2):
            place(client, market(client_order_id="again"))
        place(client, limit(client_order_id="rest"))
        message = "client_order_id must be unique"
        refused(client, limit(client_order_id="rest"), 422, 40010001, message)


@proof(*FORBIDDEN, "account is restricted to liquidation only")
def test_a_position_beyond_six_times_the_equity_can_only_be_closed(serving: Serve):
    with serving() as exchange, exchange.client(exchange.new_account(cash=2100)) as client:
        place(client, market("sell", symbol="TREND", quantity=200))
        exchange.advance_by(minutes=28)  # TREND goes from 40 to 45.60
        assert float(client.get("/v2/account").json()["equity"]) < 200 * 45.6 / 6
        message = "account is restricted to liquidation only"
        refused(client, market(symbol="FLAT"), 403, 40310000, message)
        place(client, market("buy", symbol="TREND", quantity=200))


@proof(422, 42210000, "no price is known for FLAT")
def test_before_the_first_price(serving: Serve):
    with (
        serving(start=at(12, day=DAYS[0])) as exchange,
        exchange.client(exchange.new_account()) as client,
    ):
        refused(client, market(symbol="FLAT"), 422, 42210000, "no price is known for FLAT")


@proof(*FORBIDDEN, "insufficient day trading buying power")
@proof(403, 40310100, "trade denied due to pattern day trading protection")
def test_the_day_trading_rule_that_ended_in_2026(serving: Serve):
    with (
        serving(pdt_mode="legacy") as exchange,
        exchange.client(exchange.new_account(cash=20_000)) as client,
    ):
        for _ in range(3):
            place(client, market())
            place(client, market("sell"))
        place(client, market())
        message = "trade denied due to pattern day trading protection"
        refused(client, market("sell"), 403, 40310100, message)
        with exchange.client(exchange.new_account(cash=25_100)) as richer:
            place(richer, market("sell", symbol="TREND", quantity=100))
            for _ in range(4):
                place(richer, market())
                place(richer, market("sell"))
            exchange.advance_by(minutes=15)  # TREND goes from 40 to 43
            message = "insufficient day trading buying power"
            refused(richer, market(), 403, 40310000, message)


@proof(*RULE, 'asset "WAVE" cannot be sold short')
@proof(*RULE, "only day orders are allowed for hard-to-borrow asset WAVE")
@proof(*RULE, "asset WAVE is not tradable")
@proof(*FIELD, "asset WAVE is not active")
@proof(*FORBIDDEN, 'asset "WAVE" is not fractionable')
@pytest.mark.proves("POST /admin/assets")
def test_what_an_asset_does_not_allow(serving: Serve):
    with serving() as exchange, exchange.client(exchange.new_account()) as client:

        def allow(**changes: Any) -> None:
            exchange.admin("POST", "/admin/assets", json={"symbol": "WAVE", **changes})

        allow(fractionable=False)
        unfit = 'asset "WAVE" is not fractionable'
        refused(client, market(quantity="0.5"), 403, 40310000, unfit)
        allow(easy_to_borrow=False)
        a_day = "only day orders are allowed for hard-to-borrow asset WAVE"
        refused(client, market("sell", time_in_force="gtc"), 422, 42210000, a_day)
        allow(shortable=False)
        no_short = 'asset "WAVE" cannot be sold short'
        refused(client, market("sell"), 422, 42210000, no_short)
        allow(tradable=False)
        refused(client, market(), 422, 42210000, "asset WAVE is not tradable")
        allow(status="inactive")
        refused(client, market(), 422, 40010001, "asset WAVE is not active")
        assert client.get("/v2/assets/WAVE").json()["status"] == "inactive"
