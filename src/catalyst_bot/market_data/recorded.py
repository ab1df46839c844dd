"""The market data port over recorded (or generated) bars: a backtest's and the demo's market."""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.limits import CostRules
from catalyst_bot.domain.market import MarketView
from catalyst_bot.domain.messages.commands import RequestMarketView
from catalyst_bot.domain.messages.facts import (
    BarClosed,
    MarketViewReceived,
    MarketViewUnavailable,
)
from catalyst_bot.market_data.bar_store import BarStore
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.market_data import BENCHMARK_VIEW_BARS, VIEW_BARS
from catalyst_bot.ports.sink import Sink
from catalyst_bot.simulation.spread_model import synthetic_quote


class RecordedMarketData:
    """Implements `MarketData`: answers at once, with bars closed by the clock's time only.

    The replay moves the clock and asks `closing_watched` at each instant; nothing is pushed.
    `bars` and `benchmark_bars` bound a view, and with it what the journal has to keep.
    """

    def __init__(
        self,
        store: BarStore,
        *,
        clock: Clock,
        sink: Sink,
        benchmark: str,
        costs: CostRules,
        bars: int = VIEW_BARS,
        benchmark_bars: int = BENCHMARK_VIEW_BARS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sink = sink
        self._benchmark = benchmark
        self._costs = costs
        self._bars = bars
        self._benchmark_bars = benchmark_bars
        self._watched: set[str] = set()

    @property
    def watched(self) -> frozenset[str]:
        """The symbols whose bars are sent."""
        return frozenset(self._watched)

    def request_view(self, command: RequestMarketView) -> None:
        """See `MarketData.request_view`."""
        now = self._clock.now()
        symbol = command.symbol
        bars = self._store.window(symbol, now, self._bars)
        if not bars:
            self._sink(
                MarketViewUnavailable(
                    at=now,
                    request_id=command.request_id,
                    catalyst_id=command.catalyst_id,
                    symbol=symbol,
                    reason="no_bars" if symbol in self._store else "unknown_symbol",
                )
            )
            return
        view = MarketView(
            symbol=symbol,
            as_of=now,
            bar_interval_s=self._store.interval_s,
            bars=bars,
            benchmark_bars=self._store.window(self._benchmark, now, self._benchmark_bars),
            quote=synthetic_quote(bars[-1], self._costs),
        )
        self._sink(
            MarketViewReceived(
                at=now, request_id=command.request_id, catalyst_id=command.catalyst_id, view=view
            )
        )

    def watch(self, symbol: str) -> None:
        """See `MarketData.watch`."""
        self._watched.add(symbol)

    def unwatch(self, symbol: str) -> None:
        """See `MarketData.unwatch`."""
        if symbol != self._benchmark:
            self._watched.discard(symbol)

    def closing_watched(self, at: datetime) -> list[BarClosed]:
        """Return the bars of watched symbols that close at `at`, in order of symbol."""
        closing = self._store.closing_at(at, sorted(self._watched))
        return [BarClosed(at=at, bar=bar) for bar in closing]
