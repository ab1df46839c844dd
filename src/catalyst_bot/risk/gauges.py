"""How much of each account limit is used up: read by the checks, the breakers and the warnings.

One reading for all three, so that a warning, a refusal and a halt never disagree.
"""

from __future__ import annotations

from decimal import Decimal
from math import inf, isfinite, sqrt
from statistics import fmean
from typing import NamedTuple

from catalyst_bot.domain.account import AccountView
from catalyst_bot.domain.enums import Tier
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.domain.messages.decisions import LimitApproached

SESSIONS_PER_YEAR = 252


def daily_loss(account: AccountView) -> float:
    """Return the loss since the session's open as a fraction >= 0."""
    return max(0.0, -account.day_return)


def drawdown(account: AccountView, reviewed_peak_usd: Decimal | None) -> float:
    """Return the loss from the peak as a fraction >= 0.

    After a person resumed from a drawdown halt, the peak is the highest equity since then.
    """
    if reviewed_peak_usd is None or not reviewed_peak_usd > 0:
        return max(0.0, account.drawdown)
    peak_usd = min(reviewed_peak_usd, account.peak_equity_usd)
    return max(0.0, float(1 - account.equity_usd / peak_usd))


def fraction_of_equity(amount_usd: Decimal, account: AccountView) -> float:
    """Return the amount as a fraction of equity; infinite without equity, so no limit passes."""
    return float(amount_usd / account.equity_usd) if account.equity_usd > 0 else inf


def sharpe(returns: tuple[float, ...]) -> float | None:
    """Return mean over deviation of the returns per trade, times the root of 252.

    Counts every trade as one session's bet, so many trades on one day do not inflate it. None
    when it means nothing: fewer than two returns, or no two that differ. NaN gives NaN.
    """
    if len(returns) < 2:
        return None
    mean = fmean(returns)
    spread = sqrt(sum((r - mean) ** 2 for r in returns) / (len(returns) - 1))
    return None if spread == 0 else mean / spread * sqrt(SESSIONS_PER_YEAR)


class Gauge(NamedTuple):  # of which a bar of what is held makes five: a dataclass takes longer
    """One account limit, what was seen of it, and from where on a person is told."""

    name: str
    tier: Tier
    limit: float
    observed: float
    unit: str
    warn_from: float

    def warning(self) -> LimitApproached | None:
        """Return the warning, or None while far enough from the limit.

        Without equity there is no fraction to tell; the loss that led there has halted trading.
        """
        if self.observed < self.warn_from or not isfinite(self.observed):
            return None
        return LimitApproached(
            name=self.name,
            tier=self.tier,
            limit=self.limit,
            observed=self.observed,
            unit=self.unit,
        )


def read_gauges(
    account: AccountView,
    *,
    reviewed_peak_usd: Decimal | None,
    open_positions: int,
    limits: RiskLimits,
) -> tuple[Gauge, ...]:
    """Read every account limit.

    More than `max_open_positions` is an alert in the roadmap ("Risk Metrics"), not a limit: it
    warns above the number, and no order is refused for it.
    """
    exposure = fraction_of_equity(account.exposure_usd, account)
    drawn = drawdown(account, reviewed_peak_usd)
    fractions = (
        ("daily_loss", limits.max_daily_loss_fraction, daily_loss(account)),
        ("drawdown", limits.max_drawdown_fraction, drawn),
        ("exposure", limits.max_exposure_fraction, exposure),
        ("leverage", limits.max_leverage, exposure),
    )
    return (
        *(
            Gauge(
                name=name,
                tier=Tier.ACCOUNT,
                limit=limit,
                observed=observed,
                unit="fraction",
                warn_from=round(limit * limits.warn_at_fraction, 12),  # 0.1 x 0.9 is 0.09
            )
            for name, limit, observed in fractions
        ),
        Gauge(
            name="open_positions",
            tier=Tier.POSITION,
            limit=float(limits.max_open_positions),
            observed=float(open_positions),
            unit="count",
            warn_from=float(limits.max_open_positions + 1),
        ),
    )
