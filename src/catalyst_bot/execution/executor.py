"""The face of the execution stage: it works approved orders until they are done.

It sends market, limit and bracket orders once, moves limits after the quote, cancels in time and
settles what was cancelled; lets orders wait for halted symbols; sees to it that no position is
without a stop or a watch; and keeps our books equal to the broker's. Each of these is a module
with its own handlers; here they are joined.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import catalyst_bot.execution.books.decide as books_decide
import catalyst_bot.execution.books.evolve as books_evolve
import catalyst_bot.execution.guards.decide as guards_decide
import catalyst_bot.execution.guards.evolve as guards_evolve
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.execution import decide, evolve
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import State
from catalyst_bot.ports.desk import Desk

Decider = Callable[[State, Any, Desk, Rules], list[Message]]
Evolver = Callable[[State, Any, datetime], None]


def _all_deciders(handlers: tuple[Decider, ...]) -> Decider:
    def decide_all(state: State, message: Any, desk: Desk, rules: Rules) -> list[Message]:
        return [said for decide in handlers for said in decide(state, message, desk, rules)]

    return decide_all


def _all_evolvers(handlers: tuple[Evolver, ...]) -> Evolver:
    def evolve_all(state: State, message: Any, at: datetime) -> None:
        for remember in handlers:
            remember(state, message, at)

    return evolve_all


def _grouped(tables: tuple[Mapping[type, Any], ...]) -> dict[type, tuple[Any, ...]]:
    """Message type -> its handlers, in the order of the tables."""
    kinds = {kind: None for table in tables for kind in table}
    return {kind: tuple(table[kind] for table in tables if kind in table) for kind in kinds}


_DECIDERS = (decide.DECIDE, guards_decide.DECIDE, books_decide.DECIDE)
_EVOLVERS = (evolve.EVOLVE, guards_evolve.EVOLVE, books_evolve.EVOLVE)


class OrderExecutor:
    """What the stage decides on, and what it remembers, by type of message."""

    DECIDE: Mapping[type, Decider] = {
        kind: handlers[0] if len(handlers) == 1 else _all_deciders(handlers)
        for kind, handlers in _grouped(_DECIDERS).items()
    }
    EVOLVE: Mapping[type, Evolver] = {
        kind: handlers[0] if len(handlers) == 1 else _all_evolvers(handlers)
        for kind, handlers in _grouped(_EVOLVERS).items()
    }
