"""Bad input: whatever comes in, the exchange answers in Alpaca's way and its books stay balanced.

Requests are made from Alpaca's own OpenAPI documents, valid and invalid ones, and from orders that
are nearly right; what follows is checked after each request and at the end of each account's life.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.conformance.answers import check_envelope, template_of
from tests.conformance.conftest import Serve
from tests.conformance.refusals import market
from tests.conformance.served import Exchange, Keys
from tests.conformance.world import SYMBOLS, at
from tests.exchange.openapi import DATA, TRADING, document, validate

LIMIT_S = 20.0
SERVED = ("/v2/", "/v1beta1/news", "/v1beta1/screener", "/v1/corporate-actions")
ELSEWHERE = ("/v2/options", "/v2/tokenization", "/v2/wallets", "/exercise", "/do-not-exercise")
ENDED = {"filled", "canceled", "expired", "replaced", "rejected"}
FEW = settings(
    max_examples=6,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def exchange(serving: Serve) -> Iterator[Exchange]:
    with serving(start=at(14), partial_probability=0.3, seed=7) as served:
        yield served


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


def operations() -> list[tuple[str, str, str]]:
    """All documented operations of the parts of Alpaca that are served."""
    return [
        (name, path, method)
        for name in (TRADING, DATA)
        for path, methods in document(name)["paths"].items()
        for method in methods
        if method in {"get", "post", "put", "patch", "delete"}
        and path.startswith(SERVED)
        and not any(part in path for part in ELSEWHERE)
    ]


def check_answer(answer: requests.Response) -> None:
    """Raise unless an answer is one that Alpaca could have given."""
    assert answer.status_code < 500, answer.text
    path = requests.utils.unquote(requests.utils.urlparse(answer.url).path)
    if answer.status_code >= 400:
        check_envelope(answer.status_code, answer.content, answer.headers.get("content-type", ""))
        return
    found = template_of(str(answer.request.method), path)
    if found is not None:
        template, name = found
        body = answer.json() if answer.content else None
        validate(str(answer.request.method), template, answer.status_code, body, name)


def check_account(exchange: Exchange, keys: Keys) -> None:
    """An account can still close everything and trade, and its books are what its fills made."""
    with exchange.client(keys) as client:
        assert client.delete("/v2/orders").status_code == 207
        client.patch("/v2/account/configurations", json={"suspend_trade": False})
        check_books(client)
        exchange.advance_by(minutes=1)
        closed = client.delete("/v2/positions", params={"cancel_orders": "true"})
        assert closed.status_code == 207, closed.text
        assert {told["status"] for told in closed.json()} <= {200}, closed.text
        exchange.advance_by(minutes=2)
        assert client.get("/v2/positions").json() == []
        check_books(client)
        account = client.get("/v2/account").json()
        assert Decimal(account["initial_margin"]) == Decimal(account["maintenance_margin"]) == 0
        orders = client.get("/v2/orders", params={"status": "all", "limit": "500"}).json()
        assert {order["status"] for order in orders} <= ENDED
        bought = client.post("/v2/orders", json=market(symbol="FLAT"))
        assert bought.status_code == 200, bought.text
        exchange.advance_by(minutes=1)
        assert client.get(f"/v2/orders/{bought.json()['id']}").json()["status"] == "filled"
    exchange.answers.check()
    (books,) = [
        account
        for account in exchange.admin("GET", "/admin/state")["accounts"]
        if keys.key in account["keys"]
    ]
    assert (books["reserved"], books["open_orders"]) == ("0", 0)


def check_books(client: httpx2.Client) -> None:
    """Equity is cash and positions; cash and positions are what the fills left of the deposit."""
    account = client.get("/v2/account").json()
    positions = client.get("/v2/positions").json()
    values = sum((Decimal(position["market_value"]) for position in positions), Decimal(0))
    assert Decimal(account["equity"]) == Decimal(account["cash"]) + values
    cash, shares, cents = Decimal(100_000), Counter[str](), Decimal(0)
    for fill in all_fills(client):
        quantity, price = Decimal(fill["qty"]), Decimal(fill["price"])
        sign = 1 if fill["side"] == "buy" else -1
        cash -= sign * quantity * price
        shares[fill["symbol"]] += sign * quantity
        cents += Decimal("0.01") if quantity % 1 else 0  # parts of a share are paid to the cent
    assert abs(Decimal(account["cash"]) - cash) <= cents
    held = {position["symbol"]: Decimal(position["qty"]) for position in positions}
    assert held == {symbol: count for symbol, count in shares.items() if count}


def all_fills(client: httpx2.Client) -> Iterator[dict[str, str]]:
    query = {"direction": "asc", "page_size": "100"}
    while page := client.get("/v2/account/activities/FILL", params=query).json():
        yield from page
        query["page_token"] = page[-1]["id"]


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", [TRADING, DATA])
def test_requests_made_from_the_documents(
    exchange: Exchange, session: requests.Session, name: str, mode: GenerationMode
):
    keys = exchange.new_account()
    schema = schemathesis.openapi.from_dict(document(name))
    for at_document, path, method in operations():
        if at_document == name:
            cases = schema[path][method.upper()].as_strategy(generation_mode=mode)
            _call_all(cases, session, exchange, keys)
    check_account(exchange, keys)


def _call_all(cases: Any, session: requests.Session, exchange: Exchange, keys: Keys) -> None:
    @FEW
    @given(cases)
    def call(case: Any) -> None:
        kwargs = case.as_transport_kwargs(base_url=exchange.url, headers=keys.headers)
        check_answer(session.request(timeout=LIMIT_S, **kwargs))

    call()


numbers = st.one_of(
    st.decimals(0, 200, places=2).map(str),
    st.sampled_from(["99.5", "100", "100.5", "0.5", "50", "1", "10", "-1", "0", "1e3", "100.123"]),
    st.integers(-2, 1_000),
    st.floats(0, 300).map(lambda number: round(number, 3)),
)
maybe_number = st.none() | numbers
nearly_orders = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from([*SYMBOLS, "NOPE"]),
        "side": st.sampled_from(["buy", "sell"]),
        "type": st.sampled_from(["market", "limit", "stop", "stop_limit", "trailing_stop"]),
        "time_in_force": st.sampled_from(["day", "gtc", "ioc", "fok", "opg", "cls"]),
        "qty": st.integers(1, 20) | maybe_number,
    },
    optional={
        "notional": maybe_number,
        "limit_price": maybe_number,
        "stop_price": maybe_number,
        "trail_price": maybe_number,
        "trail_percent": maybe_number,
        "extended_hours": st.booleans(),
        "client_order_id": st.sampled_from(["a", "b", "c"]) | st.text(max_size=130),
        "order_class": st.sampled_from(["", "simple", "bracket", "oco", "oto"]),
        "take_profit": st.none() | st.fixed_dictionaries({"limit_price": maybe_number}),
        "stop_loss": st.none()
        | st.fixed_dictionaries({"stop_price": maybe_number}, optional={"limit_price": numbers}),
        "position_intent": st.sampled_from(["buy_to_open", "sell_to_close"]),
    },
)
sensible_orders = st.one_of(
    st.builds(
        lambda symbol, side, kind, quantity, limit, stop: {
            "symbol": symbol,
            "side": side,
            "type": kind,
            "time_in_force": "day",
            "qty": quantity,
            **({"limit_price": limit} if "limit" in kind else {}),
            **({"stop_price": stop} if "stop" in kind else {}),
        },
        st.sampled_from(["WAVE", "FLAT"]),
        st.sampled_from(["buy", "sell"]),
        st.sampled_from(["market", "limit", "stop", "stop_limit"]),
        st.integers(1, 50),
        st.integers(98, 102),
        st.integers(98, 102),
    ),
    st.builds(
        lambda kind, target, stop, quantity: {
            "symbol": "WAVE",
            "side": "sell" if kind == "oco" else "buy",
            "type": "limit" if kind == "oco" else "market",
            "time_in_force": "gtc",
            "qty": quantity,
            "order_class": kind,
            "take_profit": {"limit_price": f"{target / 100}"},
            "stop_loss": {"stop_price": f"{stop / 100}"},
        },
        st.sampled_from(["bracket", "oco"]),
        st.integers(10_001, 10_200),
        st.integers(9_800, 9_999),
        st.integers(1, 20),
    ),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("order"), sensible_orders),
        st.tuples(st.just("order"), nearly_orders),
        st.tuples(
            st.just("replace"),
            st.integers(0, 5),
            st.dictionaries(
                st.sampled_from(["qty", "limit_price", "stop_price", "trail", "time_in_force"]),
                numbers | st.just("gtc"),
            ),
        ),
        st.tuples(st.just("cancel"), st.integers(0, 5)),
        st.tuples(st.just("close"), st.sampled_from(SYMBOLS)),
        st.tuples(st.just("advance"), st.integers(1, 40)),
    ),
    min_size=5,
    max_size=25,
)


def test_orders_that_are_nearly_right(exchange: Exchange, session: requests.Session):
    @settings(FEW, max_examples=25)
    @given(steps)
    def live(lived: list[Any]) -> None:
        keys = exchange.new_account()
        for what, *arguments in lived:
            _DO[what](exchange, session, keys, *arguments)
        check_account(exchange, keys)

    live()


def _ask(
    exchange: Exchange, session: requests.Session, keys: Keys, method: str, path: str, **more: Any
) -> requests.Response:
    answer = session.request(
        method, exchange.url + path, headers=keys.headers, timeout=LIMIT_S, **more
    )
    check_answer(answer)
    return answer


def _order(exchange: Exchange, session: requests.Session, keys: Keys, body: Any) -> None:
    _ask(exchange, session, keys, "POST", "/v2/orders", json=body)


def _known(exchange: Exchange, session: requests.Session, keys: Keys, place: int) -> str:
    query = {"status": "all", "limit": "50"}
    found = _ask(exchange, session, keys, "GET", "/v2/orders", params=query).json()
    return f"/v2/orders/{found[place % len(found)]['id']}" if found else "/v2/orders/none"


def _replace(
    exchange: Exchange, session: requests.Session, keys: Keys, place: int, changes: Any
) -> None:
    path = _known(exchange, session, keys, place)
    _ask(exchange, session, keys, "PATCH", path, json=changes)


def _cancel(exchange: Exchange, session: requests.Session, keys: Keys, place: int) -> None:
    _ask(exchange, session, keys, "DELETE", _known(exchange, session, keys, place))


def _close(exchange: Exchange, session: requests.Session, keys: Keys, symbol: str) -> None:
    _ask(exchange, session, keys, "DELETE", f"/v2/positions/{symbol}")


def _advance(exchange: Exchange, _: Any, __: Any, seconds: int) -> None:
    exchange.advance_by(seconds=seconds)


_DO = {
    "order": _order,
    "replace": _replace,
    "cancel": _cancel,
    "close": _close,
    "advance": _advance,
}

WRITING = [
    ("POST", "/v2/orders"),
    ("PATCH", "/v2/orders/{id}"),
    ("PATCH", "/v2/account/configurations"),
    ("POST", "/v2/watchlists"),
    ("PUT", "/v2/watchlists:by_name?name=x"),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(("method", "path"), WRITING)
def test_bodies_that_are_anything(
    exchange: Exchange, session: requests.Session, method: str, path: str
):
    keys = exchange.new_account()
    path = path.replace("{id}", _known(exchange, session, keys, 0).rsplit("/", 1)[-1])

    @settings(FEW, max_examples=25)
    @given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
    def send(body: bytes) -> None:
        _ask(exchange, session, keys, method, path, data=body)

    send()
    check_account(exchange, keys)
