"""Tells the streams what happens in the market: trades, quotes, bars, halts, price bands, news."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.exchange.market.book_prices import QuoteRule
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.moments import Halted, Resumed
from catalyst_bot.exchange.market.news import NewsItem
from catalyst_bot.exchange.market.ticks import Trade
from catalyst_bot.exchange.streams import messages as told
from catalyst_bot.exchange.streams.hubs import EVERY_SYMBOL, Channel, DataHub, NewsHub

_A_MINUTE: Final = timedelta(minutes=1)
_LATE: Final = timedelta(seconds=30)  # after a minute, when its bar is told again
_LATE_SHARE: Final = 20  # one bar in so many is told again
_BAND_MINUTES: Final = 5
_CLOCKED: Final = (Channel.BARS, Channel.UPDATED_BARS, Channel.DAILY_BARS, Channel.LULDS)


class Publisher:
    """Makes the messages somebody listens to, and no others; they wait until `tell`."""

    def __init__(self, market: Market, hub: DataHub, news_hub: NewsHub) -> None:
        self._market = market
        self._hub = hub
        self._news_hub = news_hub
        self._untold: list[told.Message] = []
        self._untold_news: list[NewsItem] = []

    def asked_for(self, channels: Iterable[Channel]) -> frozenset[str]:
        """Return what clients ask for on any of the channels, as they say it."""
        return frozenset().union(*(self._hub.wanted(channel) for channel in channels))

    def symbols(self, asked_for: Collection[str], at: datetime) -> frozenset[str]:
        """Return the symbols that are meant, as far as there are prices of them."""
        if EVERY_SYMBOL in asked_for:
            return frozenset(self._market.symbols(at))
        series = self._market.world.series
        return frozenset(symbol for symbol in asked_for if series(symbol, at) is not None)

    def wanted(self, channel: Channel, at: datetime) -> frozenset[str]:
        """Return the symbols with prices that somebody listens to on a channel."""
        return self.symbols(self._hub.wanted(channel), at)

    def next_at(self, after: datetime) -> datetime | None:
        """Return when the next bar is due, None when nobody listens to any."""
        if not any(self._hub.wanted(channel) for channel in _CLOCKED):
            return None
        minute = after.replace(second=0, microsecond=0)
        if self._hub.wanted(Channel.UPDATED_BARS) and after < minute + _LATE:
            return minute + _LATE
        return minute + _A_MINUTE

    def on_trades(self, trades: Iterable[Trade], at: datetime) -> None:
        """Tell trades, and the quotes they bring."""
        heard, quoted = self._hub.wanted(Channel.TRADES), self._hub.wanted(Channel.QUOTES)
        follows_trades = self._market.quote_rule is QuoteRule.TRADES
        for trade in trades:
            if trade.symbol in heard or EVERY_SYMBOL in heard:
                self._untold.append(told.trade_message(trade))
            if follows_trades and (trade.symbol in quoted or EVERY_SYMBOL in quoted):
                book = self._market.quote(trade.symbol, at)
                if book is not None:
                    self._untold.append(told.quote_message(book))

    def on_closes(self, symbols: Iterable[str], at: datetime) -> None:
        """Tell the quotes that complete bars bring, where quotes follow bars."""
        if self._market.quote_rule is not QuoteRule.BARS:
            return
        quoted = self.wanted(Channel.QUOTES, at)
        books = (self._market.quote(symbol, at) for symbol in symbols if symbol in quoted)
        self._untold += [told.quote_message(book) for book in books if book is not None]

    def on_halt(self, moment: Halted | Resumed) -> None:
        """Tell a halt or a resume."""
        asset = self._market.asset(moment.symbol, moment.at)
        if asset is not None and moment.symbol in self.wanted(Channel.STATUSES, moment.at):
            is_halt = isinstance(moment, Halted)
            message = told.status_message(asset, moment.at, code=moment.code, is_halt=is_halt)
            self._untold.append(message)

    def on_news(self, item: NewsItem) -> None:
        """Tell a news item."""
        self._untold_news.append(item)

    def on_clock(self, at: datetime) -> None:
        """Tell the bars that are due: of the minute that ended now, or half a minute ago."""
        if at.microsecond:
            return
        if at.second:
            if at.second == _LATE.seconds:
                self._untold += self._minute_bars("u", Channel.UPDATED_BARS, at - _LATE)
            return
        self._untold += self._minute_bars("b", Channel.BARS, at)
        if self._market.phase(at - _A_MINUTE) is SessionPhase.REGULAR:
            for symbol in sorted(self.wanted(Channel.DAILY_BARS, at)):
                day, _ = self._market.day_bars(symbol, at)
                if day is not None:
                    self._untold.append(told.bar_message("d", symbol, day))
        if self._market.phase(at) is SessionPhase.REGULAR and at.minute % _BAND_MINUTES == 0:
            self._untold += self._bands(at)

    def _minute_bars(self, kind: str, channel: Channel, end: datetime) -> list[told.Message]:
        messages = []
        start = end - _A_MINUTE
        for symbol in sorted(self.wanted(channel, end)):
            if kind == "b" or _is_told_again(symbol, start):
                bar = self._market.minute_bar(symbol, start)
                if bar is not None:
                    messages.append(told.bar_message(kind, symbol, bar))
        return messages

    def _bands(self, at: datetime) -> list[told.Message]:
        messages = []
        for symbol in sorted(self.wanted(Channel.LULDS, at)):
            asset, price = self._market.asset(symbol, at), self._market.last_price(symbol, at)
            if asset is not None and price is not None:
                messages.append(told.luld_message(asset, at, price))
        return messages

    def tell(self) -> None:
        """Send what there is to tell."""
        messages, self._untold = self._untold, []
        items, self._untold_news = self._untold_news, []
        if messages:
            self._hub.publish(messages)
        for item in items:
            self._news_hub.publish(item.message())


def _is_told_again(symbol: str, minute: datetime) -> bool:
    return crc32(f"{symbol} {minute.isoformat()}".encode()) % _LATE_SHARE == 0
