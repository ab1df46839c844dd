"""The bot's whole memory: one sub-state per stage, each changed only by its own `evolve`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import catalyst_bot.detection.state as detection
import catalyst_bot.execution.state as execution
import catalyst_bot.portfolio.state as portfolio
import catalyst_bot.risk.state as risk
import catalyst_bot.signals.state as signals
from catalyst_bot.domain.account import AccountView, BrokerOrder, Position
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.enums import TradingState
from catalyst_bot.domain.trading import OrderTicket
from catalyst_bot.portfolio.ledger import account_view


@dataclass(slots=True)
class EngineState:
    """What a fold of the journal gives back."""

    detection: detection.State = field(default_factory=detection.State)
    signals: signals.State = field(default_factory=signals.State)
    risk: risk.State = field(default_factory=risk.State)
    execution: execution.State = field(default_factory=execution.State)
    portfolio: portfolio.State = field(default_factory=portfolio.State)
    last_seq: int = 0


@dataclass(slots=True)
class StateDesk:
    """The `Desk` of ports: read-only views over the states, as of `now`."""

    state: EngineState
    calendar: TradingCalendar
    now: datetime
    _account: tuple[portfolio.Books, AccountView] | None = None  # Books are replaced, never changed

    @property
    def trading_state(self) -> TradingState:
        """See `Desk.trading_state`."""
        return self.state.risk.trading_state

    @property
    def account(self) -> AccountView:
        """See `Desk.account`; added up once for as long as the books are the same."""
        books = self.state.portfolio.books
        if self._account is None or self._account[0] is not books:
            self._account = books, account_view(self.state.portfolio, self.now)
        return self._account[1]

    @property
    def positions(self) -> Mapping[str, Position]:
        """See `Desk.positions`."""
        return self.state.portfolio.positions

    @property
    def orders(self) -> Mapping[str, OrderTicket]:
        """See `Desk.orders`."""
        return self.state.execution.open_tickets

    @property
    def foreign_orders(self) -> Mapping[str, BrokerOrder]:
        """See `Desk.foreign_orders`."""
        return self.state.execution.books.foreign_orders

    @property
    def lost_order_ids(self) -> Collection[str]:
        """See `Desk.lost_order_ids`."""
        return self.state.execution.books.lost_order_ids

    def order(self, client_order_id: str) -> OrderTicket | None:
        """See `Desk.order`."""
        return self.state.execution.ticket(client_order_id)

    def orders_of_trade(self, trade_id: str) -> Sequence[OrderTicket]:
        """See `Desk.orders_of_trade`."""
        return tuple(t for t in self.orders.values() if t.trade_id == trade_id)
