"""What is already held or on its way: orders not filled yet use up limits like positions do.

Counting only filled positions would let ten orders sent in one second pass a limit for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from catalyst_bot.domain.account import BrokerOrder
from catalyst_bot.domain.enums import OrderRole, Side
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.domain.money import ZERO, to_decimal
from catalyst_bot.domain.trading import OrderTicket
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.state import State

_ENTRY = OrderRole.ENTRY  # before Python 3.12 to look it up for each order costs more than the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """`exposure_usd` counts positions and everything on its way, `reserved_usd` only the latter;
    `on_the_way` lists the symbols of unfinished entries.
    """

    exposure_usd: Decimal
    reserved_usd: Decimal
    on_the_way: tuple[str, ...]
    symbols: frozenset[str]


def read_book(state: State, desk: Desk, limits: RiskLimits) -> Book:
    """Add up positions, working entries at the most they may cost, a person's open orders, and
    intents without a verdict.

    An intent in the same batch whose verdict is still in line counts as a full position: it may
    become one, and the sum must hold even then.
    """
    entries = [ticket for ticket in desk.orders.values() if ticket.role is _ENTRY]
    working = sum([_at_most_usd(ticket) for ticket in entries], start=ZERO)
    working += sum((_foreign_usd(order, state, desk) for order in _buying(desk)), start=ZERO)
    full_position = desk.account.equity_usd * to_decimal(limits.max_position_fraction)
    reserved_usd = working + full_position * len(state.pending)
    on_the_way = (*(t.symbol for t in entries), *(p.symbol for p in state.pending.values()))
    return Book(
        exposure_usd=desk.account.exposure_usd + reserved_usd,
        reserved_usd=reserved_usd,
        on_the_way=on_the_way,
        symbols=frozenset(desk.positions) | frozenset(on_the_way),
    )


def _at_most_usd(ticket: OrderTicket) -> Decimal:
    """What is left of an entry at the dearer of its two prices."""
    price = ticket.reference_price
    if ticket.worst_price is not None:
        price = max(price, ticket.worst_price)
    return (ticket.quantity - ticket.filled_quantity) * price


def _buying(desk: Desk) -> list[BrokerOrder]:
    """A person's open orders that may buy; one whose side is not known may."""
    return [o for o in desk.foreign_orders.values() if o.side is not Side.SELL]


def _foreign_usd(order: BrokerOrder, state: State, desk: Desk) -> Decimal:
    """What a person's order may still cost: at its limit, or at the last price known."""
    position, closes = desk.positions.get(order.symbol), state.closes.get(order.symbol)
    if order.limit_price is not None:
        price = order.limit_price
    elif position is not None:
        price = position.last_price
    else:
        price = to_decimal(closes.prices[-1]) if closes else ZERO
    return (order.quantity - order.filled_quantity) * price
