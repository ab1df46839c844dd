"""alpaca-py, unmodified: the account, the calendar, assets, watchlists and what has happened."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from tests.conformance.sdk import APIError, Desk, order
from tests.conformance.world import DAY, DAYS, SYMBOLS, at


@pytest.mark.proves("GET /v2/account")
def test_a_fresh_account(desk: Desk):
    account = desk.trading.get_account()
    assert account.status == "ACTIVE"
    assert account.account_number.startswith("PA")
    assert Decimal(account.cash) == Decimal(account.equity) == 100_000
    assert account.currency == "USD"
    assert not account.trading_blocked
    assert Decimal(account.buying_power) == 100_000 * Decimal(account.multiplier)
    assert account.pattern_day_trader is None  # gone since July 2026


@pytest.mark.proves("GET /v2/account")
def test_money_moves_with_a_trade(desk: Desk):
    bought = desk.buy(quantity=100)
    account = desk.trading.get_account()
    spent = Decimal(bought.filled_avg_price) * 100
    assert Decimal(account.cash) == 100_000 - spent
    assert Decimal(account.long_market_value) == 100 * desk.current_price()
    assert Decimal(account.buying_power) < 400_000
    assert Decimal(account.initial_margin) == Decimal(account.long_market_value) / 2


@pytest.mark.proves("GET /v2/account/configurations", "PATCH /v2/account/configurations")
def test_configurations_are_kept(desk: Desk):
    found = desk.trading.get_account_configurations()
    assert not found.suspend_trade
    changed = desk.trading.set_account_configurations(
        found.model_copy(update={"no_shorting": True})
    )
    assert changed.no_shorting
    assert desk.trading.get_account_configurations() == changed


@pytest.mark.proves("PATCH /v2/account/configurations")
def test_a_suspended_account_takes_no_orders(desk: Desk):
    found = desk.trading.get_account_configurations()
    desk.trading.set_account_configurations(found.model_copy(update={"suspend_trade": True}))
    assert desk.trading.get_account().trade_suspended_by_user
    with pytest.raises(APIError) as refused:
        desk.buy()
    assert refused.value.status_code == 403


@pytest.mark.proves("GET /v2/clock")
def test_the_clock(desk: Desk):
    clock = desk.trading.get_clock()
    assert clock.is_open
    assert clock.timestamp == desk.now()
    assert clock.next_close == at(20)
    assert clock.next_open == at(13, 30, day=DAYS[3])


@pytest.mark.proves("GET /v2/calendar")
def test_the_calendar_knows_weekends_holidays_half_days_and_summer_time(desk: Desk):
    asked = order.GetCalendarRequest(start=date(2025, 10, 31), end=date(2025, 12, 1))
    days = {row.date: row for row in desk.trading.get_calendar(asked)}
    assert date(2025, 11, 1) not in days
    assert date(2025, 11, 27) not in days
    assert days[date(2025, 11, 28)].close == datetime(2025, 11, 28, 13)  # noqa: DTZ001 - as the SDK
    assert days[date(2025, 11, 3)].open == datetime(2025, 11, 3, 9, 30)  # noqa: DTZ001 - as the SDK


@pytest.mark.proves("GET /v2/assets", "GET /v2/assets/{symbol_or_asset_id}")
def test_assets(desk: Desk):
    asked = order.GetAssetsRequest(status="active", asset_class="us_equity")
    assets = {asset.symbol: asset for asset in desk.trading.get_all_assets(asked)}
    assert set(SYMBOLS) <= set(assets)
    wave = desk.trading.get_asset("WAVE")
    assert wave == assets["WAVE"] == desk.trading.get_asset(wave.id)
    assert wave.tradable
    assert wave.fractionable
    assert wave.shortable


@pytest.mark.proves(
    "GET /v2/watchlists",
    "POST /v2/watchlists",
    "GET /v2/watchlists/{watchlist_id}",
    "PUT /v2/watchlists/{watchlist_id}",
    "POST /v2/watchlists/{watchlist_id}",
    "DELETE /v2/watchlists/{watchlist_id}",
    "DELETE /v2/watchlists/{watchlist_id}/{symbol}",
)
def test_watchlists(desk: Desk):
    made = desk.trading.create_watchlist(order.CreateWatchlistRequest(name="a", symbols=["WAVE"]))
    grown = desk.trading.add_asset_to_watchlist_by_id(made.id, "FLAT")
    assert [asset.symbol for asset in grown.assets] == ["WAVE", "FLAT"]
    renamed = order.UpdateWatchlistRequest(name="b", symbols=["DIME", "FLAT"])
    desk.trading.update_watchlist_by_id(made.id, renamed)
    shrunk = desk.trading.remove_asset_from_watchlist_by_id(made.id, "DIME")
    assert [asset.symbol for asset in shrunk.assets] == ["FLAT"]
    assert desk.trading.get_watchlist_by_id(made.id).name == "b"
    assert [listed.id for listed in desk.trading.get_watchlists()] == [made.id]
    desk.trading.delete_watchlist_by_id(made.id)
    assert desk.trading.get_watchlists() == []


@pytest.mark.proves("GET /v2/account/activities", "GET /v2/account/activities/{activity_type}")
def test_activities_page_by_the_last_id(desk: Desk):
    for quantity in (1, 2, 3):
        desk.buy(quantity=quantity)
    fills = desk.trading.get("/account/activities/FILL", {"direction": "asc"})
    assert [fill["qty"] for fill in fills] == ["1", "2", "3"]
    assert fills[0]["type"] == "fill"
    assert UUID(fills[0]["order_id"])
    newest = desk.trading.get("/account/activities", {"page_size": 1})
    assert newest == [fills[2]]
    older = {"page_size": 10, "page_token": newest[0]["id"]}
    assert desk.trading.get("/account/activities", older) == [fills[1], fills[0]]


@pytest.mark.proves("GET /v2/account/portfolio/history")
def test_portfolio_history(desk: Desk):
    desk.buy()
    desk.advance(minutes=5)
    asked = order.GetPortfolioHistoryRequest(period="1D", timeframe="1Min")
    history = desk.trading.get_portfolio_history(asked)
    assert history.timeframe == "1Min"
    count = len(history.timestamp)
    assert count == len(history.equity) == len(history.profit_loss) == len(history.profit_loss_pct)
    assert history.timestamp == sorted(history.timestamp)
    assert at(13, 30).timestamp() <= history.timestamp[0]
    assert history.timestamp[-1] <= desk.now().timestamp()
    assert history.base_value == 100_000
    daily = order.GetPortfolioHistoryRequest(period="1W", timeframe="1D")
    assert desk.trading.get_portfolio_history(daily).timeframe == "1D"


def test_the_market_stands_on_the_day_of_the_tests(desk: Desk):
    assert desk.now().date() == DAY
