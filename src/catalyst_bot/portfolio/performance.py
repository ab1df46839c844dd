"""What trades and an equity curve say about a strategy: pure functions, no rounding.

Every measure that the data cannot support is None, never 0, NaN or infinity: "no losses yet" is
not a profit factor, and two equal days have no Sharpe ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import fsum, sqrt
from statistics import fmean, stdev

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import ClosedTrade

TRADING_DAYS_PER_YEAR = 252.0
MIN_DAYS = 10
YEAR = timedelta(days=365.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class EquityPoint:
    """What the account was worth at a moment."""

    at: datetime
    equity_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """All measures of a period; None where there is too little to say. Ratios are per year."""

    trade_count: int
    win_rate: float | None
    profit_factor: float | None
    average_win_usd: Decimal | None
    average_loss_usd: Decimal | None
    expectancy_usd: Decimal | None
    total_return: float | None
    annual_return: float | None
    max_drawdown: float | None
    sharpe_ratio: float | None
    sortino_ratio: float | None
    calmar_ratio: float | None
    exposure_fraction: float | None


def measure(trades: Sequence[ClosedTrade], points: Sequence[EquityPoint]) -> Performance:
    """Return every measure; ratios from the returns of day-end equity, 252 days to the year.

    A year's figure from a handful of days would be noise with a decimal point: below
    `MIN_DAYS` daily returns there is none.
    """
    daily = returns([p.equity_usd for p in day_ends(points)])
    is_long_enough = len(daily) >= MIN_DAYS
    daily = daily if is_long_enough else []
    return Performance(
        trade_count=len(trades),
        win_rate=win_rate(trades),
        profit_factor=profit_factor(trades),
        average_win_usd=average_win_usd(trades),
        average_loss_usd=average_loss_usd(trades),
        expectancy_usd=expectancy_usd(trades),
        total_return=total_return(points),
        annual_return=annual_return(points) if is_long_enough else None,
        max_drawdown=max_drawdown(points),
        sharpe_ratio=sharpe_ratio(daily, periods_per_year=TRADING_DAYS_PER_YEAR),
        sortino_ratio=sortino_ratio(daily, periods_per_year=TRADING_DAYS_PER_YEAR),
        calmar_ratio=calmar_ratio(points) if is_long_enough else None,
        exposure_fraction=(
            exposure_fraction(trades, start=points[0].at, end=points[-1].at) if points else None
        ),
    )


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


def day_ends(points: Sequence[EquityPoint]) -> list[EquityPoint]:
    """Return the first point and the last point of each UTC day, in order.

    A US session lies within one UTC day. The first point is kept as what the first day began with.
    """
    last_of_day: dict[date, EquityPoint] = {point.at.date(): point for point in points}
    ends = list(last_of_day.values())
    return [points[0], *ends] if points and ends[0] is not points[0] else ends


def returns(equities_usd: Sequence[Decimal]) -> list[float]:
    """Return the simple return from each value to the next.

    Raises `BadData` when a value before the last is not above zero: no return counts from there.
    """
    if not all(value > 0 for value in equities_usd[:-1]):
        raise BadData("equity fell to zero or below: returns are undefined from there on")
    return [float(after / before - 1) for before, after in pairwise(equities_usd)]


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


def max_drawdown(points: Sequence[EquityPoint]) -> float | None:
    """Largest loss from a peak to a later point, as a fraction of the peak (>= 0)."""
    if not points:
        return None
    peak_usd, deepest = points[0].equity_usd, ZERO
    for point in points:
        peak_usd = max(peak_usd, point.equity_usd)
        if peak_usd > 0:
            deepest = max(deepest, 1 - point.equity_usd / peak_usd)
    return float(deepest)


def total_return(points: Sequence[EquityPoint]) -> float | None:
    """Return from the first point to the last, as a fraction."""
    if len(points) < 2 or not points[0].equity_usd > 0:
        return None
    return float(points[-1].equity_usd / points[0].equity_usd - 1)


def annual_return(points: Sequence[EquityPoint]) -> float | None:
    """Compound annual growth rate over calendar time, as a fraction.

    None for less than a day: a year of such days would be a fantasy.
    """
    growth = total_return(points)
    if growth is None or points[-1].at - points[0].at < timedelta(days=1):
        return None
    years = (points[-1].at - points[0].at) / YEAR
    try:
        return float(max(1.0 + growth, 0.0) ** (1.0 / years)) - 1.0
    except OverflowError:
        return None


def calmar_ratio(points: Sequence[EquityPoint]) -> float | None:
    """Annual return over the maximum drawdown (Young 1991); None without a drawdown."""
    growth, drawdown = annual_return(points), max_drawdown(points)
    if growth is None or drawdown is None or drawdown == 0:
        return None
    return growth / drawdown


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
