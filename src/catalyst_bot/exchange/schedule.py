"""When prices of the symbols somebody needs happen next; of the others nothing is computed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from catalyst_bot.exchange.price_path import MICROSECONDS
from catalyst_bot.exchange.series import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A trade as it is found in a series."""

    symbol: str
    us: int
    price: float
    size: int


class _TradeCursor:
    """Walks through the trades of a symbol, chunk by chunk."""

    __slots__ = ("_chunk", "_place", "_prices", "_series", "_sizes", "times")

    def __init__(self, series: Series, after_us: int) -> None:
        self._series = series
        self._chunk = max(0, series.chunk_of(after_us))
        self._load()
        self._place = int(series.chunk(self._chunk).times_us.searchsorted(after_us, side="right"))
        self._skip()

    @property
    def next_us(self) -> int | None:
        """When the next trade happens."""
        return self.times[self._place] if self._place < len(self.times) else None

    def take(self) -> Tick:
        """Return the next trade and go on."""
        place = self._place
        tick = Tick(
            symbol=self._series.symbol,
            us=self.times[place],
            price=self._prices[place],
            size=self._sizes[place],
        )
        self._place += 1
        self._skip()
        return tick

    def _skip(self) -> None:
        while self._place >= len(self.times) and self._chunk + 1 < self._series.chunk_count:
            self._chunk += 1
            self._place = 0
            self._load()

    def _load(self) -> None:
        path = self._series.chunk(self._chunk)
        self.times: list[int] = path.times_us.tolist()
        self._prices: list[float] = path.prices.tolist()
        self._sizes: list[int] = path.sizes.tolist()


class TradeSchedule:
    """The next trade of each of some symbols."""

    def __init__(self) -> None:
        self._cursors: dict[str, _TradeCursor] = {}
        self._heap: list[tuple[int, str]] = []

    @property
    def symbols(self) -> Collection[str]:
        """The symbols that are followed."""
        return self._cursors.keys()

    def follow(self, series: Iterable[Series], after_us: int) -> None:
        """Follow exactly these from now on; those followed already go on where they are."""
        known, self._cursors = self._cursors, {}
        for each in series:
            cursor = known.get(each.symbol) or _TradeCursor(each, after_us)
            self._cursors[each.symbol] = cursor
        self._heap = [
            (us, symbol)
            for symbol, cursor in self._cursors.items()
            if (us := cursor.next_us) is not None
        ]
        heapify(self._heap)

    def clear(self) -> None:
        """Follow nothing: what was known of the prices has changed."""
        self._cursors = {}
        self._heap = []

    def next_us(self) -> int | None:
        """When any of them trades next."""
        return self._heap[0][0] if self._heap else None

    def take(self, us: int) -> list[Tick]:
        """Return the trades up to a time that were not taken, in order of time, then symbol."""
        ticks: list[Tick] = []
        while self._heap and self._heap[0][0] <= us:
            _, symbol = heappop(self._heap)
            cursor = self._cursors[symbol]
            ticks.append(cursor.take())
            if (next_us := cursor.next_us) is not None:
                heappush(self._heap, (next_us, symbol))
        return ticks


class EdgeSchedule:
    """When the recorded bars of some symbols begin and end."""

    def __init__(self) -> None:
        self._series: tuple[Series, ...] = ()
        self._known: tuple[int, int | None] | None = None  # from when on, and the next edge

    @property
    def series(self) -> tuple[Series, ...]:
        """What is followed, in order of symbol."""
        return self._series

    def follow(self, series: Iterable[Series]) -> None:
        """Follow exactly these from now on."""
        self._series = tuple(sorted(series, key=lambda each: each.symbol))
        self._known = None

    def next_us(self, after_us: int) -> int | None:
        """When a bar begins or ends next."""
        after_s = after_us // MICROSECONDS
        if self._known is not None:
            from_s, next_s = self._known
            if from_s <= after_s and (next_s is None or after_s < next_s):
                return None if next_s is None else next_s * MICROSECONDS
        found = (each.next_edge_s(after_s) for each in self._series)
        next_s = min((s for s in found if s is not None), default=None)
        self._known = (after_s, next_s)
        return None if next_s is None else next_s * MICROSECONDS
