"""alpaca-mcp-server, unmodified: every tool a stock bot can use, called as an agent calls them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from alpaca_mcp_server import server as mcp_server
from fastmcp import Client
from fastmcp.exceptions import ToolError

from tests.conformance.served import Exchange, Keys
from tests.conformance.world import DAYS, NEWS, at

YESTERDAY = {"start": at(13, 30, day=DAYS[1]).isoformat(), "end": at(14, day=DAYS[1]).isoformat()}
OTHER_ASSETS = ("crypto", "fixed_income", "locate", "option")
DOCUMENTS = ("_doc", "_api_")  # tools that look things up in Alpaca's documentation


class Agent:
    """Calls tools and remembers which."""

    def __init__(self, client: Client[Any]) -> None:
        self._client = client
        self.called: set[str] = set()

    async def tools(self) -> set[str]:
        """Return the tools a bot that trades stocks can use."""
        names = {tool.name for tool in await self._client.list_tools()}
        beside = (*OTHER_ASSETS, *DOCUMENTS)
        return {name for name in names if not any(word in name for word in beside)}

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Call a tool and return its data."""
        self.called.add(name)
        answer = await self._client.call_tool(name, arguments)
        data = answer.structured_content["data"]
        assert "error" not in data, data
        return data["result"] if set(data) == {"result"} else data


@pytest.fixture
async def agent(
    exchange: Exchange, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Agent]:
    monkeypatch.setitem(mcp_server.TRADING_API_BASE_URLS, "paper", exchange.url)
    monkeypatch.setenv("DATA_API_URL", exchange.url)
    monkeypatch.setenv("ALPACA_API_KEY", keys.key)
    monkeypatch.setenv("ALPACA_SECRET_KEY", keys.secret)
    make_client = mcp_server._make_api_client

    def looked_at(base_url: str, headers: dict[str, str]) -> httpx.AsyncClient:
        client = make_client(base_url, headers)
        client.event_hooks["response"].append(look)
        return client

    async def look(response: httpx.Response) -> None:
        asked = response.request
        exchange.answers.look(
            asked.method, str(asked.url), response.status_code, await response.aread()
        )

    monkeypatch.setattr(mcp_server, "_make_api_client", looked_at)
    async with Client(mcp_server.build_server()) as client:
        yield Agent(client)


async def test_every_tool_a_stock_bot_can_use(agent: Agent):
    await account(agent)
    await orders(agent)
    await positions(agent)
    await watchlists(agent)
    await data(agent)
    assert agent.called == await agent.tools()


async def account(agent: Agent) -> None:
    assert (await agent.call("get_account_info"))["status"] == "ACTIVE"
    before = await agent.call("get_account_config")
    changed = await agent.call("update_account_config", no_shorting=True)
    assert changed == before | {"no_shorting": True}
    await agent.call("update_account_config", no_shorting=False)
    assert (await agent.call("get_clock"))["is_open"]
    week = {"start": str(DAYS[0]), "end": str(DAYS[-1])}
    assert [day["date"] for day in await agent.call("get_calendar", **week)] == [
        str(day) for day in DAYS
    ]
    assets = await agent.call("get_all_assets", status="active", asset_class="us_equity")
    assert "WAVE" in {asset["symbol"] for asset in assets}
    assert (await agent.call("get_asset", symbol_or_asset_id="WAVE"))["class"] == "us_equity"
    history = await agent.call("get_portfolio_history", period="1D", timeframe="5Min")
    assert history["base_value"] == 100_000
    span = {"ca_types": ["split"], "since": "2025-10-01", "until": "2025-10-20"}
    assert await agent.call("get_corporate_action_announcements", **span) == []
    with pytest.raises(ToolError, match="404"):
        await agent.call(
            "get_corporate_action_announcement", id="00000000-0000-4000-8000-000000000000"
        )


async def orders(agent: Agent) -> None:
    bought = await agent.call(
        "place_stock_order", symbol="WAVE", side="buy", qty="10", client_order_id="mcp"
    )
    found = await agent.call("get_order_by_client_id", client_order_id="mcp")
    assert (found["id"], found["status"]) == (bought["id"], "filled")
    resting = await agent.call(
        "place_stock_order", symbol="WAVE", side="buy", qty="1", type="limit", limit_price="80"
    )
    replaced = await agent.call("replace_order_by_id", order_id=resting["id"], limit_price="81")
    assert replaced["replaces"] == resting["id"]
    listed = await agent.call("get_orders", status="open", symbols="WAVE")
    assert [order["id"] for order in listed] == [replaced["id"]]
    await agent.call("cancel_order_by_id", order_id=replaced["id"])
    found = await agent.call("get_order_by_id", order_id=replaced["id"], nested=True)
    assert found["status"] == "canceled"
    bracket = await agent.call(
        "place_stock_order",
        symbol="FLAT",
        side="buy",
        qty="4",
        take_profit_limit_price="60",
        stop_loss_stop_price="40",
    )
    assert {leg["side"] for leg in bracket["legs"]} == {"sell"}
    await agent.call("cancel_all_orders")
    fills = await agent.call("get_account_activities_by_type", activity_type="FILL")
    assert {fill["symbol"] for fill in fills} == {"FLAT", "WAVE"}
    assert await agent.call("get_account_activities", activity_types=["FILL"]) == fills


async def positions(agent: Agent) -> None:
    held = await agent.call("get_all_positions")
    assert {position["symbol"]: position["qty"] for position in held} == {"FLAT": "4", "WAVE": "10"}
    await agent.call("close_position", symbol_or_asset_id="WAVE", qty=4)
    wave = await agent.call("get_open_position", symbol_or_asset_id="WAVE")
    assert wave["qty"] == "6"
    await agent.call("close_all_positions", cancel_orders=True)
    assert await agent.call("get_all_positions") == []


async def watchlists(agent: Agent) -> None:
    made = await agent.call("create_watchlist", name="mcp", symbols=["WAVE"])
    known = {"watchlist_id": made["id"]}
    await agent.call("add_asset_to_watchlist_by_id", symbol="FLAT", **known)
    await agent.call("update_watchlist_by_id", name="agent", symbols=["WAVE", "FLAT"], **known)
    await agent.call("remove_asset_from_watchlist_by_id", symbol="WAVE", **known)
    found = await agent.call("get_watchlist_by_id", **known)
    assert (found["name"], [asset["symbol"] for asset in found["assets"]]) == ("agent", ["FLAT"])
    assert len(await agent.call("get_watchlists")) == 1
    await agent.call("delete_watchlist_by_id", **known)


async def data(agent: Agent) -> None:
    history = {"symbols": "WAVE,FLAT", "feed": "iex", "limit": 100}
    bars = await agent.call("get_stock_bars", timeframe="1Min", **history, **YESTERDAY)
    assert {symbol: len(rows) for symbol, rows in bars["bars"].items()} == {"FLAT": 31, "WAVE": 31}
    trades = await agent.call("get_stock_trades", **history, **YESTERDAY)
    assert sum(map(len, trades["trades"].values())) == 100
    quotes = await agent.call("get_stock_quotes", **history, **YESTERDAY)
    assert quotes["next_page_token"]
    latest = {"symbols": "WAVE,FLAT", "feed": "iex"}
    for name, key in (("bar", "bars"), ("quote", "quotes"), ("trade", "trades")):
        found = await agent.call(f"get_stock_latest_{name}", **latest)
        assert set(found[key]) == {"FLAT", "WAVE"}
    assert set(await agent.call("get_stock_snapshot", **latest)) == {"FLAT", "WAVE"}
    assert len((await agent.call("get_most_active_stocks", top=2))["most_actives"]) == 2
    assert "gainers" in await agent.call("get_market_movers", market_type="stocks", top=2)
    news = await agent.call("get_news", symbols="WAVE", include_content=True)
    assert {item["headline"] for item in news["news"]} == {NEWS[0][1], NEWS[4][1]}
    assert "corporate_actions" in await agent.call("get_corporate_actions", symbols="WAVE")


async def test_a_refusal_reaches_the_agent(agent: Agent):
    with pytest.raises(AssertionError, match="stop orders require a stop price"):
        await agent.call("place_stock_order", symbol="WAVE", side="sell", qty="10", type="stop")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_option_contracts", {"underlying_symbols": "WAVE"}),
        ("get_crypto_latest_bar", {"loc": "us", "symbols": "BTC/USD"}),
        ("get_locates", {}),
    ],
)
async def test_what_is_not_traded_here_is_refused(
    agent: Agent, tool: str, arguments: dict[str, Any]
):
    with pytest.raises(ToolError, match="404"):
        await agent.call(tool, **arguments)
