"""The clocks: the wall's, that of a replayed day, and that of an exchange which replays one."""

from __future__ import annotations

from datetime import UTC, datetime

from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.ports.clock import Clock


class SystemClock:
    """Wall time in UTC."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)


class VenueClock:
    """The time at an exchange that replays days, at most `speed` times as fast as the wall.

    It was `at` there when the wall showed `shown_at`. A busy exchange holds its clock until it has
    played what is due, so this one goes on as fast as the last two looks were apart. It never goes
    back.
    """

    def __init__(
        self, *, at: datetime, shown_at: datetime, speed: float, wall: Clock | None = None
    ) -> None:
        self._wall = wall or SystemClock()
        self._at = at
        self._shown_at = shown_at
        self._top_speed = speed
        self._speed = speed
        self._last = at

    def now(self) -> datetime:
        """See `Clock.now`."""
        passed = (self._wall.now() - self._shown_at) * self._speed
        self._last = max(self._last, self._at + passed)
        return self._last

    def correct(self, *, at: datetime, shown_at: datetime) -> None:
        """Take in what the exchange's clock showed when the wall showed `shown_at`."""
        wall_s = (shown_at - self._shown_at).total_seconds()
        if wall_s > 0:
            measured = (at - self._at).total_seconds() / wall_s
            self._speed = min(max(measured, 0.0), self._top_speed)
        self._at, self._shown_at = at, shown_at


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
