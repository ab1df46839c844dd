"""Every refusal that depends on account, book or market, with status, code, words and context."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.exchange.knobs import ClientIdScope, DayTradeRule, Knobs
from tests.exchange.desk import NEXT_OPEN, Desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.close()


def test_insufficient_buying_power(desk: Desk) -> None:
    assert desk.refusal(qty=5000) == (
        403,
        {
            "buying_power": "400000",
            "code": 40310000,
            "cost_basis": "500500",
            "message": "insufficient buying power",
        },
    )
    status, body = desk.refusal(type="limit", limit_price="99.5", qty=5000)
    assert (status, body["cost_basis"]) == (403, "497500")
    assert list(body) == sorted(body)


def test_insufficient_shares(desk: Desk) -> None:
    desk.order(qty=10)
    held = desk.order(side="sell", qty=6, type="limit", limit_price=200)
    assert desk.refusal(side="sell", qty=5) == (
        403,
        {
            "available": "4",
            "code": 40310000,
            "existing_qty": "10",
            "held_for_orders": "6",
            "message": "insufficient qty available for order (requested: 5, available: 4)",
            "related_orders": [held["id"]],
            "symbol": "AAPL",
        },
    )


def test_wash_trades(desk: Desk) -> None:
    resting = desk.order(type="limit", limit_price=90, qty=1)
    desk.order(qty=5, symbol="MSFT")
    desk.order(qty=5, symbol="AAPL")
    status, body = desk.refusal(side="sell", qty=5)
    assert (status, body["code"]) == (403, 40310000)
    assert body["message"] == "potential wash trade detected. use complex orders"
    assert body["existing_order_id"] == resting["id"]
    assert body["reject_reason"] == "opposite side market/stop order exists"
    status, body = desk.refusal(side="sell", qty=1, type="limit", limit_price=90)
    assert body["reject_reason"] == "opposite side limit order exists"
    desk.order(side="sell", qty=1, type="limit", limit_price="90.01", time_in_force="ioc")
    desk.order(side="sell", qty=1, type="trailing_stop", trail_price=5)


def test_too_small(desk: Desk) -> None:
    status, body = desk.refusal(notional="0.5")
    assert (status, body["code"]) == (403, 40310000)
    assert body["message"] == "cost basis must be >= minimal amount of order 1"


def test_short_sales(desk: Desk) -> None:
    assets = desk.exchange.market.world.assets
    assets.change("MSFT", is_shortable=False)
    assert desk.refusal(symbol="MSFT", side="sell") == (
        422,
        {"code": 42210000, "message": 'asset "MSFT" cannot be sold short'},
    )
    assets.change("SPY", is_easy_to_borrow=False)
    status, body = desk.refusal(symbol="SPY", side="sell", time_in_force="gtc")
    assert (status, body["code"]) == (422, 42210000)
    assert body["message"] == "only day orders are allowed for hard-to-borrow asset SPY"
    assert desk.refusal(side="sell", qty="0.5") == (
        422,
        {"code": 42210000, "message": "fractional orders cannot be sold short"},
    )
    desk.ask("PATCH", "/v2/account/configurations", json={"no_shorting": True})
    assert desk.refusal(side="sell") == (
        403,
        {"code": 40310000, "message": "account is not allowed to short"},
    )


def test_both_sides_of_a_flat_account(desk: Desk) -> None:
    desk.order(type="limit", limit_price=90)
    status, body = desk.refusal(side="sell", type="limit", limit_price=110)
    assert status == 403
    assert body["message"] == ("cannot have a short sell order open at the same time as a long buy")


def test_assets(desk: Desk) -> None:
    assert desk.refusal(symbol="NONE") == (
        422,
        {"code": 42210000, "message": 'asset "NONE" not found'},
    )
    assert desk.refusal(symbol="aapl")[1]["message"] == 'asset "aapl" not found'
    change = desk.exchange.market.world.assets.change
    change("MSFT", is_tradable=False)
    assert desk.refusal(symbol="MSFT") == (
        422,
        {"code": 42210000, "message": "asset MSFT is not tradable"},
    )
    change("SPY", is_active=False)
    assert desk.refusal(symbol="SPY") == (
        422,
        {"code": 40010001, "message": "asset SPY is not active"},
    )
    change("AAPL", is_fractionable=False)
    assert desk.refusal(qty="0.5") == (
        403,
        {"code": 40310000, "message": 'asset "AAPL" is not fractionable'},
    )


def test_symbols_in_all_their_forms(desk: Desk) -> None:
    asset = desk.get("/v2/assets/AAPL")
    for name in ("AAPL:NASDAQ", "AAPL:NASDAQ:us_equity", asset["id"]):
        order = desk.order(symbol=name)
        assert (order["symbol"], order["asset_id"]) == ("AAPL", asset["id"])


def test_names_are_used_once(desk: Desk) -> None:
    desk.order(client_order_id="once")
    assert desk.refusal(client_order_id="once") == (
        422,
        {"code": 40010001, "message": "client_order_id must be unique"},
    )
    assert len(desk.get("/v2/orders", status="all")) == 1


@pytest.mark.parametrize(
    ("fields", "message", "context"),
    [
        (
            {"take_profit": {"limit_price": 100}, "stop_loss": {"stop_price": 90}},
            "take_profit.limit_price must be >= base_price + 0.01",
            {"base_price": "100"},
        ),
        (
            {"take_profit": {"limit_price": 110}, "stop_loss": {"stop_price": 100}},
            "stop_loss.stop_price must be <= base_price - 0.01",
            {"base_price": "100"},
        ),
        (
            {
                "side": "sell",
                "take_profit": {"limit_price": 90},
                "stop_loss": {"stop_price": 100},
            },
            "stop_loss.stop_price must be >= base_price + 0.01",
            {"base_price": "100"},
        ),
        (
            {
                "side": "sell",
                "take_profit": {"limit_price": 110},
                "stop_loss": {"stop_price": 105},
            },
            "take_profit.limit_price must be < stop_loss.stop_price",
            {},
        ),
        (
            {
                "type": "limit",
                "limit_price": 95,
                "take_profit": {"limit_price": 110},
                "stop_loss": {"stop_price": 96},
            },
            "stop_loss.stop_price must be <= base_price - 0.01",
            {"base_price": "95"},
        ),
    ],
)
def test_bracket_prices(
    desk: Desk, fields: dict[str, Any], message: str, context: dict[str, str]
) -> None:
    status, body = desk.refusal(order_class="bracket", **fields)
    assert (status, body) == (422, {"code": 42210000, "message": message, **context})


def test_stop_prices(desk: Desk) -> None:
    desk.order(qty=5)
    assert desk.refusal(side="sell", type="stop", stop_price=101) == (
        422,
        {
            "code": 42210000,
            "market_price": "100",
            "message": "stop price must be less than current price",
            "stop_price": "101",
        },
    )
    _, body = desk.refusal(type="stop", stop_price=99)
    assert body["message"] == "stop price must be greater than current price"


def test_position_intent(desk: Desk) -> None:
    assert desk.refusal(position_intent="buy_to_close") == (
        422,
        {
            "code": 42210000,
            "message": ("position intent mismatch, inferred: buy_to_open, specified: buy_to_close"),
        },
    )


def test_dollars_beside_open_exits(desk: Desk) -> None:
    desk.order(qty=5)
    desk.order(side="sell", qty=5, type="limit", limit_price=200)
    status, body = desk.refusal(notional=50)
    assert status == 422
    assert body["message"] == (
        "unable to open new notional orders while having open closing position orders"
    )


def test_what_the_owner_forbids(desk: Desk) -> None:
    desk.ask("PATCH", "/v2/account/configurations", json={"fractional_trading": False})
    assert desk.refusal(qty="0.5") == (
        403,
        {"code": 40310000, "message": "fractional trading is disabled for this account"},
    )
    desk.ask("PATCH", "/v2/account/configurations", json={"suspend_trade": True})
    assert desk.refusal() == (
        403,
        {"code": 40310000, "message": "new orders are rejected by user request"},
    )
    assert desk.get("/v2/account")["trade_suspended_by_user"] is True


def test_a_refused_order_leaves_no_trace(desk: Desk) -> None:
    before = desk.get("/v2/account")
    desk.refusal(qty=5000)
    desk.refusal(side="sell", qty="0.5")
    assert desk.get("/v2/account") == before
    assert desk.get("/v2/orders", status="all") == []
    assert desk.updates == []


def small(rule: DayTradeRule) -> Desk:
    return Desk(
        knobs=Knobs(
            pdt_mode=rule,
            starting_cash_usd=Decimal(20_000),
            partial_probability=Decimal(0),
            rate_limit_per_min=0,
        )
    )


def day_trade(desk: Desk) -> None:
    desk.order()
    desk.order(side="sell")


def test_the_day_trading_rule_of_old() -> None:
    desk = small(DayTradeRule.LEGACY)
    for _ in range(3):
        day_trade(desk)
    desk.order()
    assert desk.refusal(side="sell") == (
        403,
        {"code": 40310100, "message": "trade denied due to pattern day trading protection"},
    )
    assert desk.ask("DELETE", "/v2/positions/AAPL").status_code == 403
    desk.advance(NEXT_OPEN + timedelta(seconds=30))
    desk.order(side="sell")  # bought the day before
    desk.order(symbol="MSFT")
    assert desk.refusal(symbol="MSFT", side="sell")[0] == 403


def test_day_trading_power_is_gone_when_a_busy_account_becomes_small() -> None:
    desk = Desk(
        moves={"SPY": {3: 300.0}},
        knobs=Knobs(
            pdt_mode=DayTradeRule.LEGACY,
            starting_cash_usd=Decimal(25_500),
            partial_probability=Decimal(0),
            rate_limit_per_min=0,
        ),
    )
    for _ in range(4):
        day_trade(desk)
    desk.order(symbol="SPY", qty=40)
    desk.minute(4)
    assert desk.refusal() == (
        403,
        {
            "code": 40310000,
            "daytrading_buying_power": "0",
            "message": "insufficient day trading buying power",
        },
    )
    desk.advance(NEXT_OPEN + timedelta(seconds=30))
    desk.order(symbol="SPY", side="sell", qty=40)


def test_no_day_trading_rule_unless_asked_for() -> None:
    desk = small(DayTradeRule.OFF)
    for _ in range(5):
        day_trade(desk)


def test_a_name_may_be_used_again_when_the_exchange_is_told_so() -> None:
    desk = Desk(
        knobs=Knobs(
            client_id_scope=ClientIdScope.ACTIVE_ONLY,
            partial_probability=Decimal(0),
            rate_limit_per_min=0,
        )
    )
    first = desk.order(client_order_id="again")
    second = desk.order(client_order_id="again")
    assert first["id"] != second["id"]
    desk.order(type="limit", limit_price=90, client_order_id="again")
    assert desk.refusal(client_order_id="again")[0] == 422
    found = desk.get("/v2/orders:by_client_order_id", client_order_id="again")
    assert found["status"] == "new"
