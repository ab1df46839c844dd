"""How each event changes the venue's memory. Nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.simulation import events as e
from catalyst_bot.simulation.stops import trailing_stop_price
from catalyst_bot.simulation.venue_account import SHARE_STEP
from catalyst_bot.simulation.venue_order import PricePoint, VenueOrder, VenueRole, VenueStatus
from catalyst_bot.simulation.venue_rules import LegRule
from catalyst_bot.simulation.venue_state import DayBase, VenueState

_LEG_ORIGINS = {VenueRole.STOP_LOSS: "sl", VenueRole.TAKE_PROFIT: "tp"}
_NOT_LIVE = frozenset({VenueStatus.ACCEPTED, VenueStatus.HELD})


def apply(state: VenueState, event: e.VenueEvent) -> None:
    """Change the state by one event, and show it to whoever watches."""
    _CHANGES[type(event)](state, event)
    if state.observer is not None:
        state.observer(event)


def _enter(state: VenueState, event: e.OrderEntered) -> None:
    if event.order_id in state.orders:
        raise InvariantViolated(f"order {event.order_id} entered twice")
    predecessor = None if event.replaces is None else _known(state, event.replaces)
    order = _new_order(state, event, predecessor)
    state.orders[order.order_id] = order
    state.id_by_client_id[order.client_order_id] = order.order_id
    state.seat(order)
    if predecessor is not None:
        state.take_place(predecessor, order)
        _adopt(state, predecessor, order)
    state.refresh(order)


def _new_order(
    state: VenueState, event: e.OrderEntered, predecessor: VenueOrder | None
) -> VenueOrder:
    request = event.request
    order = VenueOrder(
        order_id=event.order_id,
        client_order_id=request.client_order_id,
        request=request,
        role=event.role,
        group_id=event.group_id,
        parent_id=event.parent_id,
        leg_ids=event.leg_ids,
        position_intent=event.position_intent,
        side=request.side,
        kind=request.kind,
        symbol=request.symbol,
        time_in_force=request.time_in_force,
        extended_hours=request.extended_hours,
        quantity=request.quantity if request.quantity is not None else _estimate(event),
        reserve_price=event.reserve_price,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trail_price=request.trail_price,
        trail_percent=request.trail_percent,
        high_water_mark=event.high_water_mark,
        collar_price=event.collar_price,
        status=event.status,
        origin=_origin(state, event, predecessor),
        created_at=event.at,
        submitted_at=event.at,
        live_from=event.at,
        updated_at=event.at,
        told_at=event.at,
        expires_at=event.expires_at,
        is_live=event.status not in _NOT_LIVE,
        replaces=event.replaces,
    )
    if event.high_water_mark is not None:
        order.stop_price = trailing_stop_price(order, event.high_water_mark)
    _note_prices(order, event.at)
    return order


def _origin(state: VenueState, event: e.OrderEntered, predecessor: VenueOrder | None) -> str:
    """A leg is named after its entry, so that chance is the same whoever names the orders."""
    if predecessor is not None:
        return predecessor.origin
    if event.parent_id is None:
        return event.request.client_order_id
    return f"{_known(state, event.parent_id).origin}-{_LEG_ORIGINS[event.role]}"


def _estimate(event: e.OrderEntered) -> Decimal:
    notional_usd = event.request.notional_usd
    assert notional_usd is not None
    return (notional_usd / event.request.reference_price).quantize(SHARE_STEP, rounding=ROUND_DOWN)


def _adopt(state: VenueState, order: VenueOrder, successor: VenueOrder) -> None:
    """A successor goes on where its predecessor was: its time at the venue, its old prices."""
    order.replaced_by = successor.order_id
    successor.replacement_count = order.replacement_count + 1
    successor.is_live = order.is_live
    successor.live_from = order.live_from
    successor.told_at = order.told_at
    successor.execution_ids = set(order.execution_ids)
    successor.prices = [*order.prices, *successor.prices]
    for member_id in (order.parent_id, *order.leg_ids):
        member = state.orders.get(member_id or "")
        if member is None:
            continue
        if member.parent_id == order.order_id:
            member.parent_id = successor.order_id
        member.leg_ids = tuple(
            successor.order_id if leg_id == order.order_id else leg_id for leg_id in member.leg_ids
        )


def _activate(state: VenueState, event: e.OrderActivated) -> None:
    order = _known(state, event.order_id)
    if order.is_ended or order.is_live:
        return
    if order.parent_id is not None and event.quantity is not None:
        order.quantity = order.filled_quantity + event.quantity
        order.live_from = event.at
    order.is_live = True
    _set_status(state, order, VenueStatus.NEW, event.at)


def _arm(state: VenueState, event: e.LegArmed) -> None:
    order = _known(state, event.order_id)
    if order.is_ended or order.is_live:
        return
    order.quantity = event.quantity
    order.live_from = event.at
    order.is_live = True
    _set_status(state, order, order.status, event.at)


def _fill(state: VenueState, event: e.OrderFilled) -> None:
    order = _known(state, event.order_id)
    if event.execution_id in order.execution_ids:
        return
    order.execution_ids.add(event.execution_id)
    order.told_at = event.at
    order.filled_quantity += event.quantity
    order.filled_usd += event.quantity * event.price
    if order.is_notional:
        order.quantity = order.filled_quantity + event.leaves_quantity
    if not order.filled_quantity <= order.quantity:
        raise InvariantViolated(f"{order.client_order_id} is filled beyond its quantity")
    state.account.book(
        order.symbol,
        order.side,
        quantity=event.quantity,
        price=event.price,
        fee_usd=event.fee_usd,
    )
    order.is_live = True
    status = VenueStatus.PARTIALLY_FILLED
    if order.remaining == 0:
        status = VenueStatus.FILLED
        order.filled_at = event.filled_at
    elif order.status is VenueStatus.PENDING_CANCEL:
        status = VenueStatus.PENDING_CANCEL
    state.traded_for_entry(order, event.quantity)
    _set_status(state, order, status, event.at)
    if order.role is VenueRole.ENTRY:
        _grow_legs(state, order, event)
    elif order.group_id is not None:
        _shrink_sibling(state, order, event.quantity)


def _grow_legs(state: VenueState, entry: VenueOrder, event: e.OrderFilled) -> None:
    """Where legs begin with the first fill, they protect exactly what was entered so far."""
    if state.leg_rule is not LegRule.FIRST_FILL:
        return
    group = state.group_of(entry)
    for leg in group.legs:
        if leg.is_ended:
            continue
        if leg.is_live:
            leg.quantity += event.quantity
        else:
            leg.quantity = group.entered_quantity
            leg.live_from = event.filled_at
        state.refresh(leg)


def _shrink_sibling(state: VenueState, leg: VenueOrder, quantity: Decimal) -> None:
    sibling = state.group_of(leg).sibling(leg)
    if sibling is not None and sibling.is_open:
        sibling.quantity -= quantity
        state.refresh(sibling)


def _request_cancel(state: VenueState, event: e.CancelRequested) -> None:
    order = _known(state, event.order_id)
    order.cancel_requested_at = event.at
    _set_status(state, order, VenueStatus.PENDING_CANCEL, event.at)


def _cancel(state: VenueState, event: e.OrderCanceled) -> None:
    order = _known(state, event.order_id)
    if order.is_ended:
        return
    order.canceled_at = event.at
    order.reason = event.reason
    _set_status(state, order, VenueStatus.CANCELED, event.at)


def _expire(state: VenueState, event: e.OrderExpired) -> None:
    order = _known(state, event.order_id)
    if order.is_ended:
        return
    order.expired_at = event.at
    _set_status(state, order, VenueStatus.EXPIRED, event.at)


def _reject(state: VenueState, event: e.OrderRejected) -> None:
    order = _known(state, event.order_id)
    if order.is_ended:
        return
    order.failed_at = event.at
    order.reason = event.reason
    _set_status(state, order, VenueStatus.REJECTED, event.at)


def _replace(state: VenueState, event: e.OrderReplaced) -> None:
    """The order ends; its place among the open ones is kept for the successor that follows."""
    order = _known(state, event.order_id)
    order.replaced_at = event.at
    order.updated_at = event.at
    order.status = VenueStatus.REPLACED
    state.reservations.update(order)


def _trigger(state: VenueState, event: e.StopTriggered) -> None:
    order = _known(state, event.order_id)
    order.triggered_at = event.at
    status = VenueStatus.NEW if order.status is VenueStatus.HELD else order.status
    _set_status(state, order, status, event.at)


def _move_trail(state: VenueState, event: e.TrailMoved) -> None:
    """Only the last two prices are kept: no bar reaches further back than to the last one."""
    order = _known(state, event.order_id)
    order.high_water_mark = event.high_water_mark
    order.stop_price = event.stop_price
    order.prices = order.prices[-1:]
    _note_prices(order, event.at)


def _halt(state: VenueState, event: e.SymbolHalted) -> None:
    state.halted.add(event.symbol)


def _resume(state: VenueState, event: e.SymbolResumed) -> None:
    state.halted.discard(event.symbol)
    state.tradable_from[event.symbol] = event.at


def _split(state: VenueState, event: e.SplitApplied) -> None:
    state.account.split(event.symbol, event.shares_per_share, event.cash_in_lieu_usd)


def _rename(state: VenueState, event: e.SymbolRenamed) -> None:
    """Ended orders keep the name they had."""
    old, new = event.symbol, event.new_symbol
    state.account.rename(old, new)
    state.reservations.rename(old, new)
    if old in state.day.cost_usd:
        state.day.cost_usd[new] = state.day.cost_usd.pop(old)
    if old in state.halted:
        state.halted = (state.halted - {old}) | {new}
    if old in state.tradable_from:
        state.tradable_from[new] = state.tradable_from.pop(old)
    if old in state.open_ids:
        state.open_ids[new] = state.open_ids.pop(old)
    for order in state.orders.values():
        if order.symbol == old and not order.is_ended:
            order.symbol = new


def _roll_day(state: VenueState, event: e.DayRolled) -> None:
    state.day = DayBase(
        equity_usd=event.equity_usd,
        maintenance_margin_usd=event.maintenance_margin_usd,
        cost_usd={s: holding.cost_usd for s, holding in state.account.holdings.items()},
    )


def _set_status(state: VenueState, order: VenueOrder, status: VenueStatus, at: datetime) -> None:
    order.status = status
    order.updated_at = at
    state.refresh(order)


def _note_prices(order: VenueOrder, at: datetime) -> None:
    order.prices.append(
        PricePoint(since=at, limit_price=order.limit_price, stop_price=order.stop_price)
    )


def _known(state: VenueState, order_id: str) -> VenueOrder:
    order = state.orders.get(order_id)
    if order is None:
        raise InvariantViolated(f"an event about {order_id}, which the venue never accepted")
    return order


_CHANGES: dict[type, Callable[[VenueState, Any], None]] = {
    e.OrderEntered: _enter,
    e.OrderActivated: _activate,
    e.LegArmed: _arm,
    e.OrderFilled: _fill,
    e.CancelRequested: _request_cancel,
    e.OrderCanceled: _cancel,
    e.OrderExpired: _expire,
    e.OrderReplaced: _replace,
    e.OrderRejected: _reject,
    e.StopTriggered: _trigger,
    e.TrailMoved: _move_trail,
    e.SymbolHalted: _halt,
    e.SymbolResumed: _resume,
    e.SplitApplied: _split,
    e.SymbolRenamed: _rename,
    e.DayRolled: _roll_day,
}
