"""What the signals stage goes by."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalyst_bot.domain.limits import SignalRules, StopRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The gates, and the ATR length that stops will use."""

    gates: SignalRules = field(default_factory=SignalRules)
    stops: StopRules = field(default_factory=StopRules)
