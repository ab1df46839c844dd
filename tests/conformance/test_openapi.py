"""A walk over every documented endpoint that is served: each 2xx body is what Alpaca documents.

The walk is made from the application's own routes, so that no endpoint is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.conformance.answers import template_of
from tests.conformance.conftest import Serve
from tests.conformance.refusals import limit, market
from tests.conformance.served import Exchange
from tests.conformance.world import DAYS, at
from tools.conformance import endpoints

Call = Callable[[httpx2.Client], httpx2.Response]
YESTERDAY = f"start={DAYS[1]}T13:30:00Z&end={DAYS[1]}T13:45:00Z"
ALL = "symbols=WAVE,FLAT&feed=iex"
MINUTES = f"timeframe=5Min&{YESTERDAY}&feed=iex"
ORDER_KEYS = frozenset(
    {
        *("id", "client_order_id", "created_at", "updated_at", "submitted_at", "filled_at"),
        *("expired_at", "expires_at", "canceled_at", "failed_at", "replaced_at", "replaced_by"),
        *("replaces", "asset_id", "symbol", "asset_class", "notional", "qty", "filled_qty"),
        *("filled_avg_price", "order_class", "order_type", "type", "side", "position_intent"),
        *("time_in_force", "limit_price", "stop_price", "status", "extended_hours", "legs"),
        *("trail_percent", "trail_price", "hwm", "subtag", "source"),
    }
)


@pytest.fixture(scope="module")
def exchange(serving: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """An exchange where SPLT has split its shares the day before."""
    events = tmp_path_factory.mktemp("events") / "events.toml"
    events.write_text(
        '[[action]]\nkind = "split"\nsymbol = "SPLT"\nnew_rate = 2\nis_in_prices = true\n'
        f"on = {DAYS[1]}\n"
    )
    with serving("--events", events) as served:
        yield served


@pytest.fixture(scope="module")
def client(exchange: Exchange) -> Iterator[httpx2.Client]:
    """A client whose account has traded, holds something and has orders and a watchlist."""
    with exchange.client(exchange.new_account()) as client:
        post(client, market(quantity=10))
        post(client, market("sell", 4))
        post(client, far(client_order_id="resting"))
        post(client, far(time_in_force="gtc"))
        client.post("/v2/watchlists", json={"name": "seen", "symbols": ["WAVE"]})
        exchange.advance_by(minutes=2)
        yield client


def far(price: str = "0.1", **more: Any) -> dict[str, Any]:
    """An order that rests far from the market."""
    return limit(symbol="DIME", price=price, quantity=20, **more)


def post(client: httpx2.Client, order: Any) -> dict[str, Any]:
    answer = client.post("/v2/orders", json=order)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def resting_order(client: httpx2.Client) -> str:
    return str(post(client, far())["id"])


def watchlist(client: httpx2.Client, name: str = "w") -> str:
    client.delete("/v2/watchlists:by_name", params={"name": name})
    made = client.post("/v2/watchlists", json={"name": name, "symbols": ["FLAT"]})
    return str(made.json()["id"])


def get(path: str) -> Call:
    return lambda client: client.get(path)


def on_watchlist(method: str, path: str = "", body: Any = None) -> Call:
    return lambda c: c.request(method, f"/v2/watchlists/{watchlist(c)}{path}", json=body)


def on_named(method: str, body: Any = None) -> Call:
    def call(client: httpx2.Client) -> httpx2.Response:
        watchlist(client, "named")
        return client.request(method, "/v2/watchlists:by_name?name=named", json=body)

    return call


CALLS: dict[str, Call] = {
    "GET /v2/account": get("/v2/account"),
    "GET /v2/account/configurations": get("/v2/account/configurations"),
    "PATCH /v2/account/configurations": lambda c: c.patch(
        "/v2/account/configurations", json={"trade_confirm_email": "none", "pdt_check": None}
    ),
    "GET /v2/account/activities": get("/v2/account/activities?direction=asc"),
    "GET /v2/account/activities/{activity_type}": get("/v2/account/activities/FILL"),
    "GET /v2/account/portfolio/history": get("/v2/account/portfolio/history?period=1W"),
    "GET /v2/assets": get("/v2/assets?status=active"),
    "GET /v2/assets/{symbol_or_asset_id}": get("/v2/assets/WAVE"),
    "GET /v2/calendar": get("/v2/calendar?start=2025-10-01&end=2025-12-31"),
    "GET /v2/clock": get("/v2/clock"),
    "GET /v2/corporate_actions/announcements": get(
        "/v2/corporate_actions/announcements?ca_types=split&since=2025-10-01&until=2025-10-31"
    ),
    "GET /v2/corporate_actions/announcements/{id}": lambda c: c.get(
        f"/v2/corporate_actions/announcements/{announced(c)}"
    ),
    "GET /v2/orders": get("/v2/orders?status=all&nested=true&limit=500"),
    "POST /v2/orders": lambda c: c.post("/v2/orders", json=far()),
    "DELETE /v2/orders": lambda c: c.delete("/v2/orders"),
    "GET /v2/orders/{order_id}": lambda c: c.get(f"/v2/orders/{resting_order(c)}"),
    "PATCH /v2/orders/{order_id}": lambda c: c.patch(
        f"/v2/orders/{resting_order(c)}", json={"limit_price": "0.2"}
    ),
    "DELETE /v2/orders/{order_id}": lambda c: c.delete(f"/v2/orders/{resting_order(c)}"),
    "GET /v2/orders:by_client_order_id": get(
        "/v2/orders:by_client_order_id?client_order_id=resting"
    ),
    "GET /v2/positions": get("/v2/positions"),
    "GET /v2/positions/{symbol_or_asset_id}": get("/v2/positions/WAVE"),
    "DELETE /v2/positions/{symbol_or_asset_id}": lambda c: c.delete("/v2/positions/WAVE?qty=1"),
    "DELETE /v2/positions": lambda c: c.delete("/v2/positions?cancel_orders=true"),
    "GET /v2/watchlists": get("/v2/watchlists"),
    "POST /v2/watchlists": lambda c: c.post(
        "/v2/watchlists", json={"name": "posted", "symbols": ["WAVE"]}
    ),
    "GET /v2/watchlists/{watchlist_id}": on_watchlist("GET"),
    "PUT /v2/watchlists/{watchlist_id}": on_watchlist("PUT", body={"symbols": ["WAVE"]}),
    "POST /v2/watchlists/{watchlist_id}": on_watchlist("POST", body={"symbol": "WAVE"}),
    "DELETE /v2/watchlists/{watchlist_id}": on_watchlist("DELETE"),
    "DELETE /v2/watchlists/{watchlist_id}/{symbol}": on_watchlist("DELETE", "/FLAT"),
    "GET /v2/watchlists:by_name": on_named("GET"),
    "PUT /v2/watchlists:by_name": on_named("PUT", {"symbols": ["WAVE"]}),
    "POST /v2/watchlists:by_name": on_named("POST", {"symbol": "WAVE"}),
    "DELETE /v2/watchlists:by_name": on_named("DELETE"),
    "GET /v2/stocks/bars": get(f"/v2/stocks/bars?symbols=WAVE,FLAT&{MINUTES}&limit=3"),
    "GET /v2/stocks/trades": get(f"/v2/stocks/trades?{ALL}&{YESTERDAY}&limit=3"),
    "GET /v2/stocks/quotes": get(f"/v2/stocks/quotes?{ALL}&{YESTERDAY}&limit=3"),
    "GET /v2/stocks/auctions": get(
        f"/v2/stocks/auctions?symbols=WAVE&start={DAYS[0]}&end={DAYS[1]}"
    ),
    "GET /v2/stocks/bars/latest": get(f"/v2/stocks/bars/latest?{ALL}"),
    "GET /v2/stocks/trades/latest": get(f"/v2/stocks/trades/latest?{ALL}"),
    "GET /v2/stocks/quotes/latest": get(f"/v2/stocks/quotes/latest?{ALL}"),
    "GET /v2/stocks/snapshots": get(f"/v2/stocks/snapshots?{ALL}"),
    "GET /v2/stocks/{symbol}/bars": get(f"/v2/stocks/WAVE/bars?{MINUTES}"),
    "GET /v2/stocks/{symbol}/trades": get(f"/v2/stocks/WAVE/trades?{YESTERDAY}&feed=iex&limit=3"),
    "GET /v2/stocks/{symbol}/quotes": get(f"/v2/stocks/WAVE/quotes?{YESTERDAY}&feed=iex&limit=3"),
    "GET /v2/stocks/{symbol}/auctions": get(
        f"/v2/stocks/WAVE/auctions?start={DAYS[0]}&end={DAYS[1]}"
    ),
    "GET /v2/stocks/{symbol}/bars/latest": get("/v2/stocks/WAVE/bars/latest"),
    "GET /v2/stocks/{symbol}/trades/latest": get("/v2/stocks/WAVE/trades/latest"),
    "GET /v2/stocks/{symbol}/quotes/latest": get("/v2/stocks/WAVE/quotes/latest"),
    "GET /v2/stocks/{symbol}/snapshot": get("/v2/stocks/WAVE/snapshot"),
    "GET /v2/stocks/meta/exchanges": get("/v2/stocks/meta/exchanges"),
    "GET /v2/stocks/meta/conditions/{ticktype}": get("/v2/stocks/meta/conditions/trade?tape=A"),
    "GET /v1beta1/news": get("/v1beta1/news?include_content=true&limit=50"),
    "GET /v1beta1/screener/stocks/most-actives": get("/v1beta1/screener/stocks/most-actives"),
    "GET /v1beta1/screener/{market_type}/movers": get("/v1beta1/screener/stocks/movers"),
    "GET /v1/corporate-actions": get("/v1/corporate-actions?symbols=SPLT&start=2025-10-01"),
}


def announced(client: httpx2.Client) -> str:
    asked = "ca_types=split&since=2025-10-01&until=2025-10-31"
    (split,) = client.get(f"/v2/corporate_actions/announcements?{asked}").json()
    return str(split["id"])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.proves(name)) for name in CALLS]
)
def test_a_body_is_what_is_documented(exchange: Exchange, client: httpx2.Client, name: str):
    answer = CALLS[name](client)
    assert answer.is_success, answer.text
    exchange.answers.check()
    method, path = name.split(" ")
    found = template_of(method, answer.request.url.path)
    assert found is not None
    assert found[0] == path


def test_the_walk_leaves_nothing_out():
    """What is served and documented is walked; what is served beside it is known."""
    walked = {shape(name) for name in CALLS}
    beside = {name for name in endpoints() if shape(name) not in walked}
    is_ours = re.compile(r"WS |\w+ /admin/|GET /feeds/|GET /v2/events/trades$")
    assert {name for name in beside if not is_ours.match(name)} == set()


def shape(name: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", name)


def test_orders_have_exactly_the_keys_of_alpaca(client: httpx2.Client):
    simple = post(client, far())
    assert set(simple) == ORDER_KEYS
    bracket = market(
        symbol="FLAT",
        order_class="bracket",
        take_profit={"limit_price": 60},
        stop_loss={"stop_price": 40},
    )
    placed = post(client, bracket)
    assert set(placed) == ORDER_KEYS | {"group_id", "group_role"}
    assert [leg["legs"] for leg in placed["legs"]] == [None, None]
    assert placed["order_class"] == "bracket"
    assert simple["order_class"] == ""


def test_how_numbers_and_times_are_written(client: httpx2.Client):
    account = client.get("/v2/account").json()
    assert all(
        isinstance(account[name], str)
        for name in ("cash", "equity", "buying_power", "multiplier", "long_market_value", "sma")
    )
    assert not {"pattern_day_trader", "daytrade_count", "daytrading_buying_power"} & set(account)
    clock = client.get("/v2/clock")
    assert re.fullmatch(r"2025-10-22T\d\d:\d\d:\d\d(\.\d+)?-04:00", clock.json()["timestamp"])
    assert clock.headers["X-Replay-Speed"]
    order = client.get("/v2/orders?status=all&limit=1&direction=asc").json()[0]
    assert re.fullmatch(r"[^Z]+T[\d:.]+Z", order["submitted_at"])
    assert isinstance(order["qty"], str)
    bar = client.get("/v2/stocks/WAVE/bars/latest").json()["bar"]
    assert isinstance(bar["o"], float | int)
    day = client.get("/v2/calendar?start=2025-11-28&end=2025-11-28").json()[0]
    assert (day["open"], day["close"]) == ("09:30", "13:00")
    assert (day["session_open"], day["session_close"]) == ("0400", "1700")
    assert day["settlement_date"] == "2025-12-01"


@pytest.mark.proves("behaviour: a new order is told as pending_new, or accepted while closed")
def test_the_answer_to_a_new_order_comes_before_its_fill(client: httpx2.Client):
    placed = post(client, market(symbol="FLAT"))
    assert (placed["status"], placed["filled_qty"]) == ("pending_new", "0")
    assert client.get(f"/v2/orders/{placed['id']}").json()["status"] == "filled"


@pytest.mark.proves("GET /v2/orders")
def test_orders_before_and_after_another(client: httpx2.Client):
    ids = [post(client, far(f"0.1{n}"))["id"] for n in range(3)]

    def listed(**query: str) -> list[str]:
        found = client.get("/v2/orders", params={"symbols": "DIME", **query}).json()
        return [order["id"] for order in found]

    assert listed(after_order_id=ids[0]) == [ids[2], ids[1]]
    assert listed(before_order_id=ids[2])[:2] == [ids[1], ids[0]]


@pytest.mark.proves("GET /v2/account/activities")
def test_activities_are_named_by_the_time_in_new_york(client: httpx2.Client):
    fill = client.get("/v2/account/activities/FILL?direction=asc&page_size=1").json()[0]
    assert re.fullmatch(r"20251022\d{9}::[0-9a-f-]{36}", fill["id"])
    after = {"after": fill["transaction_time"], "direction": "asc"}
    later = client.get("/v2/account/activities/FILL", params=after).json()
    assert all(each["transaction_time"] > fill["transaction_time"] for each in later)
    assert client.get("/v2/account/activities?date=2025-10-21").json() == []


@pytest.mark.proves("behaviour: splits of shares between sessions", "GET /v1/corporate-actions")
def test_a_split_changes_shares_and_prices(serving: Serve):
    with serving(start=at(19, 58)) as exchange, exchange.client(exchange.new_account()) as client:
        split = {"kind": "split", "symbol": "SPLT", "on": str(DAYS[3]), "new_rate": 3}
        exchange.admin("POST", "/admin/corporate_actions", json=split)
        bought = post(client, market(symbol="SPLT", quantity=10))
        before = client.get("/v2/account").json()["equity"]
        exchange.advance(at(14, day=DAYS[3]))
        position = client.get("/v2/positions/SPLT").json()
        assert (position["qty"], position["current_price"]) == ("30", "10")
        paid = client.get(f"/v2/orders/{bought['id']}").json()["filled_avg_price"]
        assert abs(float(position["avg_entry_price"]) - float(paid) / 3) < 1e-6
        assert client.get("/v2/account").json()["equity"] == before
        (told,) = client.get("/v2/account/activities?category=non_trade_activity").json()
        assert (told["activity_type"], told["symbol"]) == ("SPLIT", "SPLT")
        actions = client.get(f"/v1/corporate-actions?symbols=SPLT&start={DAYS[3]}").json()
        assert actions["corporate_actions"]["forward_splits"][0]["new_rate"] == 3
