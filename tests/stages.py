"""Risk, execution and portfolio joined like the engine joins them, with facts of a tiny broker.

Of risk only what execution asks of it takes part: tests approve entries and exits themselves.
"""

from __future__ import annotations

from collections import deque
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import catalyst_bot.risk.decide as risk_decide
import catalyst_bot.risk.evolve as risk_evolve
from catalyst_bot.domain.account import BrokerSnapshot
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.limits import ExecutionRules
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import ApprovedOrder, OrderTicket
from catalyst_bot.execution.executor import OrderExecutor
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import State as ExecutionState
from catalyst_bot.portfolio.ledger import account_view
from catalyst_bot.portfolio.manager import PositionManager
from catalyst_bot.portfolio.state import State as PortfolioState
from catalyst_bot.risk.rules import Rules as RiskRules
from catalyst_bot.risk.state import State as RiskState
from tests.builders import NOON, FakeDesk, calendar, fill

CALENDAR = calendar()
START_USD = Decimal(100_000)
FLAT = BrokerSnapshot(cash_usd=START_USD, positions=(), open_orders=())
ASKED_OF_RISK = (d.ProtectionNeeded, f.QuoteSampled)


class StageDesk(FakeDesk):
    """The desk over the stages; it knows finished orders too."""

    execution: ExecutionState

    def order(self, client_order_id: str) -> OrderTicket | None:
        return self.execution.ticket(client_order_id)


@dataclass
class Stages:
    """Decides and evolves, first in, first out; checks that deciding changes nothing, unless
    that takes too long (`is_checked`). The first books of the broker are empty, unless the test
    brings them (`is_compared`).
    """

    execution: ExecutionState = field(default_factory=ExecutionState)
    portfolio: PortfolioState = field(default_factory=PortfolioState)
    risk: RiskState = field(default_factory=RiskState)
    working: ExecutionRules = field(default_factory=ExecutionRules)
    now: datetime = NOON
    is_checked: bool = True
    is_compared: bool = True
    said: list[Any] = field(default_factory=list)
    said_at: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.handle(run_started())
        if self.is_compared:
            self.handle(f.BrokerSnapshotReceived(at=self.now, snapshot=FLAT))

    @property
    def states(self) -> tuple[RiskState, ExecutionState, PortfolioState]:
        return self.risk, self.execution, self.portfolio

    def desk(self) -> StageDesk:
        desk = StageDesk(
            now=self.now,
            calendar=CALENDAR,
            trading_state=self.risk.trading_state,
            account=account_view(self.portfolio, self.now),
            positions=self.portfolio.positions,
            orders=self.execution.open_tickets,
            foreign_orders=self.execution.books.foreign_orders,
            lost_order_ids=self.execution.books.lost_order_ids,
        )
        desk.execution = self.execution
        return desk

    def handle(self, *messages: Any) -> list[Any]:
        """Return what follows from messages that stand in line together, without themselves."""
        line, outcome = deque(messages), []
        while line:
            current = line.popleft()
            before = deepcopy(self.states) if self.is_checked else None
            line.extend(self._decide(current))
            assert before is None or self.states == before, "decide changed the state"
            self.remember(current)
            outcome.append(current)
        self.said += outcome
        self.said_at += [self.now] * len(outcome)
        return outcome[len(messages) :]

    def _decide(self, message: Any) -> list[Any]:
        kind, desk = type(message), self.desk()
        outcome: list[Any] = []
        if kind in ASKED_OF_RISK:
            rules = RiskRules(execution=self.working)
            outcome += risk_decide.DECIDE[kind](self.risk, message, desk, rules)
        if kind in OrderExecutor.DECIDE:
            rules_of_work = Rules(working=self.working)
            outcome += OrderExecutor.DECIDE[kind](self.execution, message, desk, rules_of_work)
        if kind in PositionManager.DECIDE:
            outcome += PositionManager.DECIDE[kind](self.portfolio, message, desk, None)
        return outcome

    def remember(self, message: Any) -> None:
        for table, state in (
            (risk_evolve.EVOLVE, self.risk),
            (OrderExecutor.EVOLVE, self.execution),
            (PositionManager.EVOLVE, self.portfolio),
        ):
            if type(message) in table:
                table[type(message)](state, message, self.now)  # type: ignore[arg-type]

    def recovered(self) -> Stages:
        """Return new stages that only remembered what was said, as after a crash."""
        others = Stages(working=self.working, is_checked=self.is_checked)
        others.execution, others.portfolio = ExecutionState(), PortfolioState()
        others.risk = RiskState()
        for at, message in zip(self.said_at, self.said, strict=True):
            others.now = at
            others.remember(message)
        return others

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def approve(self, order: ApprovedOrder) -> list[Any]:
        return self.handle(d.OrderApproved(order=order))

    def accept(self, order_id: str) -> list[Any]:
        return self.handle(accepted(order_id))

    def fill(self, order_id: str, **given: Any) -> list[Any]:
        return self.handle(filled(order_id, **given))

    def cancel(self, order_id: str, reason: str = "asked") -> list[Any]:
        return self.handle(cancelled(order_id, reason=reason))

    def fire(self, timer_id: str) -> list[Any]:
        return self.handle(f.TimerFired(at=self.now, timer_id=timer_id))


def run_started(cash_usd: Decimal = START_USD) -> f.RunStarted:
    return f.RunStarted(
        at=NOON,
        run_id="r",
        mode=Mode.BACKTEST,
        broker="test",
        code_version="0",
        settings="{}",
        inputs_hash="",
        model_id="rule",
        starting_cash_usd=cash_usd,
        wall_started_at=NOON,
        compares_books=True,
    )


def accepted(order_id: str) -> f.OrderAccepted:
    return f.OrderAccepted(at=NOON, client_order_id=order_id, broker_order_id=f"b-{order_id}")


def filled(order_id: str, **given: Any) -> f.OrderFilled:
    return f.OrderFilled(at=NOON, fill=fill(client_order_id=order_id, **given))


def cancelled(order_id: str, *, reason: str = "asked") -> f.OrderCancelled:
    return f.OrderCancelled(at=NOON, client_order_id=order_id, reason=reason)


def of_type(messages: list[Any], *kinds: type) -> list[Any]:
    return [message for message in messages if isinstance(message, kinds)]


COMMANDS = (
    c.SubmitOrder,
    c.CancelOrder,
    c.ReplaceOrder,
    c.LookUpOrder,
    c.TakeBrokerSnapshot,
)
