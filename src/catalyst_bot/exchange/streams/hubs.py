"""What the market side of the exchange needs of the others: who listens, and who is told."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from catalyst_bot.exchange.books.market_changes import MarketChange
from catalyst_bot.exchange.market.moments import Moment

EVERY_SYMBOL: Final = "*"


class Channel(StrEnum):
    """Channels of the market-data stream, as clients name them."""

    TRADES = "trades"
    QUOTES = "quotes"
    BARS = "bars"
    UPDATED_BARS = "updatedBars"
    DAILY_BARS = "dailyBars"
    STATUSES = "statuses"
    LULDS = "lulds"


class Venue(Protocol):
    """The accounts and their orders."""

    def interested(self) -> Collection[str]:
        """Return the symbols whose prices it needs: those with open orders."""
        ...

    def on_moment(self, moment: Moment) -> None:
        """Let a moment have its effects."""
        ...

    def next_due(self) -> datetime | None:
        """Return when it has something to do by itself."""
        ...

    def on_due(self, at: datetime) -> None:
        """Do what is due at or before a time."""
        ...

    def remember_change(self, change: MarketChange) -> None:
        """Remember what an administrator did to the market."""
        ...

    def settle(self, *, is_exact: bool = False) -> None:
        """Keep what changed, and how far the market was played; then tell it.

        Raises `ApiError` when it cannot be kept.
        """
        ...


class DataHub(Protocol):
    """The sockets of the market-data stream."""

    def wanted(self, channel: Channel) -> Collection[str]:
        """Return the symbols somebody listens to on a channel; `*` in it means all."""
        ...

    def publish(self, messages: list[dict[str, Any]]) -> None:
        """Tell each message (`T`, `S`, …; times as datetimes) to those who listen to it."""
        ...


class NewsHub(Protocol):
    """The sockets of the news stream."""

    def publish(self, item: dict[str, Any]) -> None:
        """Tell a news item to those who listen to one of its symbols."""
        ...
