"""The hours in which the bot itself stands in for the broker's stop."""

from __future__ import annotations

from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.execution.rules import Rules
from catalyst_bot.ports.desk import Desk


def phase_now(desk: Desk) -> SessionPhase:
    """Return the part of the trading day."""
    return desk.calendar.phase_or_closed(desk.now)


def watches_itself(desk: Desk, rules: Rules) -> bool:
    """True while the bot's own watch stands in for the broker's stop: outside the session, where
    trading before and after hours is switched on.
    """
    return rules.working.extended_hours and phase_now(desk) is not SessionPhase.REGULAR
