"""Prices as of a time: what is shown, what is not yet, and what bars are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import Bar
from catalyst_bot.exchange.market.book_prices import (
    QuoteRule,
    book_sizes,
    book_sizes_of,
    model_book,
    model_book_of,
    tick_book,
    tick_book_of,
)
from catalyst_bot.exchange.market.ticks import ActionKind, CorporateAction, Halt
from catalyst_bot.exchange.market.timeframes import DAY, MINUTE, read_timeframe
from catalyst_bot.simulation.spread_model import synthetic_quote
from tests.exchange.markets import CLOSE, NEXT_OPEN, OPEN, market_of, walk

FIVE = read_timeframe("5Min")
END = NEXT_OPEN + timedelta(days=1)
SECOND = timedelta(seconds=1)


def as_rows(bars: list) -> list[tuple]:
    return [(b.at, b.open, b.high, b.low, b.close, float(b.volume)) for b in bars]


def test_recorded_bars_are_served_as_they_are() -> None:
    rows = walk(1)
    market = market_of({"AAPL": rows})
    bars = market.bars("AAPL", FIVE, start=OPEN, end=END, at=END).bars()
    assert as_rows(bars) == rows


@pytest.mark.parametrize("text", ["15Min", "30Min", "1Hour", "2Hour"])
def test_longer_bars_add_up(text: str) -> None:
    rows = walk(1)
    market = market_of({"AAPL": rows})
    bars = market.bars(
        "AAPL", read_timeframe(text), start=OPEN - timedelta(hours=2), end=END, at=END
    )
    size = timedelta(seconds=read_timeframe(text).seconds or 0)
    for bar in bars.bars():
        inside = [row for row in rows if bar.at <= row[0] < bar.at + size]
        assert bar.open == inside[0][1]
        assert bar.high == max(row[2] for row in inside)
        assert bar.low == min(row[3] for row in inside)
        assert bar.close == inside[-1][4]
        assert bar.volume == sum(row[5] for row in inside)


def test_minutes_add_up_to_the_recorded_bars() -> None:
    rows = walk(2)
    market = market_of({"AAPL": rows})
    minutes = market.bars("AAPL", MINUTE, start=OPEN, end=END, at=END).bars()
    for row in rows:
        inside = [bar for bar in minutes if row[0] <= bar.at < row[0] + timedelta(minutes=5)]
        assert inside[0].open == row[1]
        assert max(bar.high for bar in inside) == row[2]
        assert min(bar.low for bar in inside) == row[3]
        assert inside[-1].close == row[4]
        assert sum(bar.volume for bar in inside) == row[5]


def test_an_average_price_lies_inside_its_bar() -> None:
    market = market_of({"AAPL": walk(3)})
    for bar in market.bars("AAPL", DAY, start=OPEN - timedelta(days=1), end=END, at=END).bars():
        assert bar.low <= bar.average_price <= bar.high
        assert bar.trade_count > 500


def test_a_bar_that_goes_on_shows_its_complete_minutes() -> None:
    rows = walk(4)
    market = market_of({"AAPL": rows})
    at = OPEN + timedelta(minutes=7, seconds=40)
    bars = market.bars("AAPL", FIVE, start=OPEN, end=END, at=at).bars()
    minutes = market.bars("AAPL", MINUTE, start=OPEN, end=END, at=at).bars()
    assert [bar.at for bar in bars] == [OPEN, OPEN + timedelta(minutes=5)]
    assert bars[1].volume == sum(bar.volume for bar in minutes if bar.at >= bars[1].at)
    assert bars[1].volume < rows[1][5]


def test_a_day_is_its_regular_session() -> None:
    early = (OPEN - timedelta(minutes=30), 1.0, 1.0, 1.0, 1.0, 5.0)
    late = (CLOSE, 9999.0, 9999.0, 9999.0, 9999.0, 5.0)
    rows = walk(5, starts=(OPEN,))
    market = market_of({"AAPL": [early, *rows, late]})
    (day,) = market.bars("AAPL", DAY, start=OPEN - timedelta(days=1), end=END, at=END).bars()
    assert day.at == datetime(2025, 10, 22, 4, tzinfo=UTC)
    assert (day.open, day.close) == (rows[0][1], rows[-1][4])
    assert day.volume == sum(row[5] for row in rows)
    hours = market.bars(
        "AAPL", read_timeframe("1Hour"), start=OPEN - timedelta(days=1), end=END, at=END
    )
    assert sum(bar.volume for bar in hours.bars()) == day.volume + 10


def test_daily_bars_fill_in_the_days_before() -> None:
    before = datetime(2025, 10, 21, 13, 30, tzinfo=UTC)
    rows = walk(6, starts=(OPEN,))
    daily = [(before, 10.0, 12.0, 9.0, 11.0, 1e6), (OPEN, 1.0, 1.0, 1.0, 1.0, 1.0)]
    market = market_of({"AAPL": rows}, daily={"AAPL": daily})
    days = market.bars("AAPL", DAY, start=before - timedelta(days=1), end=END, at=END).bars()
    assert [(day.open, day.close) for day in days] == [(10.0, 11.0), (rows[0][1], rows[-1][4])]
    assert market.previous_close("AAPL", OPEN + SECOND) == 11.0


def test_daily_bars_alone_make_a_market() -> None:
    rows = [(OPEN, 10.0, 12.0, 9.0, 11.0, 1e6), (NEXT_OPEN, 11.0, 15.0, 11.0, 14.0, 1e6)]
    market = market_of({"AAPL": rows}, interval_s=86_400)
    noon = OPEN + timedelta(hours=3)
    trade = market.last_trade("AAPL", noon)
    assert trade is not None
    assert timedelta(0) <= noon - trade.at < timedelta(minutes=2)
    assert 9.0 <= trade.price <= 12.0


def test_previous_close_and_day_bars() -> None:
    rows = walk(7)
    market = market_of({"AAPL": rows})
    first_close, at = rows[77][4], NEXT_OPEN + timedelta(minutes=5)
    assert market.previous_close("AAPL", at) == first_close
    assert market.previous_close("AAPL", NEXT_OPEN - timedelta(hours=3)) == first_close
    assert market.previous_close("AAPL", OPEN + SECOND) is None
    today, before = market.day_bars("AAPL", at)
    assert today is not None
    assert before is not None
    assert before.close == first_close
    assert (today.open, today.volume) == (rows[78][1], int(rows[78][5]))


def test_a_quote_is_as_wide_as_the_model_says() -> None:
    rows = [
        (OPEN, 100.0, 100.0, 100.0, 100.0, 1000.0),
        (OPEN + timedelta(minutes=5), 3.45, 3.45, 3.45, 3.45, 10.0),
    ]
    market = market_of({"AAPL": rows})
    book = market.quote("AAPL", OPEN + SECOND)
    assert book is not None
    assert (book.bid, book.ask) == (99.9, 100.1)  # thin: ten basis points each side
    book = market.quote("AAPL", OPEN + timedelta(minutes=6))
    assert book is not None
    assert round(book.ask - book.bid, 4) == 0.01
    assert book.bid == 3.45 or book.ask == 3.45


def test_after_a_liquid_bar_the_quote_is_narrow() -> None:
    rows = [
        (OPEN, 100.0, 100.0, 100.0, 100.0, 1e6),
        (OPEN + timedelta(minutes=5), 100.0, 100.0, 100.0, 100.0, 1e6),
    ]
    market = market_of({"AAPL": rows})
    wide, narrow = (market.quote("AAPL", OPEN + timedelta(minutes=m)) for m in (1, 6))
    assert wide is not None
    assert narrow is not None
    assert (wide.bid, wide.ask) == (99.9, 100.1)
    assert (narrow.bid, narrow.ask) == (99.99, 100.01)


def test_quotes_that_follow_bars_are_those_of_our_replays() -> None:
    rows = walk(8, starts=(OPEN,))
    market = market_of({"AAPL": rows}, quote_rule=QuoteRule.BARS)
    at = OPEN + timedelta(minutes=22, seconds=7)
    start, *prices, volume = rows[3]
    bar = Bar(
        symbol="AAPL",
        opened_at=start,
        closed_at=start + timedelta(minutes=5),
        **dict(zip(("open", "high", "low", "close"), prices, strict=True)),
        volume=volume,
    )
    expected = synthetic_quote(bar, CostRules())
    book = market.quote("AAPL", at)
    assert book is not None
    assert (book.bid, book.ask, book.at) == (expected.bid, expected.ask, bar.closed_at)


@given(
    prices=st.lists(st.integers(1, 5_000_000), min_size=1, max_size=40),
    half_bps=st.sampled_from([0.0, 1.0, 10.0, 250.0]),
    us=st.integers(0, 2**52),
)
def test_one_quote_is_that_of_many(prices: list[int], half_bps: float, us: int) -> None:
    values = np.array(prices) / 10_000
    halves, times = np.full(len(prices), half_bps), us + np.arange(len(prices))
    bids, asks = tick_book(values, halves, times)
    model = model_book(values, halves)
    sizes = book_sizes(times)
    for place, price in enumerate(values.tolist()):
        bid, ask = tick_book_of(price, half_bps, us + place)
        assert (bid, ask) == (bids[place], asks[place])
        assert 0 < bid < ask
        assert bid <= price + 1e-9 or bid == 0.0001
        assert price <= ask + 1e-9
        assert model_book_of(price, half_bps) == (model[0][place], model[1][place])
        assert book_sizes_of(us + place) == (sizes[0][place], sizes[1][place])


def test_a_minute_bar_is_that_of_history() -> None:
    for rows, interval_s in ((walk(1), 300), (walk(1, step_s=60, bars=390), 60)):
        market = market_of({"AAPL": rows}, interval_s=interval_s)
        bars = market.bars("AAPL", MINUTE, start=OPEN, end=CLOSE, at=CLOSE).bars()
        for bar in bars:
            assert market.minute_bar("AAPL", bar.at) == bar
        assert market.minute_bar("AAPL", CLOSE) is None


def test_an_unknown_symbol_has_nothing() -> None:
    market = market_of({"AAPL": walk(1)})
    assert market.last_trade("NONE", END) is None
    assert market.quote("NONE", END) is None
    assert market.asset("NONE", END) is None
    assert not len(market.bars("NONE", DAY, start=OPEN, end=END, at=END))


# Halts


def test_nothing_trades_in_a_halt() -> None:
    rows = walk(9, starts=(OPEN,))
    starts = OPEN + timedelta(minutes=12, seconds=30)
    halt = Halt(symbol="AAPL", starts_at=starts, ends_at=OPEN + timedelta(minutes=21))
    market, free = market_of({"AAPL": rows}, halts=(halt,)), market_of({"AAPL": rows})
    times, _, _ = market.trades("AAPL", start=OPEN, end=END, at=END)
    inside = [
        us
        for us in times.tolist()
        if starts.timestamp() * 1e6 <= us < halt.ends_at.timestamp() * 1e6
    ]
    assert inside == []
    assert market.halt_of("AAPL", starts) == halt
    assert market.halt_of("AAPL", halt.ends_at) is None
    bars = market.bars("AAPL", FIVE, start=OPEN, end=END, at=END).bars()
    whole = as_rows(free.bars("AAPL", FIVE, start=OPEN, end=END, at=END).bars())
    minutes = [bar.at.minute for bar in bars[:4]]
    assert minutes == [30, 35, 40, 50]  # 09:45 is gone, 09:40 and 09:50 are cut
    assert as_rows(bars)[:2] == whole[:2]
    assert as_rows(bars)[4:] == whole[5:]
    assert bars[2].volume < whole[2][5]


def test_a_halt_changes_nothing_that_was() -> None:
    rows = walk(10, starts=(OPEN,))
    market = market_of({"AAPL": rows})
    at = OPEN + timedelta(minutes=12)
    before = market.trades("AAPL", start=OPEN, end=at, at=at)
    market.world.add_halt(Halt(symbol="AAPL", starts_at=at))
    after = market.trades("AAPL", start=OPEN, end=END, at=END)
    assert [list(column) for column in before] == [list(column) for column in after]
    market.world.end_halt("AAPL", at + timedelta(minutes=10))
    assert len(market.trades("AAPL", start=OPEN, end=END, at=END)[0]) > len(before[0])
    market.world.add_halt(Halt(symbol="AAPL", starts_at=CLOSE, ends_at=NEXT_OPEN))
    market.world.end_halt("AAPL", CLOSE)
    assert market.halt_of("AAPL", CLOSE) is None


@pytest.mark.parametrize(
    "halt",
    [
        Halt(symbol="NONE", starts_at=OPEN),
        Halt(symbol="AAPL", starts_at=OPEN, ends_at=OPEN),
    ],
)
def test_a_halt_that_cannot_be_is_refused(halt: Halt) -> None:
    with pytest.raises(BadData, match="halt"):
        market_of({"AAPL": walk(1)}).world.add_halt(halt)


# Corporate actions

SPLIT = CorporateAction(
    kind=ActionKind.SPLIT, symbol="AAPL", on=date(2025, 10, 23), new_rate=Decimal(4)
)


def test_a_split_that_prices_do_not_know_scales_them() -> None:
    rows = walk(11)
    market = market_of({"AAPL": rows}, actions=(SPLIT,))
    bars = as_rows(market.bars("AAPL", FIVE, start=OPEN, end=END, at=END).bars())
    assert bars[:78] == rows[:78]
    for bar, row in zip(bars[78:], rows[78:], strict=True):
        assert bar[1:5] == pytest.approx([price / 4 for price in row[1:5]], abs=0.006)
        assert bar[5] == row[5] * 4
    adjusted = market.bars("AAPL", FIVE, start=OPEN, end=END, at=END, is_split_adjusted=True)
    for bar, row in zip(as_rows(adjusted.bars())[:78], rows[:78], strict=True):
        assert bar[1:5] == pytest.approx([price / 4 for price in row[1:5]])
        assert bar[5] == row[5] * 4


def test_a_split_that_prices_know_only_adjusts() -> None:
    rows = walk(11)
    market = market_of({"AAPL": rows}, actions=(replace(SPLIT, is_in_prices=True),))
    assert as_rows(market.bars("AAPL", FIVE, start=OPEN, end=END, at=END).bars()) == rows


def test_between_split_and_first_trade_the_price_is_the_new_one() -> None:
    rows = walk(12)
    market = market_of({"AAPL": rows}, actions=(SPLIT,))
    effective = market.world.effective_at(SPLIT)
    assert effective == datetime(2025, 10, 23, 8, tzinfo=UTC)
    old = rows[77][4]
    assert market.last_price("AAPL", effective - SECOND) == old
    assert market.last_price("AAPL", effective) == pytest.approx(old / 4)
    assert market.previous_close("AAPL", NEXT_OPEN) == pytest.approx(old / 4)
    book = market.quote("AAPL", effective)
    assert book is not None
    assert book.bid <= old / 4 <= book.ask
    trade = market.last_trade("AAPL", effective)
    assert trade is not None
    assert trade.price == old  # what was traded was traded at that price


def test_the_last_close_follows_a_split_at_once() -> None:
    rows = walk(12)
    market = market_of({"AAPL": rows})
    effective = market.world.effective_at(SPLIT)
    assert market.previous_close("AAPL", effective) == rows[77][4]
    market.world.add_corporate_action(SPLIT)
    assert market.previous_close("AAPL", effective - SECOND) == rows[77][4]
    assert market.previous_close("AAPL", effective) == pytest.approx(rows[77][4] / 4)


def test_before_it_takes_effect_a_split_is_not_there() -> None:
    market = market_of({"AAPL": walk(11)}, actions=(SPLIT,))
    at = CLOSE
    assert market.corporate_actions(at) == ()
    assert market.corporate_actions(NEXT_OPEN) == (SPLIT,)
    plain = market.bars("AAPL", FIVE, start=OPEN, end=at, at=at)
    adjusted = market.bars("AAPL", FIVE, start=OPEN, end=at, at=at, is_split_adjusted=True)
    assert as_rows(plain.bars()) == as_rows(adjusted.bars())


RENAME = CorporateAction(
    kind=ActionKind.SYMBOL_CHANGE, symbol="FB", on=date(2025, 10, 23), new_symbol="META"
)


def test_a_new_symbol_inherits_the_old_ones_prices() -> None:
    rows = walk(13)
    market = market_of({"FB": rows}, actions=(RENAME,))
    assert market.symbols(CLOSE) == ("FB",)
    assert market.asset("META", CLOSE) is None
    assert market.last_trade("META", CLOSE) is None
    assert market.symbols(NEXT_OPEN) == ("META",)
    assert market.asset("FB", NEXT_OPEN) is None
    old, new = market.asset("FB", CLOSE), market.asset("META", NEXT_OPEN)
    assert old is not None
    assert new is not None
    assert old.asset_id == new.asset_id
    assert market.asset(new.asset_id, NEXT_OPEN) == new
    assert as_rows(market.bars("META", FIVE, start=OPEN, end=END, at=END).bars()) == rows
    assert as_rows(market.bars("FB", FIVE, start=OPEN, end=END, at=END).bars()) == rows[:78]
    assert market.previous_close("META", NEXT_OPEN) == rows[77][4]


def test_a_rename_that_prices_know_joins_them() -> None:
    rows = walk(14)
    action = replace(RENAME, is_in_prices=True)
    market = market_of({"FB": rows[:78], "META": rows[78:]}, actions=(action,))
    assert as_rows(market.bars("META", FIVE, start=OPEN, end=END, at=END).bars()) == rows


@pytest.mark.parametrize(
    "action",
    [
        replace(SPLIT, symbol="NONE"),
        replace(SPLIT, new_rate=Decimal(0)),
        replace(RENAME, symbol="AAPL", new_symbol="MSFT"),
        replace(RENAME, symbol="AAPL", new_symbol="XXX", is_in_prices=True),
        replace(RENAME, symbol="AAPL", new_symbol=""),
    ],
)
def test_an_action_that_cannot_be_is_refused(action: CorporateAction) -> None:
    with pytest.raises(BadData):
        market_of({"AAPL": walk(1), "MSFT": walk(2)}, actions=(action,))
