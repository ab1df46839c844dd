"""The exchange's clock: the wall's, a replayed day at any speed, or one that is told to move.

A moment that has not been played yet holds the clock: `now()` never shows a time later than the
next moment the conductor has to play. So an order that arrives at 10:00:05 is never matched with a
trade of 10:00:04 that was played late, however fast the day is replayed.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from catalyst_bot.domain.errors import ConfigError, InvariantViolated


class ClockKind(StrEnum):
    """What moves the clock."""

    WALL = "wall"
    REPLAY = "replay"
    STEP = "step"


def system_time() -> datetime:
    """Return the wall time in UTC."""
    return datetime.now(UTC)


class ExchangeClock:
    """Shows the exchange's time and says how long to wait for a later one; it never goes back.

    Made by `wall`, `replay` or `step`. A replayed clock stands still until `begin`.
    """

    def __init__(
        self,
        kind: ClockKind,
        *,
        start: datetime | None = None,
        speed: float = 1.0,
        wall: Callable[[], datetime] = system_time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if (start is None) is (kind is not ClockKind.WALL):
            raise ConfigError(f"a {kind} clock {'needs a' if start is None else 'has no'} start")
        if not speed > 0:
            raise ConfigError(f"the speed is {speed!r}: a number above zero is needed")
        if start is not None and start.tzinfo is None:
            raise ConfigError(f"the start {start.isoformat()} has no time zone")
        self.kind = kind
        self.speed = speed
        self._wall = wall
        self._monotonic = monotonic
        self._anchor_at = wall() if start is None else start.astimezone(UTC)
        self._anchor_s: float | None = None
        self._shown = self._anchor_at
        self._held_at: datetime | None = None

    @classmethod
    def wall(cls, wall: Callable[[], datetime] = system_time) -> ExchangeClock:
        """Return a clock that shows the time of the world."""
        return cls(ClockKind.WALL, wall=wall)

    @classmethod
    def replay(
        cls,
        start: datetime,
        speed: float = 1.0,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> ExchangeClock:
        """Return a clock that runs from `start`, `speed` times as fast as the world.

        With `math.inf` it jumps from moment to moment.
        """
        return cls(ClockKind.REPLAY, start=start, speed=speed, monotonic=monotonic)

    @classmethod
    def step(cls, start: datetime) -> ExchangeClock:
        """Return a clock that only moves when it is told to."""
        return cls(ClockKind.STEP, start=start)

    def begin(self) -> None:
        """Let a replayed clock run from now on; a second call changes nothing."""
        if self._anchor_s is None:
            self._anchor_s = self._monotonic()

    def now(self) -> datetime:
        """Return the exchange's time in UTC: never earlier than before, never past the hold."""
        at = self._running()
        if self._held_at is not None and at > self._held_at:
            at = self._held_at
        self._shown = max(self._shown, at)
        return self._shown

    def hold(self, at: datetime | None) -> None:
        """Do not pass `at` before this is called again; None lets the clock run."""
        self._held_at = at

    def wait_s(self, at: datetime) -> float:
        """Return the seconds of the world until the clock reaches `at`; infinite if it must be
        told to.
        """
        left_s = (at - max(self._running(), self._shown)).total_seconds()
        if left_s <= 0:
            return 0.0
        if self.kind is ClockKind.STEP:
            return math.inf
        return left_s / self.speed

    def move_to(self, at: datetime) -> None:
        """Show `at` now. Raises `InvariantViolated` when that is in the past.

        A wall clock shows it and waits there for the world to catch up.
        """
        if at < self._shown:
            raise InvariantViolated(f"clock asked to go back from {self._shown} to {at}")
        self._shown = at
        if self.kind is not ClockKind.WALL and at > self._running():
            self._anchor_at = at
            if self._anchor_s is not None:
                self._anchor_s = self._monotonic()

    def _running(self) -> datetime:
        """The time without the hold."""
        if self.kind is ClockKind.WALL:
            return self._wall()
        if self.kind is ClockKind.STEP or self._anchor_s is None or math.isinf(self.speed):
            return self._anchor_at
        elapsed_s = (self._monotonic() - self._anchor_s) * self.speed
        return self._anchor_at + timedelta(seconds=elapsed_s)
