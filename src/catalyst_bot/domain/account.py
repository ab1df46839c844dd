"""The account and its positions, as the bot's own ledger sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.enums import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """An open long position; `entry_fees_usd` and `realised_usd` belong to its trade so far."""

    trade_id: str
    catalyst_id: str
    strategy_id: str
    symbol: str
    quantity: Decimal
    average_cost: Decimal
    entry_quantity: Decimal
    entry_fees_usd: Decimal
    realised_usd: Decimal
    last_price: Decimal
    opened_at: datetime
    marked_at: datetime

    def marked(self, price: Decimal, at: datetime) -> Position:
        """Return the position at a new price; `replace` takes three times as long, twice a bar."""
        return Position(
            trade_id=self.trade_id,
            catalyst_id=self.catalyst_id,
            strategy_id=self.strategy_id,
            symbol=self.symbol,
            quantity=self.quantity,
            average_cost=self.average_cost,
            entry_quantity=self.entry_quantity,
            entry_fees_usd=self.entry_fees_usd,
            realised_usd=self.realised_usd,
            last_price=price,
            opened_at=self.opened_at,
            marked_at=at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """Money at a moment. `exposure_usd` is the market value of positions without open orders."""

    as_of: datetime
    cash_usd: Decimal
    equity_usd: Decimal
    exposure_usd: Decimal
    day_open_equity_usd: Decimal
    peak_equity_usd: Decimal
    start_equity_usd: Decimal
    realised_usd: Decimal
    unrealised_usd: Decimal
    fees_usd: Decimal

    @property
    def day_return(self) -> float:
        """Return since the session's open, as a fraction (0 before the first session)."""
        if not self.day_open_equity_usd > 0:
            return 0.0
        return float(self.equity_usd / self.day_open_equity_usd - 1)

    @property
    def drawdown(self) -> float:
        """Loss from the highest equity so far, as a fraction >= 0."""
        if not self.peak_equity_usd > 0:
            return 0.0
        return float(1 - self.equity_usd / self.peak_equity_usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPosition:
    """A position as the broker reports it."""

    symbol: str
    quantity: Decimal
    average_cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOrder:
    """An open order as the broker reports it; `side` and price are needed only of foreign ones."""

    client_order_id: str
    broker_order_id: str
    symbol: str
    quantity: Decimal
    filled_quantity: Decimal
    side: Side | None = None
    limit_price: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookDifference:
    """One thing on which our books and the broker's differ."""

    subject: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSnapshot:
    """The broker's books at a moment: the truth we reconcile with."""

    cash_usd: Decimal
    positions: tuple[BrokerPosition, ...]
    open_orders: tuple[BrokerOrder, ...]
