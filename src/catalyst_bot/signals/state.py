"""What the signals stage remembers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from catalyst_bot.domain.news import Catalyst


@dataclass(frozen=True, slots=True, kw_only=True)
class InsiderNote:
    """A Form 4 that was heard of: +1 somebody bought, -1 sold, 0 not told."""

    at: datetime
    sign: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A catalyst on watch: a policy that reviews is asked about it again up to `until`."""

    catalyst: Catalyst
    until: datetime


def cik_key(cik: int) -> str:
    """How a company is called whose filing names no symbol."""
    return f"CIK{cik}"


@dataclass(slots=True)
class State:
    """Catalysts that wait for the market, the newest case of each symbol, symbols to keep away
    from, halted symbols, the latest requests of a person by id, insiders' filings by company
    (symbol or `cik_key`) and item, and the length of decision bars.
    """

    waiting: dict[str, Catalyst] = field(default_factory=dict)
    watch: dict[str, Case] = field(default_factory=dict)
    avoid_until: dict[str, datetime] = field(default_factory=dict)
    halted: set[str] = field(default_factory=set)
    requests: dict[str, None] = field(default_factory=dict)
    insiders: dict[str, dict[str, InsiderNote]] = field(default_factory=dict)
    bar_interval_s: int = 300
