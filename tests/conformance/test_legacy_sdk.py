"""alpaca-trade-api 3.2.0, unmodified, in the environment it needs: REST and its streams."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import Serve
from tests.conformance.told import run
from tests.conformance.world import NEWS, at

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-legacy/bin/python"
pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="alpaca-trade-api is not installed here: make setup-clients"
)


@pytest.fixture(scope="module")
def steps(serving: Serve, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Everything the client told."""
    with serving(start=at(13, 35)) as exchange:
        keys = exchange.new_account()
        environment = {
            "APCA_API_BASE_URL": exchange.url,
            "APCA_API_DATA_URL": exchange.url,
            "APCA_API_STREAM_URL": exchange.url,
            "APCA_API_KEY_ID": keys.key,
            "APCA_API_SECRET_KEY": keys.secret,
            "APCA_RETRY_MAX": "0",
            "ADMIN_TOKEN": exchange.admin_token,
            "PYTHONPATH": "",
        }
        script = Path(__file__).with_name("legacy_client.py")
        folder = tmp_path_factory.mktemp("legacy")
        told = run([PYTHON, script], environment, exchange.answers, cwd=folder)
        exchange.answers.check()
        return told


def test_account_calendar_and_assets(steps: dict[str, Any]):
    assert steps["account"]["status"] == "ACTIVE"
    assert steps["configurations changed"]["no_shorting"] is False
    assert steps["clock"]["is_open"] is True
    assert len(steps["calendar"]) == 5
    assert steps["asset"] in steps["assets"]


def test_watchlists(steps: dict[str, Any]):
    assert steps["watchlist by name"]["name"] == "legacy"
    assert steps["watchlist"]["name"] == "older"
    assert [asset["symbol"] for asset in steps["watchlist"]["assets"]] == ["FLAT"]
    assert len(steps["watchlists"]) == 1
    assert steps["watchlists left"] == []


def test_orders_and_positions(steps: dict[str, Any]):
    assert steps["market"]["status"] == "filled"
    assert (steps["replaced"]["qty"], steps["replaced"]["limit_price"]) == ("6", "41")
    assert [order["id"] for order in steps["open"]] == [steps["replaced"]["id"]]
    assert steps["cancelled"]["status"] == "canceled"
    assert steps["stop"]["stop_price"] == "90"
    assert steps["stop limit"]["limit_price"] == "89"
    assert steps["trailing stop"]["trail_price"] == "5"
    assert {leg["type"] for leg in steps["bracket"]["legs"]} == {"limit", "stop_limit"}
    assert steps["notional"]["notional"] == "100"
    assert {p["symbol"] for p in steps["positions"]} == {"FLAT", "TREND", "WAVE"}
    assert steps["position"]["qty"] == "10"
    assert steps["position reduced"]["qty"] == "4"
    assert {told["status"] for told in steps["closed all"]} == {200}
    assert steps["positions left"] == []


def test_refusals_have_a_code_and_a_message(steps: dict[str, Any]):
    missing = {"status": 404, "code": 40410000, "message": "position does not exist"}
    assert steps["unknown"] == missing
    poor = {"status": 403, "code": 40310000, "message": "insufficient buying power"}
    assert steps["too much"] == poor
    assert steps["wrong key"]["status"] == 401


def test_history(steps: dict[str, Any]):
    assert {activity["activity_type"] for activity in steps["activities"]} == {"FILL"}
    assert len(steps["fills"]) == 2
    assert steps["history"]["timeframe"] == "1Min"


def test_market_data(steps: dict[str, Any]):
    assert len(steps["bars"]) == steps["bars as a table"] == 10
    assert {bar["S"] for bar in steps["bars of two"]} == {"FLAT", "WAVE"}
    assert len(steps["bars of two"]) == 15
    assert len(steps["trades"]) == len(steps["quotes"]) == 5
    assert steps["latest bars"]["WAVE"] == steps["latest bar"]
    assert steps["latest trades"]["WAVE"] == steps["latest trade"]
    assert steps["latest quotes"]["WAVE"] == steps["latest quote"]
    assert steps["snapshot"]["prev_daily_bar"]["c"] == 100
    assert set(steps["snapshots"]) == {"FLAT", "WAVE"}
    assert steps["news"][0]["headline"] == NEWS[0][1]


@pytest.mark.proves("WS /stream/", "stream: trade_updates")
def test_streams(steps: dict[str, Any]):
    events = [update["event"] for update in steps["trade updates"]]
    assert events[-2:] == ["new", "fill"]
    assert steps["trade updates"][-1]["order"]["filled_qty"] == "3"
    assert {trade["symbol"] for trade in steps["streamed trades"]} == {"WAVE"}
    assert all(quote["bid_price"] < quote["ask_price"] for quote in steps["streamed quotes"])
    assert {bar["symbol"] for bar in steps["streamed bars"]} == {"FLAT", "WAVE"}
    assert steps["streamed daily bars"][-1]["close"] == 50
    assert [item["headline"] for item in steps["streamed news"]] == [
        headline for _, headline, *_ in NEWS[2:]
    ]
    assert steps["streams ended"] is True
