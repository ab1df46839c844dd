"""When a catalyst meets the market, asked outside a run: of a history, of what gates blocked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.news import Catalyst
from catalyst_bot.signals.decide import look_at
from catalyst_bot.signals.rules import Rules

if TYPE_CHECKING:
    from catalyst_bot.ports.desk import Desk


@dataclass(frozen=True, slots=True)
class _Moment:
    """As much of a desk as it takes to know when a catalyst meets the market."""

    now: datetime
    calendar: TradingCalendar


def looks_at(
    catalyst: Catalyst,
    at: datetime,
    *,
    calendar: TradingCalendar,
    rules: Rules,
    bar_interval_s: int,
) -> datetime:
    """Return when a run with these rules looks at the market for a catalyst received at a time."""
    desk = cast("Desk", _Moment(at, calendar))
    return look_at(catalyst, desk, rules, bar_interval_s=bar_interval_s)
