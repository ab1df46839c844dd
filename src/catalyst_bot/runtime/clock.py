"""The two clocks: the wall's, and that of a replayed day."""

from __future__ import annotations

from datetime import UTC, datetime

from catalyst_bot.domain.errors import InvariantViolated


class SystemClock:
    """Wall time in UTC."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)


class SimulatedClock:
    """Shows the time it is set to: a pure function of the replayed input, never of the wall."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._now

    def advance_to(self, at: datetime) -> None:
        """Move forward. Raises `InvariantViolated` when asked to go back."""
        if at < self._now:
            raise InvariantViolated(f"clock asked to go back from {self._now} to {at}")
        self._now = at
