"""A stretch of prices in which orders may fill: one trade, an auction, or a whole bar.

A single trade is a window without length; so one set of rules serves all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.market import Bar, OpenPrint


class Phase(StrEnum):
    """What the prices are: an opening print, the range of a bar, a trade, an auction.

    An order fills at most once per bar, trade or auction.
    """

    OPEN = "open"
    RANGE = "range"
    TICK = "tick"
    AUCTION = "auction"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceWindow:
    """Prices from `opened_at` to `ends_at` (the same moment for all but RANGE).

    `bid` and `ask` are the quote where one is known; else it is half a spread around the price.
    """

    symbol: str
    phase: Phase
    opened_at: datetime
    ends_at: datetime
    open: float
    high: float
    low: float
    volume: float | None
    session: SessionPhase = SessionPhase.REGULAR
    bid: float | None = None
    ask: float | None = None

    @property
    def is_moment(self) -> bool:
        """Tell whether all of the window happened at once, so that market orders meet it."""
        return self.phase is not Phase.RANGE


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


def trade_window(
    symbol: str,
    price: float,
    at: datetime,
    *,
    session: SessionPhase,
    bid: float | None,
    ask: float | None,
) -> PriceWindow:
    """Return the window of one trade, with the quote around it if it is known."""
    return PriceWindow(
        symbol=symbol,
        phase=Phase.TICK,
        opened_at=at,
        ends_at=at,
        open=price,
        high=price,
        low=price,
        volume=None,
        session=session,
        bid=bid,
        ask=ask,
    )


def auction_window(symbol: str, price: float, at: datetime) -> PriceWindow:
    """Return the window of an auction."""
    return PriceWindow(
        symbol=symbol,
        phase=Phase.AUCTION,
        opened_at=at,
        ends_at=at,
        open=price,
        high=price,
        low=price,
        volume=None,
    )
