"""The figures of an account as JSON and for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from catalyst_bot.monitoring.dashboard.encoding import plain
from catalyst_bot.portfolio.tracker import Performance
from catalyst_bot.storage.views import LoggedTrade

_HOUR_S = 3600


def performance_dict(measured: Performance) -> dict[str, Any]:
    """JSON form: money as decimal text, days as dates, the rest as numbers or null."""
    told: dict[str, Any] = plain(asdict(measured))
    return told


def portfolio_text(measured: Performance) -> str:
    """Every figure with its name; what cannot be said yet is n/a."""
    m = measured
    hours = None if m.average_holding_s is None else m.average_holding_s / _HOUR_S
    lines = [
        f"equity {usd(m.equity_usd)}, cash {usd(m.cash_usd)}, exposure {usd(m.exposure_usd)}",
        (
            f"day {usd(m.day_pnl_usd, signed=True)} ({_share(m.day_return, signed=True)}), "
            f"cumulative return {_share(m.total_return, signed=True)}, "
            f"a year {_share(m.annual_return, signed=True)}"
        ),
        (
            f"max drawdown {_share(m.max_drawdown)}, Sharpe {_number(m.sharpe_ratio)}, "
            f"Sortino {_number(m.sortino_ratio)}, Calmar {_number(m.calmar_ratio)}"
        ),
        (
            f"{m.trade_count} closed trades: win rate {_share(m.win_rate)}, profit factor "
            f"{_number(m.profit_factor)}, mean {usd(m.expectancy_usd, signed=True)} (won "
            f"{usd(m.average_win_usd)}, lost {usd(m.average_loss_usd)})"
        ),
        (
            f"held for {_number(hours)} h on average, in a trade "
            f"{_share(m.exposure_fraction)} of the time"
        ),
        (
            f"{m.order_count} orders, fill rate {_share(m.fill_rate)}, slippage "
            f"{_number(m.slippage_bps)} bps (entries {_number(m.entry_slippage_bps)}, exits "
            f"{_number(m.exit_slippage_bps)})"
        ),
    ]
    lines += [
        f"  {day.day} {usd(day.pnl_usd, signed=True):>14} {_share(day.day_return, signed=True):>9}"
        f" {usd(day.equity_usd):>16} {_share(day.cumulative_return, signed=True):>9}"
        for day in m.days
    ]
    return "\n".join(lines)


def trade_rows(trades: Sequence[LoggedTrade]) -> list[tuple[str, ...]]:
    """One row per trade for a table on screen."""
    return [
        (
            trade["entry_at"],
            trade["symbol"],
            trade["quantity"],
            trade["entry_price"],
            trade["exit_at"] or "open",
            trade["exit_price"] or "",
            trade["exit_reason"] or "",
            trade["pnl_usd"] or "",
            _number(trade["entry_slippage_bps"]),
            trade["strategy_id"],
        )
        for trade in trades
    ]


TRADE_HEADER = (
    *("entry", "symbol", "quantity", "price", "exit", "price", "reason", "P&L usd"),
    *("slippage bps", "strategy"),
)


def usd(value: Decimal | None, *, signed: bool = False) -> str:
    """Dollars to the cent, n/a for what is not known."""
    if value is None:
        return "n/a"
    sign = "-" if value < 0 else "+" if signed else ""
    return f"{sign}${abs(value):,.2f}"


def _share(value: float | None, *, signed: bool = False) -> str:
    if value is None:
        return "n/a"
    return f"{value:+.2%}" if signed else f"{value:.2%}"


def _number(value: float | None) -> str:
    return f"{value:.2f}" if value is not None else "n/a"
