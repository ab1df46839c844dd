"""The market features of one moment: what the trading process measures, once per decision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from catalyst_bot.domain.market import DAY_S
from catalyst_bot.features.kernels import Bars, Closes, Column, Flags, write_row
from catalyst_bot.features.spec import MARKET
from catalyst_bot.features.window import BarWindow, closes_of, columns_of

NEUTRAL: tuple[float, ...] = tuple(feature.neutral for feature in MARKET)


def market_features(
    window: BarWindow, benchmark: BarWindow, *, bar_interval_s: int
) -> tuple[float, ...]:
    """Return the market features in the order of the table; neutral without a bar.

    Both windows end at the decision. Bars before the longest windows of the table are not looked
    at.
    """
    if not len(window):
        return NEUTRAL
    has_nights = bar_interval_s >= DAY_S
    bars = Bars(*_as_read(columns_of(window, has_nights=has_nights)))
    market = Closes(*_as_read(closes_of(benchmark, has_nights=has_nights)))
    row = [0.0] * len(MARKET)
    write_row(bars, len(bars.close), market, len(market.close), row)
    return tuple(row)


def _as_read(columns: Iterable[Column | Flags]) -> Iterator[Any]:
    """The columns as plain Python reads them fastest: in place, but not by way of numpy."""
    return (np.asarray(column).data for column in columns)
