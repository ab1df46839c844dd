"""The day-trading rule that ended in July 2026, for those who still want to meet it.

A day trade opens and closes a position in one symbol within one day. An account below $25,000 may
make three in five trading days; an order that would be the fourth is refused. One that made more
while it was bigger has no day trading buying power.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from catalyst_bot.exchange.market.calendar import MarketHours
from catalyst_bot.exchange.wire.errors import ApiError
from catalyst_bot.market_data.calendar_table import NEW_YORK

LEAST_EQUITY_USD: Final = Decimal(25_000)
MOST_DAY_TRADES: Final = 3
_DAYS: Final = 5


class DayTrades:
    """Counts the day trades of an account; told of every execution in turn."""

    def __init__(self) -> None:
        self._opened: dict[str, date] = {}
        self._closing: dict[str, date] = {}

    def note(self, symbol: str, order_id: str, at: datetime, *, is_closing: bool) -> None:
        """Take notice of an execution."""
        on = _day(at)
        if not is_closing:
            self._opened[symbol] = on
        elif self._opened.get(symbol) == on:
            self._closing[order_id] = on

    def count(self, at: datetime, hours: MarketHours) -> int:
        """Return how many there were in the last five trading days, this one included."""
        first = hours.last_session(at).day
        for _ in range(_DAYS - 1):
            first = hours.day_before(first).day
        return sum(on >= first for on in self._closing.values())

    def would_be_one(self, symbol: str, at: datetime, *, is_closing: bool) -> bool:
        """Tell whether an order would make a day trade when it fills today."""
        return is_closing and self._opened.get(symbol) == _day(at)


def day_trade_refusal() -> ApiError:
    """Return the refusal of a fourth day trade."""
    message = "trade denied due to pattern day trading protection"
    return ApiError(403, message, code=40310100)


def day_trading_power_refusal() -> ApiError:
    """Return the refusal of an order that opens, when there were too many day trades already."""
    message = "insufficient day trading buying power"
    return ApiError(403, message, code=40310000, daytrading_buying_power="0")


def _day(at: datetime) -> date:
    return at.astimezone(NEW_YORK).date()
