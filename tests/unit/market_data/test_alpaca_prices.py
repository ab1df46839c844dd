"""Alpaca's prices when they come in pages, late, wrong or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.messages.commands import RequestMarketView
from catalyst_bot.market_data.alpaca import AlpacaMarketData
from catalyst_bot.market_data.alpaca_rest import FINISHED_AFTER
from catalyst_bot.market_data.alpaca_rows import CLOCK_DIFFERENCE, read_bar, read_quote
from tests.alpaca_desk import client_for
from tests.builders import CLOSE, NOON, bar, calendar
from tests.fake_alpaca import FakeAlpaca

FIVE_MINUTES = timedelta(minutes=5)
QUOTE = {"t": "2025-10-06T15:59:58.123456789Z", "bp": 99.9, "ap": 100.1, "bs": 1, "as": 2}
ROW = {"t": "2025-10-06T16:00:00Z", "o": 100.0, "h": 101, "l": 99.0, "c": 100.5, "v": 1200}


@dataclass
class Desk:
    """The adapter, its service and what it said."""

    time: datetime = NOON
    said: list[Any] = field(default_factory=list)
    bars: Sequence[Bar] = ()

    def __post_init__(self) -> None:
        self.service = FakeAlpaca(
            now=self.now, bars=lambda symbol: [b for b in self.bars if b.symbol == symbol]
        )
        self.service.quotes["ACME"] = QUOTE
        self.prices = AlpacaMarketData(
            client_for(self.service),
            calendar=calendar(),
            clock=self,
            sink=self.said.append,
            benchmark="SPY",
            feed="iex",
        )

    def now(self) -> datetime:
        return self.time

    def ask(self, symbol: str = "ACME") -> list[Any]:
        self.prices.request_view(
            RequestMarketView(request_id="r", catalyst_id="cat", symbol=symbol)
        )
        asyncio.run(self.prices._jobs.get_nowait()())
        return self.take()

    def send(self) -> list[Any]:
        asyncio.run(self.prices.send_bars())
        return self.take()

    def take(self) -> list[Any]:
        said = list(self.said)
        self.said.clear()
        return said


def bars(count: int, *, until: datetime = NOON, symbol: str = "ACME") -> list[Bar]:
    return [bar(symbol, until - n * FIVE_MINUTES) for n in range(count, 0, -1)]


def test_a_view_over_many_pages_is_whole():
    desk = Desk(bars=[*bars(25), *bars(25, symbol="SPY")])
    desk.service.page_rows = 7
    (answer,) = desk.ask()
    closes = [bar.closed_at for bar in answer.view.bars]
    assert (len(closes), len(answer.view.benchmark_bars)) == (24, 24)  # one is not finished yet
    assert closes == sorted(closes)


def test_a_bar_counts_as_closed_when_alpaca_had_time_to_finish_it():
    desk = Desk(bars=bars(3))
    assert [b.closed_at for b in desk.ask()[0].view.bars][-1] == NOON - FIVE_MINUTES
    desk.time = NOON + FINISHED_AFTER
    assert [b.closed_at for b in desk.ask()[0].view.bars][-1] == NOON


def test_bars_outside_the_regular_session_are_left_out():
    late = bars(3, until=CLOSE + 3 * FIVE_MINUTES)
    desk = Desk(time=CLOSE + timedelta(hours=1), bars=[*bars(2, until=CLOSE), *late])
    assert [b.closed_at for b in desk.ask()[0].view.bars] == [CLOSE - FIVE_MINUTES, CLOSE]


def test_the_quote_is_the_real_one():
    (answer,) = Desk(bars=bars(3)).ask()
    quote = answer.view.quote
    assert (quote.bid, quote.ask, quote.is_synthetic) == (99.9, 100.1, False)
    assert quote.at == datetime.fromisoformat("2025-10-06T15:59:58.123456+00:00")


@pytest.mark.parametrize(
    ("has_bars", "quote", "reason"),
    [
        (True, None, "no_quote"),
        (True, QUOTE | {"bp": 0}, "no_quote"),
        (False, QUOTE, "no_bars"),
        (False, None, "unknown_symbol"),
    ],
)
def test_what_is_missing_is_named(has_bars: bool, quote: dict[str, Any] | None, reason: str):
    desk = Desk(bars=bars(3) if has_bars else [])
    desk.service.quotes = {"ACME": quote} if quote else {}
    (answer,) = desk.ask()
    assert (answer.reason, answer.symbol, answer.request_id) == (reason, "ACME", "r")


def test_a_silent_source_is_told_and_so_is_its_return():
    desk = Desk(bars=bars(3))
    desk.service.failing = 1
    failed, answer = desk.ask()
    assert (failed.adapter, answer.reason) == ("market data", "source_down")
    recovered, answer = desk.ask()
    assert type(recovered).__name__ == "AdapterRecovered"
    assert len(answer.view.bars) == 2


def test_each_bar_of_a_watched_symbol_is_sent_once_and_late_ones_follow():
    desk = Desk(time=NOON - timedelta(hours=1), bars=bars(30))
    desk.prices.watch("ACME")
    desk.time = NOON - timedelta(minutes=30) + FINISHED_AFTER
    assert len(desk.send()) == 6
    assert desk.send() == []
    desk.time = NOON + FINISHED_AFTER
    closes = [fact.bar.closed_at for fact in desk.send()]
    assert closes == [NOON - n * FIVE_MINUTES for n in range(5, -1, -1)]


def test_bars_that_were_missed_in_an_outage_are_sent_afterwards():
    desk = Desk(time=NOON - timedelta(minutes=10), bars=bars(30))
    desk.prices.watch("ACME")
    desk.time = NOON + FINISHED_AFTER
    desk.service.failing = 1
    assert [type(fact).__name__ for fact in desk.send()] == ["AdapterFailed"]
    assert [type(fact).__name__ for fact in desk.send()] == [
        "AdapterRecovered",
        "BarClosed",
        "BarClosed",
    ]


def test_share_classes_keep_our_spelling():
    desk = Desk(bars=[replace(one, symbol="BRK.B") for one in bars(3)])
    desk.service.quotes["BRK.B"] = QUOTE
    (answer,) = desk.ask("BRK-B")
    assert answer.view.bars.symbol == "BRK-B"


@pytest.mark.parametrize(
    "broken",
    [
        {"o": 0},
        {"h": float("inf")},
        {"l": "99"},
        {"c": None},
        {"v": -1},
        {"t": "noon"},
        {"h": 100.2},
        {"l": 100.2},
        {"v": True},
    ],
)
def test_a_bar_that_cannot_be_right_is_refused(broken: dict[str, Any]):
    with pytest.raises(BadData):
        read_bar("ACME", ROW | broken)


def test_a_wrong_bar_is_left_out_of_a_view():
    good = bars(3)
    desk = Desk(bars=[good[0], replace(good[1], high=1.0), good[2]])
    assert [b.closed_at for b in desk.ask()[0].view.bars] == [good[0].closed_at]


@pytest.mark.parametrize(
    ("ahead", "shown"),
    [
        (timedelta(0), timedelta(0)),
        (CLOCK_DIFFERENCE, timedelta(0)),
        (timedelta(minutes=1), timedelta(minutes=1)),
    ],
)
def test_a_quote_just_ahead_of_our_clock_is_of_now(ahead: timedelta, shown: timedelta):
    row = QUOTE | {"t": (NOON + ahead).isoformat()}
    quote = read_quote("ACME", row, NOON)
    assert quote is not None
    assert quote.at == NOON + shown
