"""What a closed trade adds to the record of its strategy and to the account's losing streak."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from catalyst_bot.domain.trading import ClosedTrade
from catalyst_bot.risk.state import StrategyRecord

MAX_RETURNS = 100  # the Sharpe ratio judges the last hundred trades
MAX_STREAK = 50


def add_trade(record: StrategyRecord, trade: ClosedTrade) -> StrategyRecord:
    """Return the record with one more trade; a loss is below 0 after fees."""
    is_loss = trade.pnl_usd < 0
    return StrategyRecord(
        trades=record.trades + 1,
        wins=record.wins + (not is_loss),
        win_fraction_sum=record.win_fraction_sum + max(0.0, trade.pnl_fraction),
        loss_fraction_sum=record.loss_fraction_sum + max(0.0, -trade.pnl_fraction),
        consecutive_losses=record.consecutive_losses + 1 if is_loss else 0,
        returns=(*record.returns, trade.pnl_fraction)[-MAX_RETURNS:],
        is_paused=record.is_paused,
        paused_until=record.paused_until,
    )


def rest(record: StrategyRecord, at: datetime) -> StrategyRecord:
    """Return the record as a session opens at `at`: a pause that is over counts losses anew."""
    if record.paused_until is None or record.paused_until > at:
        return record
    return replace(record, is_paused=False, paused_until=None, consecutive_losses=0)


def review(record: StrategyRecord) -> StrategyRecord:
    """Return the record after a person looked at it: counting anew, what was learned stays.

    Without it a strategy below its Sharpe floor could never trade its way back.
    """
    return StrategyRecord(
        trades=record.trades,
        wins=record.wins,
        win_fraction_sum=record.win_fraction_sum,
        loss_fraction_sum=record.loss_fraction_sum,
    )


def add_to_streak(streak: tuple[datetime, ...], trade: ClosedTrade) -> tuple[datetime, ...]:
    """Return the exit times of the losses in a row, of any strategy; a win ends the streak."""
    return (*streak, trade.exit_at)[-MAX_STREAK:] if trade.pnl_usd < 0 else ()
