"""Market measurements: bars, quotes and the window a decision sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

MAX_USABLE_SPREAD = 0.05  # a wider quote, as before the open, says nothing about a price


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Prices of one interval [opened_at, closed_at); known only from `closed_at` on."""

    symbol: str
    opened_at: datetime
    closed_at: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPrint:
    """First trade of a bar, told when it happens.

    `volume` is what the bar before traded, in shares: the best guess of what can be had at this
    moment. None where there was none: then the cap on participation does not bind.
    """

    symbol: str
    price: float
    volume: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Best bid and ask at a time; `is_synthetic` when made from a bar by the spread model."""

    symbol: str
    at: datetime
    bid: float
    ask: float
    is_synthetic: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketView:
    """What was known of a symbol at `as_of`: closed bars only, oldest first."""

    symbol: str
    as_of: datetime
    bar_interval_s: int
    bars: tuple[Bar, ...]
    benchmark_bars: tuple[Bar, ...]
    quote: Quote


def middle_of(quote: Quote) -> float | None:
    """Return the middle of bid and ask; None when crossed, not positive or too wide to mean it."""
    if not 0 < quote.bid <= quote.ask:
        return None
    middle = round((quote.bid + quote.ask) / 2, 6)  # without the noise of the last bits
    return middle if quote.ask - quote.bid <= MAX_USABLE_SPREAD * middle else None
