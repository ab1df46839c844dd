"""What an equity curve of equal periods and its trades amount to.

A measure that the data cannot support is None, never 0, NaN or infinity. The formulas with a source
of their own are those of `portfolio.performance`; here they meet arrays.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.portfolio.performance import sharpe_ratio, sortino_ratio

Floats = NDArray[np.float64]

PERIODS_PER_YEAR = 252  # sessions of a year in New York
_NO_SPREAD = 1e-12  # of the mean return: rounding
_NOTHING = np.empty(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The roadmap's table. Fractions are of the account (0.1: a tenth), ratios are annual.

    `exposure` is the mean share of equity that was invested; `volatility` the annual standard
    deviation of returns; `expectancy_usd` the mean result of a trade. What was not counted is None.
    """

    periods: int
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float | None
    annual_return: float | None
    total_return: float | None
    volatility: float | None
    trades: int | None
    win_rate: float | None
    profit_factor: float | None
    expectancy_usd: float | None
    exposure: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what is not known is null."""
        return asdict(self)


def measure(
    equity: Floats,
    pnl_usd: Floats | None,
    exposure: Floats | None,
    *,
    periods_per_year: float = PERIODS_PER_YEAR,
) -> Metrics:
    """Return what an account did.

    `equity` is its worth in dollars before the first period and at the end of each (one point more
    than periods); `pnl_usd` the result of each closed trade after costs; `exposure` the share of
    equity invested at the end of each period; None where they are not counted. Raises `ValueError`
    for a number that is none and for an account that was ever worth nothing.
    """
    returns = returns_of(equity)
    trades = None if pnl_usd is None else len(pnl_usd)
    pnl_usd = _NOTHING if pnl_usd is None else pnl_usd
    exposure = _NOTHING if exposure is None else exposure
    if not (np.isfinite(pnl_usd).all() and np.isfinite(exposure).all()):
        raise ValueError("a trade or an exposure is not a number")
    fall, growth = max_drawdown(equity), _annual(equity, periods_per_year)
    listed = returns.tolist()
    lost_usd = float(-pnl_usd[pnl_usd < 0].sum())
    return Metrics(
        periods=len(returns),
        sharpe=sharpe_ratio(listed, periods_per_year=periods_per_year)
        if _varies(returns)
        else None,
        sortino=sortino_ratio(listed, periods_per_year=periods_per_year),
        calmar=growth / fall if growth is not None and fall else None,
        max_drawdown=fall,
        annual_return=growth,
        total_return=float(equity[-1] / equity[0] - 1) if len(returns) else None,
        volatility=float(returns.std(ddof=1)) * sqrt(periods_per_year)
        if len(returns) > 1
        else None,
        trades=trades,
        win_rate=float((pnl_usd > 0).mean()) if len(pnl_usd) else None,
        profit_factor=float(pnl_usd[pnl_usd > 0].sum()) / lost_usd if lost_usd > 0 else None,
        expectancy_usd=float(pnl_usd.mean()) if len(pnl_usd) else None,
        exposure=float(exposure.mean()) if len(exposure) else None,
    )


def returns_of(equity: Floats) -> Floats:
    """Return the return of each period. Raises `ValueError` unless every worth is positive."""
    if not np.isfinite(equity).all() or not (equity > 0).all():
        raise ValueError("an equity curve needs positive numbers")
    return equity[1:] / equity[:-1] - 1.0


def equity_of(returns: Floats, *, start: float = 1.0) -> Floats:
    """Return the curve of returns in a row, from `start`: it has one point more."""
    return start * np.concatenate([[1.0], np.cumprod(1.0 + returns)])


def max_drawdown(equity: Floats) -> float | None:
    """Return the largest loss from a peak to a later point, as a fraction of the peak (>= 0)."""
    if not len(equity):
        return None
    return float((1.0 - equity / np.maximum.accumulate(equity)).max())


def sharpes(returns: Floats) -> Floats:
    """Return the Sharpe ratio per period of each column of returns [periods, columns].

    Mean over sample standard deviation; 0 for a column that does not vary: doing nothing earns
    nothing for its risk, and has to be ranked among others.
    """
    mean, spread = returns.mean(axis=0), returns.std(axis=0, ddof=1)
    varies = spread > _NO_SPREAD * np.maximum(np.abs(mean), 1e-300)
    return np.where(varies, mean / np.where(varies, spread, 1.0), 0.0)


def _varies(returns: Floats) -> bool:
    """Rounding alone has no Sharpe ratio."""
    if len(returns) < 2:
        return False
    return bool(returns.std() > _NO_SPREAD * max(abs(float(returns.mean())), 1e-300))


def _annual(equity: Floats, periods_per_year: float) -> float | None:
    """Compound growth to a year; None for less than a month, which would be a fantasy."""
    periods = len(equity) - 1
    if periods < periods_per_year / 12:
        return None
    return float((equity[-1] / equity[0]) ** (periods_per_year / periods) - 1)
