"""What the signals stage goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalyst_bot.domain.enums import HaltedSymbols
from catalyst_bot.domain.limits import SignalRules, StopRules
from catalyst_bot.signals.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The gates, the ATR length that stops will use, when and what may be traded at all, what the
    reference file and the list of companies (CIK) say by symbol, and whether the policy `reviews`.
    """

    gates: SignalRules = field(default_factory=SignalRules)
    stops: StopRules = field(default_factory=StopRules)
    extended_hours: bool = False
    halted_symbols: HaltedSymbols = HaltedSymbols.REFUSE
    reference: Reference = field(default_factory=dict)
    ciks: Mapping[str, int] = field(default_factory=dict)
    reviews: bool = False
