"""Everything about risk in one value: gauges, metrics, room, timeline, alerts, the last drill.

The board follows a journal with a state of its own, folded as the engine folds it, so what it says
of the next order is what the risk stage would say. Only what was recorded since the last look is
read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.engine.engine import Engine
from catalyst_bot.monitoring.risk_figures import Metric, RiskFigures
from catalyst_bot.monitoring.room import Room, largest_entry_usd, rooms
from catalyst_bot.portfolio.tracker import PortfolioTracker
from catalyst_bot.risk.gauges import Gauge, read_gauges
from catalyst_bot.storage.read_model import ReadModel

Row = dict[str, Any]
THEN = {"daily_loss": "halts", "drawdown": "halts", "open_positions": "warns"}
REFUSES = "refuses"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskView:
    """The board at a time: `at` is that of the newest record, None before the first.

    `unanswered` are notices that wait for a person, `drill` is the last rehearsal of the kill
    switch, both as rows.
    """

    at: datetime | None
    trading_state: str
    halt_cause: str
    account: Row
    gauges: tuple[Gauge, ...] = ()
    metrics: tuple[Metric, ...] = ()
    rooms: tuple[Room, ...] = ()
    next_order: Room | None = None
    open_positions: int = 0
    timeline: tuple[Row, ...] = ()
    drawdown_path: tuple[Row, ...] = ()
    unanswered: tuple[Row, ...] = ()
    drill: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> Row:
        """JSON form."""
        return {
            **{name: getattr(self, name) for name in ("at", "trading_state", "halt_cause")},
            "account": self.account,
            "gauges": [gauge_row(gauge) for gauge in self.gauges],
            "metrics": [metric.as_dict() for metric in self.metrics],
            "rooms": [asdict(room) for room in self.rooms],
            "next_order": self.next_order.text if self.next_order is not None else "",
            "open_positions": self.open_positions,
            "timeline": list(self.timeline),
            "drawdown_path": list(self.drawdown_path),
            "unanswered": list(self.unanswered),
            "drill": dict(self.drill),
        }


class RiskBoard:
    """Follows a journal. `outside` gives what is not in it: who has not answered, and the drill."""

    def __init__(
        self,
        model: ReadModel,
        engine: Engine,
        limits: RiskLimits,
        *,
        outside: Callable[[], tuple[list[Row], Row]],
    ) -> None:
        self._model = model
        self._engine = engine
        self._limits = limits
        self._outside = outside
        self._tracker = PortfolioTracker()
        self._figures = RiskFigures()
        self._at: datetime | None = None

    def look(self) -> RiskView:
        """Read what is new and return how things are."""
        self._follow()
        state = self._engine.state.risk
        unanswered, drill = self._outside()
        shared: dict[str, Any] = {
            "at": self._at,
            "trading_state": str(state.trading_state),
            "halt_cause": str(state.halt_cause or ""),
            "unanswered": tuple(unanswered),
            "drill": drill,
        }
        if self._at is None:
            return RiskView(account={}, **shared)
        desk = self._engine.desk_at(self._at)
        held = len(desk.positions)
        return RiskView(
            account=asdict(desk.account),
            gauges=read_gauges(
                desk.account,
                reviewed_peak_usd=state.reviewed_peak_usd,
                open_positions=held,
                limits=self._limits,
            ),
            metrics=tuple(self._figures.metrics(desk.account, self._tracker.report(), held)),
            rooms=rooms(state, desk, self._limits),
            next_order=largest_entry_usd(state, desk, self._limits),
            open_positions=held,
            timeline=tuple(asdict(each) for each in self._figures.timeline),
            drawdown_path=tuple(
                {"at": at, "drawdown": deep} for at, deep in self._figures.drawdown_path
            ),
            **shared,
        )

    def _follow(self) -> None:
        for record in self._model.records(after_seq=self._engine.state.last_seq):
            self._engine.remember(record)
            self._tracker.learn((record,))
            self._figures.learn((record,))
            self._at = record.at


def gauge_row(gauge: Gauge) -> Row:
    """A gauge as people read it: how much is used, and what happens at the limit."""
    return {
        "name": gauge.name,
        "used": gauge.observed,
        "limit": gauge.limit,
        "unit": "ratio" if gauge.name == "leverage" else gauge.unit,
        "then": THEN.get(gauge.name, REFUSES),
        "is_near": gauge.warning() is not None,
    }


def risk_text(view: RiskView) -> str:
    """`catalyst-bot risk` for people."""
    cause = f" ({view.halt_cause})" if view.halt_cause else ""
    told = f"as of {view.at:%Y-%m-%d %H:%M:%S} UTC" if view.at is not None else "no record yet"
    lines = [f"{view.trading_state.upper()}{cause}, {told}"]
    lines += [
        f"  {'!' if gauge.warning() else ' '} {gauge.name:<16} "
        f"{_number(gauge.observed, gauge.unit)}"
        f" of {_number(gauge.limit, gauge.unit)}, then {THEN.get(gauge.name, REFUSES)}"
        for gauge in view.gauges
    ]
    lines += ["room:", *(f"  {'!' if room.is_closed else ' '} {room.text}" for room in view.rooms)]
    lines += ["metrics:", *(f"  {_metric_text(metric)}" for metric in view.metrics)]
    lines += [f"NOT ANSWERED: {row['title']} ({row['id']})" for row in view.unanswered]
    return "\n".join([*lines, f"kill switch drill: {view.drill.get('text', '')}"])


def _metric_text(metric: Metric) -> str:
    value = "-" if metric.value is None else _number(metric.value, metric.unit)
    side = "at most" if metric.is_most else "at least"
    mark = {"ok": " ", "near": "~", "alert": "!"}[metric.state]
    note = f" ({metric.note})" if metric.note else ""
    limit = _number(metric.threshold, metric.unit)
    return f"{mark} {metric.name:<16} {value}, {side} {limit}{note}"


def _number(value: float, unit: str) -> str:
    match unit:
        case "fraction":
            return f"{value:.2%}"
        case "ms":
            return f"{value:.0f} ms"
        case _:
            return f"{value:.2f}".rstrip("0").rstrip(".")
