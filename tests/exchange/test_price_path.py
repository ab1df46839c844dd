"""The trades inside bars keep every promise the bar makes."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.exchange.market.price_path import path_key, points_per_bar, trade_path
from tests.exchange.markets import OPEN, bar_rows, columns, walk

KEY = path_key(7, "AAPL")


@given(bar_rows(), st.sampled_from([60, 300, 3600]))
def test_trades_make_the_bar_again(rows: list, interval_s: int) -> None:
    starts = [OPEN + timedelta(seconds=index * interval_s) for index in range(len(rows))]
    bars = columns([(at, *row[1:]) for at, row in zip(starts, rows, strict=True)], interval_s)
    path = trade_path(bars, slice(0, len(rows)), key=KEY, interval_s=interval_s)
    assert (np.diff(path.times_us) > 0).all()
    for row in range(len(rows)):
        part = slice(path.starts[row], path.starts[row + 1])
        prices, times = path.prices[part], path.times_us[part]
        assert prices[0] == bars.open[row]
        assert prices[-1] == bars.close[row]
        assert prices.max() == bars.high[row]
        assert prices.min() == bars.low[row]
        assert path.sizes[part].sum() == bars.volume[row]
        assert (path.sizes[part] >= 0).all()
        assert times[0] == bars.opened_s[row] * 1_000_000
        assert bars.closed_s[row] * 1_000_000 - 1_000_000 <= times[-1]
        assert times[-1] < bars.closed_s[row] * 1_000_000
        assert len(prices) <= points_per_bar(interval_s)


@given(st.integers(0, 70), st.integers(1, 8))
def test_the_same_bar_trades_the_same_whoever_asks(first: int, count: int) -> None:
    bars = columns(walk(3))
    whole = trade_path(bars, slice(0, 78), key=KEY, interval_s=300)
    part = trade_path(bars, slice(first, first + count), key=KEY, interval_s=300)
    begin, end = whole.starts[first], whole.starts[min(78, first + count)]
    assert (part.times_us == whole.times_us[begin:end]).all()
    assert (part.prices == whole.prices[begin:end]).all()
    assert (part.sizes == whole.sizes[begin:end]).all()


def test_seed_and_symbol_make_different_trades() -> None:
    bars = columns(walk(3))
    paths = [
        trade_path(bars, slice(0, 78), key=path_key(seed, symbol), interval_s=300)
        for seed, symbol in ((1, "AAPL"), (2, "AAPL"), (1, "MSFT"))
    ]
    assert not (paths[0].times_us == paths[1].times_us).all()
    assert not (paths[0].times_us == paths[2].times_us).all()


def test_a_five_minute_bar_trades_in_every_minute() -> None:
    rows = [(*row[:5], 50_000.0) for row in walk(4)]
    path = trade_path(columns(rows), slice(0, 78), key=KEY, interval_s=300)
    minutes = np.unique(path.times_us // 60_000_000)
    assert len(minutes) == 390


def test_prices_between_lie_on_ticks() -> None:
    bars = columns(walk(5))
    path = trade_path(bars, slice(0, 78), key=KEY, interval_s=300)
    cents = path.prices * 100
    assert np.allclose(cents, np.round(cents), atol=1e-6)
