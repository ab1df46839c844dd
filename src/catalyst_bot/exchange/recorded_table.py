"""Recorded bars as they are shown: cut by pauses, with trade counts that are made when needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from catalyst_bot.exchange.bar_table import BarTable
from catalyst_bot.exchange.price_path import MICROSECONDS, Counts, TradePath
from catalyst_bot.exchange.timeframes import Timeframe, bar_starts
from catalyst_bot.market_data.bar_store import BarColumns
from catalyst_bot.market_data.session_times import Seconds

_BLOCK = 256  # bars whose trades are counted together
_NOT_COUNTED = -1
PathOf = Callable[[slice], TradePath]
"""The trades of recorded bars, without those in a pause."""


@dataclass(frozen=True, slots=True)
class Pause:
    """No trades in [starts_us, ends_us)."""

    starts_us: int
    ends_us: int


class RecordedTable:
    """Bars as columns. A bar in a pause shows only what traded outside of it, or is not there."""

    def __init__(self, bars: BarColumns, path_of: PathOf, pauses: Sequence[Pause] = ()) -> None:
        self._path_of = path_of
        self._rows = np.arange(len(bars.opened_s))  # which recorded bars there are
        starts_us, ends_us = bars.opened_s * MICROSECONDS, bars.closed_s * MICROSECONDS
        is_cut = np.zeros(len(self._rows), dtype=np.bool_)
        is_gone = np.zeros(len(self._rows), dtype=np.bool_)
        for pause in pauses:
            is_cut |= (starts_us < pause.ends_us) & (ends_us > pause.starts_us)
            is_gone |= (starts_us >= pause.starts_us) & (ends_us <= pause.ends_us)
        cut = {row: path_of(slice(row, row + 1)) for row in np.flatnonzero(is_cut & ~is_gone)}
        is_gone[[row for row, path in cut.items() if not len(path.prices)]] = True
        kept = self._rows = np.flatnonzero(~is_gone)
        none = np.full(len(kept), _NOT_COUNTED, dtype=np.int64)
        self._table = BarTable(
            bars.opened_s[kept],
            bars.closed_s[kept],
            bars.open[kept],
            bars.high[kept],
            bars.low[kept],
            bars.close[kept],
            bars.volume[kept],
            none,
            np.zeros(len(kept)),
        )
        for row, path in cut.items():
            if len(path.prices):
                self._show(int(kept.searchsorted(row)), path)

    @property
    def opened_s(self) -> Seconds:
        """When each bar begins."""
        return self._table.opened_s

    @property
    def closed_s(self) -> Seconds:
        """When each bar ends."""
        return self._table.closed_s

    @property
    def prices(self) -> BarTable:
        """All bars, counts aside: these may not be made yet."""
        return self._table

    def take(self, rows: slice | Counts) -> BarTable:
        """Return some of the bars, with counts."""
        missing = self._rows[rows][self._table.count[rows] == _NOT_COUNTED]
        for block in np.unique(missing // _BLOCK).tolist():
            self._count(block * _BLOCK)
        return self._table.take(rows)

    def _show(self, place: int, path: TradePath) -> None:
        table = self._table
        table.open[place], table.close[place] = path.prices[0], path.prices[-1]
        table.high[place], table.low[place] = path.prices.max(), path.prices.min()
        table.volume[place] = path.sizes.sum()

    def _count(self, first_row: int) -> None:
        path = self._path_of(slice(first_row, first_row + _BLOCK))
        begin, end = self._rows.searchsorted([first_row, first_row + _BLOCK])
        within = self._rows[begin:end] - first_row
        sums = np.concatenate([[0.0], (path.prices * path.sizes).cumsum()])
        self._table.count[begin:end] = np.diff(path.starts)[within]
        self._table.paid[begin:end] = np.diff(sums[path.starts])[within]


class BarView:
    """Some rows of a table, asked for the bars they make together."""

    def __init__(self, table: RecordedTable, rows: Counts, *, interval_s: int) -> None:
        self._table = table
        self._rows = rows
        self._interval_s = interval_s
        self._starts: dict[Timeframe, Seconds] = {}
        self.opened_s = table.opened_s[rows]
        self._closed_s = table.closed_s[rows]

    def part(
        self, timeframe: Timeframe, *, first_s: int, last_s: int, at_s: int
    ) -> tuple[BarTable, Seconds]:
        """Return the rows of bars that start in [first, last], as far as they ended, and which bar
        each belongs to.
        """
        if timeframe not in self._starts:
            self._starts[timeframe] = self.start_of(timeframe, self.opened_s)
        starts = self._starts[timeframe]
        known = int(self._closed_s.searchsorted(at_s, side="right"))
        begin = int(starts.searchsorted(first_s, side="left"))
        end = max(begin, min(known, int(starts.searchsorted(last_s, side="right"))))
        return self._table.take(self._rows[begin:end]), starts[begin:end]

    def start_of(self, timeframe: Timeframe, opened_s: Seconds) -> Seconds:
        """Return which bar each row belongs to.

        A bar as long as the recorded ones is a recorded one, whenever these begin.
        """
        if timeframe.seconds == self._interval_s:
            return opened_s
        return bar_starts(opened_s, timeframe)
