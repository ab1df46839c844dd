"""Market measurements: bars, quotes and the window a decision sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

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
class BarSeries:
    """Bars of one symbol as columns of one length, oldest first; times are whole epoch seconds.

    A window of hundreds of bars crosses the journal with every catalyst: columns are written and
    read ten times as fast as one object a bar, and indicators want arrays anyway.
    """

    symbol: str
    opened_s: tuple[int, ...]
    closed_s: tuple[int, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]
    volume: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.close)

    def __getitem__(self, row: int) -> Bar:
        """Return one bar, counted as in a list. Raises `IndexError` when there is none."""
        return Bar(
            symbol=self.symbol,
            opened_at=datetime.fromtimestamp(self.opened_s[row], UTC),
            closed_at=datetime.fromtimestamp(self.closed_s[row], UTC),
            open=self.open[row],
            high=self.high[row],
            low=self.low[row],
            close=self.close[row],
            volume=self.volume[row],
        )

    def __iter__(self) -> Iterator[Bar]:
        return map(self.__getitem__, range(len(self)))


def series_of(symbol: str, bars: Iterable[Bar]) -> BarSeries:
    """Return bars of one symbol, oldest first, as columns; times are cut to whole seconds."""
    kept = tuple(bars)
    return BarSeries(
        symbol=symbol,
        opened_s=tuple(int(bar.opened_at.timestamp()) for bar in kept),
        closed_s=tuple(int(bar.closed_at.timestamp()) for bar in kept),
        open=tuple(bar.open for bar in kept),
        high=tuple(bar.high for bar in kept),
        low=tuple(bar.low for bar in kept),
        close=tuple(bar.close for bar in kept),
        volume=tuple(bar.volume for bar in kept),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketView:
    """What was known of a symbol at `as_of`: closed bars only, oldest first."""

    symbol: str
    as_of: datetime
    bar_interval_s: int
    bars: BarSeries
    benchmark_bars: BarSeries
    quote: Quote


def middle_of(quote: Quote) -> float | None:
    """Return the middle of bid and ask; None when crossed, not positive or too wide to mean it."""
    if not 0 < quote.bid <= quote.ask:
        return None
    middle = round((quote.bid + quote.ask) / 2, 6)  # without the noise of the last bits
    return middle if quote.ask - quote.bid <= MAX_USABLE_SPREAD * middle else None
