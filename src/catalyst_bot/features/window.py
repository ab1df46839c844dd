"""Bars as arrays: the form in which indicators see a window."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.market import BarSeries
from catalyst_bot.features.kernels import Bars, Closes, Floats

SESSION_GAP_S = 3600.0  # a longer pause between bars separates two sessions


@dataclass(frozen=True)  # without slots: what several indicators ask for is kept in the instance
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

    @cached_property
    def opens_session(self) -> NDArray[np.bool_]:
        """Whether a bar is the first of a session, per bar from the second on."""
        return self.opened_at[1:] - self.closed_at[:-1] > SESSION_GAP_S

    @cached_property
    def session_start(self) -> int:
        """Index of the first bar of the last session in the window."""
        breaks = self.opens_session.nonzero()[0]
        return int(breaks[-1]) + 1 if len(breaks) else 0

    @cached_property
    def true_range(self) -> Floats:
        """True range per bar from the second on, in price units (Wilder 1978)."""
        before = self.close[:-1]
        high, low = self.high[1:], self.low[1:]
        return np.maximum(high, before) - np.minimum(low, before)


def bar_window(bars: BarSeries) -> BarWindow:
    """Look at a series as arrays. Raises `BadData` on a value that is not finite."""
    table = np.frombuffer(bars.table, dtype="<f8").reshape(len(fields(BarWindow)), -1)
    if not np.isfinite(table).all():
        raise BadData(f"bars of {bars.symbol} hold a value that is not finite")
    return BarWindow(*table)


def columns_of(window: BarWindow, *, has_nights: bool) -> Bars:
    """Return the columns that the market features look at, as arrays; see `Bars`.

    With `has_nights` the returns over nights count (daily bars); within a day they would make each
    open look like a crisis.
    """
    move, counts = _moves(window, has_nights=has_nights)
    return Bars(
        closed=window.closed_at,
        open=window.open,
        high=window.high,
        low=window.low,
        close=window.close,
        volume=window.volume,
        true_range=window.true_range,
        opens=window.opens_session,
        move=move,
        counts=counts,
    )


def closes_of(window: BarWindow, *, has_nights: bool) -> Closes:
    """Return the columns of a benchmark that the market features look at; see `columns_of`."""
    move, counts = _moves(window, has_nights=has_nights)
    return Closes(closed=window.closed_at, close=window.close, move=move, counts=counts)


def _moves(window: BarWindow, *, has_nights: bool) -> tuple[Floats, Floats]:
    """The return over the bar before, and whether it counts, per bar from the second on."""
    move = window.close[1:] / window.close[:-1] - 1.0
    if has_nights:
        return move, np.ones(len(move))
    counts = 1.0 - window.opens_session.astype(np.float64)
    return move * counts, counts
