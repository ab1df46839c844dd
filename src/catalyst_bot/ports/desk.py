"""What one stage may know of the others: read-only, as of the message being handled."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from catalyst_bot.domain.account import AccountView, BrokerOrder, Position
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.enums import TradingState
from catalyst_bot.domain.trading import OrderTicket


class Desk(Protocol):
    """Implemented by the engine over the states of all stages."""

    @property
    def now(self) -> datetime:
        """Time of the fact being handled."""
        ...

    @property
    def calendar(self) -> TradingCalendar:
        """The exchange's sessions."""
        ...

    @property
    def trading_state(self) -> TradingState:
        """ACTIVE, REDUCING or HALTED."""
        ...

    @property
    def account(self) -> AccountView:
        """Money, valued at the last known prices."""
        ...

    @property
    def positions(self) -> Mapping[str, Position]:
        """Open positions by symbol."""
        ...

    @property
    def orders(self) -> Mapping[str, OrderTicket]:
        """Orders and legs that are not finished, by client order id."""
        ...

    @property
    def foreign_orders(self) -> Mapping[str, BrokerOrder]:
        """Open orders of a person at the broker, by client order id."""
        ...

    @property
    def lost_order_ids(self) -> Collection[str]:
        """Ids that the broker knows from orders of the bot which its journal lost."""
        ...

    def order(self, client_order_id: str) -> OrderTicket | None:
        """The order or leg, finished ones included, or None when the bot never had it."""
        ...

    def orders_of_trade(self, trade_id: str) -> Sequence[OrderTicket]:
        """Unfinished orders and legs of one trade."""
        ...
