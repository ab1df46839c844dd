"""The market data of a bot that has none: every question gets an honest no."""

from __future__ import annotations

from catalyst_bot.domain.messages.commands import RequestMarketView
from catalyst_bot.domain.messages.facts import MarketViewUnavailable
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

REASON = "no_live_market_data"


class NoMarketData:
    """Implements `MarketData` for live feeds without live prices: detection and alerts only."""

    def __init__(self, *, clock: Clock, sink: Sink) -> None:
        self._clock = clock
        self._sink = sink

    def request_view(self, command: RequestMarketView) -> None:
        """See `MarketData.request_view`."""
        self._sink(
            MarketViewUnavailable(
                at=self._clock.now(),
                request_id=command.request_id,
                catalyst_id=command.catalyst_id,
                symbol=command.symbol,
                reason=REASON,
            )
        )

    def watch(self, symbol: str) -> None:
        """See `MarketData.watch`."""

    def unwatch(self, symbol: str) -> None:
        """See `MarketData.unwatch`."""
