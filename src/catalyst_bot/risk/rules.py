"""What the risk stage goes by."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalyst_bot.domain.limits import ExecutionRules, RiskLimits, SizingRules, StopRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Limits, sizing, stops, and how long an approved order may live."""

    limits: RiskLimits = field(default_factory=RiskLimits)
    sizing: SizingRules = field(default_factory=SizingRules)
    stops: StopRules = field(default_factory=StopRules)
    execution: ExecutionRules = field(default_factory=ExecutionRules)
