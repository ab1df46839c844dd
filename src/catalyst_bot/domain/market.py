"""Market measurements: bars, quotes and the window a decision sees."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from catalyst_bot.domain.money import MAX_PRICE_USD

_COLUMNS = 7
_NUMBER_BYTES = 8
DAY_S = 86_400  # a bar of this interval is a whole session
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
    """Bars of one symbol, oldest first, as a table of numbers.

    `table` holds seven columns of one length, one after the other: opened and closed (epoch
    seconds), open, high, low, close, volume; each number a little-endian float64. A window of
    hundreds of bars crosses the journal with every catalyst: as digits it took milliseconds to
    write, and indicators want arrays anyway.
    """

    symbol: str
    table: bytes

    def __len__(self) -> int:
        return len(self.table) // (_COLUMNS * _NUMBER_BYTES)

    def __getitem__(self, row: int) -> Bar:
        """Return one bar, counted as in a list. Raises `IndexError` when there is none."""
        at = range(len(self))[row]
        opened_s, closed_s, *prices, volume = self._numbers()[at :: len(self)].tolist()
        open_, high, low, close = prices
        return Bar(
            symbol=self.symbol,
            opened_at=datetime.fromtimestamp(opened_s, UTC),
            closed_at=datetime.fromtimestamp(closed_s, UTC),
            open=open_,
            high=high,
            low=low,
            close=close,
            volume=volume,
        )

    def __iter__(self) -> Iterator[Bar]:
        return map(self.__getitem__, range(len(self)))

    def closes(self, count: int) -> tuple[array[int], array[float]]:
        """Return when the last `count` bars ended, in epoch seconds, and their closing prices."""
        numbers, length = self._numbers(), len(self)
        first = max(0, length - count)
        ends_s = numbers[length + first : 2 * length].tolist()
        prices = numbers[5 * length + first : 6 * length]
        return array("q", map(int, ends_s)), array("d", prices.tobytes())

    def _numbers(self) -> memoryview[float]:
        return memoryview(self.table).cast("d")


def series_of(symbol: str, bars: Iterable[Bar]) -> BarSeries:
    """Return bars of one symbol, oldest first, as a table; times are cut to whole seconds."""
    rows = [
        (
            float(bar.opened_at.timestamp() // 1),
            float(bar.closed_at.timestamp() // 1),
            bar.open,
            bar.high,
            bar.low,
            bar.close,
            bar.volume,
        )
        for bar in bars
    ]
    columns = (number for column in zip(*rows, strict=True) for number in column)
    return BarSeries(symbol=symbol, table=array("d", columns).tobytes())


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
    """Return the middle of bid and ask; None when crossed, too wide to mean it, or no prices."""
    if not 0 < quote.bid <= quote.ask <= MAX_PRICE_USD:
        return None
    middle = round((quote.bid + quote.ask) / 2, 6)  # without the noise of the last bits
    return middle if quote.ask - quote.bid <= MAX_USABLE_SPREAD * middle else None
