"""While the exchange halts a symbol, orders for it wait here and go out when it trades again.

An exit goes at once then: it has to get out. An entry waits for the first price after the halt:
after news nothing is where it was, so it is sent only while that price is near the one it was
sized at, and only so long.
"""

from __future__ import annotations

from datetime import timedelta

from catalyst_bot.domain.enums import OrderRole, SessionPhase, TradingState
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.messages.commands import SetTimer, UnwatchSymbol, WatchSymbol
from catalyst_bot.domain.messages.decisions import OrderQueued, OrderWithdrawn
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import ApprovedOrder
from catalyst_bot.execution.hours import phase_now
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import Queued, State
from catalyst_bot.execution.working import NOT_COMPARED, send, withdrawn
from catalyst_bot.ports.desk import Desk

QUEUE = "queue:"


def queue(order: ApprovedOrder, desk: Desk) -> list[Message]:
    """Let an order wait; an entry only as long as it would have had to fill."""
    waits: list[Message] = [OrderQueued(order=order, reason="halted by the exchange")]
    if order.role is OrderRole.ENTRY:
        due_at = desk.now + timedelta(seconds=order.cancel_after_s)
        waits.append(SetTimer(timer_id=f"{QUEUE}{order.client_order_id}", due_at=due_at))
        waits.append(WatchSymbol(symbol=order.symbol))
    return waits


def on_queue_timer(state: State, order_id: str) -> list[Message]:
    """An entry waited too long."""
    waiting = state.queued.get(order_id)
    return [withdrawn(waiting.order, "the halt outlasted it")] if waiting is not None else []


def stop_watching(state: State, message: OrderWithdrawn, desk: Desk) -> list[Message]:
    """Prices of an entry that waited in vain are not needed any more."""
    waiting = state.queued.get(message.client_order_id)
    is_entry = waiting is not None and waiting.order.role is OrderRole.ENTRY
    is_needed = message.symbol in desk.positions or not is_entry
    return [] if is_needed else [UnwatchSymbol(symbol=message.symbol)]


def send_exits(state: State, symbol: str, desk: Desk, rules: Rules) -> list[Message]:
    """Send the exits that waited; entries wait for a price."""
    return [
        outcome
        for waiting in _of(state, symbol)
        if waiting.order.role is OrderRole.EXIT
        for outcome in _send_exit(state, waiting.order, desk, rules)
    ]


def _send_exit(state: State, order: ApprovedOrder, desk: Desk, rules: Rules) -> list[Message]:
    is_held = any(p.trade_id == order.trade_id for p in desk.positions.values())
    return send(state, order, desk, rules) if is_held else [withdrawn(order, "nothing is held")]


def on_bar(state: State, bar: Bar, desk: Desk, rules: Rules) -> list[Message]:
    """A bar decides on the entries that waited when it began after the halt."""
    is_after = [q for q in _of(state, bar.symbol) if q.resumed_at and bar.opened_at >= q.resumed_at]
    return on_price(state, bar.symbol, bar.close, desk, rules) if is_after else []


def on_price(state: State, symbol: str, price: float, desk: Desk, rules: Rules) -> list[Message]:
    """The first price after a halt decides on the entries that waited for it."""
    return [
        outcome
        for waiting in _of(state, symbol)
        if waiting.order.role is OrderRole.ENTRY and waiting.resumed_at is not None
        for outcome in _judge(state, waiting, price, desk, rules)
    ]


def _judge(state: State, waiting: Queued, price: float, desk: Desk, rules: Rules) -> list[Message]:
    """Send an entry that is still worth sending, withdraw any other."""
    order = waiting.order
    moved = abs(price / float(order.reference_price) - 1)
    phase = phase_now(desk)
    is_open = phase is SessionPhase.REGULAR or (
        order.extended_hours and phase is not SessionPhase.CLOSED
    )
    reasons = (
        (not state.books.holds(order.symbol), NOT_COMPARED),
        (desk.trading_state is TradingState.ACTIVE, "trading is not active"),
        (is_open, "the session is over"),
        (moved <= rules.price_collar_fraction, f"the price moved {moved:.1%} in the halt"),
    )
    against = next((why for is_good, why in reasons if not is_good), None)
    return [withdrawn(order, against)] if against else send(state, order, desk, rules)


def _of(state: State, symbol: str) -> list[Queued]:
    return [waiting for waiting in state.queued.values() if waiting.order.symbol == symbol]
