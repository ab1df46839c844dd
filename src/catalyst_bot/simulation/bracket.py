"""An entry with its protective legs: what must follow from where the three of them stand.

The rules look only at the state, never at what just happened. So a venue that died between a
fill and its consequences finds the missing ones when it is rebuilt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from catalyst_bot.domain.messages.facts import OrderAccepted, OrderCancelled
from catalyst_bot.domain.trading import stop_leg_id, target_leg_id
from catalyst_bot.simulation.price_window import Phase, PriceWindow
from catalyst_bot.simulation.venue_order import VenueOrder, venue_order_id

ONE_CANCELS_OTHER = "one cancels other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """An entry and the legs it has, if any."""

    entry: VenueOrder
    stop: VenueOrder | None
    target: VenueOrder | None

    @property
    def legs(self) -> tuple[VenueOrder, ...]:
        return tuple(leg for leg in (self.stop, self.target) if leg is not None)

    def sibling(self, leg: VenueOrder) -> VenueOrder | None:
        """Return the other leg."""
        return self.target if leg is self.stop else self.stop


def bracket_of(order: VenueOrder, orders: Mapping[str, VenueOrder]) -> Bracket:
    """Return the bracket an entry or leg belongs to; an order without legs is one of its own."""
    entry_id = order.order.client_order_id
    return Bracket(
        entry=orders[entry_id],
        stop=orders.get(stop_leg_id(entry_id)),
        target=orders.get(target_leg_id(entry_id)),
    )


def next_consequence(bracket: Bracket, at: datetime) -> OrderAccepted | OrderCancelled | None:
    """Return the first fact that is due and not yet recorded, or None when all is settled.

    Legs are announced when the entry first fills. A triggered stop cancels the target: the rest
    of the stop is a market order then. A finished target cancels the stop, and a leg that was
    cancelled by hand takes the other with it. Once an exit began nothing more is bought.
    """
    entry, stop, target = bracket.entry, bracket.stop, bracket.target
    for leg in bracket.legs:
        if leg.is_open and not leg.is_acknowledged:
            return OrderAccepted(
                at=at,
                client_order_id=leg.client_order_id,
                broker_order_id=venue_order_id(leg.client_order_id),
            )
    if stop and target:
        if target.is_open and (stop.filled_quantity > 0 or stop.is_finished):
            return _cancelled(target, at)
        if stop.is_open and stop.filled_quantity == 0 and target.is_finished:
            return _cancelled(stop, at)
    if entry.is_open and any(leg.filled_quantity > 0 or leg.is_finished for leg in bracket.legs):
        return _cancelled(entry, at)
    return None


def leg_may_fill(leg: VenueOrder, bracket: Bracket, window: PriceWindow) -> bool:
    """Tell whether the prices of `window` came when the leg was live.

    An entry that filled at the open leaves the rest of the bar to both legs. One that filled on
    the way down to its limit met its stop only afterwards, so the stop counts; the high may have
    come before, so the target does not.
    """
    entry, opened_at = bracket.entry, window.opened_at
    if window.phase is Phase.OPEN:
        return leg.live_from <= opened_at and not entry.filled_in(opened_at, Phase.OPEN)
    if entry.filled_in(opened_at, Phase.RANGE):
        return leg is bracket.stop
    return leg.live_from < window.ends_at


def _cancelled(order: VenueOrder, at: datetime) -> OrderCancelled:
    return OrderCancelled(at=at, client_order_id=order.client_order_id, reason=ONE_CANCELS_OTHER)
