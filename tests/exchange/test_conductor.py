"""Every moment once, in order, however the clock moves; and who listens hears it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.errors import BadData
from catalyst_bot.exchange.conductor import Conductor
from catalyst_bot.exchange.market.book_prices import QuoteRule
from catalyst_bot.exchange.market.clock import ExchangeClock
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.moments import (
    ActionTaken,
    Auctioned,
    Closing,
    Halted,
    Moment,
    NewsPublished,
    Opening,
    Played,
    Resumed,
    SessionChanged,
    Traded,
)
from catalyst_bot.exchange.market.ticks import ActionKind, CorporateAction, Halt
from catalyst_bot.exchange.market.timeframes import MINUTE as MINUTES
from catalyst_bot.exchange.streams.hubs import Channel
from catalyst_bot.simulation.market_now import AuctionKind
from tests.exchange.markets import CLOSE, MINUTE, NEXT_OPEN, OPEN, Row, market_of, news, walk
from tests.exchange.stage import Listener, stage

SECOND = timedelta(seconds=1)
FIVE = 5 * MINUTE
END = NEXT_OPEN + timedelta(hours=12)
START = OPEN - timedelta(hours=7)
SPLIT = CorporateAction(
    kind=ActionKind.SPLIT, symbol="MSFT", on=date(2025, 10, 23), new_rate=Decimal(2)
)
HALT = Halt(symbol="AAPL", starts_at=OPEN + 20 * MINUTE, ends_at=OPEN + 33 * MINUTE, code="LUDP")


def rank(moment: Moment) -> int:
    """The place of a moment among those of its instant: the order of our replays."""
    if isinstance(moment, SessionChanged):
        return 2 if moment.phase in {SessionPhase.PRE, SessionPhase.REGULAR} else 6
    if isinstance(moment, Auctioned):
        return 9 if moment.kind is AuctionKind.OPEN else 5
    order = {
        ActionTaken: 1,
        Resumed: 3,
        Halted: 3,
        Closing: 4,
        NewsPublished: 7,
        Opening: 8,
        Traded: 10,
    }
    return order[type(moment)]


def lively(rule: QuoteRule = QuoteRule.TRADES) -> Market:
    """Two days of two symbols, with something of every kind."""
    return market_of(
        {"AAPL": walk(1), "MSFT": walk(2), "SPY": walk(3)},
        quote_rule=rule,
        halts=(HALT,),
        actions=(SPLIT,),
        news=tuple(news(n, OPEN + n * FIVE - MINUTE, "AAPL") for n in range(5)),
    )


def played(steps: Sequence[datetime], *, holds: bool = False) -> list[Moment]:
    conductor, listener = stage(
        lively(), ExchangeClock.step(START), "AAPL", "MSFT", holds_openings=holds
    )
    for to in steps:
        assert conductor.advance(to) == to
    return listener.moments


@cache
def everything() -> tuple[Moment, ...]:
    return tuple(played([END]))


def test_moments_come_in_order() -> None:
    moments = everything()
    keys = [(moment.at, rank(moment)) for moment in moments]
    assert keys == sorted(keys)
    assert [m.phase.value for m in moments if isinstance(m, SessionChanged)] == [
        *("pre", "regular", "post", "closed") * 2
    ]
    kinds = {type(moment) for moment in moments}
    assert kinds == {
        ActionTaken,
        Auctioned,
        Closing,
        Halted,
        NewsPublished,
        Opening,
        Resumed,
        SessionChanged,
        Traded,
    }


@settings(max_examples=12)
@given(
    seconds=st.lists(st.integers(0, int((END - START).total_seconds())), max_size=12),
    minutes=st.lists(st.integers(0, 390), max_size=6),
    holds=st.booleans(),
)
def test_however_it_is_advanced_the_same_happens(
    seconds: list[int], minutes: list[int], holds: bool
) -> None:
    steps = {START + n * SECOND for n in seconds} | {OPEN + n * MINUTE for n in minutes} | {END}
    assert tuple(played(sorted(steps), holds=holds)) == everything()


def test_all_trades_are_those_of_the_market() -> None:
    market = lively()
    moments = [m for m in everything() if isinstance(m, Traded)]
    for symbol in ("AAPL", "MSFT"):
        told = [t for moment in moments for t in moment.trades if t.symbol == symbol]
        times, prices, sizes = market.trades(symbol, start=START, end=END, at=END)
        assert [(t.trade_id, t.price, t.size) for t in told] == list(
            zip(times.tolist(), prices.tolist(), sizes.tolist(), strict=True)
        )
    assert not any(t.symbol == "SPY" for moment in moments for t in moment.trades)


def test_bars_open_and_close_as_recorded() -> None:
    moments = played([CLOSE])
    rows: list[Row] = walk(2)[:78]
    opens = [
        (m.at, p.price, p.volume)
        for m in moments
        if isinstance(m, Opening)
        for p in m.prints
        if p.symbol == "MSFT"
    ]
    assert opens == [
        (row[0], row[1], before[5] if before else None)
        for row, before in zip(rows, [None, *rows], strict=False)
    ]
    closes = [b for m in moments if isinstance(m, Closing) for b in m.bars if b.symbol == "MSFT"]
    assert [(b.opened_at, b.open, b.high, b.low, b.close, b.volume) for b in closes] == rows


def test_auctions_are_the_first_and_the_last_trade_of_a_session() -> None:
    early = (OPEN - 30 * MINUTE, 5.0, 5.0, 5.0, 5.0, 100.0)
    late = [(CLOSE + FIVE, 7.0, 7.0, 7.0, 7.0, 100.0)]
    rows = walk(1, starts=(OPEN,))
    market = market_of({"AAPL": [early, *rows[2:70], *late]})
    conductor, listener = stage(market, ExchangeClock.step(START), "AAPL")
    conductor.advance(END)
    opening, closing = listener.of(Auctioned)
    assert (opening.kind, opening.at, opening.prices) == (
        AuctionKind.OPEN,
        rows[2][0],
        {"AAPL": rows[2][1]},
    )
    assert (closing.kind, closing.at, closing.prices) == (
        AuctionKind.CLOSE,
        CLOSE,
        {"AAPL": rows[69][4]},
    )


# Steps that stop before the openings


def test_an_advance_stops_before_the_bars_that_begin_then() -> None:
    market = lively()
    clock = ExchangeClock.step(OPEN)
    conductor, listener = stage(market, clock, "AAPL", holds_openings=True)
    at = OPEN + FIVE
    conductor.advance(at)
    first = walk(1)[0]
    assert listener.of(Closing)[-1].bars[0].close == first[4]
    assert [m.at for m in listener.of(Opening)] == [OPEN] * 0
    last = market.last_trade("AAPL", clock.now())
    assert last is not None
    assert (last.price, last.at < at) == (first[4], True)
    conductor.advance(at)  # again: nothing new
    assert listener.of(Opening) == []
    conductor.advance(at + SECOND)
    assert [m.at for m in listener.of(Opening)] == [at]
    after = market.last_trade("AAPL", clock.now())
    assert after is not None
    assert after.at == at


def test_who_decides_at_an_instant_meets_its_opening() -> None:
    conductor, listener = stage(lively(), ExchangeClock.step(OPEN), holds_openings=True)
    at = OPEN + FIVE
    conductor.advance(at)
    listener.symbols.add("SPY")  # an order decided now
    conductor.next_moment()
    conductor.advance(at + FIVE)
    (opening,) = listener.of(Opening)
    assert opening.at == at
    assert [p.symbol for p in opening.prints] == ["SPY"]
    first = listener.of(Traded)[0]
    assert (first.at, first.trades[0].symbol) == (at, "SPY")


def test_without_it_the_openings_are_part_of_the_advance() -> None:
    conductor, listener = stage(lively(), ExchangeClock.step(OPEN), "AAPL")
    conductor.advance(OPEN + FIVE)
    assert [m.at for m in listener.of(Opening)] == [OPEN + FIVE]


# Clocks that run


async def run_to_the_end(conductor: Conductor) -> None:
    """Let a conductor run until nothing happens any more."""
    over = asyncio.Event()

    async def breathe() -> None:
        if conductor.next_moment() is None:
            over.set()
        await asyncio.sleep(0)

    conductor._breathe = breathe
    running = asyncio.create_task(conductor.run())
    await over.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("speed", [math.inf, 2_000_000.0])
async def test_a_running_clock_plays_the_same(speed: float) -> None:
    clock = ExchangeClock.replay(START, speed)
    conductor, listener = stage(lively(), clock, "AAPL", "MSFT", until=END)
    await run_to_the_end(conductor)
    assert tuple(listener.moments) == everything()


async def test_the_clock_waits_for_the_moment_to_be_played() -> None:
    seen: list[tuple[datetime, datetime]] = []
    clock = ExchangeClock.replay(OPEN, 5_000_000.0)
    conductor, listener = stage(lively(), clock, "AAPL", until=OPEN + timedelta(hours=2))
    record = listener.on_moment

    def on_moment(moment: Moment) -> None:
        seen.append((moment.at, clock.now()))
        record(moment)

    listener.on_moment = on_moment  # type: ignore[method-assign]
    await run_to_the_end(conductor)
    assert len(seen) > 200
    assert all(at == shown for at, shown in seen)


async def test_interest_that_comes_later_is_served_from_then_on() -> None:
    seconds = [0.0]
    clock = ExchangeClock.replay(OPEN, 1.0, monotonic=lambda: seconds[0])
    conductor, listener = stage(market_of({"AAPL": walk(1)}), clock)
    running = asyncio.create_task(conductor.run())
    await asyncio.sleep(0)
    seconds[0] = 90.0  # nobody is interested: nothing happens
    listener.symbols.add("AAPL")
    conductor.nudge()
    seconds[0] = 180.0  # before anybody else had a turn
    for _ in range(100):
        await asyncio.sleep(0)
    running.cancel()
    told = [moment.at for moment in listener.of(Traded)]
    times, _, _ = market_of({"AAPL": walk(1)}).trades(
        "AAPL", start=OPEN + 90 * SECOND, end=OPEN + 180 * SECOND, at=CLOSE
    )
    assert [int(at.timestamp() * 1e6) for at in told] == times.tolist()


def test_a_restart_plays_what_was_missed() -> None:
    clock = ExchangeClock.step(NEXT_OPEN)
    conductor, listener = stage(lively(), clock, since=Played(until=CLOSE - MINUTE))
    conductor.advance(NEXT_OPEN)
    assert [m.phase.value for m in listener.of(SessionChanged)] == [
        "post",
        "closed",
        "pre",
        "regular",
    ]


def test_chores_are_done_when_they_are_due() -> None:
    conductor, listener = stage(lively(), ExchangeClock.step(OPEN))
    due = OPEN + timedelta(seconds=3, microseconds=7)
    listener.chores = [due, OPEN - SECOND]
    conductor.advance(OPEN + MINUTE)
    assert [each for each, _ in listener.done] == [OPEN - SECOND, due]
    assert listener.done[1][1] == due


def test_a_clock_that_cannot_go_there_says_so() -> None:
    conductor, _ = stage(lively(), ExchangeClock.step(OPEN))
    with pytest.raises(BadData, match="cannot go back"):
        conductor.advance(OPEN - SECOND)
    conductor, _ = stage(lively(), ExchangeClock.wall(lambda: OPEN))
    with pytest.raises(BadData, match="wall clock"):
        conductor.advance(OPEN + SECOND)


# The administrator


def test_a_halt_now_is_told_now() -> None:
    market, clock = lively(), ExchangeClock.step(OPEN)
    conductor, listener = stage(market, clock, "MSFT")
    conductor.advance(OPEN + 100 * SECOND)
    conductor.halt(Halt(symbol="MSFT", starts_at=OPEN))
    assert listener.moments[-1] == Halted(at=clock.now(), symbol="MSFT", code="T1")
    count = len(listener.of(Traded))
    conductor.advance(OPEN + 10 * MINUTE)
    assert len(listener.of(Traded)) == count
    conductor.resume("MSFT")
    assert listener.moments[-1] == Resumed(at=clock.now(), symbol="MSFT", code="T1")
    conductor.advance(OPEN + 11 * MINUTE)
    assert len(listener.of(Traded)) > count
    assert len(listener.of(Halted)) == len(listener.of(Resumed)) == 1
    with pytest.raises(BadData, match="not halted"):
        conductor.resume("MSFT")


def test_a_halt_later_is_told_then() -> None:
    conductor, listener = stage(lively(), ExchangeClock.step(OPEN))
    at = OPEN + 2 * MINUTE
    conductor.halt(Halt(symbol="MSFT", starts_at=at, ends_at=at + MINUTE))
    assert listener.moments == []
    conductor.advance(OPEN + 10 * MINUTE)
    assert [(m.at, type(m)) for m in listener.moments if isinstance(m, Halted | Resumed)] == [
        (at, Halted),
        (at + MINUTE, Resumed),
    ]


def test_a_split_is_announced_before_the_day_begins() -> None:
    conductor, listener = stage(lively(), ExchangeClock.step(OPEN), "AAPL")
    action = replace(SPLIT, symbol="AAPL")
    effective = conductor.take_action(action)
    with pytest.raises(BadData, match="too late"):
        conductor.take_action(replace(action, on=OPEN.date()))
    conductor.advance(effective)
    told = [m.action.symbol for m in listener.of(ActionTaken)]
    assert sorted(told) == ["AAPL", "MSFT"]
    assert all(m.at == effective for m in listener.of(ActionTaken))


# Streams


def streamed(
    *channels: str,
    symbols: tuple[str, ...] = ("AAPL",),
    rule: QuoteRule = QuoteRule.TRADES,
    to: datetime = CLOSE,
) -> tuple[Market, Listener]:
    market = lively(rule)
    conductor, listener = stage(market, ExchangeClock.step(START))
    for channel in channels:
        listener.channels[channel] |= set(symbols)
    conductor.advance(to)
    return market, listener


def test_trades_and_quotes_are_streamed() -> None:
    market, listener = streamed("trades", "quotes")
    times, prices, _ = market.trades("AAPL", start=START, end=CLOSE, at=CLOSE)
    assert [(m["i"], m["p"]) for m in listener.told("t")] == list(
        zip(times.tolist(), prices.tolist(), strict=True)
    )
    quotes = market.quotes("AAPL", start=START, end=CLOSE, at=CLOSE)
    bids, asks, *_ = market.books("AAPL", *quotes)
    assert [(m["bp"], m["ap"]) for m in listener.told("q")] == list(
        zip(bids.tolist(), asks.tolist(), strict=True)
    )
    assert [m["t"] for m in listener.told("q")] == [m["t"] for m in listener.told("t")]
    assert listener.of(Traded) == []  # nobody's orders


def test_quotes_of_bars_are_streamed_at_their_ends() -> None:
    market, listener = streamed("quotes", rule=QuoteRule.BARS)
    times, prices = market.quotes("AAPL", start=START, end=CLOSE, at=CLOSE)
    bids = market.books("AAPL", times, prices)[0]
    told = listener.told("q")
    assert [(m["t"].timestamp() * 1e6, m["bp"]) for m in told] == list(
        zip(times.tolist(), bids.tolist(), strict=True)
    )
    assert len(told) == 76  # of 78 bars two are gone in the halt


def test_minute_bars_are_those_of_the_data_api() -> None:
    market, listener = streamed("bars", "updatedBars", "dailyBars")
    bars = market.bars("AAPL", MINUTES, start=START, end=CLOSE, at=CLOSE).bars()
    told = listener.told("b")
    assert [(m["t"], m["o"], m["h"], m["l"], m["c"], m["v"]) for m in told] == [
        (b.at, b.open, b.high, b.low, b.close, b.volume) for b in bars
    ]
    again = listener.told("u")
    assert 0 < len(again) < len(told) / 5
    assert all({**message, "T": "b"} in told for message in again)
    days = listener.told("d")
    assert days[-1]["v"] == sum(bar.volume for bar in bars)
    volumes = [message["v"] for message in days]
    assert volumes == sorted(volumes)
    assert {message["t"] for message in days} == {datetime(2025, 10, 22, 4, tzinfo=OPEN.tzinfo)}


def test_everything_is_streamed_to_who_wants_all() -> None:
    _, listener = streamed("trades", symbols=("*",), to=OPEN + MINUTE)
    assert {message["S"] for message in listener.told("t")} == {"AAPL", "MSFT", "SPY"}
    _, listener = streamed("trades", symbols=("NONE",), to=OPEN + MINUTE)
    assert listener.messages == []


def test_a_halt_is_a_status() -> None:
    _, listener = streamed("statuses", to=OPEN + timedelta(hours=1))
    paused, resumed = listener.told("s")
    assert (paused["sc"], paused["rc"], paused["z"], paused["t"]) == (
        "P",
        "LUDP",
        "C",
        HALT.starts_at,
    )
    assert (resumed["sc"], resumed["rc"], resumed["t"]) == ("T", "LUDP", HALT.ends_at)


def test_on_the_other_tapes_a_halt_has_their_codes() -> None:
    halt = Halt(symbol="GE", starts_at=OPEN + MINUTE, ends_at=OPEN + 2 * MINUTE, code="T1")
    conductor, listener = stage(market_of({"GE": walk(1)}, halts=(halt,)), ExchangeClock.step(OPEN))
    listener.channels[Channel.STATUSES] = {"*"}
    conductor.advance(OPEN + FIVE)
    halted, resumed = listener.told("s")
    assert (halted["sc"], halted["rc"], halted["z"]) == ("2", "P", "A")
    assert (resumed["sc"], resumed["rc"]) == ("3", "")


def test_price_bands_are_told_every_five_minutes() -> None:
    market, listener = streamed("lulds", to=OPEN + 12 * MINUTE)
    bands = listener.told("l")
    assert [message["t"] for message in bands] == [OPEN, OPEN + FIVE, OPEN + 2 * FIVE]
    price = market.last_price("AAPL", OPEN + FIVE - timedelta(microseconds=1))
    assert price is not None
    assert bands[1]["d"] < price < bands[1]["u"]


def test_news_is_told_when_it_is_shown() -> None:
    _, listener = streamed(to=OPEN + 20 * MINUTE)
    assert [item["id"] for item in listener.news] == [0, 1, 2, 3, 4]
    assert [m.at for m in listener.of(NewsPublished)] == [OPEN + n * FIVE for n in range(5)]
    assert listener.news[0]["created_at"] == OPEN - MINUTE
