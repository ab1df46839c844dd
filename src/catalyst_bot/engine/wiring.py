"""Who decides on what, and who remembers what: the whole program at a glance.

Each stage lists its own handlers (`DECIDE`, `EVOLVE`); this module only joins them, in the order
of the pipeline. `docs/reference/wiring.md` is written from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import catalyst_bot.detection.decide as detection_decide
import catalyst_bot.detection.evolve as detection_evolve
import catalyst_bot.risk.decide as risk_decide
import catalyst_bot.risk.evolve as risk_evolve
import catalyst_bot.signals.decide as signals_decide
import catalyst_bot.signals.evolve as signals_evolve
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.engine.signal_router import SignalRouter
from catalyst_bot.engine.state import EngineState
from catalyst_bot.execution.executor import OrderExecutor
from catalyst_bot.portfolio.manager import PositionManager
from catalyst_bot.ports.desk import Desk

Decider = Callable[[EngineState, Any, Desk, EngineRules], list[Message]]
Evolver = Callable[[EngineState, Any, datetime], None]
StageDecider = Callable[[Any, Any, Desk, Any], list[Message]]
StageEvolver = Callable[[Any, Any, datetime], None]

STAGES: tuple[str, ...] = ("detection", "signals", "inference", "risk", "execution", "portfolio")

_DECIDE: dict[str, Mapping[type, StageDecider]] = {
    "detection": detection_decide.DECIDE,
    "signals": signals_decide.DECIDE,
    "risk": risk_decide.DECIDE,
    "execution": OrderExecutor.DECIDE,
    "portfolio": PositionManager.DECIDE,
}
_EVOLVE: dict[str, Mapping[type, StageEvolver]] = {
    "detection": detection_evolve.EVOLVE,
    "signals": signals_evolve.EVOLVE,
    "risk": risk_evolve.EVOLVE,
    "execution": OrderExecutor.EVOLVE,
    "portfolio": PositionManager.EVOLVE,
}


def _bind_decider(stage: str, handler: StageDecider) -> Decider:
    """Give a stage's handler its own state and rules, and nothing else of the engine's."""

    def decide(state: EngineState, message: Any, desk: Desk, rules: EngineRules) -> list[Message]:
        return handler(getattr(state, stage), message, desk, getattr(rules, stage, None))

    return decide


def _bind_evolver(stage: str, handler: StageEvolver) -> Evolver:
    def evolve(state: EngineState, message: Any, at: datetime) -> None:
        handler(getattr(state, stage), message, at)

    return evolve


def _bind_inference(handler: Callable[[Any, Desk, EngineRules], list[Message]]) -> Decider:
    def decide(_state: EngineState, message: Any, desk: Desk, rules: EngineRules) -> list[Message]:
        return handler(message, desk, rules)

    return decide


def deciders() -> dict[type, tuple[Decider, ...]]:
    """Message type -> handlers that decide on it, in pipeline order."""
    table: dict[type, list[Decider]] = {}
    for stage in STAGES:
        for message_type, handler in _DECIDE.get(stage, {}).items():
            table.setdefault(message_type, []).append(_bind_decider(stage, handler))
        if stage == "inference":
            for message_type, inferrer in SignalRouter.DECIDE.items():
                table.setdefault(message_type, []).append(_bind_inference(inferrer))
    return {message_type: tuple(handlers) for message_type, handlers in table.items()}


def evolvers() -> dict[type, tuple[Evolver, ...]]:
    """Message type -> handlers that remember it, in pipeline order."""
    table: dict[type, list[Evolver]] = {}
    for stage in STAGES:
        for message_type, handler in _EVOLVE.get(stage, {}).items():
            table.setdefault(message_type, []).append(_bind_evolver(stage, handler))
    return {message_type: tuple(handlers) for message_type, handlers in table.items()}


def overview() -> list[tuple[str, list[str], list[str]]]:
    """Rows (message, stages that decide, stages that remember), for the reference page."""
    decide = {stage: {kind.__name__ for kind in table} for stage, table in _DECIDE.items()}
    decide["inference"] = {kind.__name__ for kind in SignalRouter.DECIDE}
    evolve = {stage: {kind.__name__ for kind in table} for stage, table in _EVOLVE.items()}
    return [
        (
            name,
            [stage for stage in STAGES if name in decide.get(stage, set())],
            [stage for stage in STAGES if name in evolve.get(stage, set())],
        )
        for name in sorted(set().union(*decide.values(), *evolve.values()))
    ]
