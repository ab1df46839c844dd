"""Orders of which one ends the other: what must follow from where they stand.

The rules look only at the state, never at what just happened. So a venue that died between a
fill and its consequences finds the missing ones when it is rebuilt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalyst_bot.domain.money import ZERO
from catalyst_bot.simulation.events import LegArmed, OrderActivated, OrderCanceled, OrderEvent
from catalyst_bot.simulation.order_request import OrderClass
from catalyst_bot.simulation.price_window import Phase, PriceWindow
from catalyst_bot.simulation.venue_order import VenueOrder, VenueRole, VenueStatus
from catalyst_bot.simulation.venue_rules import LegRule

ONE_CANCELS_OTHER = "one cancels other"
ENTRY_ENDED = "the entry ended"


@dataclass(slots=True, kw_only=True)
class GroupIds:
    """The present members of a group, and how many shares its entry has traded so far."""

    entry_id: str | None = None
    stop_id: str | None = None
    target_id: str | None = None
    entered_quantity: Decimal = ZERO

    def seat(self, role: VenueRole, order_id: str) -> None:
        """Make an order the present member in its role."""
        match role:
            case VenueRole.ENTRY:
                self.entry_id = order_id
            case VenueRole.STOP_LOSS:
                self.stop_id = order_id
            case VenueRole.TAKE_PROFIT:
                self.target_id = order_id
            case VenueRole.SIMPLE:
                raise AssertionError("a simple order has no group")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The members themselves; a simple order is a group of its own."""

    entry: VenueOrder | None
    stop: VenueOrder | None
    target: VenueOrder | None
    entered_quantity: Decimal = ZERO

    @property
    def legs(self) -> tuple[VenueOrder, ...]:
        """The exits, stop first."""
        return tuple(leg for leg in (self.stop, self.target) if leg is not None)

    @property
    def members(self) -> tuple[VenueOrder, ...]:
        return (self.entry, *self.legs) if self.entry else self.legs

    def sibling(self, leg: VenueOrder) -> VenueOrder | None:
        """Return the other exit."""
        return self.target if leg is self.stop else self.stop


def follows_entry(order: VenueOrder) -> bool:
    """Tell whether the order waits at the venue for an entry to fill."""
    return order.parent_id is not None and order.request.order_class is not OrderClass.OCO


def next_consequence(
    group: Group, at: datetime, *, rule: LegRule, coverable: Decimal
) -> OrderEvent | None:
    """Return the first event that is due and not yet recorded, or None when all is settled.

    A triggered stop ends the target, a finished target ends the stop, and a leg that was
    cancelled by hand takes the other with it. Once an exit began nothing more is entered.
    `coverable` is how many shares of the position no other order holds.
    """
    return (
        _leg_that_begins(group, at, rule=rule, coverable=coverable)
        or _leg_in_vain(group, rule)
        or _exit_that_ends(group, at)
        or _entry_that_ends(group, at)
    )


def _leg_that_begins(
    group: Group, at: datetime, *, rule: LegRule, coverable: Decimal
) -> OrderEvent | None:
    waiting = [leg for leg in group.legs if not leg.is_open and not leg.is_ended]
    if not waiting or not _may_begin(group, rule):
        return None
    leg = waiting[0] if rule is LegRule.FIRST_FILL else waiting[-1]  # at Alpaca the target first
    if rule is LegRule.FIRST_FILL and group.entry is not None:
        return OrderActivated(at=at, order_id=leg.order_id)
    size = group.entered_quantity if group.entry else leg.quantity
    size = min(size, coverable)
    if not size > 0:
        return OrderCanceled(at=at, order_id=leg.order_id, reason="no shares to protect")
    if rule is LegRule.COMPLETE_FILL and leg is group.stop and group.target is not None:
        return LegArmed(at=at, order_id=leg.order_id, quantity=size)
    return OrderActivated(at=at, order_id=leg.order_id, quantity=size)


def _may_begin(group: Group, rule: LegRule) -> bool:
    if group.entry is None:  # one cancels other: the stop begins with the target
        target = group.target
        return target is not None and target.is_live and not target.is_ended
    if rule is LegRule.FIRST_FILL:
        return group.entered_quantity > 0
    return group.entry.status is VenueStatus.FILLED


def _exit_that_ends(group: Group, at: datetime) -> OrderEvent | None:
    stop, target = group.stop, group.target
    if stop is None or target is None:
        return None
    stop_began = stop.triggered_at is not None or stop.filled_quantity > 0
    if not target.is_ended and (stop_began or stop.is_ended):
        return _canceled(target, at, ONE_CANCELS_OTHER)
    if not stop.is_ended and not stop_began and target.is_ended:
        return _canceled(stop, at, ONE_CANCELS_OTHER)
    return None


def _entry_that_ends(group: Group, at: datetime) -> OrderEvent | None:
    entry = group.entry
    if entry is None or entry.is_ended:
        return None
    if any(leg.filled_quantity > 0 or leg.is_ended for leg in group.legs):
        return _canceled(entry, at, ONE_CANCELS_OTHER)
    return None


def _leg_in_vain(group: Group, rule: LegRule) -> OrderEvent | None:
    """A leg that can never begin ends when its entry did, also in a venue rebuilt later."""
    entry = group.entry
    if entry is None or not entry.is_ended or _may_begin(group, rule):
        return None
    for leg in group.legs:
        if not leg.is_ended and not leg.is_live:
            return _canceled(leg, entry.updated_at, ENTRY_ENDED)
    return None


def _canceled(order: VenueOrder, at: datetime, reason: str) -> OrderCanceled:
    return OrderCanceled(at=at, order_id=order.order_id, reason=reason)


def leg_may_fill(leg: VenueOrder, group: Group, window: PriceWindow) -> bool:
    """Tell whether the prices of `window` came when the leg was live.

    An entry that filled at the open leaves the rest of the bar to both legs. One that filled on
    the way down to its limit met its stop only afterwards, so the stop counts; the high may have
    come before, so the target does not.
    """
    entry, opened_at = group.entry, window.opened_at
    assert entry is not None
    if window.phase is not Phase.RANGE:
        return leg.live_from <= opened_at and not entry.filled_in(opened_at, window.phase)
    if entry.filled_in(opened_at, Phase.RANGE):
        return leg is group.stop
    return leg.live_from < window.ends_at
