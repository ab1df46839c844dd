"""Who names orders: the face of the venue, not the engine."""

from __future__ import annotations

from typing import Protocol

from catalyst_bot.simulation.order_request import OrderRequest
from catalyst_bot.simulation.venue_order import VenueOrder, VenueRole


class OrderNames(Protocol):
    """Gives ids. A pure function of its arguments, or remembered by the events that carry it."""

    def order_id(self, client_order_id: str) -> str:
        """Return the venue's id of an order that was just taken."""
        ...

    def leg(self, entry: OrderRequest, role: VenueRole) -> tuple[str, str]:
        """Return client order id and order id of a leg."""
        ...

    def successor(self, order: VenueOrder, count: int) -> tuple[str, str]:
        """Return client order id and order id of the `count`-th replacement of an order."""
        ...
