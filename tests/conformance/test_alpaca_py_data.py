"""alpaca-py, unmodified: bars, trades, quotes, snapshots, news, screener, corporate actions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.conformance.sdk import Desk, MostActivesBy, TimeFrame, TimeFrameUnit, ask
from tests.conformance.world import DAYS, NEWS, at

YESTERDAY = DAYS[1]


def bars(desk: Desk, symbols: Any = "WAVE", frame: Any = TimeFrame.Minute, **asked: Any) -> Any:
    asked = {"feed": "iex", "start": at(13, 30, day=YESTERDAY)} | asked
    request = ask.StockBarsRequest(symbol_or_symbols=symbols, timeframe=frame, **asked)
    return desk.stocks.get_stock_bars(request).data


@pytest.mark.proves("GET /v2/stocks/bars")
def test_minute_bars_are_the_recorded_ones(desk: Desk):
    found = bars(desk, ["FLAT", "WAVE"], end=at(13, 34, day=YESTERDAY))
    assert {symbol: len(rows) for symbol, rows in found.items()} == {"FLAT": 5, "WAVE": 5}
    first = found["WAVE"][0]
    assert first.timestamp == at(13, 30, day=YESTERDAY)
    assert (first.open, first.high, first.low, first.close) == (100, 101, 99, 100)
    assert first.volume == 50_000


@pytest.mark.proves("GET /v2/stocks/bars")
@pytest.mark.parametrize(
    ("frame", "count"),
    [
        (TimeFrame(5, TimeFrameUnit.Minute), 12),
        (TimeFrame.Hour, 1),
        (TimeFrame.Day, 2),
        (TimeFrame.Week, 1),
        (TimeFrame.Month, 1),
    ],
)
def test_longer_bars_are_made_of_the_recorded_ones(desk: Desk, frame: TimeFrame, count: int):
    is_intraday = frame.unit in {TimeFrameUnit.Minute, TimeFrameUnit.Hour}
    start = at(14, day=YESTERDAY) if is_intraday else at(4, day=date(2025, 10, 1))
    found = bars(desk, frame=frame, start=start, end=at(14, 59, day=YESTERDAY))
    rows = found["WAVE"]
    assert len(rows) == count
    assert (rows[0].open, rows[0].high, rows[0].low, rows[0].close) == (100, 101, 99, 100)


@pytest.mark.proves("GET /v2/stocks/bars")
def test_daily_bars_begin_at_midnight_in_new_york(desk: Desk):
    rows = bars(desk, frame=TimeFrame.Day, start=at(0, day=DAYS[0]))["WAVE"]
    assert [row.timestamp for row in rows] == [at(4, day=day) for day in DAYS[: len(rows)]]
    assert len(rows) in {2, 3}  # today's is not complete


@pytest.mark.proves("GET /v2/stocks/bars")
def test_nothing_later_than_now_is_shown(desk: Desk):
    now = desk.now()
    rows = bars(desk, start=at(13, 30), end=at(23))["WAVE"]
    assert rows[-1].timestamp < now
    assert rows[-1].timestamp + timedelta(minutes=1) <= now


@pytest.mark.proves("GET /v2/stocks/bars")
def test_pages_are_followed_to_the_end(desk: Desk):
    whole = {"start": at(13, 30, day=YESTERDAY), "end": at(20, day=YESTERDAY)}
    in_one = bars(desk, ["FLAT", "WAVE"], **whole)
    in_pages = bars(desk, ["FLAT", "WAVE"], limit=500, **whole)
    assert sum(map(len, in_pages.values())) == 500
    assert len(in_one["WAVE"]) == 391
    assert in_pages["FLAT"] == in_one["FLAT"]
    newest = bars(desk, sort="desc", limit=2, **whole)["WAVE"]
    assert newest == in_one["WAVE"][:-3:-1]


@pytest.mark.proves("GET /v2/stocks/trades", "GET /v2/stocks/quotes")
def test_trades_and_quotes(desk: Desk):
    asked = {
        "symbol_or_symbols": ["WAVE"],
        "start": at(13, 30, day=YESTERDAY),
        "end": at(13, 31, day=YESTERDAY),
        "feed": "iex",
    }
    trades = desk.stocks.get_stock_trades(ask.StockTradesRequest(**asked)).data["WAVE"]
    in_bar = [trade for trade in trades if trade.timestamp < at(13, 31, day=YESTERDAY)]
    assert sum(trade.size for trade in in_bar) == 50_000
    assert (in_bar[0].price, in_bar[-1].price) == (100, 100)
    assert {max(t.price for t in in_bar), min(t.price for t in in_bar)} == {101, 99}
    quotes = desk.stocks.get_stock_quotes(ask.StockQuotesRequest(**asked)).data["WAVE"]
    assert all(quote.bid_price < quote.ask_price for quote in quotes)
    assert all(quote.ask_price >= 99 and quote.bid_price <= 101 for quote in quotes)


@pytest.mark.proves(
    "GET /v2/stocks/bars/latest",
    "GET /v2/stocks/quotes/latest",
    "GET /v2/stocks/trades/latest",
    "GET /v2/stocks/snapshots",
)
def test_the_latest_of_everything(desk: Desk):
    both = {"symbol_or_symbols": ["FLAT", "WAVE"], "feed": "iex"}
    now = desk.now()
    bar = desk.stocks.get_stock_latest_bar(ask.StockLatestBarRequest(**both))["FLAT"]
    quote = desk.stocks.get_stock_latest_quote(ask.StockLatestQuoteRequest(**both))["FLAT"]
    trade = desk.stocks.get_stock_latest_trade(ask.StockLatestTradeRequest(**both))["FLAT"]
    assert bar.close == trade.price == 50
    assert bar.timestamp <= now - timedelta(minutes=1)
    assert now - timedelta(minutes=1) <= trade.timestamp <= now
    assert quote.bid_price < 50 < quote.ask_price
    snapshot = desk.stocks.get_stock_snapshot(ask.StockSnapshotRequest(**both))["FLAT"]
    assert snapshot.latest_trade == trade
    assert snapshot.latest_quote == quote
    assert snapshot.minute_bar == bar
    assert snapshot.daily_bar.timestamp == at(4)
    assert snapshot.previous_daily_bar.timestamp == at(4, day=YESTERDAY)


@pytest.mark.proves("GET /v1beta1/news")
def test_news_is_shown_a_minute_after_it_was_published(desk: Desk):
    day = {"start": at(0, day=YESTERDAY), "end": at(23, day=YESTERDAY), "include_content": True}
    found = desk.news.get_news(ask.NewsRequest(sort="asc", **day)).data["news"]
    assert [item.headline for item in found] == [headline for _, headline, *_ in NEWS[:2]]
    assert found[0].symbols == ["WAVE"]
    assert found[0].content == NEWS[0][3]
    today = ask.NewsRequest(start=at(13, 30), end=at(23), symbols="WAVE,TREND")
    assert [item.headline for item in desk.news.get_news(today).data["news"]] == [
        NEWS[4][1],
        NEWS[2][1],
    ]
    one = desk.news.get_news(ask.NewsRequest(limit=1, sort="asc", start=at(0, day=YESTERDAY)))
    assert [item.headline for item in one.data["news"]] == [NEWS[0][1]]


@pytest.mark.proves(
    "GET /v1beta1/screener/stocks/most-actives", "GET /v1beta1/screener/{market_type}/movers"
)
def test_the_screener(desk: Desk):
    active = desk.screener.get_most_actives(ask.MostActivesRequest(top=3, by=MostActivesBy.VOLUME))
    volumes = [stock.volume for stock in active.most_actives]
    assert len(volumes) == 3
    assert volumes == sorted(volumes, reverse=True)
    movers = desk.screener.get_market_movers(ask.MarketMoversRequest(top=2))
    assert len(movers.gainers) <= 2
    assert len(movers.losers) <= 2


@pytest.mark.proves("GET /v1/corporate-actions")
def test_no_corporate_actions(desk: Desk):
    found = desk.actions.get_corporate_actions(ask.CorporateActionsRequest(symbols=["WAVE"]))
    assert not any(found.data.values())


@pytest.mark.proves("GET /v2/stocks/bars")
def test_an_unknown_symbol_has_no_bars(desk: Desk):
    assert bars(desk, "NOPE", end=at(14, day=YESTERDAY)) == {}
