"""The account to look at: its value, its returns, its trade log and what they amount to.

A thin reading of the stage's state; the arithmetic is `ledger`'s and `performance`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.account import AccountView
from catalyst_bot.domain.trading import ClosedTrade
from catalyst_bot.portfolio import performance
from catalyst_bot.portfolio.ledger import account_view
from catalyst_bot.portfolio.position_manager import PositionManager
from catalyst_bot.portfolio.state import State


@dataclass(frozen=True, slots=True)
class PortfolioTracker:
    """Reads the portfolio as of `at`."""

    state: State
    at: datetime

    @property
    def account(self) -> AccountView:
        """Money, valued at the last known prices."""
        return account_view(self.state, self.at)

    @property
    def positions(self) -> PositionManager:
        """Open positions."""
        return PositionManager(self.state.positions)

    @property
    def trades(self) -> tuple[ClosedTrade, ...]:
        """Finished trades, oldest first; the latest thousand, the journal has all."""
        return tuple(self.state.closed_trades)

    @property
    def value_usd(self) -> Decimal:
        """Cash and market value."""
        return self.account.equity_usd

    @property
    def day_pnl_usd(self) -> Decimal:
        """Gain or loss since the session's open."""
        account = self.account
        return account.equity_usd - account.day_open_equity_usd

    @property
    def day_return(self) -> float:
        """Return since the session's open, as a fraction."""
        return self.account.day_return

    @property
    def cumulative_return(self) -> float | None:
        """Return since the first start, as a fraction; None before it."""
        account = self.account
        if not account.start_equity_usd > 0:
            return None
        return float(account.equity_usd / account.start_equity_usd - 1)

    @property
    def win_rate(self) -> float | None:
        """See `performance.win_rate`."""
        return performance.win_rate(self.trades)

    @property
    def profit_factor(self) -> float | None:
        """See `performance.profit_factor`."""
        return performance.profit_factor(self.trades)
