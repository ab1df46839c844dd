"""What can be subscribed to on each data feed, and which message belongs to which channel."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from catalyst_bot.exchange.streams.lane import StreamEvent

ALL: Final = "*"
CHANNEL_OF: Final[Mapping[str, str]] = {
    "t": "trades",
    "q": "quotes",
    "b": "bars",
    "u": "updatedBars",
    "d": "dailyBars",
    "s": "statuses",
    "l": "lulds",
    "n": "news",
    "c": "corrections",
    "x": "cancelErrors",
}
_STOCK_CHANNELS: Final = (
    "trades",
    "quotes",
    "bars",
    "updatedBars",
    "dailyBars",
    "statuses",
    "lulds",
)
_IMPLIED: Final = ("corrections", "cancelErrors")  # by a subscription to trades
_ELSEWHERE: Final = frozenset(
    {*_STOCK_CHANNELS, *_IMPLIED, "news", "imbalances", "orderbooks"}
)  # known words that another feed would take
_LIMITED: Final = ("trades", "quotes")
_SYMBOL: Final = re.compile(r"\*|[A-Za-z0-9][A-Za-z0-9./_-]{0,31}")


class BadSubscription(Exception):
    """A subscription that cannot be; carries the code of Alpaca's error."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One endpoint of data: its channels, and how many symbols trades and quotes may hold (0: any).

    `is_open` says whether the data plan has it; `is_own` feeds get nothing of what is published
    for the market.
    """

    name: str
    channels: tuple[str, ...]
    symbol_limit: int = 0
    is_open: bool = True
    is_own: bool = False


def stock_feeds(*, iex_symbols: int, has_sip: bool) -> dict[str, Feed]:
    """Return the feeds of stocks by name."""
    feeds = (
        Feed(name="iex", channels=_STOCK_CHANNELS, symbol_limit=iex_symbols),
        Feed(name="sip", channels=_STOCK_CHANNELS, is_open=has_sip),
        Feed(name="test", channels=_STOCK_CHANNELS, is_own=True),
    )
    return {feed.name: feed for feed in feeds}


def news_feed() -> Feed:
    """Return the feed of news."""
    return Feed(name="news", channels=("news",))


class Subscription:
    """What one client has subscribed to on a feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._symbols: dict[str, dict[str, None]] = {name: {} for name in feed.channels}

    def add(self, message: Mapping[str, Any]) -> None:
        """Subscribe to more. Raises `BadSubscription`, and then nothing has changed."""
        asked = self._asked(message)
        wanted = {name: self._symbols[name] | dict.fromkeys(asked[name]) for name in asked}
        merged = {**self._symbols, **wanted}
        limited = [name for name in _LIMITED if name in merged]
        count = sum(len(merged[name]) for name in limited)
        has_all = any(ALL in merged[name] for name in limited)
        if self._feed.symbol_limit and (has_all or count > self._feed.symbol_limit):
            raise BadSubscription(405)
        self._symbols = merged

    def remove(self, message: Mapping[str, Any]) -> None:
        """Subscribe to less. Raises `BadSubscription`, and then nothing has changed."""
        for name, symbols in self._asked(message).items():
            for symbol in symbols:
                self._symbols[name].pop(symbol, None)

    def wants(self, event: StreamEvent) -> bool:
        """Whether an event belongs to it."""
        channel = CHANNEL_OF[event.kind]
        symbols = self._symbols.get("trades" if channel in _IMPLIED else channel)
        if not symbols:
            return False
        return ALL in symbols or any(symbol in symbols for symbol in event.symbols)

    def symbols(self, channel: str) -> Sequence[str]:
        """Return the symbols of one channel."""
        return tuple(self._symbols[channel])

    def state(self) -> dict[str, Any]:
        """Return all of it, as an acknowledgement lists it."""
        listed = {name: list(symbols) for name, symbols in self._symbols.items()}
        if "trades" in listed:
            listed.update(dict.fromkeys(_IMPLIED, listed["trades"]))
        return {"T": "subscription", **listed}

    def _asked(self, message: Mapping[str, Any]) -> dict[str, Sequence[str]]:
        asked = {name: value for name, value in message.items() if name != "action"}
        for name, value in asked.items():
            if name not in self._feed.channels:
                raise BadSubscription(410 if name in _ELSEWHERE else 400)
            if not isinstance(value, list) or not all(map(_is_symbol, value)):
                raise BadSubscription(400)
        return asked


def _is_symbol(value: Any) -> bool:
    return isinstance(value, str) and _SYMBOL.fullmatch(value) is not None
