from __future__ import annotations

import struct
import zlib
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.alerts.chart import HEIGHT, WIDTH, RecentBars, candles_png
from catalyst_bot.domain.market import Bar, MarketView, series_of
from catalyst_bot.domain.messages.facts import BarClosed, MarketViewReceived
from catalyst_bot.domain.messages.registry import Message, Recorded
from tests import builders

STEP = timedelta(minutes=5)
GRID, UP, DOWN, MARK = 1, 2, 3, 4
prices = st.floats(0.0001, 1e7)


def bar(index: int, open_: float, close: float, symbol: str = "ACME") -> Bar:
    opened_at = builders.NOON + index * STEP
    return Bar(
        symbol=symbol,
        opened_at=opened_at,
        closed_at=opened_at + STEP,
        open=open_,
        high=max(open_, close) * 1.01,
        low=min(open_, close) * 0.99,
        close=close,
        volume=1.0,
    )


def read_png(png: bytes) -> np.ndarray:
    """What a reader of its own makes of it: checksums, header, lines."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, found = 8, {}
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", png, at + 8 + length)
        assert checksum == zlib.crc32(name + data)
        found[name] = data
        at += 12 + length
    width, height, depth, kind, *_ = struct.unpack(">IIBBBBB", found[b"IHDR"])
    assert (width, height, depth, kind) == (WIDTH, HEIGHT, 8, 3)
    assert list(found)[-1] == b"IEND"
    lines = np.frombuffer(zlib.decompress(found[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    assert lines[:, 1:].max() < len(found[b"PLTE"]) // 3
    return lines[:, 1:]


def test_a_rise_is_green_a_fall_is_red_and_the_moment_is_marked():
    pixels = read_png(candles_png([bar(0, 10, 12), bar(1, 12, 9)], builders.NOON + STEP))
    left, right = pixels[:, : WIDTH // 2], pixels[:, WIDTH // 2 :]
    assert (left == UP).any()
    assert not (left == DOWN).any()
    assert (right == DOWN).any()
    assert not (right == UP).any()
    assert (right == MARK).any()
    assert not (left == MARK).any()


@given(st.lists(st.tuples(prices, prices), min_size=1, max_size=200), st.integers(-5, 300))
def test_any_bars_make_a_picture(moves: list[tuple[float, float]], marked: int):
    bars = [bar(index, *move) for index, move in enumerate(moves)]
    pixels = read_png(candles_png(bars, builders.NOON + marked * STEP))
    assert (pixels == UP).any() or (pixels == DOWN).any()


@pytest.mark.parametrize("bars", [[], [bar(0, float("nan"), 1.0)]])
def test_nothing_to_draw_is_said(bars: list[Bar]):
    with pytest.raises(ValueError, match="finite prices"):
        candles_png(bars, builders.NOON)


def record(body: Message) -> Recorded:
    return Recorded(seq=1, at=builders.NOON, cause_seq=None, trail_id="", body=body)


def test_recent_bars_are_those_of_the_view_and_what_closed_later():
    recent = RecentBars()
    view = MarketView(
        symbol="ACME",
        as_of=builders.NOON,
        bar_interval_s=300,
        bars=series_of("ACME", [bar(index, 1, 2) for index in range(100)]),
        benchmark_bars=series_of("SPY", []),
        quote=builders.quote(),
    )
    seen = MarketViewReceived(at=builders.NOON, request_id="r", catalyst_id="c", view=view)
    recent.note(record(BarClosed(at=builders.NOON, bar=bar(0, 1, 2))))  # never looked at
    assert not recent.of("ACME")
    recent.note(record(seen))
    known = list(seen.view.bars)
    assert list(recent.of("ACME")) == known[-78:]
    old, new = known[-1], bar(100_000, 3, 4)
    for closed in (old, new):
        recent.note(record(BarClosed(at=builders.NOON, bar=closed)))
    assert recent.of("ACME")[-2:] == [old, new]
