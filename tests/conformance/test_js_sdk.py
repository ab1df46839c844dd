"""Alpaca's JavaScript SDK 4.0.2, unmodified, under Node: REST and its streams."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import Serve
from tests.conformance.told import run
from tests.conformance.world import NEWS, at

SCRIPT = Path(__file__).parent / "js/drive.mjs"
NODE = shutil.which("node")
pytestmark = [
    pytest.mark.skipif(NODE is None, reason="Node.js is not installed here"),
    pytest.mark.skipif(
        not (SCRIPT.parent / "node_modules/@alpacahq").is_dir(),
        reason="Alpaca's JavaScript SDK is not installed here: make setup-clients",
    ),
]


@pytest.fixture(scope="module")
def steps(serving: Serve) -> dict[str, Any]:
    """Everything the client told."""
    with serving(start=at(13, 35)) as exchange:
        keys = exchange.new_account()
        environment = {
            "EXCHANGE_URL": exchange.url,
            "KEY": keys.key,
            "SECRET": keys.secret,
            "ADMIN_TOKEN": exchange.admin_token,
        }
        command = [str(NODE), SCRIPT]
        told = run(command, environment, exchange.answers, cwd=SCRIPT.parent)
        exchange.answers.check()
        return told


def test_account_calendar_and_assets(steps: dict[str, Any]):
    assert steps["account"]["status"] == "ACTIVE"
    assert steps["configurations changed"] == steps["configurations"]
    assert steps["clock"]["isOpen"] is True
    assert len(steps["calendar"]) == 5
    assert steps["asset"] in steps["assets"]
    assert steps["asset"]["symbol"] == "WAVE"


def test_watchlists(steps: dict[str, Any]):
    assert [listed["name"] for listed in steps["watchlists"]] == ["js"]
    assert [asset["symbol"] for asset in steps["watchlist"]["assets"]] == ["FLAT"]
    assert steps["watchlists left"] == []


def test_orders(steps: dict[str, Any]):
    assert steps["market"]["status"] == "filled"
    assert steps["replaced"]["replaces"] == steps["limit"]["id"]
    assert [order["id"] for order in steps["open"]] == [steps["replaced"]["id"]]
    assert steps["cancelled"]["status"] == "canceled"
    assert steps["stop"]["stopPrice"] == "90"
    assert steps["stop limit"]["limitPrice"] == "89"
    assert steps["trailing stop"]["trailPercent"] == "5"
    assert steps["oco"]["orderClass"] == "oco"
    assert {told["status"] for told in steps["cancelled all"]} == {200}
    assert [leg["type"] for leg in steps["bracket"]["legs"]] == ["limit", "stop"]
    assert steps["oto"]["orderClass"] == "oto"


def test_positions(steps: dict[str, Any]):
    assert {p["symbol"] for p in steps["positions"]} == {"FLAT", "TREND", "WAVE"}
    assert steps["position"]["qty"] == "10"
    assert steps["position reduced"]["qty"] == "4"
    assert {told["status"] for told in steps["closed all"]} == {200}
    assert steps["positions left"] == []


def test_refusals_are_typed_errors(steps: dict[str, Any]):
    again = steps["market again"]
    assert (again["name"], again["status"], again["code"]) == ("ValidationError", 422, 40010001)
    unknown = steps["unknown"]
    assert (unknown["name"], unknown["status"]) == ("NotFoundError", 404)
    assert steps["wrong key"]["name"] == "AuthError"
    rejected = steps["wrong key on a stream"]
    assert (rejected["status"], rejected["code"]) == ("server_rejected", 402)


def test_history(steps: dict[str, Any]):
    assert steps["fills"]
    assert len(steps["activities"]) == len(steps["fills"])
    assert steps["history"]["timeframe"] == "1Min"


def test_market_data(steps: dict[str, Any]):
    assert {symbol: len(rows) for symbol, rows in steps["bars"].items()} == {
        "FLAT": 10,
        "WAVE": 10,
    }
    assert steps["bars"]["WAVE"][0]["high"] == 101
    assert steps["trades"][0]["symbol"] == "WAVE"
    assert all(quote["bidPrice"] < quote["askPrice"] for quote in steps["quotes"])
    assert steps["latest price"] == 50
    for name in ("bars", "quotes", "trades"):
        assert set(steps[f"latest {name}"][name]) == {"FLAT", "WAVE"}
    assert set(steps["snapshots"]) == {"FLAT", "WAVE"}
    assert steps["snapshot"]["prevDailyBar"]["c"] == 100
    assert steps["exchanges"]
    assert [item["headline"] for item in steps["news"]["news"]] == [NEWS[0][1]]
    assert len(steps["most actives"]["mostActives"]) == 3
    assert "gainers" in steps["movers"]


@pytest.mark.proves("stream: trade_updates")
def test_trade_updates(steps: dict[str, Any]):
    assert steps["trading authenticated"] is True
    assert steps["submitted and waited"]["status"] == "filled"
    fills = [u for u in steps["trade updates"] if u["event"] == "fill"]
    assert [fill["order"]["filledQty"] for fill in fills] == ["3", "2"]  # one was missed


@pytest.mark.proves(
    "stream: trades",
    "stream: quotes",
    "stream: bars",
    "stream: dailyBars",
)
def test_market_data_stream(steps: dict[str, Any]):
    assert steps["data authenticated"] is True
    assert steps["subscription"]["bars"] == ["WAVE", "FLAT"]
    seen = steps["data stream"]
    assert seen["errors"] == []
    assert {trade["symbol"] for trade in seen["trades"]} == {"WAVE"}
    assert all(quote["bidPrice"] < quote["askPrice"] for quote in seen["quotes"])
    assert {bar["symbol"] for bar in seen["bars"]} == {"FLAT", "WAVE"}
    assert seen["dailyBars"][-1]["close"] == 50


@pytest.mark.proves("stream: news")
def test_news_stream(steps: dict[str, Any]):
    assert [item["headline"] for item in steps["news stream"]] == [
        headline for _, headline, *_ in NEWS[2:]
    ]
