"""Recording events: each changes the state, and brings what follows from it for its group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalyst_bot.simulation import event_effects
from catalyst_bot.simulation.events import OrderEvent, VenueEvent
from catalyst_bot.simulation.group import next_consequence
from catalyst_bot.simulation.venue_order import VenueOrder
from catalyst_bot.simulation.venue_state import VenueState


@dataclass(frozen=True, slots=True)
class Recorder:
    """The one place where a living venue changes its state."""

    state: VenueState

    def record(self, *events: OrderEvent) -> list[VenueEvent]:
        """Change the state by events of one order and return them with all that follows."""
        for event in events:
            event_effects.apply(self.state, event)
        last = events[-1]
        return [*events, *self.consequences(self.state.orders[last.order_id], last.at)]

    def record_apart(self, events: list[OrderEvent]) -> list[VenueEvent]:
        """Record events of many orders at once, and only then what follows from them."""
        for event in events:
            event_effects.apply(self.state, event)
        recorded: list[VenueEvent] = list(events)
        for event in events:
            recorded += self.consequences(self.state.orders[event.order_id], event.at)
        return recorded

    def consequences(self, order: VenueOrder, at: datetime) -> list[VenueEvent]:
        """Record and return what is due in the order's group."""
        events: list[VenueEvent] = []
        if order.group_id is None:
            return events
        group = self.state.group_of(order)
        while True:
            event = next_consequence(
                group,
                at,
                rule=self.state.leg_rule,
                coverable=self.state.coverable_shares(order),
            )
            if event is None:
                return events
            event_effects.apply(self.state, event)
            events.append(event)

    def not_before(self, order: VenueOrder, at: datetime) -> datetime:
        """Return `at`, or the later time of a fill of the same group that is still under way.

        So events of one group are recorded in the order in which they happened at the venue.
        """
        if order.group_id is None:
            return max(at, order.told_at)
        return max(at, *(member.told_at for member in self.state.group_of(order).members))
