"""What the signals stage remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from catalyst_bot.domain.news import Catalyst


@dataclass(slots=True)
class State:
    """Catalysts that wait for the market, symbols to keep away from, halted symbols, and the
    latest requests of a person by id.
    """

    waiting: dict[str, Catalyst] = field(default_factory=dict)
    avoid_until: dict[str, datetime] = field(default_factory=dict)
    halted: set[str] = field(default_factory=set)
    requests: dict[str, None] = field(default_factory=dict)
