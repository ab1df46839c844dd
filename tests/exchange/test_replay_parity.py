"""The exchange shows its orders the market in the order in which our replays show it the venue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.exchange.market.book_prices import QuoteRule
from catalyst_bot.exchange.market.clock import ExchangeClock
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.moments import (
    Closing,
    Halted,
    NewsPublished,
    Opening,
    Resumed,
    SessionChanged,
)
from catalyst_bot.exchange.market.sources import generated_market
from catalyst_bot.exchange.market.world import World
from catalyst_bot.market_data.generated import GeneratedMarket, generate_session
from catalyst_bot.runtime.clock import SimulatedClock
from catalyst_bot.runtime.replay import Inlet, ReplayDriver, Tape
from catalyst_bot.runtime.timers import TimerBook
from tests.exchange.stage import Listener, stage

Seen = tuple[datetime, str, Any]


class NotingVenue:
    """A venue of the replay driver that only notes what it is shown."""

    def __init__(self, symbols: set[str]) -> None:
        self.symbols = symbols
        self.seen: list[Seen] = []

    def on_bars(self, bars: Sequence[Bar], at: datetime) -> list[Fact]:
        self.seen += [(at, "bars", tuple(bars))] if bars else []
        return []

    def on_open_prints(self, prints: Sequence[OpenPrint], at: datetime) -> list[Fact]:
        self.seen += [(at, "opens", tuple(prints))] if prints else []
        return []

    def on_session_close(self, at: datetime) -> list[Fact]:
        self.seen.append((at, "session closes", None))
        return []

    def on_halt(self, symbol: str, at: datetime) -> None:
        self.seen.append((at, "halt", symbol))

    def on_resume(self, symbol: str, at: datetime) -> None:
        self.seen.append((at, "resume", symbol))

    def working_symbols(self) -> set[str]:
        return self.symbols


def by_the_replay(market: GeneratedMarket, symbols: set[str]) -> list[Seen]:
    """What our replay shows the venue, and when headlines come in between."""
    venue = NotingVenue(symbols)
    tape = Tape(
        bars=market.bars,
        news=tuple(f.HeadlineReceived(at=h.received_at, headline=h) for h in market.headlines),
        halts=market.halts,
        sessions=market.sessions,
        start=market.starts_at,
        end=market.ends_at,
    )
    driver = ReplayDriver(
        tape,
        clock=SimulatedClock(market.starts_at),
        venue=venue,
        watched=tuple,
        timers=TimerBook(),
        inlet=Inlet(),
    )
    for batch in driver.batches():
        for fact in batch:
            if isinstance(fact, f.HeadlineReceived):
                venue.seen.append((fact.at, "news", fact.headline.title))
            elif isinstance(fact, f.SessionOpened):
                venue.seen.append((fact.at, "session opens", None))
    return venue.seen


def by_the_exchange(market: GeneratedMarket, symbols: set[str], *, holds: bool) -> list[Seen]:
    """What the exchange shows its accounts of the same market."""
    source = generated_market(market.seed, news_delay=timedelta(seconds=60))
    made = Market(World(source), quote_rule=QuoteRule.BARS)
    start = market.starts_at - timedelta(microseconds=1)
    conductor, listener = stage(made, ExchangeClock.step(start), *symbols, holds_openings=holds)
    at = market.starts_at
    while at < market.ends_at:
        conductor.advance(at)
        at += timedelta(minutes=5)
    conductor.advance(market.ends_at)
    return list(_seen(listener))


def _seen(listener: Listener) -> Iterator[Seen]:
    for moment in listener.moments:
        match moment:
            case Closing():
                yield moment.at, "bars", moment.bars
            case Opening():
                yield moment.at, "opens", moment.prints
            case Halted() | Resumed():
                yield moment.at, "halt" if isinstance(moment, Halted) else "resume", moment.symbol
            case NewsPublished():
                yield moment.at, "news", moment.item.headline
            case SessionChanged(phase=SessionPhase.REGULAR):
                yield moment.at, "session opens", None
            case SessionChanged(phase=SessionPhase.POST):
                yield moment.at, "session closes", None
            case _:
                pass


@pytest.mark.parametrize("holds", [True, False])
def test_the_order_is_that_of_our_replays(holds: bool) -> None:
    market = generate_session(7, 1.0)
    halted = market.halts[0].symbol
    symbols = {"AXQL", "MKT", "SILQ", halted}
    expected = by_the_replay(market, symbols)
    found = by_the_exchange(market, symbols, holds=holds)
    # The feed repeats items and dates one ahead of time; here each comes once, and not early.
    once = {title for _, kind, title in found if kind == "news"}
    assert len(once) > 100
    assert [each for each in found if each[1] != "news"] == [e for e in expected if e[1] != "news"]
    titles_at = {(at, title) for at, kind, title in expected if kind == "news"}
    early = {(at, title) for at, kind, title in found if kind == "news"} - titles_at
    assert len(early) <= 1
    places = {each: index for index, each in enumerate(expected)}
    order = [places[each] for each in found if each in places and each[1] != "bars"]
    assert order == sorted(order)
