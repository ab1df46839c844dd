"""Everything the core goes by, in one value."""

from __future__ import annotations

from dataclasses import dataclass

import catalyst_bot.detection.rules as detection
import catalyst_bot.execution.rules as execution
import catalyst_bot.risk.rules as risk
import catalyst_bot.signals.rules as signals
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.ports.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRules:
    """The rules of every stage, the sessions of the exchange, and the policy that decides; beside
    it may vote a candidate, which decides nothing.
    """

    calendar: TradingCalendar
    policy: Policy
    candidate: Policy | None = None
    benchmark: str
    detection: detection.Rules
    signals: signals.Rules
    risk: risk.Rules
    execution: execution.Rules
