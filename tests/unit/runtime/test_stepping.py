"""The stepper: an exchange and the bot move in turn, in the order of a replay."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from catalyst_bot.domain.calendar import Session
from catalyst_bot.domain.errors import SourceUnreachable
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SetTimer
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.runtime import stepping
from catalyst_bot.runtime.async_loop import Inbox
from catalyst_bot.runtime.clock import SimulatedClock
from catalyst_bot.runtime.stepping import LATENCY, Ask, Stepper
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

    async def heard(self) -> None:
        self._log.append("heard")


def played(
    *events: datetime,
    until: datetime,
    session: Session | None = None,
    told: Fact | None = None,
    idle: Ask | None = None,
) -> list[str]:
    """Play with one timer at 90 s; return what happened in order.

    `told` is what a stream brings at the first instant; the bot does nothing about anything.
    """
    log: list[str] = []
    inbox, timers = Inbox(), TimerBook()
    timers.set(SetTimer(timer_id="t", due_at=NOON + 1.5 * MINUTE))
    untold = [told] if told else []
    clock = SimulatedClock(NOON)

    async def say(word: str) -> None:
        log.append(word)

    async def read() -> None:
        log.append("read")
        if untold and clock.now() > NOON:
            await inbox.put([untold.pop()])

    async def nothing() -> None:
        """Every question is answered."""

    class Effects:
        def execute(self, commands: object) -> None:
            """No command comes out of this pipeline."""

    class Pipeline:
        def process(self, facts: list[Fact]) -> list[object]:
            log.extend(type(fact).__name__ for fact in facts)
            return []

        def settle(self, *, is_quiet: bool) -> None:
            pass

    async def main() -> None:
        stepper = Stepper(
            Exchange(log, *events),
            clock=clock,
            inbox=inbox,
            timers=timers,
            sessions=[session] if session else [],
            reads=[read],
            looks=[lambda: say("orders"), lambda: say("bars")],
            idle=[idle or nothing],
            feeds=[lambda: say("feeds")],
        )
        consumer = asyncio.ensure_future(inbox.consume(Pipeline(), Effects()))  # type: ignore[arg-type]
        try:
            await stepper.play(until)
        finally:
            consumer.cancel()

    asyncio.run(main())
    return log


HEARD = ["heard", "read"]
FIRST = [*HEARD, "orders", "bars"]


def test_at_a_whole_minute_the_bars_that_open_are_printed_after_the_decisions() -> None:
    told = played(NOON + MINUTE, until=NOON + MINUTE)
    late = f"advance {(MINUTE + LATENCY).total_seconds():g}"
    assert told == [
        *(*FIRST, "advance 60", *HEARD, "orders", "bars", "feeds"),
        *(late, *HEARD, "orders", "bars"),
    ]


def test_timers_fire_at_their_own_time_and_before_the_headlines() -> None:
    told = played(until=NOON + 2 * MINUTE)[len(FIRST) :]
    assert told == ["advance 90", *HEARD, "orders", "bars", "TimerFired", *HEARD, "feeds"]


def test_the_session_opens_before_what_happened_and_closes_after_it() -> None:
    at = NOON + 0.25 * MINUTE
    session = Session(day=NOON.date(), opens_at=at, closes_at=at + timedelta(seconds=1))
    told = played(until=NOON + MINUTE, session=session)[len(FIRST) :]
    first = ["advance 15", "SessionOpened", *HEARD, "orders", "bars", "feeds"]
    assert told == [
        *first,
        "advance 16",
        *HEARD,
        "orders",
        "bars",
        "SessionClosed",
        *HEARD,
        "feeds",
    ]


def test_what_streams_tell_is_read_once_all_is_heard_and_before_anything_is_asked() -> None:
    halted = f.SymbolHalted(at=NOON + MINUTE, symbol="ACME", code="T1")
    told = played(NOON + MINUTE, until=NOON + MINUTE, told=halted)[len(FIRST) :]
    halt = [*HEARD, "SymbolHalted", *HEARD]  # what the bot did about it is waited for, too
    assert told[:7] == ["advance 60", *halt, "orders"]


def test_nothing_is_played_beyond_the_end() -> None:
    assert played(NOON + 2 * MINUTE, until=NOON + MINUTE) == FIRST
    assert f.SessionOpened.__name__ not in played(until=NOON)


def test_a_bot_that_waits_for_a_later_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stepping, "DONE_WITHIN_S", 0.0)
    with pytest.raises(SourceUnreachable, match="rate_limit_per_min"):
        played(until=NOON, idle=asyncio.Event().wait)
