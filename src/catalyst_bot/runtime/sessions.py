"""Telling the core when the exchange opens and closes, by the clock of a live run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.messages.facts import SessionClosed, SessionOpened
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.ports.clock import Clock
from catalyst_bot.runtime.async_loop import Inbox

MAX_SLEEP_S = 30.0  # a sleeping laptop wakes into the right session within this time


def open_day(records: Sequence[Recorded]) -> date | None:
    """The session that opened and did not close yet, as far as the journal knows."""
    for record in reversed(records):
        if isinstance(record.body, SessionOpened):
            return record.body.day
        if isinstance(record.body, SessionClosed):
            return None
    return None


class Sessions:
    """Tells the core when the exchange opens and closes; a start in the session opens it.

    `day` is the session that the journal holds as open: a restart must not begin the day anew, for
    that would forget its loss and its trades.
    """

    def __init__(
        self,
        calendar: TradingCalendar,
        *,
        inbox: Inbox,
        clock: Clock,
        pace: Pace,
        day: date | None,
    ) -> None:
        self._calendar = calendar
        self._inbox = inbox
        self._clock = clock
        self._pace = pace
        self._known_day = day

    async def keep(self) -> None:
        """Tell of opens and closes until cancelled."""
        while True:
            now = self._clock.now()
            session = self._calendar.session_at(now) or self._calendar.next_session(now)
            await self._sleep_until(session.opens_at)
            if session.day != self._known_day:
                now = self._clock.now()
                opened = SessionOpened(at=now, day=session.day, closes_at=session.closes_at)
                await self._inbox.put([opened])
            await self._sleep_until(session.closes_at)
            await self._inbox.put([SessionClosed(at=self._clock.now(), day=session.day)])

    async def _sleep_until(self, at: datetime) -> None:
        """Short sleeps, because the wall clock may jump while a long one runs."""
        while (left_s := (at - self._clock.now()).total_seconds()) > 0:
            await self._pace.sleep(min(left_s, MAX_SLEEP_S))
