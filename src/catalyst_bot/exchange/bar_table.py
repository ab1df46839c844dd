"""Bars (or single trades) as columns, and how they become longer bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalyst_bot.exchange.price_path import Counts, Floats
from catalyst_bot.exchange.ticks import TradedBar
from catalyst_bot.market_data.session_times import Seconds, to_datetime

_PRICE_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitStep:
    """What lies before `before_s` is told in today's shares: prices times `factor`."""

    before_s: int
    factor: float


@dataclass(frozen=True, slots=True)
class BarTable:
    """Bars of one symbol, oldest first; `paid` is the sum of price times size of its trades."""

    opened_s: Seconds
    closed_s: Seconds
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    count: Counts
    paid: Floats

    def __len__(self) -> int:
        return len(self.opened_s)

    def take(self, rows: slice | Counts) -> BarTable:
        """Return some of the rows."""
        return BarTable(
            self.opened_s[rows],
            self.closed_s[rows],
            self.open[rows],
            self.high[rows],
            self.low[rows],
            self.close[rows],
            self.volume[rows],
            self.count[rows],
            self.paid[rows],
        )

    def followed_by(self, other: BarTable) -> BarTable:
        """Return these rows and then those of `other`."""
        return BarTable(
            np.concatenate([self.opened_s, other.opened_s]),
            np.concatenate([self.closed_s, other.closed_s]),
            np.concatenate([self.open, other.open]),
            np.concatenate([self.high, other.high]),
            np.concatenate([self.low, other.low]),
            np.concatenate([self.close, other.close]),
            np.concatenate([self.volume, other.volume]),
            np.concatenate([self.count, other.count]),
            np.concatenate([self.paid, other.paid]),
        )

    def adjusted(self, splits: Sequence[SplitStep]) -> BarTable:
        """Return the bars in today's shares."""
        if not splits:
            return self
        factor = np.ones(len(self))
        for split in splits:
            factor[self.opened_s < split.before_s] *= split.factor
        return BarTable(
            self.opened_s,
            self.closed_s,
            np.round(self.open * factor, _PRICE_DECIMALS),
            np.round(self.high * factor, _PRICE_DECIMALS),
            np.round(self.low * factor, _PRICE_DECIMALS),
            np.round(self.close * factor, _PRICE_DECIMALS),
            np.round(self.volume / factor),
            self.count,
            self.paid,
        )

    def joined(self, starts: Seconds) -> BarTable:
        """Return one bar for each run of rows with the same start."""
        if not len(self):
            return self
        first = np.concatenate([[0], np.flatnonzero(np.diff(starts)) + 1])
        last = np.append(first[1:], len(self)) - 1
        return BarTable(
            starts[first],
            self.closed_s[last],
            self.open[first],
            np.maximum.reduceat(self.high, first),
            np.minimum.reduceat(self.low, first),
            self.close[last],
            np.add.reduceat(self.volume, first),
            np.add.reduceat(self.count, first),
            np.add.reduceat(self.paid, first),
        )

    def bars(self) -> list[TradedBar]:
        """Return the rows as objects."""
        with np.errstate(divide="ignore", invalid="ignore"):
            average = np.where(self.volume > 0, self.paid / self.volume, self.close)
        rows = zip(
            *(
                column.tolist()
                for column in (
                    *(self.opened_s, self.open, self.high, self.low, self.close),
                    *(np.round(self.volume).astype(np.int64), self.count),
                    np.round(average, _PRICE_DECIMALS),
                )
            ),
            strict=True,
        )
        return [
            TradedBar(
                at=to_datetime(opened_s),
                open=open_,
                high=high,
                low=low,
                close=close,
                volume=volume,
                trade_count=count,
                average_price=price,
            )
            for opened_s, open_, high, low, close, volume, count, price in rows
        ]


def of_trades(times_us: Counts, prices: Floats, sizes: Counts, *, bar_s: int) -> BarTable:
    """Return each trade as a row; it is known at the end of its `bar_s` seconds."""
    seconds = times_us // 1_000_000
    volume = sizes.astype(np.float64)
    return BarTable(
        seconds,
        (seconds // bar_s + 1) * bar_s,
        prices,
        prices,
        prices,
        prices,
        volume,
        np.ones(len(seconds), dtype=np.int64),
        prices * volume,
    )


def empty_table() -> BarTable:
    """Return a table without rows."""
    none = np.empty(0, dtype=np.int64)
    return of_trades(none, np.empty(0), none, bar_s=1)
