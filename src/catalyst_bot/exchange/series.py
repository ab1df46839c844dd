"""Prices of one symbol as of any time: its recorded bars and the trades inside them.

Nothing is computed before it is asked for: trades are made for a day's worth of bars at a time and
a few such chunks are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.exchange import bar_columns
from catalyst_bot.exchange.bar_table import BarTable, SplitStep, of_trades
from catalyst_bot.exchange.price_path import MICROSECONDS, Counts, Floats, TradePath, trade_path
from catalyst_bot.exchange.timeframes import DAY, Timeframe, bar_starts
from catalyst_bot.market_data.bar_store import BarColumns
from catalyst_bot.market_data.session_times import DAY_S, Seconds, SessionTimes, to_datetime

CHUNK_BARS = 80  # about a day of five-minute bars
_KEPT_CHUNKS = 3
_TABLE_BLOCK = 512
_MINUTE_S = 60
_MINUTE_US = _MINUTE_S * MICROSECONDS
FOREVER_US = 1 << 62


@dataclass(frozen=True, slots=True)
class Pause:
    """No trades in [starts_us, ends_us)."""

    starts_us: int
    ends_us: int


class Series:
    """One symbol's bars of `interval_s`, with daily bars for the days before them.

    `key` makes its trades (see `price_path`). Raises nothing: what is not there is empty or None.
    """

    def __init__(
        self,
        symbol: str,
        bars: BarColumns,
        *,
        interval_s: int,
        key: int,
        sessions: SessionTimes,
        daily: BarColumns | None = None,
    ) -> None:
        self.symbol = symbol
        self.interval_s = interval_s
        self.recorded = bars
        self._key = key
        self._sessions = sessions
        self._daily = daily
        self._pauses: tuple[Pause, ...] = ()
        self._chunks: OrderedDict[int, TradePath] = OrderedDict()
        self._table: BarTable | None = None
        self._day_table: BarTable | None = None
        self._starts: dict[Timeframe, Seconds] = {}

    @property
    def pauses(self) -> tuple[Pause, ...]:
        """When nothing traded although bars were recorded."""
        return self._pauses

    def pause(self, pauses: Iterable[Pause]) -> None:
        """Let nothing trade in these times; replaces what was said before."""
        self._pauses = tuple(pauses)
        self._forget()

    def split(self, from_s: int, factor: float) -> None:
        """Scale the prices of all bars from a time on."""
        self.recorded = bar_columns.scaled(self.recorded, from_s, factor)
        if self._daily is not None:
            self._daily = bar_columns.scaled(self._daily, from_s, factor)
        self._forget()

    def renamed(self, symbol: str) -> Series:
        """Return the same prices under another symbol."""
        twin = Series(
            symbol,
            self.recorded,
            interval_s=self.interval_s,
            key=self._key,
            sessions=self._sessions,
            daily=self._daily,
        )
        twin.pause(self._pauses)
        return twin

    def end(self, at_s: int) -> None:
        """Forget all bars from a time on."""
        self.recorded = bar_columns.before(self.recorded, at_s)
        if self._daily is not None:
            self._daily = bar_columns.before(self._daily, at_s)
        self._forget()

    def follow(self, earlier: Series) -> None:
        """Take another symbol's bars as the time before this one's own."""
        self.recorded = bar_columns.joined(earlier.recorded, self.recorded)
        self._forget()

    # Trades

    def chunk_of(self, us: int) -> int:
        """Return the chunk with the last bar that began at or before a time; -1 for none."""
        row = int(self.recorded.opened_s.searchsorted(us // MICROSECONDS, side="right")) - 1
        return row // CHUNK_BARS if row >= 0 else -1

    @property
    def chunk_count(self) -> int:
        """How many chunks there are."""
        return -(-len(self.recorded.opened_s) // CHUNK_BARS)

    def chunk(self, index: int) -> TradePath:
        """Return the trades of a chunk."""
        path = self._chunks.get(index)
        if path is not None:
            self._chunks.move_to_end(index)
            return path
        path = self._path(slice(index * CHUNK_BARS, (index + 1) * CHUNK_BARS))
        self._chunks[index] = path
        if len(self._chunks) > _KEPT_CHUNKS:
            self._chunks.popitem(last=False)
        return path

    def last_trade(self, at_us: int) -> tuple[int, float, int] | None:
        """Return time, price and size of the last trade at or before a time."""
        for index in range(self.chunk_of(at_us), -1, -1):
            path = self.chunk(index)
            place = int(path.times_us.searchsorted(at_us, side="right")) - 1
            if place >= 0:
                return (
                    int(path.times_us[place]),
                    float(path.prices[place]),
                    int(path.sizes[place]),
                )
        return None

    def trades(self, first_us: int, last_us: int) -> tuple[Counts, Floats, Counts]:
        """Return times, prices and sizes of the trades in [first, last]."""
        parts: list[tuple[Counts, Floats, Counts]] = []
        for index in range(max(0, self.chunk_of(first_us)), self.chunk_of(last_us) + 1):
            path = self.chunk(index)
            begin = int(path.times_us.searchsorted(first_us, side="left"))
            end = int(path.times_us.searchsorted(last_us, side="right"))
            if begin < end:
                part = slice(begin, end)
                parts.append((path.times_us[part], path.prices[part], path.sizes[part]))
        if not parts:
            none = np.empty(0, dtype=np.int64)
            return none, np.empty(0), none
        times, prices, sizes = zip(*parts, strict=True)
        return np.concatenate(times), np.concatenate(prices), np.concatenate(sizes)

    # Bars

    def table(self) -> BarTable:
        """Return all recorded bars, cut to what traded outside the pauses."""
        if self._table is None:
            self._table = self._make_table(self.recorded)
        return self._table

    def bars(
        self,
        timeframe: Timeframe,
        *,
        first_s: int,
        last_s: int,
        at_us: int,
        splits: Sequence[SplitStep] = (),
    ) -> BarTable:
        """Return bars that start in [first, last], as far as complete minutes show them at a time.

        Bars of whole recorded bars are made of these; shorter and odd ones of trades.
        """
        is_daily = timeframe.seconds is None
        if timeframe.seconds is not None and timeframe.seconds % self.interval_s:
            return self._bars_of_trades(
                timeframe, first_s=first_s, last_s=last_s, at_us=at_us, splits=splits
            )
        table = self._days() if is_daily else self.table()
        starts = self._starts_of(timeframe, table)
        known = int(table.closed_s.searchsorted(at_us // MICROSECONDS, side="right"))
        begin = int(starts.searchsorted(first_s, side="left"))
        end = min(known, int(starts.searchsorted(last_s, side="right")))
        part, part_starts = table.take(slice(begin, end)), starts[begin:end]
        unfinished = self._unfinished(at_us)
        if unfinished is not None and (not is_daily or self._is_regular(unfinished.opened_s)[0]):
            start = self._start_of(timeframe, unfinished.opened_s)
            if first_s <= start[0] <= last_s:
                part = part.followed_by(unfinished)
                part_starts = np.concatenate([part_starts, start])
        return part.adjusted(splits).joined(part_starts)

    def bars_closing(self, at_s: int) -> list[Bar]:
        """Return the recorded bars that end exactly then."""
        table = self.table()
        first, end = table.closed_s.searchsorted([at_s, at_s + 1])
        return [
            Bar(
                symbol=self.symbol,
                opened_at=to_datetime(int(table.opened_s[row])),
                closed_at=to_datetime(int(table.closed_s[row])),
                open=float(table.open[row]),
                high=float(table.high[row]),
                low=float(table.low[row]),
                close=float(table.close[row]),
                volume=float(table.volume[row]),
            )
            for row in range(int(first), int(end))
        ]

    def opening(self, at_s: int) -> OpenPrint | None:
        """Return the first price of the recorded bar that begins then, unless it is paused."""
        row = int(self.recorded.opened_s.searchsorted(at_s))
        if row >= len(self.recorded.opened_s) or self.recorded.opened_s[row] != at_s:
            return None
        if self._is_paused(at_s * MICROSECONDS):
            return None
        volume = float(self.recorded.volume[row - 1]) if row else None
        return OpenPrint(symbol=self.symbol, price=float(self.recorded.open[row]), volume=volume)

    def next_edge_s(self, after_s: int) -> int | None:
        """Return when a recorded bar begins or ends next."""
        edges = [
            int(side[place])
            for side in (self.recorded.opened_s, self.recorded.closed_s)
            if (place := int(side.searchsorted(after_s, side="right"))) < len(side)
        ]
        return min(edges, default=None)

    def closed_before(self, us: Counts) -> Counts:
        """Return how many recorded bars had ended by each time."""
        return np.asarray(self.recorded.closed_s.searchsorted(us // MICROSECONDS, side="right"))

    # Making

    def _forget(self) -> None:
        self._chunks.clear()
        self._table = self._day_table = None
        self._starts.clear()

    def _path(self, rows: slice) -> TradePath:
        path = trade_path(self.recorded, rows, key=self._key, interval_s=self.interval_s)
        return _without(path, self._pauses)

    def _is_paused(self, us: int) -> bool:
        return any(pause.starts_us <= us < pause.ends_us for pause in self._pauses)

    def _is_regular(self, opened_s: Seconds) -> NDArray[np.bool_]:
        return np.asarray(self._sessions.index_at(opened_s) >= 0)

    def _make_table(self, bars: BarColumns) -> BarTable:
        counts, paid = [], []
        for first in range(0, len(bars.opened_s), _TABLE_BLOCK):
            path = self._path(slice(first, first + _TABLE_BLOCK))
            sums = np.concatenate([[0.0], (path.prices * path.sizes).cumsum()])
            counts.append(np.diff(path.starts))
            paid.append(np.diff(sums[path.starts]))
        table = BarTable(
            bars.opened_s,
            bars.closed_s,
            bars.open,
            bars.high,
            bars.low,
            bars.close,
            bars.volume,
            np.concatenate([np.empty(0, dtype=np.int64), *counts]),
            np.concatenate([np.empty(0), *paid]),
        )
        touched = np.zeros(len(table), dtype=np.bool_)
        for pause in self._pauses:
            touched |= (bars.opened_s * MICROSECONDS < pause.ends_us) & (
                bars.closed_s * MICROSECONDS > pause.starts_us
            )
        return self._cut(table, touched) if touched.any() else table

    def _cut(self, table: BarTable, touched: NDArray[np.bool_]) -> BarTable:
        """Replace the bars in a pause by what did trade; without any trade there is no bar."""
        cut = table.take(np.flatnonzero(~touched | (table.count > 0)))
        rows = np.flatnonzero(touched & (table.count > 0))
        for row, place in zip(
            rows.tolist(), cut.opened_s.searchsorted(table.opened_s[rows]), strict=True
        ):
            path = self._path(slice(row, row + 1))
            cut.open[place], cut.close[place] = path.prices[0], path.prices[-1]
            cut.high[place], cut.low[place] = path.prices.max(), path.prices.min()
            cut.volume[place] = path.sizes.sum()
        return cut

    def _days(self) -> BarTable:
        """The rows days are made of: regular hours, and daily bars where there are no others."""
        if self._day_table is None:
            table = self.table()
            rows = table.take(np.flatnonzero(self._is_regular(table.opened_s)))
            if self._daily is not None:
                covered = np.unique(bar_starts(rows.opened_s, DAY))
                days = bar_starts(self._daily.opened_s, DAY)
                missing = np.flatnonzero(~np.isin(days, covered))
                daily = self._daily_table(self._daily).take(missing)
                rows = daily.followed_by(rows)
                rows = rows.take(np.argsort(rows.opened_s, kind="stable"))
            self._day_table = rows
        return self._day_table

    def _daily_table(self, daily: BarColumns) -> BarTable:
        twin = Series(self.symbol, daily, interval_s=DAY_S, key=self._key, sessions=self._sessions)
        return twin.table()

    def _starts_of(self, timeframe: Timeframe, table: BarTable) -> Seconds:
        if timeframe not in self._starts:
            self._starts[timeframe] = self._start_of(timeframe, table.opened_s)
        return self._starts[timeframe]

    def _start_of(self, timeframe: Timeframe, opened_s: Seconds) -> Seconds:
        """A bar as long as the recorded ones is a recorded one, whenever these begin."""
        if timeframe.seconds == self.interval_s:
            return opened_s
        return bar_starts(opened_s, timeframe)

    def _unfinished(self, at_us: int) -> BarTable | None:
        """What complete minutes show of the recorded bar that is not over."""
        at_s = at_us // MICROSECONDS
        row = int(self.recorded.opened_s.searchsorted(at_s, side="right")) - 1
        if row < 0 or self.recorded.closed_s[row] <= at_s or self.interval_s <= _MINUTE_S:
            return None
        opened_s = int(self.recorded.opened_s[row])
        end_us = at_us // _MINUTE_US * _MINUTE_US
        trades = self.trades(opened_s * MICROSECONDS, end_us - 1)
        if not len(trades[0]):
            return None
        table = of_trades(*trades, bar_s=_MINUTE_S)
        return table.joined(np.full(len(table), opened_s, dtype=np.int64))

    def _bars_of_trades(
        self,
        timeframe: Timeframe,
        *,
        first_s: int,
        last_s: int,
        at_us: int,
        splits: Sequence[SplitStep],
    ) -> BarTable:
        assert timeframe.seconds is not None
        end_us = min((last_s + timeframe.seconds) * MICROSECONDS, at_us // _MINUTE_US * _MINUTE_US)
        table = of_trades(*self.trades(first_s * MICROSECONDS, end_us - 1), bar_s=_MINUTE_S)
        starts = bar_starts(table.opened_s, timeframe)
        within = np.flatnonzero((starts >= first_s) & (starts <= last_s))
        return table.take(within).adjusted(splits).joined(starts[within])


def _without(path: TradePath, pauses: Sequence[Pause]) -> TradePath:
    kept = np.ones(len(path.times_us), dtype=np.bool_)
    for pause in pauses:
        begin, end = path.times_us.searchsorted([pause.starts_us, pause.ends_us])
        kept[begin:end] = False
    if kept.all():
        return path
    before = np.concatenate([[0], kept.cumsum()])
    return TradePath(
        times_us=path.times_us[kept],
        prices=path.prices[kept],
        sizes=path.sizes[kept],
        starts=np.asarray(before[path.starts]),
    )
