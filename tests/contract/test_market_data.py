"""What every implementation of the market data port promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.messages.commands import RequestMarketView
from catalyst_bot.domain.messages.facts import MarketViewReceived, MarketViewUnavailable
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.market_data.recorded import RecordedMarketData
from tests.unit.market_data.samples import OPEN, store

FIVE_MINUTES = timedelta(minutes=5)


@dataclass
class StoppedClock:
    time: datetime = OPEN

    def now(self) -> datetime:
        return self.time


@dataclass
class Market:
    """One implementation, its clock, and the facts it gave."""

    port: RecordedMarketData
    clock: StoppedClock
    facts: list[Fact]

    def ask(self, symbol: str, at: datetime) -> Fact:
        self.clock.time = at
        self.port.request_view(
            RequestMarketView(request_id="r-1", catalyst_id="cat-1", symbol=symbol)
        )
        return self.facts.pop()


def recorded() -> Market:
    clock = StoppedClock()
    facts: list[Fact] = []
    port = RecordedMarketData(
        store({"ACME": [100.0, 101.0, 102.0], "MKT": [500.0, 501.0, 502.0]}),
        clock=clock,
        sink=facts.append,
        benchmark="MKT",
        costs=CostRules(),
        bars=2,
        benchmark_bars=1,
    )
    return Market(port, clock, facts)


@pytest.fixture(params=[recorded])
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


def test_the_quote_is_made_from_the_last_bar_and_says_so(market: Market):
    fact = market.ask("ACME", OPEN + timedelta(hours=1))
    assert isinstance(fact, MarketViewReceived)
    quote = fact.view.quote
    assert quote.is_synthetic
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
    assert port.closing_watched(OPEN + FIVE_MINUTES) == []
    for symbol in ("MKT", "ACME", "ACME", "NOPE"):
        port.watch(symbol)
    closed = port.closing_watched(OPEN + FIVE_MINUTES)
    assert [(fact.bar.symbol, fact.at) for fact in closed] == [
        ("ACME", OPEN + FIVE_MINUTES),
        ("MKT", OPEN + FIVE_MINUTES),
    ]
    assert port.closing_watched(OPEN + timedelta(minutes=6)) == []
    port.unwatch("ACME")
    port.unwatch("ACME")
    assert [fact.bar.symbol for fact in port.closing_watched(OPEN + FIVE_MINUTES)] == ["MKT"]
    assert port.watched == {"MKT", "NOPE"}
