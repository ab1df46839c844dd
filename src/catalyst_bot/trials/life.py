"""One life of the bot: the parts of a live run at Alpaca, put together over a simulated wire.

What differs from `bootstrap/live.py` is what touches the outside: the wire, the disk, the latch,
prices and news. Engine, pipeline, effects, recovery, broker client, stream and its repair, timers
and sessions are those of the product.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.client import AlpacaClient
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.broker.alpaca_client import AlpacaBrokerClient
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.messages.commands import ClearTimer, SetTimer, SubmitOrder
from catalyst_bot.domain.messages.facts import RunStarted, RunStopped, TimerFired
from catalyst_bot.domain.messages.registry import Command, Fact, Recorded
from catalyst_bot.engine.engine import Engine
from catalyst_bot.engine.recovery import questions, unanswered
from catalyst_bot.engine.rules import EngineRules
from catalyst_bot.runtime import async_loop
from catalyst_bot.runtime.effects import Effects
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.runtime.pipeline import Pipeline
from catalyst_bot.runtime.sessions import Sessions, open_day
from catalyst_bot.runtime.start import AfterBooks
from catalyst_bot.runtime.supervisor import Supervisor
from catalyst_bot.runtime.timers import TimerBook
from catalyst_bot.texts.readers.desk import LiveDesk
from catalyst_bot.trials.disk import Disk, DiskJournal
from catalyst_bot.trials.faces import Prices
from catalyst_bot.trials.venue import KEY, SECRET
from catalyst_bot.trials.wire import SimulatedWire

PER_MIN = 1_000  # requests; a schedule is busier than a day
POLL_S, CALM_POLL_S = 2.0, 60.0
FAR_S = 3_600.0
ACCESS = access_of(
    base_url="http://localhost",
    environ={"ALPACA_API_KEY": KEY, "ALPACA_SECRET": SECRET},
)


class Died(BaseException):
    """The process is gone at once: nobody may catch this, as nobody catches SIGKILL."""


class BotClock:
    """The bot's clock: true time and how far it is off."""

    def __init__(self, true_time: Callable[[], datetime]) -> None:
        self._true_time = true_time
        self.is_off_by = timedelta(0)

    def now(self) -> datetime:
        """See `Clock.now`."""
        return self._true_time() + self.is_off_by


class VirtualPace(Pace):
    """Pauses on the running loop's virtual time."""

    def seconds(self) -> float:
        """See `Pace.seconds`."""
        return asyncio.get_running_loop().time()


class Latch(OperatorMailbox):
    """The HALT latch without its file."""

    def __init__(self) -> None:
        """Begin unlatched."""
        self.is_set = False

    def is_halted(self) -> bool:
        """See `OperatorMailbox.is_halted`."""
        return self.is_set


class Alarms(TimerBook):
    """Timers that wake who waits for them, so that no loop has to look twenty times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def set(self, command: SetTimer) -> None:
        """See `TimerBook.set`."""
        super().set(command)
        self._changed.set()

    def clear(self, command: ClearTimer) -> None:
        """See `TimerBook.clear`."""
        super().clear(command)
        self._changed.set()

    @property
    def ids(self) -> frozenset[str]:
        """The timers that are set."""
        return frozenset(self._due)

    @property
    def count(self) -> int:
        """How many timers are set."""
        return len(self._due)

    def wake(self) -> None:
        """Look again: the clock was changed."""
        self._changed.set()

    async def fire(self, inbox: async_loop.Inbox, now: Callable[[], datetime]) -> None:
        """Put what is due into the inbox, for ever."""
        while True:
            due: list[TimerFired] = self.take_due(now())
            if due:
                await inbox.put(due)
            at = self.next_due()
            wait_s = FAR_S if at is None else max((at - now()).total_seconds(), 0.001)
            self._changed.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                continue


class Life:
    """A process from its start to its end; `points` is asked at every named step whether to die."""

    def __init__(
        self,
        rules: EngineRules,
        disk: Disk,
        clock: BotClock,
        latch: Latch,
        *,
        number: int,
        quarantine: Path,
        points: Callable[[str], bool],
        fails: Callable[[], bool],
        on_batch: Callable[[Sequence[Recorded]], None],
        wire: Callable[[Callable[[str], None]], SimulatedWire],
        prices: Callable[[Callable[[Fact], None]], Prices],
    ) -> None:
        self._points = points
        self._clock = clock
        self.now = clock.now
        self.number = number
        self.is_dead = False
        self.is_stopping = asyncio.Event()
        self.inbox = async_loop.Inbox()
        self.timers = Alarms()
        journal = DiskJournal(disk, check=self.check, fails=fails)
        self.records = list(disk.records)
        self.engine = Engine(rules)
        self.engine.fold(self.records)
        self.client = AlpacaClient(
            ACCESS, pace=VirtualPace(), per_min=PER_MIN, wire=wire(self.check)
        )
        self.broker = AlpacaBrokerClient(
            self.client, sink=self.sink, clock=clock, poll_s=POLL_S, calm_poll_s=CALM_POLL_S
        )
        self.prices = prices(self.sink)
        undone = unanswered(self.records)
        due = self.broker.recover((each.body for each in self.records), clock.now())
        undone = [each for each in undone if not isinstance(each, SubmitOrder)]
        asked: list[Command] = questions(undone)
        self._effects = Effects(
            broker=self.broker,
            market_data=self.prices,
            text_reader=LiveDesk((), clock=clock, sink=self.sink),
            timers=self.timers,
            mailbox=latch,
            clock=clock,
            sink=self.sink,
        )
        self.after_books = AfterBooks(
            lambda: self.engine.state.execution.books.is_starting,
            lambda: self._effects.execute(asked),
        )
        self._first = [each for each in undone if each not in asked]
        for fact in due:
            self.sink(fact)
        supervisor = Supervisor(self.engine, quarantine)
        self._pipeline = Pipeline(supervisor, journal, [on_batch, self.after_books])

    @property
    def is_starting(self) -> bool:
        """The broker's books are not compared yet."""
        return self.engine.state.execution.books.is_starting

    def check(self, point: str) -> None:
        """Go on, or die here. Raises `Died`."""
        if not self.is_dead and self._points(point):
            self.is_dead = True
        if self.is_dead:
            raise Died(point)

    def sink(self, fact: Fact) -> None:
        """See `Sink`; what a dead process says is never heard."""
        if not self.is_dead:
            self.inbox(fact)

    async def live(self, started: Callable[[], RunStarted]) -> None:
        """Run until told to stop. Raises `Died` (in a group), or what ended the process."""
        rules = self.engine.rules
        sessions = Sessions(
            rules.calendar,
            inbox=self.inbox,
            clock=self._clock,
            pace=self.client.pace,
            day=open_day(self.records),
        )
        await async_loop.run_until_done(
            self._main(started),
            inbox=self.inbox,
            pipeline=self._pipeline,
            effects=self._effects,
            first=self._first,
            beside=[
                self.broker.run,
                sessions.keep,
                partial(self.timers.fire, self.inbox, self._clock.now),
            ],
        )

    async def _main(self, started: Callable[[], RunStarted]) -> None:
        begun = started()
        await self.inbox.put([begun])
        await self.is_stopping.wait()
        stopped = RunStopped(at=self._clock.now(), run_id=begun.run_id, reason="stopped")
        await self.inbox.put([stopped])


def run_started(at: datetime, *, life: int, settings: str, cash_usd: Decimal) -> RunStarted:
    """Return the manifest of a life; `cash_usd` is what the account has when it is asked."""
    return RunStarted(
        at=at,
        run_id=f"trial-{life}",
        mode=Mode.PAPER,
        broker="alpaca",
        code_version="trial",
        settings=settings,
        inputs_hash="",
        model_id="rule",
        starting_cash_usd=cash_usd,
        wall_started_at=at,
        compares_books=True,
    )
