"""The face of inference: from an alert to what is to be traded.

The way of a catalyst: the signals stage holds it against the market as it is now (gates,
enrichment) and forms a `SignalFormed`; here signal, account and position become the observation of
33 features, the policy votes on it, and the votes become an intent with an action and a confidence
(or are declined). Risk turns the intent into the parameters of an order: quantity, stop, target.
Each step is a pure function of messages and rules, so it is the same in every mode and a replay can
make it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from catalyst_bot.domain.messages.decisions import SignalFormed
from catalyst_bot.domain.messages.facts import RunStarted
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.engine import inference
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.ports.desk import Desk


class SignalRouter:
    """What inference decides on, by type of message; it remembers nothing."""

    DECIDE: Mapping[type, Callable[[Any, Desk, EngineRules], list[Message]]] = {
        RunStarted: inference.on_run_started,
        SignalFormed: inference.on_signal,
    }
