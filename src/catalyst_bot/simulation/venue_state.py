"""The venue's memory.

It changes only by events (see `event_effects`): the living venue by those it returns, a rebuilt
one by the same from the record. So both are the same by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.money import ZERO
from catalyst_bot.simulation.events import VenueEvent
from catalyst_bot.simulation.group import Group, GroupIds
from catalyst_bot.simulation.reservations import Reservations
from catalyst_bot.simulation.venue_account import VenueAccount
from catalyst_bot.simulation.venue_order import VenueOrder, VenueRole
from catalyst_bot.simulation.venue_rules import LegRule


@dataclass(slots=True, kw_only=True)
class DayBase:
    """What the account was worth when its last day ended, and what each holding had cost."""

    equity_usd: Decimal
    maintenance_margin_usd: Decimal = ZERO
    cost_usd: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class VenueState:
    """Everything the venue knows.

    `orders` holds ended ones too, by order id; `id_by_client_id` names the latest order of each
    client order id. `open_ids` are the open ones by symbol. `tradable_from` is when a symbol's
    last halt ended. `observer` is shown each event when the state has changed by it.
    """

    account: VenueAccount
    day: DayBase
    leg_rule: LegRule
    orders: dict[str, VenueOrder] = field(default_factory=dict)
    id_by_client_id: dict[str, str] = field(default_factory=dict)
    groups: dict[str, GroupIds] = field(default_factory=dict)
    open_ids: dict[str, dict[str, None]] = field(default_factory=dict)
    reservations: Reservations = field(default_factory=Reservations)
    places_given: int = 0
    halted: set[str] = field(default_factory=set)
    tradable_from: dict[str, datetime] = field(default_factory=dict)
    observer: Callable[[VenueEvent], None] | None = field(default=None, compare=False, repr=False)

    def by_client_id(self, client_order_id: str) -> VenueOrder | None:
        """Return the latest order of a client order id."""
        order_id = self.id_by_client_id.get(client_order_id)
        return self.orders[order_id] if order_id is not None else None

    def open_orders(self, symbol: str) -> list[VenueOrder]:
        """Return the open orders of a symbol, oldest first."""
        return [self.orders[order_id] for order_id in self.open_ids.get(symbol, ())]

    def all_open_orders(self) -> list[VenueOrder]:
        """Return every open order."""
        return [order for symbol in self.open_ids for order in self.open_orders(symbol)]

    def group_of(self, order: VenueOrder) -> Group:
        """Return the group an order belongs to; a simple order is a group of its own."""
        if order.group_id is None:
            return Group(entry=order, stop=None, target=None)
        ids = self.groups[order.group_id]
        return Group(
            entry=self._member(ids.entry_id),
            stop=self._member(ids.stop_id),
            target=self._member(ids.target_id),
            entered_quantity=ids.entered_quantity,
        )

    def available_shares(self, symbol: str) -> Decimal:
        """Return how many shares of a position no open order holds (of a short one: owes)."""
        held = abs(self.account.held(symbol))
        return held - self.reservations.shares.get(symbol, ZERO)

    def coverable_shares(self, order: VenueOrder) -> Decimal:
        """Return how many shares are available to the group of an order, its own included."""
        return self.available_shares(order.symbol) + self.reservations.group_shares(order)

    def refresh(self, order: VenueOrder) -> None:
        """Keep `open_ids` and the reservations in step with an order that changed."""
        if order.is_open:
            of_symbol = self.open_ids.setdefault(order.symbol, {})
            if order.order_id not in of_symbol:
                of_symbol[order.order_id] = None
                if not order.place:
                    self.places_given += 1
                    order.place = self.places_given
        else:
            self._close(order)
        self.reservations.update(order)

    def take_place(self, order: VenueOrder, successor: VenueOrder) -> None:
        """Let a successor stand where the order stood among the open ones."""
        successor.place = order.place
        of_symbol = self.open_ids.get(order.symbol, {})
        if order.order_id in of_symbol:
            ids = [successor.order_id if i == order.order_id else i for i in of_symbol]
            self.open_ids[order.symbol] = dict.fromkeys(ids)

    def seat(self, order: VenueOrder) -> None:
        """Make an order the present member of its group in its role."""
        if order.group_id is None:
            return
        group = self.groups.setdefault(order.group_id, GroupIds())
        group.seat(order.role, order.order_id)

    def traded_for_entry(self, order: VenueOrder, quantity: Decimal) -> None:
        """Count what the entry of a group has traded."""
        if order.group_id is not None and order.role is VenueRole.ENTRY:
            self.groups[order.group_id].entered_quantity += quantity

    def _close(self, order: VenueOrder) -> None:
        of_symbol = self.open_ids.get(order.symbol)
        if of_symbol is not None:
            of_symbol.pop(order.order_id, None)
            if not of_symbol:
                del self.open_ids[order.symbol]

    def _member(self, order_id: str | None) -> VenueOrder | None:
        return self.orders[order_id] if order_id is not None else None
