"""What the execution stage remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.account import BrokerOrder
from catalyst_bot.domain.enums import ProtectedBy
from catalyst_bot.domain.market import Quote
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import ApprovedOrder, OrderTicket

POSITION, ORDER, CASH = "position", "order", "cash"  # what books can differ on


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What bounds the loss of one position, and since when.

    `steps` counts what was asked of risk since protection was lost, `escalation` how often the
    grace ran out.
    """

    catalyst_id: str
    symbol: str
    protected_by: ProtectedBy
    since: datetime
    steps: int = 0
    escalation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """An approved order that waits for its symbol to trade again."""

    order: ApprovedOrder
    since: datetime
    resumed_at: datetime | None = None


@dataclass(slots=True)
class Reconciliation:
    """Where the comparison with the broker stands.

    `looks` counts the broker's answers; `touched` are symbols in which we ever sent an order.
    `doubts` are the differences of the last look (subject -> ours, theirs); `foreign_orders` and
    `foreign_shares` are a person's, `foreign_cash_usd` what those shares cost the account.
    `turnover_usd` was traded since the books last agreed. `is_starting` until the looks after a
    start are taken and judged; `is_start_look`: the last look was one of them. `has_mismatch` until
    a person resumes; then `trusts_broker`: the broker's books are taken over. `lost_order_ids` have
    the bot's name, and the journal lost them. `first_look_at` was the first answer, and
    `first_held` are the shares (by symbol) that it showed and we had not bought: less those whose
    purchase was told since.
    """

    began_at: datetime | None = None
    broker_name: str = ""
    next_look_at: datetime | None = None
    looks: int = 0
    first_look_at: datetime | None = None
    first_held: dict[str, Decimal] = field(default_factory=dict)
    doubts: dict[str, tuple[str, str]] = field(default_factory=dict)
    foreign_orders: dict[str, BrokerOrder] = field(default_factory=dict)
    foreign_shares: dict[str, Decimal] = field(default_factory=dict)
    foreign_cash_usd: Decimal = ZERO
    turnover_usd: Decimal = ZERO
    touched: dict[str, None] = field(default_factory=dict)
    is_starting: bool = False
    is_start_look: bool = False
    has_mismatch: bool = False
    trusts_broker: bool = False
    lost_order_ids: set[str] = field(default_factory=set)

    def holds(self, symbol: str) -> bool:
        """True while nothing may be sent in a symbol: a start is not compared yet, or the broker
        has fewer shares than we think, so that a stop or an exit would sell what nobody holds.
        """
        if self.is_starting:
            return True
        ours, theirs = self.doubts.get(f"{POSITION} {symbol}", ("0", "0"))
        is_declared = self.has_mismatch or self.trusts_broker
        return is_declared and Decimal(theirs) < Decimal(ours)


@dataclass(slots=True)
class State:
    """Every order the bot has sent or is about to send, and what protects what they bought.

    `pending_exits` and `pending_stops` (by trade) wait until the symbol's other orders are off the
    market; `queued` wait for a halted symbol; `valid_until` bounds how long an unanswered order
    may still reach the broker; `cancelling` are the orders we asked to cancel; `reprices` counts
    how often a limit was moved, `priced_since` tells when last; `raised_stops` (by trade) are
    stops that were moved, for orders not sent yet. `fill_ids` is an ordered set of the latest
    fills. Finished tickets and fill ids are bounded, the oldest go first. `quotes` and
    `priced_at` are the latest of symbols that are held or worked; `is_blind` while the source of
    prices fails.
    """

    open_tickets: dict[str, OrderTicket] = field(default_factory=dict)
    finished_tickets: dict[str, OrderTicket] = field(default_factory=dict)
    pending_exits: dict[str, ApprovedOrder] = field(default_factory=dict)
    pending_stops: dict[str, ApprovedOrder] = field(default_factory=dict)
    queued: dict[str, Queued] = field(default_factory=dict)
    valid_until: dict[str, datetime] = field(default_factory=dict)
    cancelling: set[str] = field(default_factory=set)
    reprices: dict[str, int] = field(default_factory=dict)
    priced_since: dict[str, datetime] = field(default_factory=dict)
    raised_stops: dict[str, Decimal] = field(default_factory=dict)
    fill_ids: dict[str, None] = field(default_factory=dict)
    guards: dict[str, Guard] = field(default_factory=dict)
    halted_symbols: set[str] = field(default_factory=set)
    quotes: dict[str, Quote] = field(default_factory=dict)
    priced_at: dict[str, datetime] = field(default_factory=dict)
    is_blind: bool = False
    books: Reconciliation = field(default_factory=Reconciliation)

    def waits(self, client_order_id: str) -> bool:
        """True for an order that is planned and not sent yet; any other planned one is being sent
        by a message that stands in line.
        """
        waiting = (*self.pending_exits.values(), *self.pending_stops.values())
        is_pending = any(order.client_order_id == client_order_id for order in waiting)
        return is_pending or client_order_id in self.queued

    def ticket(self, client_order_id: str) -> OrderTicket | None:
        """The order or leg, finished ones included, or None when the bot never had it."""
        found = self.open_tickets.get(client_order_id)
        return found if found is not None else self.finished_tickets.get(client_order_id)
