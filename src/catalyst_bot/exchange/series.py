"""Prices of one symbol as of any time: its recorded bars and the trades inside them.

Nothing is computed before it is asked for: trades are made for a day's worth of bars at a time and
a few such chunks are kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.exchange import bar_columns
from catalyst_bot.exchange.bar_table import BarTable, SplitStep, of_trades
from catalyst_bot.exchange.price_path import MICROSECONDS, Counts, Floats, TradePath, trade_path
from catalyst_bot.exchange.recorded_table import BarView, Pause, RecordedTable
from catalyst_bot.exchange.timeframes import DAY, Timeframe, bar_starts
from catalyst_bot.market_data.bar_store import BarColumns
from catalyst_bot.market_data.session_times import DAY_S, Seconds, SessionTimes, to_datetime

CHUNK_BARS = 80  # about a day of five-minute bars
_KEPT_CHUNKS = 3
_MINUTE_S = 60
_MINUTE_US = _MINUTE_S * MICROSECONDS
FOREVER_US = 1 << 62


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
        self._table: RecordedTable | None = None
        self._whole: BarView | None = None
        self._days: tuple[BarView, ...] = ()

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

    @property
    def table(self) -> RecordedTable:
        """All recorded bars, cut to what traded outside the pauses."""
        if self._table is None:
            self._table = RecordedTable(self.recorded, self._path, self._pauses)
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
        if timeframe.seconds is not None and timeframe.seconds % self.interval_s:
            table, starts = self._rows_of_trades(
                timeframe, first_s=first_s, last_s=last_s, at_us=at_us
            )
        else:
            table, starts = self._rows_of_bars(
                timeframe, first_s=first_s, last_s=last_s, at_us=at_us
            )
        return table.adjusted(splits).joined(starts)

    def bars_closing(self, at_s: int) -> list[Bar]:
        """Return the recorded bars that end exactly then."""
        table = self.table.prices
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
        self._table = self._whole = None
        self._days = ()

    def _path(self, rows: slice) -> TradePath:
        path = trade_path(self.recorded, rows, key=self._key, interval_s=self.interval_s)
        return _without(path, self._pauses)

    def _is_paused(self, us: int) -> bool:
        return any(pause.starts_us <= us < pause.ends_us for pause in self._pauses)

    def _is_regular(self, opened_s: Seconds) -> NDArray[np.bool_]:
        return np.asarray(self._sessions.index_at(opened_s) >= 0)

    def _views(self, timeframe: Timeframe) -> tuple[BarView, ...]:
        """The rows a timeframe is made of: days of regular hours, and of daily bars where there
        are no others; all else of every hour.
        """
        if timeframe.seconds is not None:
            if self._whole is None:
                rows = np.arange(len(self.table.opened_s))
                self._whole = BarView(self.table, rows, interval_s=self.interval_s)
            return (self._whole,)
        if not self._days:
            rows = np.flatnonzero(self._is_regular(self.table.opened_s))
            regular = BarView(self.table, rows, interval_s=self.interval_s)
            self._days = (regular,)
            if self._daily is not None:
                covered = np.unique(bar_starts(regular.opened_s, DAY))
                table = RecordedTable(self._daily, self._daily_path)
                missing = ~np.isin(bar_starts(table.opened_s, DAY), covered)
                daily = BarView(table, np.flatnonzero(missing), interval_s=DAY_S)
                self._days = (daily, regular)
        return self._days

    def _daily_path(self, rows: slice) -> TradePath:
        assert self._daily is not None
        return trade_path(self._daily, rows, key=self._key, interval_s=DAY_S)

    def _rows_of_bars(
        self, timeframe: Timeframe, *, first_s: int, last_s: int, at_us: int
    ) -> tuple[BarTable, Seconds]:
        """Recorded bars, and the one that is not over as far as complete minutes show it."""
        at_s = at_us // MICROSECONDS
        views = self._views(timeframe)
        parts = [view.part(timeframe, first_s=first_s, last_s=last_s, at_s=at_s) for view in views]
        unfinished = self._unfinished(at_us)
        if unfinished is not None and (
            timeframe.seconds is not None or self._is_regular(unfinished.opened_s)[0]
        ):
            start = views[-1].start_of(timeframe, unfinished.opened_s)
            if first_s <= start[0] <= last_s:
                parts.append((unfinished, start))
        table, starts = parts[0]
        for more, more_starts in parts[1:]:
            table, starts = table.followed_by(more), np.concatenate([starts, more_starts])
        if len(views) > 1:
            order = np.argsort(table.opened_s, kind="stable")
            table, starts = table.take(order), starts[order]
        return table, starts

    def _unfinished(self, at_us: int) -> BarTable | None:
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

    def _rows_of_trades(
        self, timeframe: Timeframe, *, first_s: int, last_s: int, at_us: int
    ) -> tuple[BarTable, Seconds]:
        """The trades of complete minutes."""
        assert timeframe.seconds is not None
        end_us = min((last_s + timeframe.seconds) * MICROSECONDS, at_us // _MINUTE_US * _MINUTE_US)
        table = of_trades(*self.trades(first_s * MICROSECONDS, end_us - 1), bar_s=_MINUTE_S)
        starts = bar_starts(table.opened_s, timeframe)
        within = np.flatnonzero((starts >= first_s) & (starts <= last_s))
        return table.take(within), starts[within]


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
