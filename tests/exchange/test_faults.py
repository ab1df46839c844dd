"""Every kind of fault is seen to happen, as often as it says, and again for the same seed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.exchange.fault_rules import read_rules, rules_from
from catalyst_bot.exchange.faults import FaultBook
from tests.exchange.stream_server import NOW, Client, Served, client, streams, trade, trade_update

Rules = Sequence[dict[str, Any]]
AUTH = {"action": "auth", "key": "KEY1", "secret": "secret1"}
LISTEN = {"action": "listen", "data": {"streams": ["trade_updates"]}}


class Shop:
    """A route whose effects can be counted."""

    def __init__(self) -> None:
        self.sold: list[str] = []

    async def sell(self, request: Request) -> Response:
        self.sold.append((await request.body()).decode())
        return JSONResponse({"sold": "x" * 500})

    @property
    def routes(self) -> list[Route]:
        return [Route("/v2/orders", self.sell, methods=["POST", "GET"]), *self.admin]

    @property
    def admin(self) -> list[Route]:
        return [Route("/admin/faults", self.sell, methods=["POST"])]


async def buys(
    rules: Rules, count: int = 1, *, seed: int = 1, path: str = "/v2/orders"
) -> tuple[list[httpx.Response | str], Shop, FaultBook]:
    """Post some orders under fault rules; return answers or the names of errors."""
    shop, answers = Shop(), []
    async with (
        streams(rules=rules, seed=seed, routes=shop.routes) as served,
        httpx.AsyncClient(timeout=0.5) as http,
    ):
        for number in range(count):
            try:
                answers.append(await http.post(served.http(path), content=f"{number}"))
            except httpx.TransportError as error:
                answers.append(type(error).__name__)
    return answers, shop, served.faults


def statuses(answers: list[httpx.Response | str]) -> list[int | str]:
    return [answer if isinstance(answer, str) else answer.status_code for answer in answers]


async def test_429_with_headers() -> None:
    headers = {"X-RateLimit-Remaining": "0", "Retry-After": "1"}
    body = {"code": 42910000, "message": "rate limit exceeded"}
    action = {"status": 429, "headers": headers, "body": body}
    answers, shop, _ = await buys([{"action": action, "when": {"nth": 2}}], 3)
    assert statuses(answers) == [200, 429, 200]
    refused = answers[1]
    assert isinstance(refused, httpx.Response)
    assert (refused.headers["retry-after"], refused.json()) == ("1", body)
    assert shop.sold == ["0", "2"]


async def test_429_without_headers() -> None:
    answers, _, _ = await buys([{"action": {"status": 429}}])
    refused = answers[0]
    assert isinstance(refused, httpx.Response)
    assert (refused.status_code, refused.content) == (429, b"")
    assert not [name for name in refused.headers if "rate" in name or "retry" in name]


async def test_a_gateway_s_html() -> None:
    page = "<html><h1>502 Bad Gateway</h1></html>"
    answers, shop, _ = await buys([{"action": {"status": 502, "html": page}}])
    refused = answers[0]
    assert isinstance(refused, httpx.Response)
    assert refused.headers["content-type"].startswith("text/html")
    assert refused.text == page
    assert shop.sold == []


async def test_an_error_after_the_order_was_taken() -> None:
    answers, shop, _ = await buys([{"action": {"status": 504, "stage": "after"}}])
    assert statuses(answers) == [504]
    assert shop.sold == ["0"]


@pytest.mark.parametrize(("stage", "sold"), [("before", []), ("after", ["0"])])
async def test_hanging(stage: str, sold: list[str]) -> None:
    answers, shop, _ = await buys([{"action": {"hang": True, "stage": stage}}])
    assert statuses(answers) == ["ReadTimeout"]
    assert shop.sold == sold


@pytest.mark.parametrize(("stage", "sold"), [("before", []), ("after", ["0"])])
async def test_a_reset_connection(stage: str, sold: list[str]) -> None:
    answers, shop, _ = await buys([{"action": {"reset": True, "stage": stage}}])
    assert statuses(answers) == ["ReadError"]
    assert shop.sold == sold


async def test_a_body_cut_short() -> None:
    answers, shop, _ = await buys([{"action": {"cut_body_at": 10}}])
    assert statuses(answers) == ["RemoteProtocolError"]
    assert shop.sold == ["0"]


async def test_a_slow_body_arrives_whole_for_whoever_can_wait() -> None:
    answers, _, _ = await buys([{"action": {"slow_body_bytes_per_s": 2_000}}])
    answer = answers[0]
    assert isinstance(answer, httpx.Response)
    assert answer.json() == {"sold": "x" * 500}


async def test_a_very_slow_body_outlasts_patience() -> None:
    answers, shop, _ = await buys([{"action": {"slow_body_bytes_per_s": 1}}])
    assert statuses(answers) == ["ReadTimeout"]
    assert shop.sold == ["0"]


@pytest.mark.parametrize(("stage", "sold"), [("before", []), ("after", ["0"])])
async def test_a_delay_longer_than_patience(stage: str, sold: list[str]) -> None:
    answers, shop, _ = await buys([{"action": {"delay_s": 60, "stage": stage}}])
    assert statuses(answers) == ["ReadTimeout"]
    assert shop.sold == sold


async def test_a_short_delay_changes_nothing_else() -> None:
    answers, shop, _ = await buys([{"action": {"delay_s": 0.01}}])
    assert statuses(answers) == [200]
    assert shop.sold == ["0"]


async def test_only_what_matches_is_hit() -> None:
    rules = [
        {"match": {"method": "GET"}, "action": {"status": 500}},
        {"match": {"path": "^/v2/positions"}, "action": {"status": 501}},
        {"match": {"method": "post", "path": "^/v2/ord"}, "action": {"status": 502}},
    ]
    answers, _, faults = await buys(rules, 2)
    assert statuses(answers) == [502, 502]
    assert [(rule["matched"], rule["fired"]) for rule in faults.listing()] == [
        (0, 0),
        (0, 0),
        (2, 2),
    ]


async def test_faults_cannot_keep_anybody_from_lifting_them() -> None:
    answers, _, _ = await buys([{"action": {"status": 500}}], path="/admin/faults")
    assert statuses(answers) == [200]


async def test_every_nth_most_often() -> None:
    rules = [{"action": {"status": 503}, "when": {"every": 2, "times": 2}}]
    answers, _, faults = await buys(rules, 7)
    assert statuses(answers) == [200, 503, 200, 503, 200, 200, 200]
    assert faults.listing()[0]["fired"] == 2


async def test_the_first_rule_that_fires_wins_and_is_the_one_counted() -> None:
    rules = [
        {"name": "first", "action": {"status": 503}, "when": {"nth": [2, 3]}},
        {"name": "second", "action": {"status": 504}},
    ]
    answers, _, faults = await buys(rules, 3)
    assert statuses(answers) == [504, 503, 503]
    counted = {rule["name"]: (rule["matched"], rule["fired"]) for rule in faults.listing()}
    assert counted == {"first": (3, 2), "second": (3, 1)}


async def test_chance_is_the_seed_s() -> None:
    rules = [{"action": {"status": 503}, "when": {"probability": 0.3}}]
    first = statuses((await buys(rules, 60, seed=7))[0])
    assert statuses((await buys(rules, 60, seed=7))[0]) == first
    assert statuses((await buys(rules, 60, seed=8))[0]) != first
    assert 8 <= first.count(503) <= 28


def test_a_window_of_time_is_the_exchange_s_clock_and_outside_nothing_counts() -> None:
    now = [NOW]
    book = FaultBook(seed=1, now=lambda: now[0])
    later = NOW + timedelta(minutes=1)
    when = {"after": later.isoformat(), "until": (later + timedelta(minutes=1)).isoformat()}
    book.add(rules_from({"rule": [{"action": {"status": 500}, "when": when}]}, "test"))
    hits = []
    for minute in range(4):
        now[0] = NOW + timedelta(minutes=minute)
        hits.append(book.of_request("GET", "/v2/account") is not None)
    assert hits == [False, True, False, False]
    assert book.listing()[0]["matched"] == 1


async def test_a_handshake_suffers_http_faults_too() -> None:
    rules = [{"match": {"path": "^/stream$"}, "action": {"status": 503}, "when": {"nth": 1}}]
    async with streams(rules=rules) as served:
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.ws("/stream"))
        assert refused.value.response.status_code == 503
        async with client(served.ws("/stream")) as caller:
            await caller.ask(AUTH)


async def test_a_handshake_can_be_reset() -> None:
    rules = [{"match": {"path": "^/stream$"}, "action": {"reset": True}}]
    async with streams(rules=rules) as served:
        with pytest.raises(InvalidMessage) as broken:
            await connect(served.ws("/stream"))
        assert isinstance(broken.value.__cause__, EOFError)


async def listening(caller: Client) -> None:
    await caller.ask(AUTH)
    await caller.ask(LISTEN)


async def heard(rules: Rules, count: int = 6, *, most: int = 12, seed: int = 1) -> list[int]:
    """Publish some fills under fault rules and return the numbers that arrive within a while."""
    numbers: list[int] = []
    async with streams(rules=rules, seed=seed) as served, client(served.ws("/stream")) as caller:
        await listening(caller)
        for number in range(count):
            served.hub.trading.publish("account-1", trade_update(number))
        served.hub.trading.publish("account-1", trade_update(99, event="last"))
        while len(numbers) < most and (not numbers or numbers[-1] != 99):
            numbers.append(int((await caller.hear())["data"]["event_id"].split("-")[1]))
    return numbers[:-1]


def of_trading(action: dict[str, Any], **when: Any) -> Rules:
    return [{"stream": "trading", "match": {"event": "fill"}, "action": action, "when": when}]


async def test_a_dropped_event() -> None:
    assert await heard(of_trading({"drop": True}, nth=[2, 5])) == [0, 2, 3, 5]


async def test_a_duplicated_event() -> None:
    assert await heard(of_trading({"duplicate": True}, nth=1), 3) == [0, 0, 1, 2]


async def test_a_reordered_event_comes_after_its_successor() -> None:
    assert await heard(of_trading({"reorder": True}, nth=2), 4) == [0, 2, 1, 3]


async def test_a_reordered_event_without_successor_comes_alone() -> None:
    rules = of_trading({"reorder": True})
    async with streams(rules=rules) as served, client(served.ws("/stream")) as caller:
        await listening(caller)
        served.hub.trading.publish("account-1", trade_update(1))
        assert (await caller.hear())["data"]["event_id"] == "event-1"


async def test_a_late_event() -> None:
    rules = of_trading({"delay_s": 0.05}, nth=1)
    async with streams(rules=rules) as served, client(served.ws("/stream")) as caller:
        await listening(caller)
        for number in range(3):
            served.hub.trading.publish("account-1", trade_update(number))
        numbers = [(await caller.hear())["data"]["event_id"] for _ in range(3)]
        assert numbers == ["event-1", "event-2", "event-0"]


async def test_events_of_a_symbol() -> None:
    rules = [{"stream": "trading", "match": {"symbol": ["MSFT"]}, "action": {"drop": True}}]
    async with streams(rules=rules) as served, client(served.ws("/stream")) as caller:
        await listening(caller)
        served.hub.trading.publish("account-1", trade_update(1, symbol="MSFT"))
        served.hub.trading.publish("account-1", trade_update(2))
        assert (await caller.hear())["data"]["event_id"] == "event-2"


async def test_chance_on_a_stream_is_the_seed_s() -> None:
    rules = of_trading({"drop": True}, probability=0.5)
    first = await heard(rules, 30, most=99, seed=3)
    assert await heard(rules, 30, most=99, seed=3) == first
    assert await heard(rules, 30, most=99, seed=4) != first


async def silent(served: Served, caller: Client) -> bool:
    """Whether a socket stays open and says nothing, not even an answer."""
    await caller.say(LISTEN)
    pong = await caller.socket.ping()
    await asyncio.wait_for(pong, 5)  # what had to be said before it has been said now
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(caller.socket.recv(), 0.05)
    return True


async def test_a_mute_socket_stays_open() -> None:
    rules = of_trading({"mute": True}, nth=2)
    async with streams(rules=rules) as served, client(served.ws("/stream")) as caller:
        await listening(caller)
        for number in range(3):
            served.hub.trading.publish("account-1", trade_update(number))
        assert (await caller.hear())["data"]["event_id"] == "event-0"
        assert await silent(served, caller)


async def test_a_socket_mute_from_its_first_moment() -> None:
    rules = [{"stream": "trading", "match": {"on": "connect"}, "action": {"mute": True}}]
    async with streams(rules=rules) as served, client(served.ws("/stream")) as caller:
        await caller.say(AUTH)
        assert await silent(served, caller)


async def test_a_closed_socket_has_heard_what_came_before() -> None:
    rules = of_trading({"close": 1011}, nth=2)
    async with streams(rules=rules) as served, client(served.ws("/stream")) as caller:
        await listening(caller)
        for number in range(3):
            served.hub.trading.publish("account-1", trade_update(number))
        assert (await caller.hear())["data"]["event_id"] == "event-0"
        assert await caller.closed() == 1011


@pytest.mark.parametrize("stream", ["trading", "data", "news"])
async def test_a_refused_handshake(stream: str) -> None:
    path = {"trading": "/stream", "data": "/v2/sip", "news": "/v1beta1/news"}[stream]
    rules = [{"stream": stream, "action": {"refuse_connection": 429}, "when": {"times": 1}}]
    async with streams(rules=rules) as served:
        with pytest.raises(InvalidStatus) as refused:
            await connect(served.ws(path))
        assert refused.value.response.status_code == 429
        async with client(served.ws(path)):
            assert served.faults.listing()[0]["fired"] == 1


@pytest.mark.parametrize(("stream", "path"), [("data", "/v2/sip"), ("news", "/v1beta1/news")])
async def test_406_on_a_reconnect(stream: str, path: str) -> None:
    rules = [{"stream": stream, "action": {"refuse_connection": 406}, "when": {"nth": 2}}]
    async with streams(rules=rules) as served:
        async with client(served.ws(path)) as caller:
            await caller.hear()
            assert (await caller.ask(AUTH))[0]["msg"] == "authenticated"
        async with client(served.ws(path)) as caller:
            await caller.hear()
            assert (await caller.ask(AUTH))[0]["code"] == 406
            await caller.closed()


async def test_faults_of_market_data_hit_single_messages() -> None:
    rules = [
        {"stream": "data", "match": {"event": "t"}, "action": {"drop": True}, "when": {"nth": 2}},
        {
            "stream": "data",
            "match": {"event": "t"},
            "action": {"reorder": True},
            "when": {"nth": 3},
        },
    ]
    async with streams(rules=rules) as served, client(served.ws("/v2/sip")) as caller:
        await caller.hear()
        await caller.ask(AUTH)
        await caller.ask({"action": "subscribe", "trades": ["*"]})
        served.hub.data.publish([trade(number) for number in range(5)])
        assert [message["i"] for message in await caller.hear()] == [0, 3, 2, 4]


def test_rules_may_be_toml_or_json(tmp_path: Path) -> None:
    table = {"rule": [{"name": "a", "match": {"path": "x"}, "action": {"status": 500}}]}
    (tmp_path / "faults.json").write_text(json.dumps(table))
    (tmp_path / "faults.toml").write_text(
        '[[rule]]\nname = "a"\nmatch = {path = "x"}\naction = {status = 500}\n'
    )
    assert read_rules(tmp_path / "faults.json") == read_rules(tmp_path / "faults.toml")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x", "is not TOML"),
        ("rules = 3", "expected a list"),
        ("[[rule]]\n", "required field `action`"),
        ("[[rule]]\naction = {status = 99}", "$.action.status"),
        ("[[rule]]\naction = {stauts = 500}", "stauts"),
        ("[[rule]]\naction = {}", "give one of"),
        ("[[rule]]\naction = {status = 500, hang = true}", "give one of"),
        ("[[rule]]\naction = {hang = true, html = 'x'}", "go with a status"),
        ("[[rule]]\naction = {status = 500, headers = {'a b' = 'c'}}", "is no header"),
        ("[[rule]]\nmatch = {path = '('}\naction = {hang = true}", "no regular expression"),
        ("[[rule]]\nwhen = {probability = 2}\naction = {hang = true}", "$.when.probability"),
        ("[[rule]]\nwhen = {after = 2025-10-22T00:00:00}\naction = {hang = true}", "timezone"),
        ("[[rule]]\nstream = 'quotes'\naction = {drop = true}", "$.stream"),
        ("[[rule]]\nstream = 'data'\naction = {drop = true, mute = true}", "exactly one of"),
        ("[[rule]]\nstream = 'data'\nmatch = {on = 'connect'}\naction = {drop = true}", "connect"),
    ],
)
def test_a_bad_rule_is_named_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        read_rules(path)
    assert str(path) in str(error.value)
    assert told in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--faults"):
        read_rules(tmp_path / "none.toml")
