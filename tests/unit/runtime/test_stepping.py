"""The stepper: an exchange and the bot move in turn, in the order of a replay."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from catalyst_bot.domain.calendar import Session
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SetTimer
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.runtime.async_loop import Inbox
from catalyst_bot.runtime.clock import SimulatedClock
from catalyst_bot.runtime.stepping import LATENCY, Stepper
from catalyst_bot.runtime.timers import TimerBook
from tests.builders import NOON

MINUTE = timedelta(minutes=1)


class Exchange:
    """Events at known times; tells what it was moved to."""

    def __init__(self, log: list[str], *events: datetime) -> None:
        self._log = log
        self._events = list(events)

    async def next_event(self) -> datetime | None:
        return self._events[0] if self._events else None

    async def advance(self, to: datetime) -> datetime:
        self._events = [at for at in self._events if at > to]
        self._log.append(f"advance {(to - NOON).total_seconds():g}")
        return to


def played(*events: datetime, until: datetime, session: Session | None = None) -> list[str]:
    """Play with one timer at 90 s; return what happened in order."""
    log: list[str] = []
    inbox, timers = Inbox(), TimerBook()
    timers.set(SetTimer(timer_id="t", due_at=NOON + 1.5 * MINUTE))

    async def say(word: str) -> None:
        log.append(word)

    class Effects:
        def execute(self, commands: object) -> None:
            """No command comes out of this pipeline."""

    class Pipeline:
        def process(self, facts: list[Fact]) -> list[object]:
            log.extend(type(fact).__name__ for fact in facts)
            return []

    async def main() -> None:
        stepper = Stepper(
            Exchange(log, *events),
            clock=SimulatedClock(NOON),
            inbox=inbox,
            timers=timers,
            sessions=[session] if session else [],
            looks=[lambda: say("orders"), lambda: say("bars")],
            idle=[],
            feeds=[lambda: say("feeds")],
        )
        consumer = asyncio.ensure_future(inbox.consume(Pipeline(), Effects()))  # type: ignore[arg-type]
        await stepper.play(until)
        consumer.cancel()

    asyncio.run(main())
    return log


def test_at_a_whole_minute_the_bars_that_open_are_printed_after_the_decisions() -> None:
    told = played(NOON + MINUTE, until=NOON + MINUTE)
    first = ["orders", "bars"]
    late = f"advance {(MINUTE + LATENCY).total_seconds():g}"
    assert told == [*first, "advance 60", "orders", "bars", "feeds", late, "orders", "bars"]


def test_timers_fire_at_their_own_time_and_before_the_headlines() -> None:
    told = played(until=NOON + 2 * MINUTE)
    assert told[2:] == ["advance 90", "orders", "bars", "TimerFired", "feeds"]


def test_the_session_opens_before_what_happened_and_closes_after_it() -> None:
    at = NOON + 0.25 * MINUTE
    session = Session(day=NOON.date(), opens_at=at, closes_at=at + timedelta(seconds=1))
    told = played(until=NOON + MINUTE, session=session)
    assert told[2:6] == ["advance 15", "SessionOpened", "orders", "bars"]
    assert told[7:11] == ["advance 16", "orders", "bars", "SessionClosed"]


def test_nothing_is_played_beyond_the_end() -> None:
    assert played(NOON + 2 * MINUTE, until=NOON + MINUTE) == ["orders", "bars"]
    assert f.SessionOpened.__name__ not in played(until=NOON)
