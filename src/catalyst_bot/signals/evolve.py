"""Remember who waits, whom to avoid, and what is halted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from catalyst_bot.domain.enums import CategoryAction
from catalyst_bot.domain.messages.decisions import CatalystDetected, SignalDropped, SignalFormed
from catalyst_bot.domain.messages.facts import (
    OperatorTradeRequested,
    SymbolHalted,
    SymbolRenamed,
    SymbolResumed,
)
from catalyst_bot.signals.state import State

MAX_REQUESTS = 1_000


def remember_catalyst(state: State, message: CatalystDetected, at: datetime) -> None:
    """The catalyst waits; one of an AVOID or CLOSE category closes its symbol for a while."""
    catalyst = message.catalyst
    state.waiting[catalyst.catalyst_id] = catalyst
    if catalyst.action is not CategoryAction.TRADE:
        until = at + timedelta(seconds=catalyst.horizon_s)
        state.avoid_until[catalyst.symbol] = max(
            until, state.avoid_until.get(catalyst.symbol, until)
        )


def forget_formed(state: State, message: SignalFormed, at: datetime) -> None:
    """The catalyst became a signal and waits no more."""
    state.waiting.pop(message.signal.catalyst.catalyst_id, None)


def forget_dropped(state: State, message: SignalDropped, at: datetime) -> None:
    """The catalyst was dropped and waits no more."""
    state.waiting.pop(message.catalyst_id, None)


def halt_symbol(state: State, message: SymbolHalted, at: datetime) -> None:
    """The exchange halted the symbol."""
    state.halted.add(message.symbol)


def resume_symbol(state: State, message: SymbolResumed, at: datetime) -> None:
    """The symbol trades again."""
    state.halted.discard(message.symbol)


def note_request(state: State, message: OperatorTradeRequested, at: datetime) -> None:
    """The same request is answered once."""
    state.requests[message.request_id] = None
    while len(state.requests) > MAX_REQUESTS:
        del state.requests[next(iter(state.requests))]


def rename_symbol(state: State, message: SymbolRenamed, at: datetime) -> None:
    """Whom to avoid, and what is halted, goes on under the new symbol."""
    old, new = message.symbol, message.new_symbol
    if old in state.avoid_until:
        state.avoid_until[new] = state.avoid_until.pop(old)
    if old in state.halted:
        state.halted.remove(old)
        state.halted.add(new)


EVOLVE: dict[type, Callable[[State, Any, datetime], None]] = {
    CatalystDetected: remember_catalyst,
    SignalFormed: forget_formed,
    SignalDropped: forget_dropped,
    OperatorTradeRequested: note_request,
    SymbolRenamed: rename_symbol,
    SymbolHalted: halt_symbol,
    SymbolResumed: resume_symbol,
}
