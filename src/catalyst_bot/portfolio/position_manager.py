"""Open positions to look at: what each is worth and what it made so far.

A thin reading of the ledger's positions; it keeps and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from catalyst_bot.domain.account import Position
from catalyst_bot.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class PositionManager:
    """Reads open positions by symbol; valued at their last prices."""

    positions: Mapping[str, Position]

    def __iter__(self) -> Iterator[Position]:
        return iter(self.positions.values())

    def __len__(self) -> int:
        return len(self.positions)

    def get(self, symbol: str) -> Position | None:
        """Return the position in the symbol, or None when it is not held."""
        return self.positions.get(symbol)

    @property
    def market_value_usd(self) -> Decimal:
        """What all positions would sell for at their last prices."""
        return sum((market_value_usd(p) for p in self), start=ZERO)

    @property
    def unrealised_usd(self) -> Decimal:
        """What all open shares gained since they were bought, before fees."""
        return sum((unrealised_usd(p) for p in self), start=ZERO)


def market_value_usd(position: Position) -> Decimal:
    """What the position would sell for at its last price."""
    return position.quantity * position.last_price


def unrealised_usd(position: Position) -> Decimal:
    """What the open shares gained since they were bought, before fees."""
    return position.quantity * (position.last_price - position.average_cost)


def unrealised_fraction(position: Position) -> float:
    """Gain of the open shares per dollar they cost."""
    return float(position.last_price / position.average_cost - 1)
