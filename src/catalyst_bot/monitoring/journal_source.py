"""What the dashboard shows, read from the journal's read tables; and the operator's mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.errors import CatalystError
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.monitoring.explain import Explanation
from catalyst_bot.portfolio import performance
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.storage.read_model import ReadModel

Row = dict[str, Any]
Explainer = Callable[[str], Explanation]


class JournalSource:
    """`DashboardSource` over a read model; `explainer` tells the story of one id."""

    def __init__(
        self, model: ReadModel, *, limits: RiskLimits, data: str, explainer: Explainer
    ) -> None:
        self._model = model
        self._limits = limits
        self._data = data
        self._explainer = explainer

    def status(self) -> Row:
        """See `DashboardSource.status`."""
        status = self._model.status()
        if status is None:
            return {"last_seq": 0, "state": "active", "mode": "paper-trading", "data": self._data}
        return {
            "last_seq": status["last_seq"],
            "state": status["trading_state"],
            "cause": status["halt_cause"],
            "mode": status["mode"],
            "broker": status["broker"],
            "model_id": status["model_id"],
            "data": self._data,
            "clock": "wall" if self._data == "live" else "replay",
            "as_of": status["last_at"],
            "finished": status["stopped_at"] is not None,
        }

    def account(self) -> Row:
        """See `DashboardSource.account`."""
        account = self._model.account()
        if account is None:
            return {}
        equity, start = Decimal(account["equity_usd"]), Decimal(account["start_equity_usd"])
        closed = self._model.closed_trades()
        curve = [
            performance.EquityPoint(
                at=datetime.fromisoformat(point["at"]), equity_usd=Decimal(point["equity_usd"])
            )
            for point in self._model.equity_points()
        ]
        return {
            **account,
            "day_pnl_usd": equity - Decimal(account["day_open_equity_usd"]),
            "total_return": float(equity / start - 1) if start > 0 else 0.0,
            "max_drawdown": performance.max_drawdown(curve),
            "trades": len(closed),
            "wins": sum(trade.pnl_usd > 0 for trade in closed),
            "win_rate": performance.win_rate(closed),
            "profit_factor": performance.profit_factor(closed),
        }

    def equity_points(self, limit: int) -> Sequence[Row]:
        """See `DashboardSource.equity_points`."""
        return [
            {"at": point["at"], "equity_usd": point["equity_usd"]}
            for point in self._model.equity_points(limit=limit)
        ]

    def positions(self) -> Sequence[Row]:
        """See `DashboardSource.positions`."""
        rows: list[Row] = []
        for held in self._model.positions():
            cost, last = Decimal(held["average_cost"]), Decimal(held["last_price"])
            rows.append(
                {
                    **held,
                    "value_usd": held["market_value_usd"],
                    "unrealised_fraction": float(last / cost - 1) if cost > 0 else 0.0,
                    "target_price": held["take_profit_price"],
                }
            )
        return rows

    def trades(self, limit: int) -> Sequence[Row]:
        """See `DashboardSource.trades`."""
        return [
            {**trade, "title": trade["headline_title"]} for trade in self._model.trades(limit=limit)
        ]

    def events(self, after_seq: int, limit: int) -> Sequence[Row]:
        """See `DashboardSource.events`."""
        return [
            {**event, "ref": event["trail_id"] or None}
            for event in self._model.events(after_seq=after_seq, limit=limit)
        ]

    def funnel(self) -> Row:
        """See `DashboardSource.funnel`."""
        return dict(self._model.funnel())

    def risk(self) -> Sequence[Row]:
        """See `DashboardSource.risk`: how much of each account limit is used."""
        account = self._model.account()
        if account is None:
            return []
        equity = Decimal(account["equity_usd"])
        exposure = Decimal(account["exposure_usd"])
        values = [Decimal(held["market_value_usd"]) for held in self._model.positions()]
        limits = self._limits
        if not equity > 0:
            return []
        room = equity * Decimal(str(limits.max_exposure_fraction)) - exposure
        return [
            _limit(
                "daily_loss", -account["day_return"], limits.max_daily_loss_fraction, then="halts"
            ),
            _limit("drawdown", account["drawdown"], limits.max_drawdown_fraction, then="halts"),
            {
                **_limit("exposure", float(exposure / equity), limits.max_exposure_fraction),
                "room_usd": max(room, Decimal(0)),
            },
            _limit(
                "position_size",
                float(max(values, default=Decimal(0)) / equity),
                limits.max_position_fraction,
                tier="position",
            ),
            _limit(
                "open_positions",
                len(values),
                limits.max_open_positions,
                tier="position",
                unit="count",
                then="warns",
            ),
        ]

    def explain(self, explained_id: str) -> Row | None:
        """See `DashboardSource.explain`; None for an unknown id."""
        try:
            told = self._explainer(explained_id)
        except CatalystError:
            return None
        return {**told.as_dict(), "title": told.subject, "summary": told.verdict}


def _limit(
    name: str,
    used: float,
    limit: float,
    *,
    tier: str = "account",
    unit: str = "fraction",
    then: str = "refuses",
) -> Row:
    return {
        "name": name,
        "tier": tier,
        "used": max(used, 0.0),
        "limit": limit,
        "unit": unit,
        "then": then,
    }


class MailboxDesk:
    """`OperatorDesk` over the mailbox: a command is recorded once its file is written."""

    def __init__(self, mailbox: OperatorMailbox) -> None:
        self._mailbox = mailbox

    async def halt(self, *, by: str, reason: str, positions_policy: PositionsPolicy) -> None:
        """See `OperatorDesk.halt`."""
        await asyncio.to_thread(
            self._mailbox.halt, by=by, reason=reason, positions_policy=positions_policy
        )

    async def resume(self, *, by: str, reason: str) -> None:
        """See `OperatorDesk.resume`."""
        await asyncio.to_thread(self._mailbox.resume, by=by, reason=reason)
