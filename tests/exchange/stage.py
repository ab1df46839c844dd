"""A conductor with everything it moves replaced by something that only takes notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from catalyst_bot.exchange.books.market_changes import MarketChange
from catalyst_bot.exchange.conductor import Conductor
from catalyst_bot.exchange.market.clock import ExchangeClock
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.moments import Moment


class Listener:
    """A venue, a data hub and a news hub in one: what it wants is set by the test."""

    def __init__(self) -> None:
        self.symbols: set[str] = set()
        self.channels: dict[str, set[str]] = defaultdict(set)
        self.moments: list[Moment] = []
        self.messages: list[dict[str, Any]] = []
        self.news: list[dict[str, Any]] = []
        self.chores: list[datetime] = []
        self.done: list[tuple[datetime, datetime]] = []

    def interested(self) -> Collection[str]:
        return self.symbols

    def on_moment(self, moment: Moment) -> None:
        self.moments.append(moment)

    def next_due(self) -> datetime | None:
        return min(self.chores, default=None)

    def on_due(self, at: datetime) -> None:
        self.done += [(due, at) for due in self.chores if due <= at]
        self.chores = [due for due in self.chores if due > at]

    def remember_change(self, change: MarketChange) -> None:
        """Nothing is started again."""

    def settle(self, *, is_exact: bool = False) -> None:
        """Nothing has to be kept."""

    def wanted(self, channel: str) -> Collection[str]:
        return self.channels[channel]

    def publish(self, messages: list[dict[str, Any]]) -> None:
        self.messages += messages

    def of(self, kind: type) -> list[Any]:
        """The moments of a kind."""
        return [moment for moment in self.moments if isinstance(moment, kind)]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a kind."""
        return [message for message in self.messages if message["T"] == kind]


class _News:
    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def publish(self, item: dict[str, Any]) -> None:
        self._listener.news.append(item)


def stage(
    market: Market, clock: ExchangeClock, *symbols: str, **how: Any
) -> tuple[Conductor, Listener]:
    """Return a conductor over a market, and who listens."""
    listener = Listener()
    listener.symbols |= set(symbols)
    conductor = Conductor(
        market, clock, venue=listener, data_hub=listener, news_hub=_News(listener), **how
    )
    return conductor, listener
