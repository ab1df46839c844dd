"""What is already held or on its way: orders not filled yet use up limits like positions do.

Counting only filled positions would let ten orders sent in one second pass a limit for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.limits import RiskLimits
from catalyst_bot.domain.money import ZERO, to_decimal
from catalyst_bot.ports.desk import Desk
from catalyst_bot.risk.state import State


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
    """Add up positions, working entries at their reference price, and intents without a verdict.

    An intent in the same batch whose verdict is still in line counts as a full position: it may
    become one, and the sum must hold even then.
    """
    entries = [ticket for ticket in desk.orders.values() if ticket.role is OrderRole.ENTRY]
    working = sum(
        ((t.quantity - t.filled_quantity) * t.reference_price for t in entries), start=ZERO
    )
    full_position = desk.account.equity_usd * to_decimal(limits.max_position_fraction)
    reserved_usd = working + full_position * len(state.pending)
    on_the_way = (*(t.symbol for t in entries), *(p.symbol for p in state.pending.values()))
    return Book(
        exposure_usd=desk.account.exposure_usd + reserved_usd,
        reserved_usd=reserved_usd,
        on_the_way=on_the_way,
        symbols=frozenset(desk.positions) | frozenset(on_the_way),
    )
