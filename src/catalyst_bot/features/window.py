"""Bars as arrays: the form in which indicators see a window."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import BarSeries

Floats = NDArray[np.float64]
SESSION_GAP_S = 3600.0  # a longer pause between bars separates two sessions


@dataclass(frozen=True, slots=True)
class BarWindow:
    """Columns of `n` bars, oldest first: open and close times in epoch seconds, prices, volume."""

    opened_at: Floats
    closed_at: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.close)


def bar_window(bars: BarSeries) -> BarWindow:
    """Look at a series as arrays. Raises `BadData` on a value that is not finite."""
    table = np.frombuffer(bars.table, dtype="<f8").reshape(len(fields(BarWindow)), -1)
    if not np.isfinite(table).all():
        raise BadData(f"bars of {bars.symbol} hold a value that is not finite")
    return BarWindow(*table)


def session_start_index(window: BarWindow) -> int:
    """Index of the first bar of the last session in the window."""
    pauses = window.opened_at[1:] - window.closed_at[:-1]
    breaks = np.flatnonzero(pauses > SESSION_GAP_S)
    return int(breaks[-1]) + 1 if len(breaks) else 0
