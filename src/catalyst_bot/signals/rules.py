"""What the signals stage goes by."""

from __future__ import annotations

from dataclasses import dataclass, field

from catalyst_bot.domain.enums import HaltedSymbols
from catalyst_bot.domain.limits import SignalRules, StopRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The gates, the ATR length that stops will use, and when and what may be traded at all."""

    gates: SignalRules = field(default_factory=SignalRules)
    stops: StopRules = field(default_factory=StopRules)
    extended_hours: bool = False
    halted_symbols: HaltedSymbols = HaltedSymbols.REFUSE
