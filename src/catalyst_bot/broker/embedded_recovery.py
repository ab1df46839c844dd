"""The facts of the bot's journal as the events of the embedded venue they came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalyst_bot.broker.embedded_orders import OrderMemory, Rejection, request_of
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import ApprovedOrder
from catalyst_bot.simulation import events as e
from catalyst_bot.simulation.matching_engine import MatchingEngine
from catalyst_bot.simulation.order_request import OrderChanges
from catalyst_bot.simulation.stops import waits_for_stop
from catalyst_bot.simulation.venue_order import VenueOrder


def apply(engine: MatchingEngine, memory: OrderMemory, message: Message) -> None:
    """Change the venue by one recorded message; what is no business of a venue is ignored."""
    change = _CHANGES.get(type(message))
    if change is not None:
        change(engine, memory, message)


def _promise(_: MatchingEngine, memory: OrderMemory, message: SubmitOrder) -> None:
    order_id = message.order.client_order_id
    if order_id not in memory.approved and order_id not in memory.refused:
        memory.promised[order_id] = message.order


def _break_promise(_: MatchingEngine, memory: OrderMemory, message: f.SubmitSuppressed) -> None:
    memory.promised.pop(message.client_order_id, None)


def _accept(engine: MatchingEngine, memory: OrderMemory, message: f.OrderAccepted) -> None:
    """An order entered the venue, or a leg began; a repeated answer changes nothing."""
    known = engine.state.by_client_id(message.client_order_id)
    if known is not None:
        if not known.is_live:
            engine.apply(e.OrderActivated(at=message.at, order_id=known.order_id))
        return
    order = _kept_promise(memory, message.client_order_id)
    events = engine.taken_in(request_of(order), max(order.approved_at, message.at))
    for event in events:
        engine.apply(event)
    memory.remember(order, events)


def _reject(_: MatchingEngine, memory: OrderMemory, message: f.OrderRejected) -> None:
    order_id = message.client_order_id
    if order_id in memory.refused or order_id in memory.approved:
        return
    order = _kept_promise(memory, order_id)
    memory.refused[order_id] = Rejection(order=order, reason=message.reason, at=message.at)


def _fill(engine: MatchingEngine, _: OrderMemory, message: f.OrderFilled) -> None:
    """A fill of a stop tells that it was triggered, too."""
    fill = message.fill
    order = _known(engine, fill.client_order_id)
    if fill.fill_id in order.execution_ids:
        return
    if waits_for_stop(order):
        engine.apply(e.StopTriggered(at=message.at, order_id=order.order_id))
    engine.apply(
        e.OrderFilled(
            at=message.at,
            order_id=order.order_id,
            execution_id=fill.fill_id,
            quantity=fill.quantity,
            price=fill.price,
            fee_usd=fill.fee_usd,
            filled_at=fill.filled_at,
            leaves_quantity=order.remaining - fill.quantity,
        )
    )


def _cancel(engine: MatchingEngine, _: OrderMemory, message: f.OrderCancelled) -> None:
    order = _known(engine, message.client_order_id)
    engine.apply(e.OrderCanceled(at=message.at, order_id=order.order_id, reason=message.reason))


def _expire(engine: MatchingEngine, _: OrderMemory, message: f.OrderExpired) -> None:
    order = _known(engine, message.client_order_id)
    engine.apply(e.OrderExpired(at=message.at, order_id=order.order_id))


def _replace(engine: MatchingEngine, _: OrderMemory, message: f.OrderReplaced) -> None:
    order = _known(engine, message.client_order_id)
    changes = OrderChanges(stop_price=message.stop_price, limit_price=message.limit_price)
    for event in engine.successor_of(order, changes, message.at):
        engine.apply(event)


def _halt(engine: MatchingEngine, _: OrderMemory, message: f.SymbolHalted) -> None:
    engine.halt(message.symbol, message.at)


def _resume(engine: MatchingEngine, _: OrderMemory, message: f.SymbolResumed) -> None:
    engine.resume(message.symbol, message.at)


def _known(engine: MatchingEngine, client_order_id: str) -> VenueOrder:
    order = engine.state.by_client_id(client_order_id)
    if order is None:
        raise InvariantViolated(f"a fact about {client_order_id}, which the venue never accepted")
    return order


def _kept_promise(memory: OrderMemory, client_order_id: str) -> ApprovedOrder:
    order = memory.promised.pop(client_order_id, None)
    if order is None:
        raise InvariantViolated(f"an answer to {client_order_id}, which nobody submitted")
    return order


_CHANGES: dict[type, Callable[[MatchingEngine, OrderMemory, Any], None]] = {
    SubmitOrder: _promise,
    f.SubmitSuppressed: _break_promise,
    f.OrderAccepted: _accept,
    f.OrderRejected: _reject,
    f.OrderFilled: _fill,
    f.OrderCancelled: _cancel,
    f.OrderExpired: _expire,
    f.OrderReplaced: _replace,
    f.SymbolHalted: _halt,
    f.SymbolResumed: _resume,
}
