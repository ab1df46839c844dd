"""Bars of many symbols in memory, asked only by what had happened at a time.

Columns are numpy arrays and `Bar` objects are made on demand: a month of a hundred symbols is a
quarter of a million bars, of which a replay looks at a few thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import Bar, BarSeries, OpenPrint, series_of
from catalyst_bot.market_data.session_times import Seconds, to_datetime, to_seconds

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarColumns:
    """Bars of one symbol, oldest first; times are epoch seconds."""

    opened_s: Seconds
    closed_s: Seconds
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def arrays(self) -> tuple[Seconds | Floats, ...]:
        """Return the columns in a fixed order."""
        times = (self.opened_s, self.closed_s)
        return (*times, self.open, self.high, self.low, self.close, self.volume)


class BarStore:
    """Bars by symbol with one interval, as of any time.

    Raises `BadData` when a symbol's bars are not in strictly rising order of time.
    """

    def __init__(self, columns: Mapping[str, BarColumns], *, interval_s: int) -> None:
        for symbol, bars in columns.items():
            if (np.diff(bars.opened_s) <= 0).any() or (np.diff(bars.closed_s) < 0).any():
                raise BadData(f"bars of {symbol} are not sorted by time without duplicates")
        self.interval_s = interval_s
        self.symbols: tuple[str, ...] = tuple(sorted(columns))
        self._columns = dict(columns)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._columns

    def __len__(self) -> int:
        return sum(len(bars.opened_s) for bars in self._columns.values())

    def columns(self, symbol: str) -> BarColumns:
        """Return the arrays of one symbol; KeyError when it has none. Do not write to them."""
        return self._columns[symbol]

    def window(self, symbol: str, as_of: datetime, count: int) -> BarSeries:
        """Return the last `count` bars closed at or before `as_of`, oldest first.

        Fewer when there are fewer, none for an unknown symbol.
        """
        bars = self._columns.get(symbol)
        if bars is None:
            return series_of(symbol, ())
        end = int(bars.closed_s.searchsorted(to_seconds(as_of), side="right"))
        part = slice(max(0, end - count), end)
        columns = (array[part].astype("<f8", copy=False).tobytes() for array in bars.arrays())
        return BarSeries(symbol=symbol, table=b"".join(columns))

    def closing_at(self, at: datetime, symbols: Iterable[str]) -> list[Bar]:
        """Return the bars that close exactly at `at`, in the order of `symbols`."""
        seconds = to_seconds(at)
        closing: list[Bar] = []
        for symbol in symbols if _is_whole_second(at) else ():
            bars = self._columns.get(symbol)
            if bars is None:
                continue
            row = int(bars.closed_s.searchsorted(seconds))
            while row < len(bars.closed_s) and bars.closed_s[row] == seconds:
                closing.append(_bar(symbol, bars, row))
                row += 1
        return closing

    def opening_at(self, at: datetime, symbols: Iterable[str]) -> list[OpenPrint]:
        """Return the first price of the bars that open exactly at `at`, in the order given.

        With the volume of the bar before: what the new one will trade, nobody can know yet.
        """
        seconds = to_seconds(at)
        prints: list[OpenPrint] = []
        for symbol in symbols if _is_whole_second(at) else ():
            bars = self._columns.get(symbol)
            if bars is None:
                continue
            index = int(bars.opened_s.searchsorted(seconds))
            if index < len(bars.opened_s) and bars.opened_s[index] == seconds:
                volume = float(bars.volume[index - 1]) if index else None
                price = float(bars.open[index])
                prints.append(OpenPrint(symbol=symbol, price=price, volume=volume))
        return prints

    def last_close_before(self, symbol: str, at: datetime) -> float | None:
        """Return the close of the last bar closed at or before `at`, None when there is none."""
        last = self.window(symbol, at, 1)
        return last[-1].close if last else None

    def instants(self, start: datetime, end: datetime) -> list[datetime]:
        """Return the times in [start, end] at which any bar opens or closes, in order."""
        times = [
            side[(side >= to_seconds(start)) & (side <= to_seconds(end))]
            for bars in self._columns.values()
            for side in (bars.opened_s, bars.closed_s)
        ]
        if not times:
            return []
        return [to_datetime(seconds) for seconds in np.unique(np.concatenate(times)).tolist()]

    def range(self) -> tuple[datetime, datetime]:
        """Return the first open and the last close; `BadData` when there are no bars at all."""
        filled = [bars for bars in self._columns.values() if len(bars.opened_s)]
        if not filled:
            raise BadData("there are no bars")
        first = min(int(bars.opened_s[0]) for bars in filled)
        return to_datetime(first), to_datetime(max(int(bars.closed_s[-1]) for bars in filled))

    def data_hash(self) -> str:
        """Return the SHA-256 of everything in the store: equal bars, equal hash."""
        digest = sha256(str(self.interval_s).encode())
        for symbol in self.symbols:
            digest.update(f"\n{symbol}\n".encode())
            for array in self._columns[symbol].arrays():
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def _is_whole_second(at: datetime) -> bool:
    """Bars begin and end on whole seconds: a moment later is not "at" any of them."""
    return at.microsecond == 0


def _bar(symbol: str, bars: BarColumns, row: int) -> Bar:
    return Bar(
        symbol=symbol,
        opened_at=to_datetime(int(bars.opened_s[row])),
        closed_at=to_datetime(int(bars.closed_s[row])),
        open=float(bars.open[row]),
        high=float(bars.high[row]),
        low=float(bars.low[row]),
        close=float(bars.close[row]),
        volume=float(bars.volume[row]),
    )
