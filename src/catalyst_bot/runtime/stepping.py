"""Trading at an exchange that waits: it moves on only when the bot has dealt with everything.

So a run over HTTP and sockets, with nothing of the bot replaced, decides at the same instants as a
replay in one process, and the two can be compared trade by trade. The order at one instant is that
of `replay`: the session opens; the venue matches and its bars close; the session closes; timers;
headlines; and a latency later the bars that open there print their first price at the venue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from catalyst_bot.domain.calendar import Session
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.runtime.async_loop import Inbox
from catalyst_bot.runtime.clock import SimulatedClock
from catalyst_bot.runtime.timers import TimerBook

LATENCY = timedelta(seconds=0.25)  # what opens at T is printed after what was decided at T

Ask = Callable[[], Awaitable[object]]


class SteppedVenue(Protocol):
    """An exchange whose clock moves when it is told to."""

    async def next_event(self) -> datetime | None:
        """Return when something happens there next."""
        ...

    async def advance(self, to: datetime) -> datetime:
        """Let everything happen up to a time, and return what the clock shows then."""
        ...


class Stepper:
    """Moves an exchange and the bot in turn.

    `looks` tell what happened there: the broker first, then the prices. `idle` wait until every
    question of the bot is answered. `feeds` ask every feed once.
    """

    def __init__(
        self,
        venue: SteppedVenue,
        *,
        clock: SimulatedClock,
        inbox: Inbox,
        timers: TimerBook,
        sessions: Sequence[Session],
        looks: Sequence[Ask],
        idle: Sequence[Ask],
        feeds: Sequence[Ask],
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._inbox = inbox
        self._timers = timers
        self._opens = {session.opens_at: session for session in sessions}
        self._closes = {session.closes_at: session for session in sessions}
        self._looks = looks
        self._idle = idle
        self._feeds = feeds

    async def play(self, until: datetime) -> None:
        """Go from event to event, up to a time."""
        await self._look()
        while (at := await self._next(until)) is not None:
            await self._move(at)
            await self._instant(at)
            if at.second == 0 and at.microsecond == 0:
                await self._move(at + LATENCY)
                await self._look()

    async def _next(self, until: datetime) -> datetime | None:
        """The earliest time at which anything happens here or there."""
        now = self._clock.now()
        candidates = [
            await self._venue.next_event(),
            self._timers.next_due(),
            *(at for at in (*self._opens, *self._closes) if at > now),
        ]
        at = min((max(at, now) for at in candidates if at is not None), default=None)
        return None if at is None or at > until else at

    async def _move(self, to: datetime) -> None:
        self._clock.advance_to(await self._venue.advance(max(to, self._clock.now())))

    async def _instant(self, at: datetime) -> None:
        if session := self._opens.get(at):
            opened = f.SessionOpened(at=at, day=session.day, closes_at=session.closes_at)
            await self._inbox.put([opened])
        await self._look()
        if session := self._closes.get(at):
            await self._inbox.put([f.SessionClosed(at=at, day=session.day)])
        if due := self._timers.take_due(at):
            await self._inbox.put(due)
        await self._at_rest()
        for ask in self._feeds:
            await ask()
        await self._at_rest()

    async def _look(self) -> None:
        """Take in what happened at the venue, and all that follows from it here."""
        for look in self._looks:
            await self._at_rest()
            await look()
        await self._at_rest()

    async def _at_rest(self) -> None:
        """Wait until the bot has nothing to do: each answer may lead to another question."""
        while True:
            await self._inbox.quiet()
            before = self._inbox.taken_count
            for idle in self._idle:
                await idle()
            await self._inbox.quiet()
            if self._inbox.taken_count == before:
                return
