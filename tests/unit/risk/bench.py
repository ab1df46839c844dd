"""A bench for the risk stage alone: decide on the state before, then remember."""

from __future__ import annotations

from collections import deque
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import ExitReason, Side
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import ClosedTrade, TradeIntent
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.checks import judge_inputs
from catalyst_bot.risk.decide import DECIDE
from catalyst_bot.risk.evolve import EVOLVE
from catalyst_bot.risk.proposal import Proposal, propose
from catalyst_bot.risk.rules import Rules
from catalyst_bot.risk.state import State
from tests import builders


def trade(pnl_fraction: float, **given: Any) -> ClosedTrade:
    """A finished trade of 100 ACME bought at $100, with this result."""
    values: dict[str, Any] = {
        "trade_id": "trd-1",
        "catalyst_id": "cat-1",
        "strategy_id": "news-rule",
        "symbol": "ACME",
        "side": Side.BUY,
        "quantity": Decimal(100),
        "entry_at": builders.NOON,
        "entry_price": Decimal(100),
        "exit_at": builders.NOON + timedelta(minutes=10),
        "exit_price": Decimal(100),
        "exit_reason": ExitReason.STOP_LOSS,
        "fees_usd": Decimal(0),
        "pnl_usd": Decimal(str(pnl_fraction)) * 10_000,
        "pnl_fraction": pnl_fraction,
    }
    return ClosedTrade(**(values | given))


def proposed(state: State, intent: TradeIntent, desk: Desk, rules: Rules) -> Proposal:
    """An entry as the checks see it."""
    return propose(state, intent, desk, rules, inputs=judge_inputs(intent, desk))


@dataclass
class Bench:
    """State and desk of one risk stage; `tell` returns all that followed from a message."""

    state: State = field(default_factory=State)
    desk: builders.FakeDesk = field(default_factory=builders.FakeDesk)
    rules: Rules = field(default_factory=Rules)

    def decide(self, message: Message) -> list[Message]:
        """Decide without remembering, and make sure that deciding changed nothing."""
        before = deepcopy((self.state, self.desk))
        handler = DECIDE.get(type(message))
        outcome = handler(self.state, message, self.desk, self.rules) if handler else []
        assert (self.state, self.desk) == before, "decide changed what it was given"
        return outcome

    def remember(self, message: Message, at: datetime | None = None) -> None:
        """Fold one message into the state."""
        if type(message) in EVOLVE:
            EVOLVE[type(message)](self.state, message, at or self.desk.now)

    def tell(self, message: Message) -> list[Message]:
        """Handle a message and what follows, first in first out."""
        line, told = deque([message]), []
        while line:
            current = line.popleft()
            line.extend(self.decide(current))
            self.remember(current)
            self.desk.trading_state = self.state.trading_state
            told.append(current)
        return told[1:]
