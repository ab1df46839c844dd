"""What the data API shows: rows of bars, trades and quotes, the latest of each, snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from catalyst_bot.exchange.bar_table import BarTable
from catalyst_bot.exchange.data_query import NO_MAPPING, FeedChoice
from catalyst_bot.exchange.market import Market
from catalyst_bot.exchange.pages import Finder, Found, Row
from catalyst_bot.exchange.replies import rfc3339
from catalyst_bot.exchange.ticks import TopOfBook, Trade, TradedBar
from catalyst_bot.exchange.timeframes import DAY, MINUTE, Timeframe
from catalyst_bot.exchange.world import from_microseconds, microseconds
from catalyst_bot.market_data.session_times import to_datetime

_A_MINUTE = timedelta(minutes=1)
_A_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


def bar_row(bar: TradedBar) -> Row:
    """Return a bar."""
    return {
        "c": bar.close,
        "h": bar.high,
        "l": bar.low,
        "n": bar.trade_count,
        "o": bar.open,
        "t": rfc3339(bar.at),
        "v": bar.volume,
        "vw": bar.average_price,
    }


def trade_row(trade: Trade, letter: str | None) -> Row:
    """Return a trade; `letter` is the exchange of a feed that has one only."""
    return {
        "c": list(trade.conditions),
        "i": trade.trade_id,
        "p": trade.price,
        "s": trade.size,
        "t": rfc3339(trade.at),
        "x": letter or trade.exchange,
        "z": trade.tape.value,
    }


def quote_row(book: TopOfBook, letter: str | None) -> Row:
    """Return a quote."""
    return {
        "ap": book.ask,
        "as": book.ask_size,
        "ax": letter or book.exchange,
        "bp": book.bid,
        "bs": book.bid_size,
        "bx": letter or book.exchange,
        "c": ["R"],
        "t": rfc3339(book.at),
        "z": book.tape.value,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """The past as one request may see it.

    `asof` is the date whose symbols are meant (see `World.name_as_of`), `-` for symbols alone.
    """

    market: Market
    at: datetime
    feed: FeedChoice
    asof: datetime | str | None = None

    def bars(self, timeframe: Timeframe, *, is_split_adjusted: bool) -> Finder:
        """Return a function that finds the bars of a symbol."""
        letter = timeframe.unit.value

        def find(symbol: str, start: datetime, end: datetime) -> Found:
            name, start = self._named(symbol, start)
            table = self.market.bars(
                name,
                timeframe,
                start=start,
                end=end,
                at=self.feed.until,
                is_split_adjusted=is_split_adjusted,
            )
            return _found_bars(table, letter) if self.feed.has_data else NOTHING

        return find

    def trades(self, symbol: str, start: datetime, end: datetime) -> Found:
        """Find the trades of a symbol."""
        name, start = self._named(symbol, start)
        times, prices, sizes = self.market.trades(name, start=start, end=end, at=self.feed.until)
        letter = self.feed.exchange_letter

        def rows(first: int, stop: int) -> list[Row]:
            part = slice(first, stop)
            ticks = (times[part], prices[part], sizes[part])
            return [trade_row(trade, letter) for trade in self.market.trades_of(name, ticks)]

        return Found(
            count=len(times) if self.feed.has_data else 0,
            rows=rows,
            token=lambda index: (
                _token_time(int(times[index])),
                letter or "-",
                f"{int(times[index]):020d}",
            ),
        )

    def quotes(self, symbol: str, start: datetime, end: datetime) -> Found:
        """Find the quotes of a symbol."""
        name, start = self._named(symbol, start)
        times, prices = self.market.quotes(name, start=start, end=end, at=self.feed.until)
        letter = self.feed.exchange_letter

        def rows(first: int, stop: int) -> list[Row]:
            ticks = (times[first:stop], prices[first:stop])
            return [quote_row(book, letter) for book in self.market.books_of(name, ticks)]

        return Found(
            count=len(times) if self.feed.has_data else 0,
            rows=rows,
            token=lambda index: (
                _token_time(int(times[index])),
                f"{int(times[index]) % 2**32:08X}",
            ),
        )

    def auctions(self, symbol: str, start: datetime, end: datetime) -> Found:
        """Find the days of a symbol with their opening and closing auctions.

        A day is dated by its session's open, and has a closing auction once that is over.
        """
        name, start = self._named(symbol, start)
        until = self.feed.until
        table = self.market.bars(name, DAY, start=start - _A_DAY, end=end, at=until)
        days = [self.market.hours.day_at(to_datetime(int(s))) for s in table.opened_s]
        shown = [
            (day, float(table.open[row]), float(table.close[row]))
            for row, day in enumerate(days)
            if day is not None and start <= day.opens_at <= min(end, until)
        ]
        asset = self.market.world.assets.of_symbol(name)
        letter = asset.exchange_letter if asset is not None else "-"

        def rows(first: int, stop: int) -> list[Row]:
            return [
                {
                    "c": _auction(day.closes_at, close, ("M", "6"), letter)
                    if day.closes_at <= until
                    else [],
                    "d": day.day.isoformat(),
                    "o": _auction(day.opens_at, open_, ("Q", "O"), letter),
                }
                for day, open_, close in shown[first:stop]
            ]

        return Found(
            count=len(shown),
            rows=rows,
            token=lambda index: (_token_time(microseconds(shown[index][0].opens_at)),),
        )

    def _named(self, symbol: str, start: datetime) -> tuple[str, datetime]:
        """The symbol its company has now, and from when on to look."""
        if isinstance(self.asof, datetime):
            return self.market.world.name_as_of(symbol, asof=self.asof, at=self.at), start
        asset = self.market.world.assets.of_symbol(symbol)
        if self.asof == NO_MAPPING and asset is not None and asset.listed_from is not None:
            start = max(start, asset.listed_from)
        return symbol, start


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestView:
    """The present as one request may see it; None is what is not there."""

    market: Market
    feed: FeedChoice

    def trade(self, symbol: str) -> Row | None:
        """Return the last trade."""
        if not self.feed.has_data:
            return None
        trade = self.market.last_trade(symbol, self.feed.until)
        return None if trade is None else trade_row(trade, self.feed.exchange_letter)

    def quote(self, symbol: str) -> Row | None:
        """Return the quote."""
        if not self.feed.has_data:
            return None
        book = self.market.quote(symbol, self.feed.until)
        return None if book is None else quote_row(book, self.feed.exchange_letter)

    def bar(self, symbol: str) -> Row | None:
        """Return the last complete minute in which it traded."""
        if not self.feed.has_data:
            return None
        minute = self.feed.until.replace(second=0, microsecond=0)
        trade = self.market.last_trade(symbol, minute - _TICK)
        if trade is None:
            return None
        start = trade.at.replace(second=0, microsecond=0)
        table = self.market.bars(symbol, MINUTE, start=start, end=start, at=self.feed.until)
        return bar_row(table.bars()[0]) if len(table) else None

    def snapshot(self, symbol: str) -> Row | None:
        """Return the latest of everything; parts that are not there are left out."""
        if not self.feed.has_data:
            return None
        day, day_before = self.market.day_bars(symbol, self.feed.until)
        parts = {
            "dailyBar": None if day is None else bar_row(day),
            "latestQuote": self.quote(symbol),
            "latestTrade": self.trade(symbol),
            "minuteBar": self.bar(symbol),
            "prevDailyBar": None if day_before is None else bar_row(day_before),
        }
        found = {name: part for name, part in parts.items() if part is not None}
        return found or None


NOTHING = Found(count=0, rows=lambda _first, _stop: [], token=lambda _index: ())


def _found_bars(table: BarTable, letter: str) -> Found:
    return Found(
        count=len(table),
        rows=lambda first, stop: [bar_row(bar) for bar in table.take(slice(first, stop)).bars()],
        token=lambda index: (letter, rfc3339(to_datetime(int(table.opened_s[index])))),
    )


def _token_time(us: int) -> str:
    return rfc3339(from_microseconds(us))


def _auction(at: datetime, price: float, conditions: tuple[str, ...], letter: str) -> list[Row]:
    return [{"c": code, "p": price, "t": rfc3339(at), "x": letter} for code in conditions]
