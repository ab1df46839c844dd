"""alpaca-py, unmodified: trade updates, market data and news over its own streams."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import Any

import pytest

from tests.conformance.sdk import (
    Desk,
    NewsDataStream,
    StockDataStream,
    TradingStream,
    ask,
    order,
    running,
    wait_for,
)
from tests.conformance.world import NEWS, at


class Heard(defaultdict[str, list[Any]]):
    """What came in, by channel."""

    def __init__(self) -> None:
        super().__init__(list)

    def into(self, name: str) -> Any:
        async def keep(message: Any) -> None:
            self[name].append(message)

        return keep


def trading_stream(desk: Desk) -> TradingStream:
    stream = TradingStream(
        desk.keys.key, desk.keys.secret, url_override=desk.exchange.ws("/stream")
    )
    stream._reconnect_min_backoff = 0.05
    return stream


def data_stream(desk: Desk, path: str = "/v2/iex") -> StockDataStream:
    stream = StockDataStream(desk.keys.key, desk.keys.secret, url_override=desk.exchange.ws(path))
    stream._reconnect_min_backoff = 0.05
    return stream


def acknowledged(caplog: pytest.LogCaptureFixture, count: int = 1) -> None:
    """Wait for the SDK to log an acknowledged subscription."""
    wait_for(lambda: caplog.text.count("subscribed to ") >= count, "an acknowledgement")


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, logger="alpaca")
    return caplog


def limit(price: float, **more: Any) -> Any:
    fields = {"symbol": "WAVE", "qty": 10, "side": "buy", "time_in_force": "day"} | more
    return order.LimitOrderRequest(limit_price=price, **fields)


@pytest.mark.proves("stream: trade_updates")
def test_trade_updates_tell_the_life_of_orders(desk: Desk):
    heard = Heard()
    stream = trading_stream(desk)
    stream.subscribe_trade_updates(heard.into("updates"))
    with running(stream):
        listening(desk, heard)
        bought = desk.buy()
        resting = desk.submit(limit(90))
        second = desk.trading.replace_order_by_id(
            resting.id, order.ReplaceOrderRequest(limit_price=91)
        )
        desk.trading.cancel_order_by_id(second.id)
        wait_for(lambda: told(heard, second.id)[-1:] == ["canceled"], "the cancel")
    assert told(heard, bought.id)[-2:] == ["new", "fill"]
    assert told(heard, resting.id)[-2:] == ["new", "replaced"]
    assert told(heard, second.id)[-2:] == ["new", "canceled"]
    (fill,) = [u for u in heard["updates"] if u.event == "fill" and u.order.id == bought.id]
    assert fill.qty == 10
    assert str(fill.price) == bought.filled_avg_price or fill.price == float(
        bought.filled_avg_price
    )
    assert fill.execution_id is not None
    assert fill.order.status == "filled"
    assert fill.order.legs is None


def listening(desk: Desk, heard: Heard) -> None:
    """The SDK ignores the acknowledgement of `listen`; a first order tells when it counts."""
    probe = desk.trading.submit_order(limit(1, symbol="FLAT", qty=1))

    def is_heard() -> bool:
        if not told(heard, probe.id):
            again = desk.trading.submit_order(limit(1, symbol="FLAT", qty=1))
            desk.trading.cancel_order_by_id(again.id)
        return bool(heard["updates"])

    wait_for(is_heard, "a first trade update")
    desk.trading.cancel_orders()


def told(heard: Heard, order_id: Any) -> list[str]:
    """Return the events of an order."""
    return [
        getattr(update.event, "value", update.event)
        for update in heard["updates"]
        if update.order.id == order_id
    ]


@pytest.mark.proves("stream: trade_updates")
def test_a_group_is_told_leg_by_leg(desk: Desk):
    heard = Heard()
    stream = trading_stream(desk)
    stream.subscribe_trade_updates(heard.into("updates"))
    with running(stream):
        listening(desk, heard)
        placed = desk.trading.submit_order(
            order.MarketOrderRequest(
                symbol="WAVE",
                qty=10,
                side="buy",
                time_in_force="day",
                order_class="bracket",
                take_profit=order.TakeProfitRequest(limit_price=100.8),
                stop_loss=order.StopLossRequest(stop_price=90),
            )
        )
        desk.advance(minutes=1)
        target, stop = sorted(placed.legs, key=lambda leg: leg.type, reverse=False)
        wait_for(lambda: "canceled" in told(heard, stop.id), "the end of the stop loss")
    assert told(heard, placed.id)[-1] == "fill"
    assert told(heard, target.id)[-2:] == ["new", "fill"]
    assert desk.quantity() == 0


@pytest.mark.proves("stream: trade_updates")
def test_the_sdk_comes_back_after_a_lost_connection(desk: Desk):
    heard = Heard()
    stream = trading_stream(desk)
    stream.subscribe_trade_updates(heard.into("updates"))
    with running(stream):
        listening(desk, heard)
        desk.exchange.admin("POST", "/admin/faults", json=lost_connection("trading"))
        lost = desk.buy()
        wait_for(lambda: told(heard, desk.buy(quantity=1).id), "a trade update after coming back")
    assert "fill" not in told(heard, lost.id)  # what is missed is not told again


def lost_connection(stream: str) -> dict[str, Any]:
    return {"rules": [{"stream": stream, "action": {"close": 1011}, "when": {"times": 1}}]}


@pytest.mark.proves(
    "stream: trades",
    "stream: quotes",
    "stream: bars",
    "stream: updatedBars",
    "stream: dailyBars",
)
def test_market_data_as_it_happens(desk: Desk, log: pytest.LogCaptureFixture):
    heard = Heard()
    stream = data_stream(desk)
    stream.subscribe_trades(heard.into("trades"), "WAVE")
    stream.subscribe_quotes(heard.into("quotes"), "WAVE")
    stream.subscribe_bars(heard.into("bars"), "*")
    stream.subscribe_updated_bars(heard.into("updated"), "FLAT")
    stream.subscribe_daily_bars(heard.into("daily"), "FLAT")
    with running(stream):
        acknowledged(log)
        start = desk.now()
        desk.advance(minutes=3)
        wait_for(lambda: len(of("WAVE", heard["bars"])) >= 2, "bars")
        wait_for(lambda: heard["daily"], "daily bars")
        stream.unsubscribe_trades("WAVE")
        acknowledged(log, 2)
        count = len(heard["trades"])
        desk.advance(minutes=1)
        wait_for(lambda: len(of("WAVE", heard["bars"])) >= 3, "another bar")
    assert len(heard["trades"]) == count
    assert all(start <= trade.timestamp <= desk.now() for trade in heard["trades"])
    assert {99.0, 101.0} <= {trade.price for trade in heard["trades"]}
    assert {trade.symbol for trade in heard["trades"]} == {"WAVE"}
    assert all(quote.bid_price < quote.ask_price for quote in heard["quotes"])
    assert {bar.symbol for bar in heard["bars"]} >= {"FLAT", "TREND", "WAVE"}
    assert {(bar.open, bar.high, bar.low, bar.close) for bar in of("WAVE", heard["bars"])} == {
        (100, 101, 99, 100)
    }
    assert heard["daily"][-1].close == 50
    assert heard["daily"][-1].timestamp == at(4)


def of(symbol: str, messages: list[Any]) -> list[Any]:
    return [message for message in messages if message.symbol == symbol]


@pytest.mark.proves("stream: statuses", "POST /admin/halt", "POST /admin/resume")
def test_halts_are_told_and_hold_orders(desk: Desk, log: pytest.LogCaptureFixture):
    heard = Heard()
    stream = data_stream(desk)
    stream.subscribe_trading_statuses(heard.into("statuses"), "*")
    with running(stream):
        acknowledged(log)
        desk.exchange.halt("TREND")
        desk.advance(seconds=1)
        wait_for(lambda: heard["statuses"], "a halt")
        held = desk.submit(limit(200, symbol="TREND", qty=1))
        assert held.status == "new"
        desk.exchange.resume("TREND")
        desk.advance(minutes=1)
        wait_for(lambda: len(heard["statuses"]) >= 2, "the end of a halt")
    assert {status.symbol for status in heard["statuses"]} == {"TREND"}
    assert desk.look_up(held).status == "filled"


@pytest.mark.proves("stream: trades")
def test_a_data_stream_comes_back_after_a_lost_connection(
    desk: Desk, log: pytest.LogCaptureFixture
):
    heard = Heard()
    stream = data_stream(desk)
    stream.subscribe_trades(heard.into("trades"), "WAVE")
    with running(stream):
        acknowledged(log)
        desk.exchange.admin("POST", "/admin/faults", json=lost_connection("data"))
        desk.advance(seconds=30)
        acknowledged(log, 2)
        count = len(heard["trades"])
        desk.advance(minutes=1)
        wait_for(lambda: len(heard["trades"]) > count, "a trade after coming back")


@pytest.mark.proves("stream: news")
def test_news_as_it_is_published(serving: Any, log: pytest.LogCaptureFixture):
    with serving(start=at(13, 35)) as exchange, Desk(exchange, exchange.new_account()) as desk:
        heard = Heard()
        stream = NewsDataStream(
            desk.keys.key, desk.keys.secret, url_override=exchange.ws("/v1beta1/news")
        )
        stream.subscribe_news(heard.into("news"), "*")
        with running(stream):
            acknowledged(log)
            today = ask.NewsRequest(start=at(13, 35), end=at(14))
            exchange.advance(at(13, 40, 59))
            assert desk.news.get_news(today).data["news"] == []
            exchange.advance(at(13, 41))  # a minute after it was published
            assert len(desk.news.get_news(today).data["news"]) == 1
            wait_for(lambda: heard["news"], "the first item")
            desk.advance(minutes=10)
            wait_for(lambda: len(heard["news"]) == 3, "three items")
    assert [item.headline for item in heard["news"]] == [headline for _, headline, *_ in NEWS[2:]]
    assert [item.symbols for item in heard["news"]] == [["TREND"], [], ["FLAT", "WAVE"]]
    assert [item.created_at for item in heard["news"]] == [published for published, *_ in NEWS[2:]]


@pytest.mark.proves("stream: trades")
def test_the_test_feed_is_always_on(desk: Desk, log: pytest.LogCaptureFixture):
    heard = Heard()
    stream = data_stream(desk, "/v2/test")
    stream.subscribe_trades(heard.into("trades"), "FAKEPACA")
    with running(stream):
        acknowledged(log)
        wait_for(lambda: heard["trades"], "a trade of FAKEPACA")
    assert heard["trades"][0].symbol == "FAKEPACA"
