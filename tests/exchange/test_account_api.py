from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.exchange.knobs import Knobs, Profile
from catalyst_bot.exchange.market.moments import Closing, Opening
from tests.exchange.desk import ADMIN, CLOSE, NEXT_OPEN, OPEN, Desk

KEYS = {
    "id", "account_number", "status", "crypto_status", "currency", "cash", "equity", "last_equity",
    "portfolio_value", "buying_power", "regt_buying_power", "effective_buying_power",
    "non_marginable_buying_power", "options_buying_power", "multiplier", "shorting_enabled",
    "long_market_value", "short_market_value", "position_market_value", "initial_margin",
    "maintenance_margin", "last_maintenance_margin", "sma", "accrued_fees", "pending_transfer_in",
    "pending_transfer_out", "intraday_adjustments", "pending_reg_taf_fees", "balance_asof",
    "created_at", "trading_blocked", "transfers_blocked", "account_blocked",
    "trade_suspended_by_user", "options_approved_level", "options_trading_level", "crypto_tier",
    "user_configurations", "admin_configurations",
}  # fmt: skip
GONE = {"pattern_day_trader", "daytrade_count", "daytrading_buying_power", "bod_dtbp"}


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(moves={"AAPL": {5: 110.0, 390: 121.0}})
    yield made
    made.close()


def number(body: dict[str, str], name: str) -> Decimal:
    return Decimal(body[name])


def test_a_fresh_account(desk: Desk) -> None:
    body = desk.get("/v2/account")
    assert set(body) == KEYS
    assert not set(body) & GONE
    assert body["account_number"].startswith("PA")
    assert body["status"] == "ACTIVE"
    for name in ("cash", "equity", "last_equity", "portfolio_value"):
        assert body[name] == "100000"
    assert (body["multiplier"], body["buying_power"]) == ("4", "400000")


def test_money_follows_positions_and_prices(desk: Desk) -> None:
    desk.order(qty=100)
    desk.minute(6)
    body = desk.get("/v2/account")
    assert body["cash"] == "89990"
    assert body["long_market_value"] == "11000"
    assert body["equity"] == "100990"
    assert body["initial_margin"] == "5500"
    assert body["maintenance_margin"] == "3300"
    assert body["last_equity"] == "100000"
    desk.advance(NEXT_OPEN + timedelta(seconds=30))
    body = desk.get("/v2/account")
    assert body["equity"] == "102090"
    assert body["last_equity"] == "100990"
    assert body["last_maintenance_margin"] == "3300"
    assert body["balance_asof"] == "2025-10-22"
    assert number(body, "buying_power") == 4 * (
        number(body, "last_equity") - number(body, "last_maintenance_margin")
    )


def test_a_multiplier_of_one_is_cash(desk: Desk) -> None:
    reply = desk.ask("PATCH", "/v2/account/configurations", json={"max_margin_multiplier": "1"})
    assert reply.json()["max_margin_multiplier"] == "1"
    body = desk.get("/v2/account")
    assert (body["multiplier"], body["buying_power"]) == ("1", "100000")
    desk.order(type="limit", limit_price=90, qty=100)
    assert desk.get("/v2/account")["buying_power"] == "91000"


def test_configurations(desk: Desk) -> None:
    body = desk.get("/v2/account/configurations")
    assert body == {
        "disable_overnight_trading": False,
        "fractional_trading": True,
        "max_margin_multiplier": "4",
        "no_shorting": False,
        "ptp_no_exception_entry": False,
        "suspend_trade": False,
        "trade_confirm_email": "all",
    }
    asked = {
        "dtbp_check": None,
        "pdt_check": None,
        "max_options_trading_level": None,
        "no_shorting": True,
        "trade_confirm_email": "none",
        "ptp_no_exception_entry": True,
    }
    changed = desk.ask("PATCH", "/v2/account/configurations", json=asked).json()
    assert changed == body | {
        "no_shorting": True,
        "trade_confirm_email": "none",
        "ptp_no_exception_entry": True,
    }
    assert desk.get("/v2/account")["shorting_enabled"] is False
    for wrong in (
        {"no_shorting": "yes"},
        {"max_margin_multiplier": "3"},
        {"trade_confirm_email": "some"},
        {"max_options_trading_level": 9},
    ):
        reply = desk.ask("PATCH", "/v2/account/configurations", json=wrong)
        assert (reply.status_code, reply.json()["code"]) == (422, 40010001)


def test_the_clock(desk: Desk) -> None:
    reply = desk.ask("GET", "/v2/clock")
    assert reply.json() == {
        "is_open": True,
        "next_close": "2025-10-22T16:00:00-04:00",
        "next_open": "2025-10-23T09:30:00-04:00",
        "timestamp": "2025-10-22T09:30:30-04:00",
    }
    assert reply.headers["x-replay-speed"] == "step"


def test_the_calendar(desk: Desk) -> None:
    rows = desk.get("/v2/calendar", start="2025-11-26", end="2025-11-28")
    assert rows == [
        {
            "close": "16:00",
            "date": "2025-11-26",
            "open": "09:30",
            "session_close": "2000",
            "session_open": "0400",
            "settlement_date": "2025-11-28",
        },
        {
            "close": "13:00",
            "date": "2025-11-28",
            "open": "09:30",
            "session_close": "1700",
            "session_open": "0400",
            "settlement_date": "2025-12-01",
        },
    ]
    settled = desk.get("/v2/calendar", start="2025-11-28", end="2025-11-28", date_type="SETTLEMENT")
    assert [row["date"] for row in settled] == ["2025-11-26"]


def test_assets(desk: Desk) -> None:
    rows = desk.get("/v2/assets", status="active", asset_class="us_equity")
    assert {row["symbol"] for row in rows} == {"AAPL", "MSFT", "SPY", "BRK.B"}
    apple = desk.get("/v2/assets/AAPL")
    assert (
        apple == desk.get(f"/v2/assets/{apple['id']}") == desk.get(f"/v2/assets/{apple['cusip']}")
    )
    assert (apple["class"], apple["easy_to_borrow"]) == ("us_equity", True)
    assert desk.get("/v2/assets", asset_class="crypto") == []
    assert desk.get("/v2/assets", status="inactive") == []
    assert [row["symbol"] for row in desk.get("/v2/assets", exchange="ARCA")] == ["SPY"]
    reply = desk.ask("GET", "/v2/assets/NONE")
    assert (reply.status_code, reply.json()) == (
        404,
        {"code": 40410000, "message": "asset not found for NONE"},
    )


def test_activities_page_by_the_id_of_the_last(desk: Desk) -> None:
    orders = []
    for _ in range(5):
        orders.append(desk.order(qty=2))
        desk.advance(timedelta(seconds=1))
    desk.order(qty=1, side="sell")
    rows = desk.get("/v2/account/activities")
    assert len(rows) == 6
    assert rows[0]["side"] == "sell"
    first = rows[-1]
    assert first == {
        "activity_type": "FILL",
        "cum_qty": "2",
        "id": first["id"],
        "leaves_qty": "0",
        "order_id": orders[0]["id"],
        "order_status": "filled",
        "price": "100.1",
        "qty": "2",
        "side": "buy",
        "symbol": "AAPL",
        "transaction_time": "2025-10-22T13:30:30Z",
        "type": "fill",
    }
    assert first["id"].startswith("20251022093030000::")
    seen, token = [], None
    while page := desk.get(
        "/v2/account/activities/FILL",
        page_size=2,
        direction="asc",
        **({"page_token": token} if token else {}),
    ):
        seen += page
        token = page[-1]["id"]
    assert seen == rows[::-1]
    later = desk.get("/v2/account/activities", after=orders[1]["submitted_at"])
    assert len(later) == 4
    assert len(desk.get("/v2/account/activities", until=orders[1]["submitted_at"])) == 1
    assert len(desk.get("/v2/account/activities", order_id=orders[2]["id"])) == 1
    assert len(desk.get("/v2/account/activities", date="2025-10-22")) == 6
    assert desk.get("/v2/account/activities", date="2025-10-21") == []
    assert desk.get("/v2/account/activities", activity_types="DIV,FEE") == []
    assert desk.get("/v2/account/activities", category="non_trade_activity") == []
    for wrong in ({"category": "x"}, {"category": "trade_activity", "activity_types": "FILL"}):
        assert desk.ask("GET", "/v2/account/activities", params=wrong).status_code == 422
    assert desk.ask("GET", "/v2/account/activities?page_token=x").status_code == 422


def test_partial_fills_in_the_activities() -> None:
    desk = Desk(knobs=Knobs(partial_probability=Decimal(1), rate_limit_per_min=0))
    order = desk.order(qty=100)
    assert desk.again(order)["status"] == "partially_filled"
    first = desk.get("/v2/account/activities/FILL")[0]
    assert (first["type"], first["order_status"]) == ("partial_fill", "partially_filled")
    assert int(first["cum_qty"]) + int(first["leaves_qty"]) == 100
    update = desk.updates[-1]
    assert update["event"] == "partial_fill"
    assert (update["qty"], update["position_qty"]) == (first["qty"], first["qty"])


def test_portfolio_history(desk: Desk) -> None:
    desk.order(qty=100)
    desk.advance(NEXT_OPEN + timedelta(minutes=10))
    body = desk.get("/v2/account/portfolio/history", period="1W", timeframe="1D")
    assert body["timeframe"] == "1D"
    assert body["equity"][-2:] == [100990.0, 102090.0]
    assert len(body["timestamp"]) == len(body["profit_loss"]) == len(body["profit_loss_pct"])
    assert body["equity"][0] == body["profit_loss"][0] == 0  # before it was opened
    minutes = desk.get(
        "/v2/account/portfolio/history",
        start=OPEN.isoformat(),
        end=CLOSE.isoformat(),
        timeframe="1Min",
    )
    assert len(minutes["timestamp"]) == 390
    assert minutes["timestamp"][0] == int(OPEN.timestamp())
    assert minutes["equity"][0] == 99990.0
    assert minutes["equity"][-1] == 100990.0
    assert minutes["base_value"] == 100000.0  # before, the account was not there
    assert minutes["profit_loss"][-1] == 990.0
    assert "base_value_asof" not in minutes
    today = desk.get("/v2/account/portfolio/history", period="1D", timeframe="5Min")
    assert today["base_value"] == 100990.0
    assert today["base_value_asof"] == "2025-10-22"
    assert today["profit_loss"][0] == 1100.0
    flows = desk.get("/v2/account/portfolio/history", period="1D", cashflow_types="CSD")
    assert set(flows["cashflow"]) == {"CSD"}
    for wrong in (
        {"period": "1X"},
        {"timeframe": "2D"},
        {"period": "1D", "start": "2025-10-20", "end": "2025-10-22"},
        {"period": "3M", "timeframe": "1Min"},
        {"start": "2025-10-23", "end": "2025-10-22"},
    ):
        reply = desk.ask("GET", "/v2/account/portfolio/history", params=wrong)
        assert (reply.status_code, reply.json()["code"]) == (422, 40010001), wrong


def test_splits_in_books_orders_and_lists(desk: Desk) -> None:
    desk.order(qty=5)
    order = desk.order(side="sell", qty=5, type="limit", limit_price=300, time_in_force="gtc")
    reply = desk.ask(
        "POST",
        "/admin/corporate_actions",
        json={
            "kind": "split",
            "symbol": "AAPL",
            "on": "2025-10-23",
            "new_rate": "2",
            "old_rate": "1",
        },
        headers=ADMIN,
    )
    assert reply.status_code == 200, reply.text
    desk.advance(NEXT_OPEN + timedelta(seconds=30))
    position = desk.get("/v2/positions/AAPL")
    assert (position["qty"], position["avg_entry_price"]) == ("10", "50.05")
    assert (position["current_price"], position["lastday_price"]) == ("60.5", "55")
    assert desk.again(order)["status"] == "canceled"
    rows = desk.get("/v2/account/activities/SPLIT")
    assert [(row["symbol"], row["qty"]) for row in rows] == [("AAPL", "10")]
    announced = desk.get(
        "/v2/corporate_actions/announcements",
        ca_types="Split",
        since="2025-10-20",
        until="2025-10-30",
    )
    assert [(row["ca_type"], row["new_rate"]) for row in announced] == [("Split", "2")]
    found = desk.get(f"/v2/corporate_actions/announcements/{announced[0]['id']}")
    assert found == announced[0]
    assert desk.ask("GET", "/v2/corporate_actions/announcements").status_code == 422


def test_what_an_administrator_says_of_an_asset(desk: Desk) -> None:
    told = {"symbol": "MSFT", "shortable": False, "easy_to_borrow": False, "fractionable": False}
    changed = desk.ask("POST", "/admin/assets", json=told, headers=ADMIN).json()
    asset = desk.get("/v2/assets/MSFT")
    assert changed == asset
    assert (asset["shortable"], asset["borrow_status"]) == (False, "hard_to_borrow")
    assert desk.refusal(symbol="MSFT", qty="0.5")[0] == 403
    told = {"symbol": "MSFT", "status": "inactive", "attributes": ["ipo"]}
    assert desk.ask("POST", "/admin/assets", json=told, headers=ADMIN).status_code == 200
    assert [row["symbol"] for row in desk.get("/v2/assets", status="inactive")] == ["MSFT"]
    assert desk.get("/v2/assets", attributes="ipo,has_options")[0]["symbol"] == "MSFT"
    for wrong in (
        {"symbol": "NONE", "tradable": False},
        {"symbol": "MSFT", "tradable": "no"},
        {"symbol": "MSFT", "status": "gone"},
        {"symbol": "MSFT", "attributes": "ipo"},
        {"symbol": "MSFT", "colour": "red"},
    ):
        reply = desk.ask("POST", "/admin/assets", json=wrong, headers=ADMIN)
        assert reply.status_code in {404, 422}, wrong


def test_our_own_profile_fills_at_the_next_bar() -> None:
    desk = Desk(knobs=Knobs(profile=Profile.OURS, rate_limit_per_min=0))
    body = desk.get("/v2/account")
    assert (body["multiplier"], body["shorting_enabled"]) == ("1", False)
    order = desk.order(qty=10)
    assert desk.again(order)["status"] == "new"
    desk.minute(3)
    assert desk.again(order)["status"] == "filled"


def test_bars_before_the_open_fill_nothing_in_our_own_profile() -> None:
    early = NEXT_OPEN - timedelta(minutes=30)
    desk = Desk(start=early, knobs=Knobs(profile=Profile.OURS, rate_limit_per_min=0))
    order = desk.order(qty=10, time_in_force="gtc")
    desk.account.engine.on_session_open(early)
    bar = Bar(
        symbol="AAPL",
        opened_at=early,
        closed_at=early + timedelta(minutes=1),
        open=100.0,
        high=100.0,
        low=100.0,
        close=100.0,
        volume=1e6,
    )
    prints = (OpenPrint(symbol="AAPL", price=100.0),)
    desk.exchange.on_moment(Opening(at=early, prints=prints))
    desk.exchange.on_moment(Closing(at=bar.closed_at, bars=(bar,)))
    assert desk.again(order)["status"] == "new"
    desk.advance(NEXT_OPEN + timedelta(minutes=3))
    assert desk.again(order)["status"] == "filled"


def test_nothing_can_be_spent_of_less_than_nothing(desk: Desk) -> None:
    desk.order(qty=3990)  # at the ask it costs all the credit there is
    desk.minute(6)
    body = desk.get("/v2/account")
    assert Decimal(body["cash"]) < 0
    for name in ("buying_power", "non_marginable_buying_power", "regt_buying_power", "sma"):
        assert Decimal(body[name]) >= 0, name


@pytest.mark.parametrize("value", ["0", "-1", "{more}", "9" * 40, "\uff11", "1_0", " 1", "1.0"])
@pytest.mark.parametrize(
    ("path", "name", "most"), [("orders", "limit", 500), ("account/activities", "page_size", 100)]
)
def test_a_count_out_of_its_range_is_refused(
    desk: Desk, path: str, name: str, most: int, value: str
) -> None:
    asked = {name: value.format(more=most + 1)}
    reply = desk.ask("GET", f"/v2/{path}", params=asked)
    assert (reply.status_code, reply.json()["code"]) == (422, 40010001)
    assert reply.json()["message"] in {
        f"{name} must be between 1 and {most}",
        f"{name} is invalid format",
    }
    for good in (1, most):
        assert desk.ask("GET", f"/v2/{path}", params={name: good}).status_code == 200


@pytest.mark.parametrize("asked", ["/FOO", "/FILL,FOO", "/fill", "?activity_types=FOO"])
def test_an_activity_nobody_has_is_refused(desk: Desk, asked: str) -> None:
    reply = desk.ask("GET", f"/v2/account/activities{asked}")
    assert (reply.status_code, reply.json()["code"]) == (422, 40010001)
    assert reply.json()["message"].startswith("invalid activity_type: ")
    assert desk.get("/v2/account/activities/DIV") == []
