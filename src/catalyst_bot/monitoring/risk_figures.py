"""The roadmap's risk metrics and the timeline of what touched risk: a fold of the journal.

Thresholds are those of the roadmap's table "Risk Metrics (Monitored Continuously)". A figure with
too little behind it is None and alerts nobody.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from statistics import fmean, stdev
from typing import Any

from catalyst_bot.domain.account import AccountView
from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.portfolio.tracker import MIN_DAYS, TRADING_DAYS_PER_YEAR, Performance
from catalyst_bot.storage.projections.events import TELLERS

NEAR = 0.9
SHARPE_DAYS, WIN_TRADES, LATENCIES = 30, 20, 100
ERROR_WINDOW = timedelta(hours=1)
TIMELINE, PATH = 200, 1_000
PATH_STEP = timedelta(minutes=5)
OK, NEAR_IT, ALERT = "ok", "near", "alert"
TIMELINE_OF: tuple[type, ...] = (
    f.AdapterFailed,
    f.AdapterRecovered,
    f.NoticeRaised,
    f.NotificationEscalated,
    f.NotificationAcknowledged,
    d.TradingHalted,
    d.TradingResumed,
    d.StrategyPaused,
    d.LimitApproached,
    d.StopMoved,
    d.ProtectionNeeded,
    d.MismatchFound,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure against its threshold; `is_most` tells which side of it is good.

    `unit` is fraction, ratio, count or ms. `state`: ok, near (nine tenths used up), alert.
    """

    name: str
    value: float | None
    threshold: float
    is_most: bool
    unit: str
    note: str = ""

    @property
    def state(self) -> str:
        """How the value stands to its threshold; NaN alerts."""
        if self.value is None:
            return OK
        is_good = self.value <= self.threshold if self.is_most else self.value >= self.threshold
        if not is_good:
            return ALERT
        return NEAR_IT if self._used(self.value) >= NEAR else OK

    def _used(self, value: float) -> float:
        """How much of what may be is used up, 1 at the threshold."""
        if self.is_most:
            return value / self.threshold
        if self.unit == "fraction":
            return (1 - value) / (1 - self.threshold)
        return self.threshold / value

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**asdict(self), "state": self.state}


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that touched risk, in a sentence."""

    seq: int
    at: datetime
    kind: str
    severity: str
    text: str


class RiskFigures:
    """Hears every record once, in order; what it keeps is bounded."""

    def __init__(self) -> None:
        self.timeline: deque[Happened] = deque(maxlen=TIMELINE)
        self.drawdown_path: deque[tuple[datetime, float]] = deque(maxlen=PATH)
        self._wins: deque[bool] = deque(maxlen=WIN_TRADES)
        self._sent_at: dict[str, datetime] = {}
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES)
        self._failed_at: deque[datetime] = deque(maxlen=10_000)
        self._first_at: datetime | None = None
        self._last_at: datetime | None = None
        self._down = timedelta()

    def learn(self, records: Iterable[Recorded]) -> None:
        """Take in records; the least of them says that the bot was there."""
        for record in records:
            self._learn(record)
            self._last_at = record.at

    def metrics(self, account: AccountView, measured: Performance, held: int) -> list[Metric]:
        """Return every figure as it is at the account's time."""
        now = account.as_of
        start_usd = account.start_equity_usd
        value = float(account.equity_usd / start_usd) if start_usd > 0 else None
        returns = [day.day_return for day in measured.days if day.day_return is not None]
        latency = percentile_95(list(self._latencies_ms))
        return [
            Metric(
                name="portfolio_value", value=value, threshold=0.97, is_most=False, unit="fraction"
            ),
            Metric(
                name="daily_loss",
                value=max(-account.day_return, 0.0),
                threshold=0.03,
                is_most=True,
                unit="fraction",
            ),
            Metric(
                name="sharpe_30d",
                value=rolling_sharpe(returns),
                threshold=1.0,
                is_most=False,
                unit="ratio",
                note=_counted(min(len(returns), SHARPE_DAYS), "day"),
            ),
            Metric(
                name="max_drawdown",
                value=measured.max_drawdown,
                threshold=0.15,
                is_most=True,
                unit="fraction",
            ),
            Metric(
                name="win_rate_20",
                value=fmean(self._wins) if len(self._wins) == WIN_TRADES else None,
                threshold=0.40,
                is_most=False,
                unit="fraction",
                note=_counted(len(self._wins), "trade"),
            ),
            Metric(
                name="open_positions", value=float(held), threshold=5.0, is_most=True, unit="count"
            ),
            Metric(
                name="order_fill_rate",
                value=measured.fill_rate,
                threshold=0.95,
                is_most=False,
                unit="fraction",
                note=_counted(measured.order_count, "order"),
            ),
            Metric(
                name="api_latency_p95",
                value=latency,
                threshold=1000.0,
                is_most=True,
                unit="ms",
                note=_counted(len(self._latencies_ms), "order"),
            ),
            Metric(
                name="error_minutes",
                value=self._error_share(now),
                threshold=0.05,
                is_most=True,
                unit="fraction",
                note="minutes of the last hour in which an adapter failed",
            ),
            Metric(
                name="uptime",
                value=self._uptime(),
                threshold=0.99,
                is_most=False,
                unit="fraction",
                note="of the time since the first start",
            ),
        ]

    def _learn(self, record: Recorded) -> None:
        body, at = record.body, record.at
        if isinstance(body, TIMELINE_OF):
            event = TELLERS[type(body)](body)
            kind = type(body).__name__
            self.timeline.append(Happened(record.seq, at, kind, str(event.severity), event.text))
        match body:
            case f.RunStarted():
                self._first_at = self._first_at or at
                if self._last_at is not None:
                    self._down += max(at - self._last_at, timedelta())
            case c.SubmitOrder(order=order) if order.role is OrderRole.ENTRY:
                self._sent_at[order.client_order_id] = at
            case f.OrderAccepted(client_order_id=order_id) if order_id in self._sent_at:
                took = at - self._sent_at.pop(order_id)
                self._latencies_ms.append(took.total_seconds() * 1000.0)
            case d.PositionClosed(trade=trade):
                self._wins.append(trade.pnl_usd > 0)
            case d.EquityMarked(account=account):
                self._mark(at, max(account.drawdown, 0.0))
            case f.AdapterFailed():
                self._failed_at.append(at)

    def _mark(self, at: datetime, drawdown: float) -> None:
        """A point of the path every few minutes; between two of them the deepest counts."""
        path = self.drawdown_path
        if path and at - path[-1][0] < PATH_STEP:
            path[-1] = (path[-1][0], max(path[-1][1], drawdown))
        else:
            path.append((at, drawdown))

    def _error_share(self, now: datetime) -> float:
        minutes = {at.replace(second=0, microsecond=0) for at in self._failed_at}
        recent = sum(1 for at in minutes if timedelta() <= now - at < ERROR_WINDOW)
        return recent / (ERROR_WINDOW / timedelta(minutes=1))

    def _uptime(self) -> float | None:
        """Share of the time since the first start in which a run was up."""
        if self._first_at is None or self._last_at is None or self._last_at <= self._first_at:
            return None
        return 1.0 - self._down / (self._last_at - self._first_at)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def rolling_sharpe(daily_returns: Sequence[float]) -> float | None:
    """Return the Sharpe ratio of a year from the last days; None of too few, or of equal ones."""
    last = daily_returns[-SHARPE_DAYS:]
    if len(last) < MIN_DAYS:
        return None
    spread = stdev(last)
    return fmean(last) / spread * float(TRADING_DAYS_PER_YEAR) ** 0.5 if spread > 0 else None


def percentile_95(values: Sequence[float]) -> float | None:
    """Return the value that 95 of 100 do not exceed; None of none."""
    ranked = sorted(values)
    return ranked[min(int(0.95 * len(ranked)), len(ranked) - 1)] if ranked else None
