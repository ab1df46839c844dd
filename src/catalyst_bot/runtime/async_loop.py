"""The asyncio runtime: an inbox, one consumer, and tasks around it (replay, feeds, dashboard).

The engine runs inline (bounded work, no await); only the inbox reaches it, so everything the
core sees passes one door in one order.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime

from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.messages.facts import OperatorHalted
from catalyst_bot.domain.messages.registry import Command, Fact
from catalyst_bot.ports.clock import Clock
from catalyst_bot.runtime.effects import Effects
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.runtime.pipeline import Pipeline
from catalyst_bot.runtime.timers import TimerBook

INBOX_SIZE = 1_000  # batches; a feed that is faster than the core has to wait
MAILBOX_POLL_S = 0.2  # an operator's halt is seen within this time
TIMER_POLL_S = 0.05
MAX_PAUSE_S = 3_600.0
CANCEL_AGAIN_S = 5.0  # longer than any task takes to end well
HALTS = signal.SIGUSR1


def ends() -> tuple[signal.Signals, ...]:
    """What ends a run in order. One that was started with nohup outlives its terminal."""
    has_terminal = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if has_terminal else []))


class Inbox:
    """The one door to the core: batches of facts in the order of their arrival."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Sequence[Fact]] = asyncio.Queue(INBOX_SIZE)
        self.taken_count = 0  # batches processed so far

    def __call__(self, fact: Fact) -> None:
        """See `Sink`: an answer or a live fact; a full inbox raises `asyncio.QueueFull`."""
        self._queue.put_nowait([fact])

    @property
    def waiting_count(self) -> int:
        """Batches that wait to be processed."""
        return self._queue.qsize()

    def take_in(self, facts: Iterable[Fact]) -> None:
        """Take facts one by one, each as a batch of its own."""
        for fact in facts:
            self(fact)

    async def put(self, facts: Sequence[Fact]) -> None:
        """Put a batch in line, waiting while the inbox is full."""
        await self._queue.put(facts)

    async def quiet(self) -> None:
        """Wait until everything put in so far is processed, effects included."""
        await self._queue.join()

    async def consume(self, pipeline: Pipeline, effects: Effects) -> None:
        """Process batches for ever: journal first, then effects, then what people look at."""
        while True:
            facts = await self._queue.get()
            effects.execute(pipeline.process(facts))
            pipeline.settle(is_quiet=self._queue.empty())
            self.taken_count += 1
            self._queue.task_done()


async def play(batches: Iterator[Sequence[Fact]], *, inbox: Inbox, speed: float | None) -> None:
    """Feed a replay into the inbox, each batch after the one before is fully done.

    `speed` is replayed seconds per second; None is as fast as it goes. The pace is kept against
    the first batch, so that slow processing does not add up.
    """
    loop = asyncio.get_running_loop()
    wall_start = loop.time()
    replay_start: datetime | None = None
    for facts in batches:
        at = facts[0].at
        replay_start = replay_start or at
        if speed is not None:
            due = wall_start + (at - replay_start).total_seconds() / speed
            early_s = due - loop.time()
            if early_s > 0:  # nobody comes before the first batch, which begins the run
                await asyncio.sleep(min(early_s, MAX_PAUSE_S))
        await inbox.put(facts)
        await inbox.quiet()


async def watch_mailbox(mailbox: OperatorMailbox, *, inbox: Inbox, clock: Clock) -> None:
    """Bring what the operator asks for into the inbox; SIGUSR1 is a halt."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(HALTS, lambda: _halt(mailbox, inbox=inbox, clock=clock))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {HALTS})
    try:
        while True:
            facts = mailbox.collect(clock.now())
            if facts:
                await inbox.put(facts)
            await asyncio.sleep(MAILBOX_POLL_S)
    finally:
        loop.remove_signal_handler(HALTS)


def _halt(mailbox: OperatorMailbox, *, inbox: Inbox, clock: Clock) -> None:
    """Halt as a person would; a latch that cannot be written halts this run at least."""
    halted = OperatorHalted(
        at=clock.now(), by="signal", reason=HALTS.name, positions_policy=PositionsPolicy.HOLD
    )
    try:
        mailbox.halt(by=halted.by, reason=halted.reason, positions_policy=halted.positions_policy)
    except OSError:
        inbox(halted)


async def fire_timers(
    timers: TimerBook, *, inbox: Inbox, clock: Clock, every_s: float = TIMER_POLL_S
) -> None:
    """Fire timers by the clock of a live run (a replay's timers fire in its driver instead)."""
    while True:
        due = timers.take_due(clock.now())
        if due:
            await inbox.put(due)
        await asyncio.sleep(every_s)


async def run_until_done(
    main: Awaitable[None],
    *,
    inbox: Inbox,
    pipeline: Pipeline,
    effects: Effects,
    first: Sequence[Command] = (),
    beside: Sequence[Callable[[], Awaitable[None]]] = (),
) -> None:
    """Run `main` (a replay, or a wait for the stop signal) with the consumer and tasks beside it.

    The first task that fails stops everything and its exception is raised; when `main` ends, the
    rest is cancelled.
    """
    effects.execute(first)
    main_task = asyncio.ensure_future(main)
    others = [
        asyncio.ensure_future(inbox.consume(pipeline, effects)),
        *(asyncio.ensure_future(start()) for start in beside),
    ]
    try:
        done, _ = await asyncio.wait([main_task, *others], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await inbox.quiet()
    finally:
        await _end((main_task, *others))


async def _end(tasks: Collection[asyncio.Future[None]]) -> None:
    """Cancel until all have ended: a library under a task may lose the first cancellation."""
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_S)
    await asyncio.gather(*tasks, return_exceptions=True)
