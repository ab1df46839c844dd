"""Money and shares that open orders hold, as running sums.

Sums instead of a walk over all orders: an account may have hundreds of them. An order that opens
a position holds money; one that closes a position holds shares, and of a group only the member
that needs most does, because only one of them will be executed in full.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from catalyst_bot.domain.money import ZERO
from catalyst_bot.simulation.venue_order import VenueOrder


@dataclass(slots=True, kw_only=True)
class Reservations:
    """What is held now. Zero entries are dropped, so equal books compare equal."""

    usd: Decimal = ZERO
    shares: dict[str, Decimal] = field(default_factory=dict)
    usd_of: dict[str, Decimal] = field(default_factory=dict)
    shares_of: dict[str, dict[str, Decimal]] = field(default_factory=dict)

    def update(self, order: VenueOrder) -> None:
        """Count an order as it now stands."""
        remaining = order.remaining if order.is_open else ZERO
        if order.position_intent.is_closing:
            self._hold_shares(order, remaining)
        else:
            self._hold_usd(order, remaining * order.reserve_price)

    def group_shares(self, order: VenueOrder) -> Decimal:
        """Return what the order and its group hold together."""
        return max(self.shares_of.get(_holder(order), {}).values(), default=ZERO)

    def rename(self, symbol: str, new_symbol: str) -> None:
        """Carry the shares of a symbol over to its new name."""
        held = self.shares.pop(symbol, None)
        if held is not None:
            self.shares[new_symbol] = held

    def _hold_usd(self, order: VenueOrder, amount_usd: Decimal) -> None:
        before = self.usd_of.pop(order.order_id, ZERO)
        self.usd += amount_usd - before
        if amount_usd:
            self.usd_of[order.order_id] = amount_usd

    def _hold_shares(self, order: VenueOrder, quantity: Decimal) -> None:
        before = self.group_shares(order)
        holder = _holder(order)
        members = self.shares_of.setdefault(holder, {})
        if quantity:
            members[order.order_id] = quantity
        else:
            members.pop(order.order_id, None)
            if not members:
                del self.shares_of[holder]
        total = self.shares.get(order.symbol, ZERO) + self.group_shares(order) - before
        if total:
            self.shares[order.symbol] = total
        else:
            self.shares.pop(order.symbol, None)


def _holder(order: VenueOrder) -> str:
    return order.group_id or order.order_id
