"""Execution and portfolio joined like the engine joins them, with facts of a tiny broker."""

from __future__ import annotations

from collections import deque
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import catalyst_bot.execution.decide as execution_decide
import catalyst_bot.execution.evolve as execution_evolve
import catalyst_bot.portfolio.decide as portfolio_decide
import catalyst_bot.portfolio.evolve as portfolio_evolve
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.trading import ApprovedOrder, OrderTicket
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import State as ExecutionState
from catalyst_bot.portfolio.state import State as PortfolioState
from tests.builders import NOON, FakeDesk, fill

START_USD = Decimal(100_000)


class StageDesk(FakeDesk):
    """The desk over both stages; it knows finished orders too."""

    execution: ExecutionState

    def order(self, client_order_id: str) -> OrderTicket | None:
        return self.execution.ticket(client_order_id)


@dataclass
class Stages:
    """Decides and evolves, first in, first out; checks that deciding changes nothing."""

    execution: ExecutionState = field(default_factory=ExecutionState)
    portfolio: PortfolioState = field(default_factory=PortfolioState)
    now: datetime = NOON
    said: list[Any] = field(default_factory=list)
    said_at: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.handle(run_started())

    def desk(self) -> StageDesk:
        desk = StageDesk(
            now=self.now,
            positions=self.portfolio.positions,
            orders=self.execution.open_tickets,
        )
        desk.execution = self.execution
        return desk

    def handle(self, *messages: Any) -> list[Any]:
        """Return what follows from messages that stand in line together, without themselves."""
        line, outcome = deque(messages), []
        while line:
            current = line.popleft()
            before = deepcopy((self.execution, self.portfolio))
            line.extend(self._decide(current))
            assert (self.execution, self.portfolio) == before, "decide changed the state"
            self.remember(current)
            outcome.append(current)
        self.said += outcome
        self.said_at += [self.now] * len(outcome)
        return outcome[len(messages) :]

    def _decide(self, message: Any) -> list[Any]:
        execute = execution_decide.DECIDE.get(type(message))
        book = portfolio_decide.DECIDE.get(type(message))
        return [
            *(execute(self.execution, message, self.desk(), Rules()) if execute else []),
            *(book(self.portfolio, message, self.desk(), None) if book else []),
        ]

    def remember(self, message: Any) -> None:
        for table, state in (
            (execution_evolve.EVOLVE, self.execution),
            (portfolio_evolve.EVOLVE, self.portfolio),
        ):
            if type(message) in table:
                table[type(message)](state, message, self.now)

    def recovered(self) -> Stages:
        """Return new stages that only remembered what was said, as after a crash."""
        others = Stages()
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
