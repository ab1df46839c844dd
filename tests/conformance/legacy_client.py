"""Drives an exchange with alpaca-trade-api 3.2.0 as it is; run by the interpreter that has it.

Tells what it saw, one JSON object a line: {"step", "value"} for what the SDK returned, {"http"} for
every answer as it came. Where to go comes from the SDK's own environment variables (APCA_…) and
from ADMIN_TOKEN.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import requests
from alpaca_trade_api.rest import REST, APIError, TimeFrame
from alpaca_trade_api.stream import Stream

URL = os.environ["APCA_API_BASE_URL"]
ADMIN = {"X-Admin-Token": os.environ["ADMIN_TOKEN"]}
WAIT_S = 20.0


def tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()


def step(name: str, value: Any = None) -> None:
    tell({"step": name, "value": plain(value)})


def plain(value: Any) -> Any:
    """Return the raw form of what the SDK returned."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "_raw"):
        return plain(value._raw)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "latest_trade"):
        return {name: plain(item) for name, item in vars(value).items()}
    return value


def look(response: requests.Response, *_: Any, **__: Any) -> None:
    asked = response.request
    told = {"method": asked.method, "url": asked.url, "status": response.status_code}
    tell({"http": told | {"body": response.text}})


def advance(seconds: float) -> None:
    now = datetime.fromisoformat(requests.get(f"{URL}/admin/clock", headers=ADMIN).json()["now"])
    to = (now + timedelta(seconds=seconds)).isoformat()
    told = requests.post(f"{URL}/admin/clock/advance", headers=ADMIN, json={"to": to})
    told.raise_for_status()


def refusal(call: Any) -> dict[str, Any]:
    try:
        call()
    except APIError as error:
        return {"status": error.status_code, "code": error.code, "message": str(error)}
    raise AssertionError("was not refused")


def account_calls(api: REST) -> None:
    step("account", api.get_account())
    step("configurations", api.get_account_configurations())
    step("configurations changed", api.update_account_configurations(no_shorting=False))
    step("clock", api.get_clock())
    step("calendar", api.get_calendar(start="2025-10-20", end="2025-10-24"))
    step("assets", api.list_assets(status="active", asset_class="us_equity"))
    step("asset", api.get_asset("WAVE"))


def watchlist_calls(api: REST) -> None:
    made = api.create_watchlist("legacy", ["WAVE"])
    step("watchlist by name", api.get_watchlist_by_name("legacy"))
    api.add_to_watchlist(made.id, "FLAT")
    api.update_watchlist(made.id, name="older")
    api.delete_from_watchlist(made.id, "WAVE")
    step("watchlist", api.get_watchlist(made.id))
    step("watchlists", api.get_watchlists())
    api.delete_watchlist(made.id)
    step("watchlists left", api.get_watchlists())


def order_calls(api: REST) -> None:
    api.submit_order("WAVE", qty=10, client_order_id="legacy-market")
    step("market", api.get_order_by_client_order_id("legacy-market"))
    resting = api.submit_order("FLAT", 5, "buy", "limit", "gtc", limit_price="40")
    replaced = api.replace_order(resting.id, qty="6", limit_price="41")
    step("replaced", replaced)
    step("open", api.list_orders(status="open", symbols=["FLAT"], limit=10))
    api.cancel_order(replaced.id)
    step("cancelled", api.get_order(replaced.id))
    step("stop", api.submit_order("WAVE", 1, "sell", "stop", "gtc", stop_price="90"))
    limits = {"stop_price": "90", "limit_price": "89"}
    step("stop limit", api.submit_order("WAVE", 1, "sell", "stop_limit", "day", **limits))
    step("trailing stop", api.submit_order("WAVE", 1, "sell", "trailing_stop", trail_price="5"))
    api.cancel_all_orders()
    entry = api.submit_order(
        "FLAT",
        qty=2,
        order_class="bracket",
        take_profit={"limit_price": "60"},
        stop_loss={"stop_price": "45", "limit_price": "44"},
    )
    step("bracket", api.get_order(entry.id, nested=True))
    step("notional", api.submit_order("TREND", notional=100))
    step("positions", api.list_positions())
    step("position", api.get_position("WAVE"))
    step("position reduced", api.close_position("WAVE", qty=4))
    api.cancel_all_orders()
    step("closed all", api.close_all_positions())
    step("positions left", api.list_positions())
    step("unknown", refusal(lambda: api.get_position("WAVE")))
    step("too much", refusal(lambda: api.submit_order("WAVE", qty=1_000_000)))


def history_calls(api: REST) -> None:
    step("activities", api.get_activities(activity_types=["FILL"]))
    step("fills", api.get_activities(activity_types="FILL", direction="asc", page_size=2))
    step("history", api.get_portfolio_history(period="1D", timeframe="1Min"))


def data_calls(api: REST) -> None:
    day = {"start": "2025-10-21T13:30:00Z", "end": "2025-10-21T13:39:00Z", "feed": "iex"}
    step("bars", api.get_bars("WAVE", TimeFrame.Minute, adjustment="raw", **day))
    step("bars of two", api.get_bars(["WAVE", "FLAT"], TimeFrame.Minute, limit=15, **day))
    step("bars as a table", len(api.get_bars("WAVE", TimeFrame.Minute, **day).df))
    step("trades", api.get_trades("WAVE", limit=5, **day))
    step("quotes", api.get_quotes("WAVE", limit=5, **day))
    step("latest bar", api.get_latest_bar("WAVE", feed="iex"))
    step("latest bars", api.get_latest_bars(["WAVE", "FLAT"], feed="iex"))
    step("latest trade", api.get_latest_trade("WAVE", feed="iex"))
    step("latest trades", api.get_latest_trades(["WAVE", "FLAT"], feed="iex"))
    step("latest quote", api.get_latest_quote("WAVE", feed="iex"))
    step("latest quotes", api.get_latest_quotes(["WAVE", "FLAT"], feed="iex"))
    step("snapshot", api.get_snapshot("WAVE", feed="iex"))
    step("snapshots", api.get_snapshots(["WAVE", "FLAT"], feed="iex"))
    step("news", api.get_news("WAVE", limit=5, include_content=True))


class Heard:
    """What came in over the streams."""

    def __init__(self) -> None:
        self._lists: dict[str, list[Any]] = {}

    def handler(self, name: str) -> Any:
        """Return a handler that keeps what it gets."""
        kept = self._lists.setdefault(name, [])

        async def keep(message: Any) -> None:
            kept.append(message)

        return keep

    def wait(self, name: str, count: int) -> None:
        self.until(lambda: len(self._lists[name]) >= count, f"{count} {name}")

    @staticmethod
    def until(check: Any, what: str) -> None:
        end = time.monotonic() + WAIT_S
        while not check():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain for {what}")
            time.sleep(0.01)

    def tell(self, name: str, most: int = 20) -> None:
        step(name, self._lists[name][:most])


def streams(api: REST) -> None:
    """All three streams at once, as the SDK runs them; the crypto stream is never begun."""
    stream = Stream(raw_data=False)
    heard = Heard()
    stream.subscribe_trade_updates(heard.handler("trade updates"))
    stream.subscribe_trades(heard.handler("streamed trades"), "WAVE")
    stream.subscribe_quotes(heard.handler("streamed quotes"), "WAVE")
    stream.subscribe_bars(heard.handler("streamed bars"), "WAVE", "FLAT")
    stream.subscribe_daily_bars(heard.handler("streamed daily bars"), "FLAT")
    stream.subscribe_news(heard.handler("streamed news"), "*")
    parts = (stream._trading_ws, stream._data_ws, stream._news_ws)

    async def all_parts() -> None:
        await asyncio.gather(*(part._run_forever() for part in parts))

    thread = threading.Thread(target=lambda: asyncio.run(all_parts()), daemon=True)
    thread.start()
    heard.until(lambda: all(part._running for part in parts), "three connections")
    time.sleep(0.3)  # the SDK does not wait for the acknowledgements it asked for
    api.submit_order("WAVE", qty=3)
    heard.wait("trade updates", 2)
    advance(120)
    heard.wait("streamed bars", 4)
    advance(600)
    heard.wait("streamed news", 3)
    for name in ("trades", "quotes", "bars", "daily bars", "news"):
        heard.tell(f"streamed {name}")
    heard.tell("trade updates")
    for part in parts:
        part.stop()
    thread.join(WAIT_S)
    step("streams ended", not thread.is_alive())


def wrong_key() -> None:
    stranger = REST(secret_key="wrong", raw_data=True)
    stranger._session.hooks["response"].append(look)
    step("wrong key", refusal(stranger.get_account))


def main() -> None:
    api = REST()
    api._session.hooks["response"].append(look)
    account_calls(api)
    watchlist_calls(api)
    order_calls(api)
    history_calls(api)
    data_calls(api)
    streams(api)
    wrong_key()
    step("done")


main()
