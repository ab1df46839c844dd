"""What every implementation of the market data port promises.

To add one, write a `Market` for it (how it is asked, how bars come) and list it in `MARKETS`.
Every market has three five-minute bars from the open on, of ACME (closing at 100, 101, 102) and of
the benchmark MKT (500, 501, 502), gives two bars of a symbol and one of the benchmark.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.messages.commands import RequestMarketView
from catalyst_bot.domain.messages.facts import BarClosed, MarketViewReceived, MarketViewUnavailable
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.market_data.alpaca import AlpacaMarketData
from catalyst_bot.market_data.alpaca_rest import FINISHED_AFTER
from catalyst_bot.market_data.recorded import RecordedMarketData
from catalyst_bot.ports.market_data import MarketData
from tests.alpaca_desk import client_for
from tests.builders import calendar
from tests.fake_alpaca import FakeAlpaca
from tests.unit.market_data.samples import OPEN, store

FIVE_MINUTES = timedelta(minutes=5)
STORE = store({"ACME": [100.0, 101.0, 102.0], "MKT": [500.0, 501.0, 502.0]})


@dataclass
class StoppedClock:
    time: datetime = OPEN

    def now(self) -> datetime:
        return self.time


@dataclass
class Market:
    """One implementation, its clock, and the facts it gave."""

    clock: StoppedClock = field(default_factory=StoppedClock)
    facts: list[Fact] = field(default_factory=list)
    settles_in: timedelta = timedelta(0)
    is_synthetic: bool = True

    def __post_init__(self) -> None:
        self.port: MarketData = self.make()

    def make(self) -> MarketData:
        raise NotImplementedError

    def answer(self) -> None:
        """Let an adapter that does not answer at once do so."""

    def ask(self, symbol: str, at: datetime) -> Fact:
        self.clock.time = at
        self.port.request_view(
            RequestMarketView(request_id="r-1", catalyst_id="cat-1", symbol=symbol)
        )
        self.answer()
        return self.facts.pop()

    def closing(self, at: datetime) -> list[BarClosed]:
        """The bars sent for a moment."""
        raise NotImplementedError


class Recorded(Market):
    def make(self) -> MarketData:
        self.recorded = RecordedMarketData(
            STORE,
            clock=self.clock,
            sink=self.facts.append,
            benchmark="MKT",
            costs=CostRules(),
            bars=2,
            benchmark_bars=1,
        )
        return self.recorded

    def closing(self, at: datetime) -> list[BarClosed]:
        return self.recorded.closing_watched(at)


class Alpaca(Market):
    def __init__(self) -> None:
        super().__init__(settles_in=FINISHED_AFTER, is_synthetic=False)

    def make(self) -> MarketData:
        self.service = FakeAlpaca(now=self.clock.now, bars=self.bars, page_rows=2)
        for symbol, price in (("ACME", 102.0), ("MKT", 502.0)):
            at = (OPEN + 3 * FIVE_MINUTES).isoformat()
            self.service.quotes[symbol] = {"t": at, "bp": price - 0.05, "ap": price + 0.05}
        self.alpaca = AlpacaMarketData(
            client_for(self.service),
            calendar=calendar(),
            clock=self.clock,
            sink=self.facts.append,
            benchmark="MKT",
            feed="iex",
            bars=2,
            benchmark_bars=1,
        )
        return self.alpaca

    def bars(self, symbol: str) -> list[Bar]:
        """Alpaca shows the bar that is still forming, too."""
        now = self.clock.now()
        found = STORE.window(symbol, OPEN + timedelta(days=1), 10)
        return [bar for bar in found if bar.opened_at < now]

    def answer(self) -> None:
        async def answered() -> None:
            while not self.alpaca._jobs.empty():
                await self.alpaca._jobs.get_nowait()()

        asyncio.run(answered())

    def closing(self, at: datetime) -> list[BarClosed]:
        self.clock.time = at + FINISHED_AFTER
        asyncio.run(self.alpaca.send_bars())
        sent: list[Any] = list(self.facts)
        self.facts.clear()
        return sent


MARKETS: tuple[Callable[[], Market], ...] = (Recorded, Alpaca)


@pytest.fixture(params=MARKETS, ids=lambda made: made.__name__)
def market(request: pytest.FixtureRequest) -> Market:
    return request.param()


def test_a_view_holds_closed_bars_only(market: Market):
    fact = market.ask("ACME", OPEN + FIVE_MINUTES + timedelta(minutes=4))
    assert isinstance(fact, MarketViewReceived)
    assert (fact.request_id, fact.catalyst_id) == ("r-1", "cat-1")
    assert fact.view.as_of == fact.at == OPEN + timedelta(minutes=9)
    assert [bar.close for bar in fact.view.bars] == [100.0]
    assert [bar.close for bar in fact.view.benchmark_bars] == [500.0]


def test_a_view_is_bounded(market: Market):
    fact = market.ask("ACME", OPEN + timedelta(hours=1))
    assert isinstance(fact, MarketViewReceived)
    assert [bar.close for bar in fact.view.bars] == [101.0, 102.0]
    assert [bar.close for bar in fact.view.benchmark_bars] == [502.0]


def test_the_quote_says_whether_it_was_made_from_the_last_bar(market: Market):
    fact = market.ask("ACME", OPEN + timedelta(hours=1))
    assert isinstance(fact, MarketViewReceived)
    quote = fact.view.quote
    assert quote.is_synthetic is market.is_synthetic
    assert quote.bid < 102.0 < quote.ask
    assert quote.at == OPEN + 3 * FIVE_MINUTES


@pytest.mark.parametrize(
    ("symbol", "at", "reason"),
    [("NOPE", OPEN + timedelta(hours=1), "unknown_symbol"), ("ACME", OPEN, "no_bars")],
)
def test_no_data_is_an_answer_too(market: Market, symbol: str, at: datetime, reason: str):
    fact = market.ask(symbol, at)
    assert isinstance(fact, MarketViewUnavailable)
    assert (fact.symbol, fact.reason, fact.request_id) == (symbol, reason, "r-1")


def test_bars_of_watched_symbols_only(market: Market):
    port = market.port
    assert market.closing(OPEN) == []
    for symbol in ("MKT", "ACME", "ACME", "NOPE"):
        port.watch(symbol)
    closed = market.closing(OPEN + FIVE_MINUTES)
    assert [(fact.bar.symbol, fact.bar.closed_at) for fact in closed] == [
        ("ACME", OPEN + FIVE_MINUTES),
        ("MKT", OPEN + FIVE_MINUTES),
    ]
    assert {fact.at for fact in closed} == {OPEN + FIVE_MINUTES + market.settles_in}
    assert market.closing(OPEN + timedelta(minutes=6)) == []
    port.unwatch("ACME")
    port.unwatch("ACME")
    assert [fact.bar.symbol for fact in market.closing(OPEN + 2 * FIVE_MINUTES)] == ["MKT"]


def test_the_benchmark_stays_watched_after_it_was_traded(market: Market):
    for symbol in ("MKT", "ACME"):
        market.port.watch(symbol)
        market.port.unwatch(symbol)
    closed = market.closing(OPEN + FIVE_MINUTES)
    assert [fact.bar.symbol for fact in closed] == ["MKT"]
