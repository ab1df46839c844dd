"""A stretch of prices in which orders may fill: the opening print, or a whole bar.

An opening print is a window without length; so one set of rules serves both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from catalyst_bot.domain.market import Bar, OpenPrint


class Phase(StrEnum):
    """Part of a bar an order fills in; an order fills at most once per bar."""

    OPEN = "open"
    RANGE = "range"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceWindow:
    """Prices from `opened_at` to `ends_at` (the same moment for an opening print)."""

    symbol: str
    phase: Phase
    opened_at: datetime
    ends_at: datetime
    open: float
    high: float
    low: float
    volume: float | None


def print_window(opening: OpenPrint, at: datetime) -> PriceWindow:
    """Return the window of an opening print at `at`."""
    return PriceWindow(
        symbol=opening.symbol,
        phase=Phase.OPEN,
        opened_at=at,
        ends_at=at,
        open=opening.price,
        high=opening.price,
        low=opening.price,
        volume=opening.volume,
    )


def open_window(bar: Bar) -> PriceWindow:
    """Return the window of the bar's first trade."""
    opening = OpenPrint(symbol=bar.symbol, price=bar.open, volume=bar.volume)
    return print_window(opening, bar.opened_at)


def range_window(bar: Bar) -> PriceWindow:
    """Return the window of all the bar's prices; what happened in it is known at its end."""
    return PriceWindow(
        symbol=bar.symbol,
        phase=Phase.RANGE,
        opened_at=bar.opened_at,
        ends_at=bar.closed_at,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        volume=bar.volume,
    )
