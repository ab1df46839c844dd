"""What the portfolio stage remembers."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import ClosedTrade

MAX_CLOSED_TRADES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Which trade an order belongs to: a fill names only its order."""

    trade_id: str
    catalyst_id: str
    strategy_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRecord:
    """Exact sums of a round trip so far, before any division.

    `cost_usd` is what the shares still held cost, without fees; the rest are totals.
    """

    cost_usd: Decimal
    bought_quantity: Decimal
    bought_usd: Decimal
    sold_quantity: Decimal
    sold_usd: Decimal
    fees_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """The ledger: an immutable value that the functions of `ledger` turn into the next one.

    `realised_usd` is after all fees paid so far, those of open positions included, so that
    equity = start + realised + unrealised holds to the last digit.
    """

    cash_usd: Decimal = ZERO
    start_equity_usd: Decimal = ZERO
    day_open_equity_usd: Decimal = ZERO
    peak_equity_usd: Decimal = ZERO
    realised_usd: Decimal = ZERO
    fees_usd: Decimal = ZERO
    positions: Mapping[str, Position] = field(default_factory=dict)
    trades: Mapping[str, TradeRecord] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """The books, and what is needed to read the next fill.

    `origins` (by order id), `fill_ids` and `closed_trades` are ordered and bounded: the oldest are
    forgotten, but never the origin of an order that may still sell what is held. `marked_usd` is
    the equity that was last told, at `marked_at`.
    """

    books: Books = field(default_factory=Books)
    origins: dict[str, Origin] = field(default_factory=dict)
    fill_ids: dict[str, None] = field(default_factory=dict)
    closed_trades: deque[ClosedTrade] = field(
        default_factory=lambda: deque(maxlen=MAX_CLOSED_TRADES)
    )
    marked_usd: Decimal = ZERO
    marked_at: datetime | None = None

    @property
    def positions(self) -> Mapping[str, Position]:
        """Open positions by symbol."""
        return self.books.positions
