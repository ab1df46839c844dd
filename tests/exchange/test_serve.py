"""The real command, end to end: served, traded with by alpaca-py, killed, started again."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from typer.testing import CliRunner
from websockets.sync.client import connect

from catalyst_bot import cli
from catalyst_bot.storage.journal import SqlJournal
from tests.exchange import sdk
from tests.exchange.process import Running, exchange, refused
from tests.exchange.sdk import collector, streaming, trading

KEYS = ("--key", "KEY1", "--secret", "secret1")
STEP = (*KEYS, "--speed", "step", "--start", "2025-03-13T14:00:00Z")
HEADERS = {"APCA-API-KEY-ID": "KEY1", "APCA-API-SECRET-KEY": "secret1"}
LAST = "2025-03-14T19:59:00+00:00"
SYMBOL = "ARVQ"  # a company of the generated session


def order(**fields: Any) -> dict[str, Any]:
    return {"symbol": SYMBOL, "side": "buy", "type": "market", "time_in_force": "day", **fields}


def place(running: Running, **fields: Any) -> httpx.Response:
    return httpx.post(running.url + "/v2/orders", headers=HEADERS, json=order(**fields))


def get(running: Running, path: str) -> Any:
    answer = httpx.get(running.url + path, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_whoever_is_connected(number: int, tmp_path: Path) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text(
        '[[rule]]\nmatch = {path = "hang"}\naction = {hang = true}\n'
        '[[rule]]\nmatch = {path = "late"}\naction = {delay_s = 600}\n'
    )
    with ExitStack() as clients:
        running = clients.enter_context(exchange(*KEYS, "--faults", str(faults)))
        address = ("127.0.0.1", httpx.URL(running.url).port or 0)
        for path in ("/hang", "/late", "/v2/account"):
            raw = clients.enter_context(socket.create_connection(address))
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode())
            raw.sendall(b"" if path == "/v2/account" else b"\r\n")  # one stops half-way
        stream = httpx.stream("GET", running.url + "/v2/events/trades", headers=HEADERS)
        assert clients.enter_context(stream).status_code == 200
        caller = clients.enter_context(connect(running.ws("/v2/iex"), additional_headers=HEADERS))
        assert "connected" in caller.recv()
        code, stderr = running.end(number)
    assert (code, "Traceback" in stderr, "Exception" in stderr) == (0, False, False), stderr


def test_the_ready_line_says_how_to_get_in() -> None:
    flags = ("--key", "KEY1", "--key", "KEY2", "--secret", "s1", "--secret", "s2")
    with exchange(*flags, "--speed", "60", "--admin-token", "let-me-in") as running:
        assert running.url.startswith("http://127.0.0.1:")
        assert running.all_of("key") == ["KEY1", "KEY2"]
        assert running.all_of("secret") == ["s1", "s2"]
        assert (running["admin-token"], running["clock"]) == ("let-me-in", "replay")
        assert running["speed"] == "60"
        assert len(running.admin("GET", "/admin/state")["accounts"]) == 2


def test_what_is_not_given_is_made() -> None:
    with exchange() as running:
        key, secret = running.keys
        headers = {"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret}
        assert httpx.get(running.url + "/v2/account", headers=headers).status_code == 200
        assert len(running["admin-token"]) > 16


async def test_alpaca_py_trades_and_hears_of_it() -> None:
    with exchange(*STEP) as running, trading(running.keys, running.url) as client:
        updates, on_update = collector()
        stream = sdk.TradingStream(*running.keys, url_override=running.ws("/stream"))
        stream.subscribe_trade_updates(on_update)
        async with streaming(stream):
            bought = await _submit(client, _market(qty=10))
            await updates.until(lambda heard: [u for u in heard if u.event == "fill"])
            price = float(updates[-1].price)
            limit = await _submit(client, _limit(price - 1))
            bracket = await _submit(client, _bracket(price))
            await asyncio.to_thread(client.cancel_order_by_id, limit.id)
            await updates.until(lambda heard: any(u.event == "canceled" for u in heard))
            await asyncio.to_thread(running.advance, "2025-03-13T19:30:00Z")
            legs = {leg.id for leg in bracket.legs}
            await updates.until(
                lambda heard: any(u.event == "fill" and u.order.id in legs for u in heard)
            )
        events = [str(getattr(u.event, "value", u.event)) for u in updates]
        of_market = [e for e, u in zip(events, updates, strict=True) if u.order.id == bought.id]
        assert of_market[0] in {"pending_new", "new"}
        assert of_market[-1] == "fill"
        position = await asyncio.to_thread(client.get_open_position, SYMBOL)
        assert position.qty == "10"
        ids = [u.timestamp for u in updates]
        assert ids == sorted(ids)


async def _submit(client: Any, request: Any) -> Any:
    return await asyncio.to_thread(client.submit_order, request)


def _market(**fields: Any) -> sdk.MarketOrderRequest:
    return sdk.MarketOrderRequest(symbol=SYMBOL, side="buy", time_in_force="day", **fields)


def _limit(price: float) -> sdk.LimitOrderRequest:
    return sdk.LimitOrderRequest(
        symbol=SYMBOL, side="buy", time_in_force="day", qty=5, limit_price=round(price, 2)
    )


def _bracket(price: float) -> sdk.MarketOrderRequest:
    return _market(
        qty=3,
        order_class="bracket",
        take_profit=sdk.TakeProfitRequest(limit_price=round(price * 1.002, 2)),
        stop_loss=sdk.StopLossRequest(stop_price=round(price * 0.998, 2)),
    )


async def test_alpaca_py_hears_the_market_and_the_news() -> None:
    with exchange(*STEP) as running:
        trades, on_trade = collector()
        quotes, on_quote = collector()
        bars, on_bar = collector()
        news, on_news = collector()
        market = sdk.StockDataStream(*running.keys, url_override=running.ws("/v2/iex"))
        market.subscribe_trades(on_trade, SYMBOL)
        market.subscribe_quotes(on_quote, SYMBOL)
        market.subscribe_bars(on_bar, SYMBOL)
        wire = sdk.NewsDataStream(*running.keys, url_override=running.ws("/v1beta1/news"))
        wire.subscribe_news(on_news, "*")
        async with streaming(market, wire):
            await asyncio.to_thread(running.advance, "2025-03-13T15:00:00Z")
            await bars.until(lambda heard: heard[-1:] and heard[-1].timestamp.minute == 59)
            await news.until(len)
        closes = {bar.timestamp: bar.close for bar in bars}
        recorded = sdk.StockHistoricalDataClient(*running.keys, url_override=running.url)
        assert await asyncio.to_thread(_minutes, recorded) == closes
        assert {trade.symbol for trade in trades} == {SYMBOL}
        assert all(quote.bid_price < quote.ask_price for quote in quotes)
        published = get(running, "/v1beta1/news?limit=50&start=2025-03-13T14:00:00Z&sort=asc")
        told = [item.headline for item in news]
        assert told == [item["headline"] for item in published["news"]][: len(told)]


async def test_as_fast_as_it_can_the_clock_waits_for_a_client_and_ends_with_the_bars() -> None:
    with exchange(*KEYS, "--speed", "max") as running:
        assert running["speed"] == "max"
        assert running.admin("GET", "/admin/clock")["now"] == running["now"]
        bars, on_bar = collector()
        market = sdk.StockDataStream(*running.keys, url_override=running.ws("/v2/iex"))
        market.subscribe_bars(on_bar, SYMBOL)
        async with streaming(market):
            await bars.until(lambda heard: heard[-1:] and heard[-1].timestamp.isoformat() == LAST)
        clock = await asyncio.to_thread(running.admin, "GET", "/admin/clock")
        assert (clock["now"], clock["next_moment"]) == ("2025-03-14T20:00:00Z", None)
    assert bars[0].timestamp.isoformat() == "2025-03-13T13:30:00+00:00"


def _minutes(client: Any) -> dict[Any, float]:
    request = sdk.StockBarsRequest(
        symbol_or_symbols=SYMBOL,
        timeframe=sdk.TimeFrame.Minute,
        start="2025-03-13T14:00:00Z",
        end="2025-03-13T14:59:00Z",
        feed="iex",
    )
    bars = client.get_stock_bars(request)[SYMBOL]
    client._session.close()
    return {bar.timestamp: bar.close for bar in bars}


def test_a_killed_exchange_goes_on_with_its_orders_and_positions(tmp_path: Path) -> None:
    flags = (*STEP, "--db", str(tmp_path / "exchange.db"), "--admin-token", "t")
    with exchange(*flags) as running:
        assert place(running, qty="10", client_order_id="first").status_code == 200
        resting = place(running, qty="5", type="limit", limit_price="1.00").json()
        running.advance("2025-03-13T15:30:00Z")
        before = _kept(running)
        code, _ = running.end(signal.SIGKILL)
        assert code == -signal.SIGKILL
    with exchange(*flags) as again:
        assert _kept(again) == before
        assert get(again, f"/v2/orders/{resting['id']}")["status"] == "new"
        twice = place(again, qty="10", client_order_id="first")
        assert (twice.status_code, twice.json()["message"]) == (
            422,
            "client_order_id must be unique",
        )
        assert again.admin("GET", "/admin/clock")["now"] <= "2025-03-13T15:30:00Z"


def test_a_killed_exchange_on_which_nobody_traded_does_not_go_back(tmp_path: Path) -> None:
    flags = (*STEP, "--db", str(tmp_path / "exchange.db"), "--admin-token", "t")
    with exchange(*flags) as running:
        running.advance("2025-03-13T19:30:00Z")
        running.end(signal.SIGKILL)
    with exchange(*flags) as again:
        assert again.admin("GET", "/admin/clock")["now"] == "2025-03-13T19:30:00Z"


def test_a_killed_exchange_does_not_live_through_a_quiet_night_again(tmp_path: Path) -> None:
    night = "2025-03-14T02:00:00Z"
    flags = ("--start", night, "--speed", "120", "--db", str(tmp_path / "exchange.db"))
    flags += ("--admin-token", "t")
    with exchange(*flags) as running:
        while running.admin("GET", "/admin/clock")["now"] < "2025-03-14T02:06:00Z":
            time.sleep(0.1)
        running.end(signal.SIGKILL)
    with exchange(*flags) as again:
        assert again.admin("GET", "/admin/clock")["now"] >= "2025-03-14T02:01:00Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_orderly_stop_keeps_the_time_to_the_second(number: int, tmp_path: Path) -> None:
    flags = ("--start", "2025-03-14T02:00:30Z", "--speed", "10", "--db", str(tmp_path / "e.db"))
    flags += ("--admin-token", "t")
    with exchange(*flags) as running:
        while (shown := running.admin("GET", "/admin/clock")["now"]) < "2025-03-14T02:00:40Z":
            time.sleep(0.1)
        assert running.end(number)[0] == 0
    with exchange(*flags) as again:
        assert again["now"] >= shown


def _kept(running: Running) -> list[Any]:
    account = get(running, "/v2/account")
    orders = get(running, "/v2/orders?status=all&nested=true")
    positions = get(running, "/v2/positions")
    activities = get(running, "/v2/account/activities")
    return [
        {name: account[name] for name in ("id", "cash", "account_number")},
        [{k: v for k, v in o.items() if k != "updated_at"} for o in orders],
        [{k: p[k] for k in ("symbol", "qty", "avg_entry_price", "cost_basis")} for p in positions],
        activities,
    ]


def test_a_full_disk_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    flags = (*KEYS, "--speed", "60", "--db", str(tmp_path / "exchange.db"))
    taken = []
    with exchange(*flags, limit_files=200_000) as running:
        for number in range(100):
            answer = place(running, qty="1", client_order_id=f"{number}")
            if answer.status_code != 200:
                break
            taken.append(answer.json()["id"])
        assert (answer.status_code, answer.json()["code"]) == (500, 50010000)
        _, stderr = running.process.communicate(timeout=30)  # the next moment ends it
        assert running.process.returncode == 3
        assert f"--db {tmp_path / 'exchange.db'}: cannot be written" in stderr
    with exchange(*flags) as again:
        kept = get(again, "/v2/orders?status=all&limit=500")
        assert set(taken) <= {order["id"] for order in kept}


def test_another_exchange_cannot_use_the_same_file(tmp_path: Path) -> None:
    path = str(tmp_path / "exchange.db")
    with exchange(*STEP, "--db", path):
        code, said = refused("--db", path)
    assert code == 3
    assert "--db: process" in said
    assert path in said
    assert "storage.url" not in said


def begun(tmp_path: Path, *flags: str) -> tuple[str, str]:
    """Return the flags of a file that an exchange has used for a while."""
    db = ("--db", str(tmp_path / "exchange.db"))
    with exchange(*KEYS, "--speed", "step", *db, *flags) as running:
        running.advance("2025-03-13T15:00:00Z")
        running.end()
    return db


def test_a_file_of_other_data_is_refused(tmp_path: Path) -> None:
    _, db = begun(tmp_path)
    bars = tmp_path / "bars.csv"
    bars.write_text(
        "timestamp,symbol,open,high,low,close,volume\n"
        "2025-10-22T13:30:00Z,AAPL,100,101,99,100,1000\n"
        "2025-10-22T13:35:00Z,AAPL,100,101,99,100,1000\n"
    )
    other = (
        (("--seed", "5"), "seed 0, and this is"),
        (("--bars", str(bars)), f"--db {db}: belongs to data "),
        (("--speed", "wall"), "a generated market of the day"),
        (("--start", "2025-03-13T14:30:00Z"), f"--start 2025-03-13T14:30:00Z: {db} began at"),
    )
    for flags, told in other:
        code, said = refused("--speed", "step", "--db", db, *flags)
        assert (code, told in said, "name another file" in said) == (3, True, True), said


def test_the_same_flags_or_no_start_go_on(tmp_path: Path) -> None:
    start = ("--start", "2025-03-13T14:00:00Z")
    db = begun(tmp_path, *start)
    for again in (start, ()):
        with exchange(*KEYS, "--speed", "step", *db, *again) as running:
            assert running["now"] == "2025-03-13T15:00:00Z"


def test_a_file_that_began_before_the_first_open_goes_on_before_it(tmp_path: Path) -> None:
    early = ("--speed", "step", "--db", str(tmp_path / "exchange.db"))
    with exchange(*KEYS, *early, "--start", "2025-03-12T14:00:00Z") as running:
        running.end()
    with exchange(*KEYS, *early) as running:
        assert running["now"] == "2025-03-12T14:00:00Z"


def test_the_journal_of_a_bot_is_no_file_of_an_exchange(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with SqlJournal(path):
        pass
    before = path.read_bytes()
    code, said = refused("--db", str(path))
    assert code == 3
    assert f"--db {path}: is not the file of an exchange" in said
    assert "storage.url" not in said
    assert path.read_bytes() == before


def test_faults_from_a_file_and_from_the_administrator(tmp_path: Path) -> None:
    rules = {
        "rule": [
            {
                "name": "lost answer",
                "match": {"method": "POST", "path": "^/v2/orders$"},
                "when": {"nth": 1},
                "action": {"status": 504, "stage": "after", "html": "<h1>504</h1>"},
            }
        ]
    }
    path = tmp_path / "faults.json"
    path.write_text(json.dumps(rules))
    with exchange(*STEP, "--faults", str(path)) as running:
        lost = place(running, qty="1", client_order_id="asked once")
        assert (lost.status_code, lost.text) == (504, "<h1>504</h1>")
        found = get(running, "/v2/orders:by_client_order_id?client_order_id=asked%20once")
        assert found["status"] == "filled"
        listed = running.admin("GET", "/admin/faults")["rules"]
        assert [(rule["name"], rule["matched"], rule["fired"]) for rule in listed] == [
            ("lost answer", 1, 1)
        ]
        busy = {"rule": [{"action": {"status": 429, "body": {"message": "busy"}}}]}
        running.admin("PUT", "/admin/faults", busy)
        assert httpx.get(running.url + "/v2/account", headers=HEADERS).status_code == 429
        assert running.admin("DELETE", "/admin/faults") == {"rules": []}
        assert get(running, "/v2/account")["status"] == "ACTIVE"


def test_bad_fault_rules_are_refused_whole() -> None:
    with exchange(*STEP) as running:
        token = {"X-Admin-Token": running["admin-token"]}
        bad = {"rule": [{"action": {"status": 500}}, {"action": {}}]}
        answer = httpx.post(running.url + "/admin/faults", json=bad, headers=token)
        assert answer.status_code == 422
        assert "rule 2" in answer.json()["message"]
        nobody = httpx.post(running.url + "/admin/faults", json=bad)
        assert nobody.status_code == 401
        garbage = httpx.post(running.url + "/admin/faults", content=b"{", headers=token)
        assert garbage.status_code == 400
        assert running.admin("GET", "/admin/faults") == {"rules": []}


def test_the_same_seed_gives_the_same_faults(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text("[[rule]]\nwhen = {probability = 0.4}\naction = {status = 503}\n")
    first = _statuses(path, "5")
    assert 0 < first.count(503) < len(first)
    assert _statuses(path, "5") == first
    assert _statuses(path, "6") != first


def _statuses(path: Path, seed: str) -> list[int]:
    with (
        exchange(*STEP, "--faults", str(path), "--seed", seed) as running,
        httpx.Client(base_url=running.url, headers=HEADERS) as http,
    ):
        return [http.get("/v2/account").status_code for _ in range(40)]


TEXT = "not a number of anything\n"


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        (("--port", "70000"), 2, "--port"),
        (("--port", "x"), 2, "--port"),
        (("--nonsense",), 2, "--nonsense"),
        (("--speed", "fast"), 3, "--speed fast"),
        (("--speed", "-1"), 3, "--speed -1"),
        (("--start", "yesterday"), 3, "--start yesterday"),
        (("--start", "2025-10-22T13:30:00"), 3, "with its zone"),
        (("--start", "2025-10-22T13:30:00Z", "--speed", "wall"), 3, "--start"),
        (("--start", "2031-01-02T15:00:00Z"), 3, "from 2025-03-03 to 2025-03-14"),
        (("--start", "2025-10-22T13:30:00Z"), 3, "from 2025-03-03 to 2025-03-14"),
        (("--start", "2025-03-14T20:00:00Z"), 3, "until 2025-03-14T20:00:00Z"),
        (("--start", "2025-03-02T23:59:59Z"), 3, "--start 2025-03-02T23:59:59Z"),
        (("--bars", "none.parquet"), 3, "--bars none.parquet"),
        (("--bars", "{text}"), 3, "{text}"),
        (("--bars", "{text}", "--news", "none.jsonl"), 3, "--news none.jsonl"),
        (("--news", "{text}"), 3, "--bars"),
        (("--events", "{text}"), 3, "--bars"),
        (("--knobs", "none.toml"), 3, "--knobs none.toml"),
        (("--knobs", "{text}"), 3, "{text}"),
        (("--faults", "none.toml"), 3, "none.toml"),
        (("--faults", "{text}"), 3, "{text}"),
        (("--db", "{text}"), 6, "--db {text}: is no readable database"),
        (("--db", "{text}/e.db"), 3, "--db {text}/e.db: cannot be written"),
        (("--db", "/"), 3, "--db /: is a folder"),
        (("--db", "."), 3, "--db .: is a folder"),
        (("--profile", "theirs"), 3, "alpaca, ours"),
        (("--key", "a", "--key", "b", "--secret", "c"), 3, "--secret"),
        (("--key", "", "--secret", "s"), 3, "--key ''"),
        (("--key", "a", "--secret", ""), 3, "--secret ''"),
        (("--key", "a b"), 3, "--key 'a b'"),
        (("--key", "a", "--key", "b", "--secret", "s", "--secret", "ü\nx"), 3, r"--secret 'ü\nx'"),
        (("--admin-token", ""), 3, "--admin-token ''"),
        (("--admin-token", "a b"), 3, "--admin-token 'a b'"),
        (("--host", "192.0.2.1"), 3, "--host 192.0.2.1"),
        (("--tls", "{text}"), 3, "{text}"),
    ],
)
def test_what_cannot_be_served_is_named(
    tmp_path: Path, flags: tuple[str, ...], code: int, told: str
) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT)
    done = CliRunner().invoke(
        cli.app, ["exchange", "serve", *(flag.format(text=text) for flag in flags)]
    )
    assert done.exit_code == code, done.output
    assert told.format(text=text) in done.stderr
    assert done.stdout == ""


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = refused("--port", port)
    assert code == 3
    assert f"--port {port}: taken" in said


@pytest.fixture(scope="module")
def door() -> Any:
    with exchange(*STEP, "--knobs", "/dev/null") as running:
        yield running


def test_the_door_knows_three_ways_to_say_who_you_are(door: Running) -> None:
    url = door.url + "/v2/account"
    assert httpx.get(url, headers=HEADERS).status_code == 200
    assert httpx.get(url, auth=httpx.BasicAuth("KEY1", "secret1")).status_code == 200
    bearer = {"Authorization": "Bearer secret1"}
    assert httpx.get(url, headers=bearer).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {**HEADERS, "APCA-API-SECRET-KEY": "wrong"},
        {**HEADERS, "APCA-API-KEY-ID": "KEY9"},
        {"Authorization": "Basic S0VZMTp3cm9uZw=="},
        {"Authorization": "Bearer wrong"},
    ],
)
def test_wrong_keys_are_refused_as_on_each_host(door: Running, headers: dict[str, str]) -> None:
    trading_side = httpx.get(door.url + "/v2/account", headers=headers)
    assert (trading_side.status_code, trading_side.content) == (
        401,
        b'{"message":"unauthorized."}\n',
    )
    data_side = httpx.get(door.url + "/v2/stocks/bars", headers=headers)
    assert data_side.status_code == 403
    assert "<h1>403 Forbidden</h1>" in data_side.text


@pytest.mark.parametrize(
    "headers",
    [{}, {"APCA-API-KEY-ID": "KEY1"}, {"Authorization": "Basic ???"}, {"Authorization": "x"}],
)
def test_missing_keys_meet_the_gateway(door: Running, headers: dict[str, str]) -> None:
    answer = httpx.get(door.url + "/v2/account", headers=headers)
    assert answer.status_code == 401
    assert "<h1>401 Authorization Required</h1>" in answer.text


@pytest.mark.parametrize("path", ["//v2/account", "/v2//account", "///v2///account"])
def test_slashes_are_collapsed(door: Running, path: str) -> None:
    assert get(door, path)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "path", ["/", "/v2", "/v2/nothing", "/v2/orders/", "/v3/orders", "/stream"]
)
def test_an_unknown_route(door: Running, path: str) -> None:
    answer = httpx.get(door.url + path, headers=HEADERS)
    assert (answer.status_code, answer.json()) == (
        404,
        {"code": 40410000, "message": "endpoint not found"},
    )


def test_an_unknown_method(door: Running) -> None:
    answer = httpx.put(door.url + "/v2/account", headers=HEADERS)
    assert (answer.status_code, answer.json()) == (
        405,
        {"code": 40510000, "message": "method not allowed"},
    )
    assert "GET" in answer.headers["allow"]


def chunks() -> Any:
    yield b"x" * 700_000
    yield b"x" * 700_000


@pytest.mark.parametrize("body", [b"x" * 1_200_000, None])
def test_a_body_that_is_too_long(door: Running, body: bytes | None) -> None:
    content = chunks() if body is None else body
    answer = httpx.post(door.url + "/v2/orders", headers=HEADERS, content=content)
    assert answer.status_code == 413
    assert "413 Request Entity Too Large" in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_bad_json(door: Running, body: bytes) -> None:
    answer = httpx.post(door.url + "/v2/orders", headers=HEADERS, content=body)
    assert (answer.status_code, answer.json()) == (
        400,
        {"code": 40010000, "message": "request body format is invalid"},
    )


def test_one_request_too_many(tmp_path: Path) -> None:
    knobs = tmp_path / "knobs.toml"
    knobs.write_text("rate_limit_per_min = 3\n")
    with exchange(*STEP, "--knobs", str(knobs)) as running:
        answers = [httpx.get(running.url + "/v2/account", headers=HEADERS) for _ in range(8)]
    refusals = [answer for answer in answers if answer.status_code == 429]
    assert len(refusals) >= 2  # a minute may begin in between
    assert refusals[0].json() == {"code": 42910000, "message": "rate limit exceeded"}
    assert refusals[0].headers["x-ratelimit-limit"] == "3"
    assert refusals[0].headers["x-ratelimit-remaining"] == "0"
