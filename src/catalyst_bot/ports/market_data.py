"""Prices, as of a time."""

from __future__ import annotations

from typing import Protocol

from catalyst_bot.domain.messages.commands import RequestMarketView

# The most bars a view shows of a symbol and of the benchmark; at least the longest windows of the
# features, or a decision would see less than a history does.
VIEW_BARS = 400
BENCHMARK_VIEW_BARS = 100


class MarketData(Protocol):
    """Answers for what was known at the time of asking: closed bars only."""

    def request_view(self, command: RequestMarketView) -> None:
        """Answer: MarketViewReceived or MarketViewUnavailable."""
        ...

    def watch(self, symbol: str) -> None:
        """Send `BarClosed` for the symbol from now on, and `QuoteSampled` where there are quotes.

        Watching twice is watching once; the second time asks for the newest quote.
        """
        ...

    def unwatch(self, symbol: str) -> None:
        """Stop sending prices of the symbol; of the benchmark they go on, whoever traded it."""
        ...
