"""Trading at an exchange that waits: it moves on only when the bot has dealt with everything.

So a run over HTTP and sockets, with nothing of the bot replaced, decides at the same instants as a
replay in one process, and the two can be compared trade by trade. The order at one instant is that
of `replay`: the session opens; halts and resumes; the venue matches and its bars close; the session
closes; timers; headlines; and a latency later the bars that open there print their first price at
the venue. What the streams tell waits until all of it has arrived, and is read at its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from catalyst_bot.domain.calendar import Session
from catalyst_bot.domain.errors import SourceUnreachable
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.runtime.async_loop import Inbox
from catalyst_bot.runtime.clock import SimulatedClock
from catalyst_bot.runtime.timers import TimerBook

LATENCY = timedelta(seconds=0.25)  # what opens at T is printed after what was decided at T

DONE_WITHIN_S = 120.0  # of the wall: by then the bot has dealt with everything, or waits in vain

Ask = Callable[[], Awaitable[object]]


class SteppedVenue(Protocol):
    """An exchange whose clock moves when it is told to."""

    async def next_event(self) -> datetime | None:
        """Return when something happens there next."""
        ...

    async def advance(self, to: datetime) -> datetime:
        """Let everything happen up to a time, and return what the clock shows then."""
        ...

    async def heard(self) -> None:
        """Wait until all that was told on streams has arrived. Raises `SourceUnreachable`."""
        ...


class Stepper:
    """Moves an exchange and the bot in turn.

    `reads` take in what the streams brought: the prices first, then the broker. `looks` ask what
    happened there: the broker first, then the prices. `idle` wait until every question of the bot
    is answered. `feeds` ask every feed once.
    """

    def __init__(
        self,
        venue: SteppedVenue,
        *,
        clock: SimulatedClock,
        inbox: Inbox,
        timers: TimerBook,
        sessions: Sequence[Session],
        reads: Sequence[Ask],
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
        self._reads = reads
        self._looks = looks
        self._idle = idle
        self._feeds = feeds
        self._heard_after: int | None = None  # batches the bot had processed when all was heard

    async def play(self, until: datetime) -> None:
        """Go from event to event, up to a time.

        Raises `SourceUnreachable` when the exchange does not answer, when a stream does not bring
        what was told on it, or when the bot waits for what only a later time can bring.
        """
        await self._look()
        while (at := await self._next(until)) is not None:
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
        self._heard_after = None
        self._clock.advance_to(await self._venue.advance(max(to, self._clock.now())))

    async def _instant(self, at: datetime) -> None:
        await self._move(at)
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
        try:
            async with asyncio.timeout(DONE_WITHIN_S):
                while not await self._is_at_rest():
                    pass
        except TimeoutError as error:
            raise SourceUnreachable(
                f"the bot is not done with {self._clock.now().isoformat()} after "
                f"{DONE_WITHIN_S:g} s: it waits for what only a later time can bring, such as "
                "another minute of requests (the exchange's knob rate_limit_per_min)"
            ) from error

    async def _is_at_rest(self) -> bool:
        """Let the bot do what there is to do; return whether there was nothing."""
        await self._inbox.quiet()
        before = self._inbox.taken_count
        for idle in self._idle:
            await idle()
        if self._heard_after != before:  # what the bot did may have made the exchange speak
            await self._venue.heard()
            for read in self._reads:
                await read()
            self._heard_after = before
        await self._inbox.quiet()
        return self._inbox.taken_count == before
