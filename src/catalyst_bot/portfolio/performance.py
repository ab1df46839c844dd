"""The formulas behind what trades and an equity curve say: pure functions, no rounding.

Every measure that the data cannot support is None, never 0, NaN or infinity: "no losses yet" is
not a profit factor, and two equal days have no Sharpe ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import fsum, sqrt
from statistics import fmean, stdev

from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import ClosedTrade

YEAR = timedelta(days=365.25)


@dataclass(slots=True)
class Curve:
    """What there is to know of an equity curve, kept while it is drawn.

    `deepest_fall` is the largest loss from a peak to a later point, as a fraction of the peak.
    Money that was brought in or taken out is no gain or loss: beginning and peak move with it.
    """

    first_at: datetime | None = None
    first_usd: Decimal = ZERO
    last_at: datetime | None = None
    last_usd: Decimal = ZERO
    peak_usd: Decimal = ZERO
    deepest_fall: Decimal = ZERO

    def add(self, at: datetime, equity_usd: Decimal, flow_usd: Decimal = ZERO) -> None:
        """The account was worth so much, after a flow since the point before."""
        if self.first_at is None:
            self.first_at, self.first_usd = at, equity_usd
        else:
            self.first_usd += flow_usd
            self.peak_usd += flow_usd
        self.last_at, self.last_usd = at, equity_usd
        if equity_usd >= self.peak_usd:
            self.peak_usd = equity_usd
        elif self.peak_usd > 0:
            self.deepest_fall = max(self.deepest_fall, 1 - equity_usd / self.peak_usd)

    @property
    def length(self) -> timedelta:
        """Calendar time from the first point to the last."""
        if self.first_at is None or self.last_at is None:
            return timedelta()
        return self.last_at - self.first_at


def win_rate(trades: Sequence[ClosedTrade]) -> float | None:
    """Share of trades that made money after fees; break-even is not a win."""
    if not trades:
        return None
    return sum(trade.pnl_usd > 0 for trade in trades) / len(trades)


def profit_factor(trades: Sequence[ClosedTrade]) -> float | None:
    """Dollars won per dollar lost; None without losses."""
    lost_usd = -sum((t.pnl_usd for t in trades if t.pnl_usd < 0), start=ZERO)
    won_usd = sum((t.pnl_usd for t in trades if t.pnl_usd > 0), start=ZERO)
    return float(won_usd / lost_usd) if lost_usd > 0 else None


def average_win_usd(trades: Sequence[ClosedTrade]) -> Decimal | None:
    """Mean of the trades that made money."""
    return _mean([t.pnl_usd for t in trades if t.pnl_usd > 0])


def average_loss_usd(trades: Sequence[ClosedTrade]) -> Decimal | None:
    """Mean of the trades that lost money, as a negative amount."""
    return _mean([t.pnl_usd for t in trades if t.pnl_usd < 0])


def expectancy_usd(trades: Sequence[ClosedTrade]) -> Decimal | None:
    """Mean result of a trade: win rate x average win + loss rate x average loss (van Tharp)."""
    return _mean([t.pnl_usd for t in trades])


def _mean(amounts: Sequence[Decimal]) -> Decimal | None:
    return sum(amounts, start=ZERO) / len(amounts) if amounts else None


def sharpe_ratio(
    period_returns: Sequence[float], *, periods_per_year: float, risk_free_return: float = 0.0
) -> float | None:
    """Mean excess return over its sample standard deviation, x sqrt(periods per year).

    Sharpe (1994), "The Sharpe Ratio"; `risk_free_return` is per period. None with fewer than two
    returns or none that differ.
    """
    if len(period_returns) < 2:
        return None
    deviation = stdev(period_returns)
    if deviation == 0:
        return None
    return (fmean(period_returns) - risk_free_return) / deviation * sqrt(periods_per_year)


def sortino_ratio(
    period_returns: Sequence[float], *, periods_per_year: float, target_return: float = 0.0
) -> float | None:
    """Mean return over `target_return`, by the downside deviation, x sqrt(periods per year).

    Sortino and Price (1994): the downside deviation is the root of the mean square of shortfalls
    over *all* periods. None with fewer than two returns or no shortfall.
    """
    if len(period_returns) < 2:
        return None
    shortfalls = (min(value - target_return, 0.0) ** 2 for value in period_returns)
    deviation = sqrt(fsum(shortfalls) / len(period_returns))
    if deviation == 0:
        return None
    return (fmean(period_returns) - target_return) / deviation * sqrt(periods_per_year)


def max_drawdown(curve: Curve) -> float | None:
    """Largest loss from a peak to a later point, as a fraction of the peak (>= 0)."""
    return float(curve.deepest_fall) if curve.first_at is not None else None


def total_return(curve: Curve) -> float | None:
    """Cumulative return from the first point to the last, as a fraction."""
    if curve.first_at is None or not curve.first_usd > 0:
        return None
    return float(curve.last_usd / curve.first_usd - 1)


def annual_return(curve: Curve) -> float | None:
    """Compound annual growth rate over calendar time, as a fraction.

    None for less than a day: a year of such days would be a fantasy.
    """
    growth = total_return(curve)
    if growth is None or curve.length < timedelta(days=1):
        return None
    try:
        return float(max(1.0 + growth, 0.0) ** (YEAR / curve.length)) - 1.0
    except OverflowError:
        return None


def calmar_ratio(curve: Curve) -> float | None:
    """Annual return over the maximum drawdown (Young 1991); None without a drawdown."""
    growth, drawdown = annual_return(curve), max_drawdown(curve)
    if growth is None or drawdown is None or drawdown == 0:
        return None
    return growth / drawdown


def average_holding_s(trades: Sequence[ClosedTrade]) -> float | None:
    """Mean time from the first fill of an entry to the last of its exits, in seconds."""
    return fmean((t.exit_at - t.entry_at).total_seconds() for t in trades) if trades else None


def exposure_fraction(
    trades: Sequence[ClosedTrade], *, start: datetime, end: datetime
) -> float | None:
    """Share of the time from `start` to `end` in which at least one trade was open."""
    if not end > start:
        return None
    covered, reached = timedelta(), start
    for trade in sorted(trades, key=lambda trade: trade.entry_at):
        begins, ends = max(trade.entry_at, reached), min(trade.exit_at, end)
        if ends > begins:
            covered += ends - begins
            reached = ends
    return covered / (end - start)
