"""Recorded bars as columns: cut, joined, and scaled by a split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.exchange.price_path import Floats
from catalyst_bot.market_data.bar_store import BarColumns


def before(bars: BarColumns, at_s: int) -> BarColumns:
    """Return the bars that begin before a time."""
    end = int(bars.opened_s.searchsorted(at_s))
    return _each(bars, lambda column: column[:end])


def kept(bars: BarColumns, rows: NDArray[np.bool_]) -> BarColumns:
    """Return the bars that are wanted."""
    return _each(bars, lambda column: column[rows])


def joined(earlier: BarColumns, later: BarColumns) -> BarColumns:
    """Return the later bars after those of the earlier ones that begin before them."""
    if not len(later.opened_s):
        return earlier
    first = before(earlier, int(later.opened_s[0]))
    return BarColumns(
        opened_s=np.concatenate([first.opened_s, later.opened_s]),
        closed_s=np.concatenate([first.closed_s, later.closed_s]),
        open=np.concatenate([first.open, later.open]),
        high=np.concatenate([first.high, later.high]),
        low=np.concatenate([first.low, later.low]),
        close=np.concatenate([first.close, later.close]),
        volume=np.concatenate([first.volume, later.volume]),
    )


def scaled(bars: BarColumns, from_s: int, factor: float) -> BarColumns:
    """Return the bars with prices times `factor` from a time on, on valid ticks."""
    begin = int(bars.opened_s.searchsorted(from_s))
    steps = np.where(bars.high[begin:] * factor >= 1.0, 100.0, 10_000.0)

    def scaled_price(column: Floats) -> Floats:
        rounded = np.maximum(np.round(column[begin:] * factor * steps), 1.0) / steps
        return np.concatenate([column[:begin], rounded])

    volume = bars.volume.copy()
    volume[begin:] = np.round(volume[begin:] / factor)
    return replace(
        bars,
        open=scaled_price(bars.open),
        high=scaled_price(bars.high),
        low=scaled_price(bars.low),
        close=scaled_price(bars.close),
        volume=volume,
    )


def _each(bars: BarColumns, change: Callable[[NDArray[Any]], NDArray[Any]]) -> BarColumns:
    return BarColumns(
        opened_s=change(bars.opened_s),
        closed_s=change(bars.closed_s),
        open=change(bars.open),
        high=change(bars.high),
        low=change(bars.low),
        close=change(bars.close),
        volume=change(bars.volume),
    )
