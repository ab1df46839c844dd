"""The market as of any time: listings, hours, prices, quotes, halts.

Every question carries its time `at`, and nothing later is in the answer. The recorded world is
fixed from the start; only what an administrator adds (a halt, a split, a new symbol) changes it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from catalyst_bot.domain.limits import CostRules
from catalyst_bot.exchange.assets import Asset
from catalyst_bot.exchange.bar_table import BarTable, empty_table
from catalyst_bot.exchange.book_prices import (
    QuoteRule,
    book_sizes,
    half_spread_bps,
    model_book,
    tick_book,
)
from catalyst_bot.exchange.price_path import MICROSECONDS, Counts, Floats
from catalyst_bot.exchange.series import Series
from catalyst_bot.exchange.ticks import (
    CorporateAction,
    Halt,
    Tape,
    TopOfBook,
    Trade,
    TradedBar,
)
from catalyst_bot.exchange.timeframes import DAY, Timeframe, midnight
from catalyst_bot.exchange.world import EPOCH, World, from_microseconds, microseconds
from catalyst_bot.market_data.calendar_table import NEW_YORK
from catalyst_bot.market_data.session_times import to_datetime, to_seconds
from catalyst_bot.simulation.market_now import SessionPhase

_OUT_OF_HOURS = "T"  # condition of a trade outside regular hours
_A_SECOND = timedelta(seconds=1)
_FEW_DAYS = timedelta(days=10)
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
        return tuple(sorted(asset.symbol for asset in self.assets(at)))

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
        return self.books_of(symbol, (np.array([us]), np.array([price])))[0]

    def previous_close(self, symbol: str, at: datetime) -> float | None:
        """Return the last regular close before today (New York's date), in today's shares.

        On a day without a session, today is the day of the last one.
        """
        day = self.hours.day_at(at) or self.hours.last_session(at)
        bars = self._last_days(symbol, midnight(day.day) - _A_SECOND, at)
        if not len(bars):
            return None
        closed_at = to_datetime(int(bars.closed_s[-1]) - 1)
        return float(bars.close[-1]) * self.world.split_factor(symbol, closed_at, at)

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

    def trade_of(self, symbol: str, us: int, price: float, size: int) -> Trade:
        """Return one tick as a trade."""
        return self.trades_of(symbol, (np.array([us]), np.array([price]), np.array([size])))[0]

    def trades_of(self, symbol: str, ticks: Ticks) -> list[Trade]:
        """Return ticks as trades."""
        asset = self.world.assets.of_symbol(symbol)
        assert asset is not None
        times_us, prices, sizes = ticks
        usual = ("@",) if asset.tape is Tape.C else (" ",)
        is_regular = self.world.sessions.index_at(times_us // MICROSECONDS) >= 0
        rows = zip(
            *(column.tolist() for column in (times_us, prices, sizes, is_regular)), strict=True
        )
        return [
            Trade(
                symbol=symbol,
                at=from_microseconds(us),
                price=price,
                size=size,
                trade_id=us,
                exchange=asset.exchange_letter,
                tape=asset.tape,
                conditions=usual if regular else (*usual, _OUT_OF_HOURS),
            )
            for us, price, size, regular in rows
        ]

    def books_of(self, symbol: str, ticks: tuple[Counts, Floats]) -> list[TopOfBook]:
        """Return quotes around prices."""
        asset = self.world.assets.of_symbol(symbol)
        assert asset is not None
        times_us, prices = ticks
        half_bps = self._half_bps_at(symbol, times_us)
        if self.quote_rule is QuoteRule.BARS:
            bids, asks = model_book(prices, half_bps)
        else:
            bids, asks = tick_book(prices, half_bps, times_us)
        columns = (times_us, bids, asks, *book_sizes(times_us))
        return [
            TopOfBook(
                symbol=symbol,
                at=from_microseconds(us),
                bid=bid,
                ask=ask,
                bid_size=bid_size,
                ask_size=ask_size,
                exchange=asset.exchange_letter,
                tape=asset.tape,
            )
            for us, bid, ask, bid_size, ask_size in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]

    # Halts and corporate actions

    def halt_of(self, symbol: str, at: datetime) -> Halt | None:
        """Return the halt a symbol is in."""
        return self.world.halt_of(symbol, at)

    def corporate_actions(self, at: datetime) -> tuple[CorporateAction, ...]:
        """Return the actions that have taken effect, oldest first."""
        return self.world.actions.until(at)

    # How it is found

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

    def _half_bps_at(self, symbol: str, times_us: Counts) -> Floats:
        """The half spread after the last bar that had ended by each time."""
        series = self.world.series(symbol, _LATEST)
        assert series is not None
        known = self._half_bps.get(symbol)
        if known is None or known[0] != self.world.version:
            bars = series.recorded
            half_bps = np.concatenate(
                [
                    [self.costs.half_spread_bps_thin],
                    half_spread_bps(bars.close, bars.volume, self.costs),
                ]
            )
            known = self._half_bps[symbol] = (self.world.version, half_bps)
        return np.asarray(known[1][series.closed_before(times_us)])


_LATEST = datetime(9999, 1, 1, tzinfo=NEW_YORK)


def _no_ticks() -> Ticks:
    none = np.empty(0, dtype=np.int64)
    return none, np.empty(0), none
