"""Timers the core set: a sorted book of due times, for both clocks."""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.messages.commands import ClearTimer, SetTimer
from catalyst_bot.domain.messages.facts import TimerFired


class TimerBook:
    """Timers by id. The replay driver and the asyncio runtime ask it what is due."""

    def __init__(self) -> None:
        self._due: dict[str, datetime] = {}

    def set(self, command: SetTimer) -> None:
        """Set or move a timer."""
        self._due[command.timer_id] = command.due_at

    def clear(self, command: ClearTimer) -> None:
        """Forget a timer."""
        self._due.pop(command.timer_id, None)

    def next_due(self) -> datetime | None:
        """Time of the earliest timer, None without timers."""
        return min(self._due.values(), default=None)

    def take_due(self, at: datetime) -> list[TimerFired]:
        """Remove and return the timers due at or before `at`, earliest first, ties by id."""
        due = sorted((when, timer) for timer, when in self._due.items() if when <= at)
        for _, timer in due:
            del self._due[timer]
        return [TimerFired(at=at, timer_id=timer) for _, timer in due]
