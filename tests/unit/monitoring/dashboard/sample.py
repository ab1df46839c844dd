"""An invented read model in memory: one afternoon of made-up companies, for tests only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.errors import SourceUnreachable
from tests.builders import CLOSE, OPEN

START = Decimal(100_000)
HEADLINES = (
    "Orvane Therapeutics' lung drug meets its main goal in a late-stage trial",
    "Keld Robotics wins a seven-year navy contract worth $410 million",
    "Tarn Foods to be bought by Halvorsen for $61 a share in cash",
    "Pellworm Energy raises its full-year outlook after a strong quarter",
)
SYMBOLS = ("ORVA", "KELD", "TARN", "PLWM", "BRIS", "QUNT")


class SampleSource:
    """Rich rows that tests change and `touch`; see `DashboardSource` for the keys."""

    def __init__(self) -> None:
        self.is_down = False
        self.reads = 0
        self.refusals = 0
        self.standing: dict[str, Any] = {"trading_state": "active", "items": []}
        self.status_row: dict[str, Any] | None = {
            "last_seq": 812,
            "trading_state": "active",
            "halted_at": None,
            "mode": "paper-trading",
            "broker": "embedded",
            "model_id": "news-rule",
            "data": "generated",
            "clock": "replay",
            "last_at": CLOSE,
            "session_open": True,
        }
        self.account_row: dict[str, Any] | None = {
            "equity_usd": Decimal("101195.73"),
            "cash_usd": Decimal("38472.11"),
            "exposure_usd": Decimal("62723.62"),
            "day_open_equity_usd": START,
            "day_return": 0.0119573,
            "start_equity_usd": START,
            "drawdown": 0.0041,
            "max_drawdown": 0.0093,
            "trades": 17,
            "wins": 10,
            "win_rate": 10 / 17,
            "profit_factor": 1.84,
        }
        self.position_rows = [_position(place) for place in range(4)]
        self.trade_rows = [_trade(place) for place in range(18)]
        self.event_rows = [_event(place) for place in range(24)]
        self.points = [_point(minute) for minute in range(389)]
        self.points.append({"at": _at(389), "equity_usd": self.account_row["equity_usd"]})
        self.risk_rows: list[dict[str, Any]] = [
            _limit("exposure", 0.62, 0.80, "fraction", room_usd=Decimal("18232.96")),
            _limit("largest_position", 0.188, 0.20, "fraction", room_usd=Decimal("1214.35")),
            _limit("daily_loss", 0.0, 0.03, "fraction", then="halts", room_usd=Decimal(3035)),
            _limit("drawdown", 0.0041, 0.10, "fraction", then="halts", room_usd=Decimal(9705)),
            _limit("open_positions", 4, 5, "count"),
            _limit("daily_trades", 18, 40, "count"),
        ]
        self.funnel_row: dict[str, Any] = {
            "seen": 1432,
            "deduped": 1176,
            "with_ticker": 803,
            "catalyst": 121,
            "signal": 44,
            "intent": 31,
            "approved": 22,
            "filled": 21,
            "lost": {
                "deduped": {"same_story": 201, "seen_before": 55},
                "with_ticker": {"no_ticker": 290, "several_tickers": 83},
                "catalyst": {"no_category": 540, "muted_category": 142},
                "signal": {"low_confidence": 41, "wide_spread": 22, "stale_quote": 14},
                "intent": {"no_edge": 13},
                "approved": {"max_exposure": 6, "correlated": 3},
                "filled": {"entry_timed_out": 1},
            },
        }

        self.board = _board(self.risk_rows)

    def touch(self) -> None:
        """Let readers see that something changed."""
        self.status_row = {**self.status_row, "last_seq": self.status_row["last_seq"] + 1}

    def status(self) -> dict[str, Any] | None:
        self.reads += 1
        if self.is_down:
            self.refusals += 1
            raise SourceUnreachable("the sample is switched off")
        return self.status_row

    def account(self) -> dict[str, Any] | None:
        return self.account_row

    def equity_points(self, *, limit: int) -> list[dict[str, Any]]:
        return self.points[-limit:]

    def positions(self) -> list[dict[str, Any]]:
        return self.position_rows

    def trades(self, *, limit: int) -> list[dict[str, Any]]:
        return self.trade_rows[:limit]

    def events(self, *, after_seq: int, limit: int) -> list[dict[str, Any]]:
        return [row for row in self.event_rows if row["seq"] > after_seq][-limit:]

    def funnel(self) -> dict[str, Any]:
        return self.funnel_row

    def risk(self) -> list[dict[str, Any]]:
        return self.risk_rows

    def checklist(self) -> dict[str, Any]:
        return self.standing

    def risk_board(self) -> dict[str, Any]:
        if self.is_down:
            raise SourceUnreachable("the sample is switched off")
        return self.board

    def explain(self, explained_id: str) -> dict[str, Any] | None:
        known = {row["trade_id"] for row in self.trade_rows + self.position_rows}
        return _explanation(explained_id) if explained_id in known else None


class SampleDesk:
    """Takes commands, remembers them and changes the sample's state, as the bot would."""

    def __init__(self, source: SampleSource) -> None:
        self.source = source
        self.commands: list[tuple[str, ...]] = []

    def halt(self, *, by: str, reason: str, positions_policy: PositionsPolicy) -> None:
        self.commands.append(("halt", by, reason, positions_policy))
        self._set(trading_state="halted", halt_cause="operator", halt_detail=reason)

    def resume(self, *, by: str, reason: str, confirmed: Sequence[str] = ()) -> None:
        self.commands.append(("resume", by, reason, *confirmed))
        self._set(trading_state="active", halt_cause=None, halt_detail="")

    def reduce(self, *, by: str, reason: str) -> None:
        self.commands.append(("reduce", by, reason))
        self._set(trading_state="reducing")

    def override(
        self, *, by: str, reason: str, lasts: timedelta, at: datetime, intent_id: str
    ) -> None:
        assert at.tzinfo is not None
        self.commands.append(("override", by, reason, str(lasts), intent_id))

    def acknowledge(self, notice_id: str, *, by: str) -> None:
        if notice_id.startswith("."):
            raise ValueError(f"{notice_id!r} is no id of a notice")
        self.commands.append(("acknowledge", notice_id, by))
        board = self.source.board
        board["unanswered"] = [row for row in board["unanswered"] if row["id"] != notice_id]

    def _set(self, **changed: Any) -> None:
        self.source.status_row = {**self.source.status_row, **changed}
        self.source.touch()


def _board(gauges: list[dict[str, Any]]) -> dict[str, Any]:
    """A day that came near to its limits; see `RiskView.as_dict`."""
    return {
        "at": CLOSE,
        "trading_state": "active",
        "halt_cause": "",
        "account": {"equity_usd": Decimal("101195.73"), "cash_usd": Decimal("38472.11")},
        "gauges": gauges,
        "metrics": [
            _metric("daily_loss", 0.0, 0.03, "fraction", state="ok"),
            _metric("sharpe_30d", None, 1.0, "ratio", state="ok", is_most=False),
            _metric("open_positions", 6.0, 5.0, "count", state="alert"),
            _metric("api_latency_p95", 950.0, 1000.0, "ms", state="near"),
        ],
        "rooms": [
            {
                "rule": "exposure",
                "room": Decimal("3120.00"),
                "unit": "usd",
                "text": "next order over $3,120.00 would be refused by exposure",
                "is_closed": False,
            }
        ],
        "next_order": "next order over $3,120.00 would be refused by exposure",
        "open_positions": 4,
        "timeline": [
            {
                "seq": 700 + place,
                "at": _at(40 * place),
                "kind": "LimitApproached",
                "severity": "warning",
                "text": f"Limit near: exposure at {70 + place} % of 80 %",
            }
            for place in range(5)
        ],
        "drawdown_path": [
            {"at": _at(minute), "drawdown": 0.004 + 0.004 * math.sin(minute / 40)}
            for minute in range(0, 389, 5)
        ],
        "unanswered": [
            {
                "channel": "",
                "state": "not answered",
                "id": "note_1",
                "severity": "critical",
                "title": "ORVA has no stop",
                "reason": "since 2026-03-13 15:02 UTC, told again 1 times",
            }
        ],
        "drill": {
            "at": None,
            "age_days": None,
            "is_overdue": True,
            "text": "never drilled: `catalyst-bot drill kill-switch` takes a minute",
            "line": "",
        },
    }


def _metric(
    name: str, value: float | None, threshold: float, unit: str, *, state: str, is_most: bool = True
) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "threshold": threshold,
        "is_most": is_most,
        "unit": unit,
        "note": "",
        "state": state,
    }


def _at(minute: float) -> datetime:
    return OPEN + timedelta(minutes=minute)


def _point(minute: int) -> dict[str, Any]:
    swing = 620 * math.sin(minute / 47) + 190 * math.sin(minute / 7.3) + 3.1 * minute
    noise = 90 * math.sin(minute * 2.1) * math.sin(minute / 3.7)
    return {"at": _at(minute), "equity_usd": START + Decimal(round(swing + noise, 2)) - 600}


def _position(place: int) -> dict[str, Any]:
    cost = Decimal("48.20") + 37 * place
    last = cost * Decimal("1.031") if place % 2 == 0 else cost * Decimal("0.988")
    quantity = Decimal(360 - 80 * place)
    return {
        "trade_id": f"position-{place}",
        "symbol": SYMBOLS[place],
        "strategy_id": "news-rule",
        "quantity": quantity,
        "average_cost": cost,
        "last_price": last,
        "market_value_usd": quantity * last,
        "unrealised_usd": quantity * (last - cost),
        "stop_price": cost * Decimal("0.976"),
        "take_profit_price": cost * Decimal("1.072"),
        "is_trailing": place == 0,
        "opened_at": _at(300 + 12 * place),
    }


def _trade(place: int) -> dict[str, Any]:
    entry = Decimal("52.10") + 11 * place
    fraction = Decimal("0.018") if place % 5 in {0, 2, 3} else Decimal("-0.011")
    is_open = place == 0
    return {
        "trade_id": f"trade-{place}",
        "symbol": SYMBOLS[place % len(SYMBOLS)],
        "side": "buy",
        "quantity": Decimal(19 + 31 * (place % 6)),
        "entry_at": _at(330 - 18 * place),
        "entry_price": entry,
        "exit_at": None if is_open else _at(352 - 18 * place),
        "exit_price": None if is_open else entry * (1 + fraction),
        "exit_reason": None if is_open else "take_profit" if fraction > 0 else "stop_loss",
        "pnl_usd": None if is_open else entry * fraction * (19 + 31 * (place % 6)),
        "pnl_fraction": None if is_open else float(fraction),
        "headline_title": HEADLINES[place % len(HEADLINES)],
    }


def _event(place: int) -> dict[str, Any]:
    texts = (
        ("info", "signal approved, buys 180 shares", "all 14 checks passed; quarter-Kelly 9.1 %"),
        ("info", "stop raised from 158.20 to 161.05", "price stands 5 % above its cost"),
        ("warning", "order refused", "max exposure: 81.3 % would be above 80 %"),
        ("critical", "trade updates stopped for 4.2 s", "stream closed; books compared, no gap"),
    )
    severity, text, reason = texts[(place * 7) % 11 % 4]
    return {
        "seq": 700 + place,
        "at": _at(330 + 2 * place),
        "severity": severity,
        "kind": "sample",
        "text": text if severity == "critical" else f"{SYMBOLS[place % len(SYMBOLS)]}: {text}",
        "reason": reason,
        "trail_id": None if severity == "critical" else f"trade-{place % 18}",
    }


def _limit(
    name: str,
    used: float,
    limit: float,
    unit: str,
    *,
    then: str = "refuses",
    room_usd: Decimal | None = None,
) -> dict[str, Any]:
    row = {"name": name, "tier": "account", "used": used, "limit": limit, "unit": unit}
    return {**row, "then": then, "room_usd": room_usd}


def _explanation(explained_id: str) -> dict[str, Any]:
    return {
        "subject": explained_id,
        "verdict": "ORVA: bought 360, closed by take profit, P&L $+267.84.",
        "may_pass": "int-1",
        "sections": [
            {
                "title": "Headline",
                "rows": [
                    {"label": "title", "value": HEADLINES[0], "note": "wire, 14:01:10 UTC"},
                    {"label": "evidence", "value": "“meets its main goal”, “late-stage”"},
                ],
            },
            {
                "title": "Score",
                "rows": [
                    {"label": "category", "value": "clinical result, good"},
                    {"label": "confidence", "value": "0.83", "note": "calibrated; gate 0.70"},
                ],
            },
            {
                "title": "Risk checks",
                "rows": [
                    {"label": "max_position", "value": "17.1 %", "limit": "20 %", "passed": True},
                    {"label": "max_exposure", "value": "62 %", "limit": "80 %", "passed": True},
                    {
                        "label": "correlation",
                        "value": "0.74",
                        "limit": "0.70",
                        "passed": False,
                        "note": "with KELD; size cut by half",
                    },
                ],
            },
            {
                "title": "Orders and fills",
                "rows": [
                    {"label": "entry", "value": "buy 360 at market, filled at 48.20"},
                    {"label": "stop loss", "value": "sell 360 at 47.04"},
                ],
            },
        ],
    }
