"""The market as of any time: listings, hours, prices, quotes, halts.

Every question carries its time `at`, and nothing later is in the answer. The recorded world is
fixed from the start; only what an administrator adds (a halt, a split, a new symbol) changes it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.limits import CostRules
from catalyst_bot.exchange.market.assets import Asset
from catalyst_bot.exchange.market.bar_table import BarTable, empty_table, of_trades
from catalyst_bot.exchange.market.book_prices import (
    QuoteRule,
    book_sizes,
    book_sizes_of,
    half_spread_bps,
    model_book,
    model_book_of,
    tick_book,
    tick_book_of,
)
from catalyst_bot.exchange.market.price_path import MICROSECONDS, Counts, Floats
from catalyst_bot.exchange.market.series import Series
from catalyst_bot.exchange.market.ticks import (
    CorporateAction,
    Halt,
    Tape,
    TopOfBook,
    Trade,
    TradedBar,
)
from catalyst_bot.exchange.market.timeframes import DAY, MINUTE, Timeframe, midnight
from catalyst_bot.exchange.market.world import EPOCH, World, from_microseconds, microseconds
from catalyst_bot.market_data.calendar_table import NEW_YORK
from catalyst_bot.market_data.session_times import to_datetime, to_seconds

_OUT_OF_HOURS = "T"  # condition of a trade outside regular hours
_A_SECOND = timedelta(seconds=1)
_FEW_DAYS = timedelta(days=10)
_A_MINUTE = timedelta(minutes=1)
_A_TICK = timedelta(microseconds=1)
_MAX_CLOSES = 10_000
Ticks = tuple[Counts, Floats, Counts]


class Market:
    """Answers for one world.

    In a replay in steps, `unprinted_from` hides the trades from that instant on: bars that begin
    there have not opened yet.
    """

    def __init__(
        self,
        world: World,
        *,
        quote_rule: QuoteRule = QuoteRule.TRADES,
        costs: CostRules | None = None,
    ) -> None:
        self.world = world
        self.hours = world.hours
        self.quote_rule = quote_rule
        self.costs = costs or CostRules()
        self.unprinted_from: datetime | None = None
        self._half_bps: dict[str, tuple[int, Floats]] = {}
        self._symbols: tuple[tuple[int, int], tuple[str, ...]] | None = None
        self._closes: dict[tuple[str, date], float | None] = {}
        self._closes_known: tuple[int, int] | None = None

    # Listings and hours

    def asset(self, key: str, at: datetime) -> Asset | None:
        """Return the asset of a symbol, SYMBOL:EXCHANGE, id or CUSIP, if it is listed then."""
        asset = self.world.assets.find(key)
        return asset if asset is not None and asset.is_listed(at) else None

    def assets(self, at: datetime) -> tuple[Asset, ...]:
        """Return what is listed, by exchange and symbol."""
        return tuple(asset for asset in self.world.assets.all() if asset.is_listed(at))

    def change_asset(self, symbol: str, **changes: bool | tuple[str, ...]) -> Asset:
        """Set flags of an asset (`is_shortable`, `is_fractionable`, …); KeyError if unknown."""
        return self.world.assets.change(symbol, **changes)

    def symbols(self, at: datetime) -> tuple[str, ...]:
        """Return the listed symbols in order."""
        epoch = self._epoch(at)
        if self._symbols is None or self._symbols[0] != epoch:
            self._symbols = (epoch, tuple(sorted(asset.symbol for asset in self.assets(at))))
        return self._symbols[1]

    def phase(self, at: datetime) -> SessionPhase:
        """Return what part of the trading day it is."""
        return self.hours.phase(at)

    # Prices now

    def last_trade(self, symbol: str, at: datetime) -> Trade | None:
        """Return the last trade at or before a time."""
        series = self.world.series(symbol, at)
        found = series.last_trade(self._seen_us(at)) if series else None
        if found is None:
            return None
        return self.trade_of(symbol, *found)

    def last_price(self, symbol: str, at: datetime) -> float | None:
        """Return the price of the last trade in today's shares.

        After a split and before its first trade that is what the old price has become.
        """
        series = self.world.series(symbol, at)
        found = series.last_trade(self._seen_us(at)) if series else None
        if found is None:
            return None
        return found[1] * self.world.split_factor(symbol, from_microseconds(found[0]), at)

    def quote(self, symbol: str, at: datetime) -> TopOfBook | None:
        """Return bid and ask, in today's shares."""
        series = self.world.series(symbol, at)
        if series is None:
            return None
        if self.quote_rule is QuoteRule.BARS:
            times, prices = self._quotes_at_closes(series, EPOCH, at)
            if not len(times):
                return None
            us, price = int(times[-1]), float(prices[-1])
        else:
            found = series.last_trade(self._seen_us(at))
            if found is None:
                return None
            us, price, _ = found
        price *= self.world.split_factor(symbol, from_microseconds(us), at)
        return self._book_of(symbol, us, price)

    def previous_close(self, symbol: str, at: datetime) -> float | None:
        """Return the last regular close before today (New York's date), in today's shares.

        On a day without a session, today is the day of the last one.
        """
        day = (self.hours.day_at(at) or self.hours.last_session(at)).day
        epoch = self._epoch(at)
        if self._closes_known != epoch or len(self._closes) > _MAX_CLOSES:
            self._closes, self._closes_known = {}, epoch
        if (symbol, day) not in self._closes:
            bars = self._last_days(symbol, midnight(day) - _A_SECOND, at)
            close = None
            if len(bars):
                closed_at = to_datetime(int(bars.closed_s[-1]) - 1)
                factor = self.world.split_factor(symbol, closed_at, at)
                close = float(bars.close[-1]) * factor
            self._closes[symbol, day] = close
        return self._closes[symbol, day]

    def day_bars(self, symbol: str, at: datetime) -> tuple[TradedBar | None, TradedBar | None]:
        """Return the latest daily bar, as far as its day has gone, and the one before it."""
        bars = self._last_days(symbol, at, at)
        last = bars.take(slice(max(0, len(bars) - 2), len(bars))).bars()
        return (last[-1] if last else None), (last[-2] if len(last) > 1 else None)

    # History

    def bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        *,
        start: datetime,
        end: datetime,
        at: datetime,
        is_split_adjusted: bool = False,
    ) -> BarTable:
        """Return bars that start in [start, end], as far as they have gone at a time."""
        return self._bars(symbol, timeframe, start, end, at, is_split_adjusted=is_split_adjusted)

    def trades(self, symbol: str, *, start: datetime, end: datetime, at: datetime) -> Ticks:
        """Return times (epoch microseconds), prices and sizes of the trades in [start, end]."""
        series = self.world.series(symbol, at)
        if series is None:
            return _no_ticks()
        return series.trades(microseconds(start), min(microseconds(end), self._seen_us(at)))

    def quotes(
        self, symbol: str, *, start: datetime, end: datetime, at: datetime
    ) -> tuple[Counts, Floats]:
        """Return times and middle prices of the quotes in [start, end]."""
        series = self.world.series(symbol, at)
        if series is None:
            return _no_ticks()[:2]
        if self.quote_rule is QuoteRule.BARS:
            return self._quotes_at_closes(series, start, min(end, at))
        return series.trades(microseconds(start), min(microseconds(end), self._seen_us(at)))[:2]

    def minute_bar(self, symbol: str, start: datetime) -> TradedBar | None:
        """Return the bar of one minute that is over, None without a trade in it."""
        end = start + _A_MINUTE
        series = self.world.series(symbol, end)
        if series is not None and series.interval_s == 60:
            recorded = self.bars(symbol, MINUTE, start=start, end=start, at=end)
            return recorded.bars()[0] if len(recorded) else None
        ticks = self.trades(symbol, start=start, end=end - _A_TICK, at=end)
        if not len(ticks[0]):
            return None
        table = of_trades(*ticks, bar_s=60)
        return table.joined(np.full(len(table), to_seconds(start), dtype=np.int64)).bars()[0]

    def trade_of(self, symbol: str, us: int, price: float, size: int) -> Trade:
        """Return one tick as a trade."""
        asset = self.world.assets.of_symbol(symbol)
        assert asset is not None
        is_regular = self._is_regular(us // MICROSECONDS)
        return Trade(
            symbol=symbol,
            at=from_microseconds(us),
            price=price,
            size=size,
            trade_id=us,
            exchange=asset.exchange_letter,
            tape=asset.tape,
            conditions=usual_conditions(asset, is_regular=is_regular),
        )

    def are_regular(self, times_us: Counts) -> NDArray[np.bool_]:
        """Return which times lie in a regular session."""
        return np.asarray(self.world.sessions.index_at(times_us // MICROSECONDS) >= 0)

    def books(
        self, symbol: str, times_us: Counts, prices: Floats
    ) -> tuple[Floats, Floats, Counts, Counts]:
        """Return bids, asks, and shares wanted and offered, around middle prices."""
        series, half_bps = self._spreads(symbol)
        halves = half_bps[series.closed_before(times_us)]
        if self.quote_rule is QuoteRule.BARS:
            prices_of_both = model_book(prices, halves)
        else:
            prices_of_both = tick_book(prices, halves, times_us)
        return *prices_of_both, *book_sizes(times_us)

    # Halts and corporate actions

    def halt_of(self, symbol: str, at: datetime) -> Halt | None:
        """Return the halt a symbol is in."""
        return self.world.halt_of(symbol, at)

    def corporate_actions(self, at: datetime) -> tuple[CorporateAction, ...]:
        """Return the actions that have taken effect, oldest first."""
        return self.world.actions.until(at)

    # How it is found

    def _epoch(self, at: datetime) -> tuple[int, int]:
        """What changes with the administrator and with corporate actions."""
        return self.world.version, self.world.actions.count(at)

    def _is_regular(self, second: int) -> bool:
        sessions = self.world.sessions
        index = int(sessions.opens_s.searchsorted(second, side="right")) - 1
        return index >= 0 and second < int(sessions.closes_s[index])

    def _book_of(self, symbol: str, us: int, price: float) -> TopOfBook:
        asset = self.world.assets.of_symbol(symbol)
        assert asset is not None
        series, half_bps = self._spreads(symbol)
        half = float(half_bps[series.recorded.closed_s.searchsorted(us // MICROSECONDS, "right")])
        if self.quote_rule is QuoteRule.BARS:
            prices = model_book_of(price, half)
        else:
            prices = tick_book_of(price, half, us)
        bid_size, ask_size = book_sizes_of(us)
        return TopOfBook(
            symbol=symbol,
            at=from_microseconds(us),
            bid=prices[0],
            ask=prices[1],
            bid_size=bid_size,
            ask_size=ask_size,
            exchange=asset.exchange_letter,
            tape=asset.tape,
        )

    def _seen_us(self, at: datetime) -> int:
        us = microseconds(at)
        if self.unprinted_from is not None:
            us = min(us, microseconds(self.unprinted_from) - 1)
        return us

    def _bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        start: datetime,
        end: datetime,
        at: datetime,
        *,
        is_split_adjusted: bool = False,
    ) -> BarTable:
        series = self.world.series(symbol, at)
        if series is None:
            return empty_table()
        return series.bars(
            timeframe,
            first_s=-(-microseconds(start) // MICROSECONDS),
            last_s=to_seconds(min(end, at)),
            at_us=microseconds(at),
            splits=self.world.split_steps(symbol, at) if is_split_adjusted else (),
        )

    def _last_days(self, symbol: str, end: datetime, at: datetime) -> BarTable:
        """The last daily bars, two at least if there are so many."""
        bars = self._bars(symbol, DAY, end - _FEW_DAYS, end, at)
        return bars if len(bars) > 1 else self._bars(symbol, DAY, EPOCH, end, at)

    def _quotes_at_closes(
        self, series: Series, start: datetime, end: datetime
    ) -> tuple[Counts, Floats]:
        table = series.table.prices
        begin = int(table.closed_s.searchsorted(-(-microseconds(start) // MICROSECONDS)))
        stop = int(table.closed_s.searchsorted(to_seconds(end), side="right"))
        rows = slice(begin, max(begin, stop))
        return table.closed_s[rows] * MICROSECONDS, table.close[rows]

    def _spreads(self, symbol: str) -> tuple[Series, Floats]:
        """A symbol's prices, and the half spread before its first bar and after each."""
        series = self.world.series(symbol, _LATEST)
        assert series is not None
        known = self._half_bps.get(symbol)
        if known is None or known[0] != self.world.version:
            bars, thin = series.recorded, self.costs.half_spread_bps_thin
            after = half_spread_bps(bars.close, bars.volume, self.costs)
            known = (self.world.version, np.concatenate([[thin], after]))
            self._half_bps[symbol] = known
        return series, known[1]


_LATEST = datetime(9999, 1, 1, tzinfo=NEW_YORK)


def _no_ticks() -> Ticks:
    none = np.empty(0, dtype=np.int64)
    return none, np.empty(0), none


def usual_conditions(asset: Asset, *, is_regular: bool) -> tuple[str, ...]:
    """Return the conditions of a trade with nothing special about it but its hour."""
    usual = "@" if asset.tape is Tape.C else " "
    return (usual,) if is_regular else (usual, _OUT_OF_HOURS)
