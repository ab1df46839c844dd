"""Candles of the last bars with a moment marked, as a PNG written here without a library."""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.market import Bar, BarSeries
from catalyst_bot.domain.messages.facts import BarClosed, MarketViewReceived
from catalyst_bot.domain.messages.registry import Recorded

WIDTH, HEIGHT = 640, 320
_MARGIN = 10
_LINES = 4  # of the grid, from the lowest to the highest price
_BACKGROUND, _GRID, _UP, _DOWN, _MARK = range(5)
_PALETTE = bytes((*(16, 20, 28), *(44, 52, 66), *(46, 189, 133), *(246, 70, 93), *(250, 200, 60)))
_INDEXED = 3  # colour type of a PNG with a palette
_MAX_BARS, _MAX_SYMBOLS = 78, 64  # a session of five-minute bars; what memory is kept for

Pixels = NDArray[np.uint8]


class RecentBars:
    """The last bars of the symbols looked at last: a fold of the journal, bounded."""

    def __init__(self) -> None:
        self._views: dict[str, BarSeries] = {}
        self._later: dict[str, deque[Bar]] = {}

    def note(self, record: Recorded) -> None:
        """Take in the bars of a record, if it has any."""
        match record.body:
            case MarketViewReceived(view=view):
                self._views.pop(view.symbol, None)
                self._views[view.symbol] = view.bars  # as it came: no work in the trading loop
                self._later[view.symbol] = deque(maxlen=_MAX_BARS)
                if len(self._views) > _MAX_SYMBOLS:
                    del self._later[next(iter(self._views))]
                    del self._views[next(iter(self._views))]
            case BarClosed(bar=bar) if bar.symbol in self._later:
                self._later[bar.symbol].append(bar)

    def of(self, symbol: str) -> Sequence[Bar]:
        """Return the bars of a symbol, oldest first; none when it was not looked at."""
        series = self._views.get(symbol)
        if series is None:
            return ()
        seen = [series[row] for row in range(max(0, len(series) - _MAX_BARS), len(series))]
        known = seen[-1].closed_at if seen else None
        later = [bar for bar in self._later[symbol] if known is None or bar.closed_at > known]
        return [*seen, *later][-_MAX_BARS:]


def candles_png(bars: Sequence[Bar], marked_at: datetime) -> bytes:
    """Return a picture of the bars, with a line through the bar of `marked_at` or the nearest.

    Raises `ValueError` without a bar, or for prices that are not finite.
    """
    prices = np.array([(bar.open, bar.high, bar.low, bar.close) for bar in bars])
    if not len(bars) or not np.isfinite(prices).all():
        raise ValueError("a chart needs bars with finite prices")
    pixels = np.full((HEIGHT, WIDTH), _BACKGROUND, dtype=np.uint8)
    low, high = float(prices[:, 2].min()), float(prices[:, 1].max())
    span = (high - low) or 1.0
    rows = HEIGHT - 1 - _MARGIN - np.rint((prices - low) / span * (HEIGHT - 1 - 2 * _MARGIN))
    for line in np.linspace(_MARGIN, HEIGHT - 1 - _MARGIN, _LINES + 1).astype(int).tolist():
        pixels[line, :] = _GRID
    step = (WIDTH - 2 * _MARGIN) / len(bars)
    pixels[:, _column(_marked(bars, marked_at), step)] = _MARK
    for index, (row, bar) in enumerate(zip(rows.astype(int).tolist(), bars, strict=True)):
        _candle(pixels, row, _column(index, step), half=max(int(step * 0.35), 0), bar=bar)
    return _png(pixels)


def _marked(bars: Iterable[Bar], at: datetime) -> int:
    """Index of the last bar that had begun at the time, else the first."""
    return max(sum(bar.opened_at <= at for bar in bars) - 1, 0)


def _column(index: int, step: float) -> int:
    return _MARGIN + int((index + 0.5) * step)


def _candle(pixels: Pixels, rows: Sequence[int], column: int, *, half: int, bar: Bar) -> None:
    opened, high, low, closed = rows
    colour = _UP if bar.close >= bar.open else _DOWN
    pixels[high : low + 1, column] = colour
    top, bottom = min(opened, closed), max(opened, closed)
    pixels[top : bottom + 1, column - half : column + half + 1] = colour


def _png(pixels: Pixels) -> bytes:
    height, width = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _INDEXED, 0, 0, 0)
    lines = b"".join(b"\x00" + line.tobytes() for line in pixels)  # each line: filter "none"
    parts = {b"IHDR": header, b"PLTE": _PALETTE, b"IDAT": zlib.compress(lines), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts.items())


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)
