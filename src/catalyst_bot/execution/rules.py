"""What the execution stage goes by; an order's own deadlines come with its approval."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalyst_bot.domain.limits import ExecutionRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How long a silent broker is waited for, and how orders are worked."""

    first_ask_after_s: float = 5.0
    ask_again_after_s: float = 60.0
    price_collar_fraction: float = 0.05
    working: ExecutionRules = field(default_factory=ExecutionRules)
