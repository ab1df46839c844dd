"""What the execution stage goes by."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalyst_bot.domain.limits import ExecutionRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How orders are worked, and how long a silent broker is waited for."""

    execution: ExecutionRules = field(default_factory=ExecutionRules)
    first_ask_after_s: float = 5.0
    ask_again_after_s: float = 60.0
