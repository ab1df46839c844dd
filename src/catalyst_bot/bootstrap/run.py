"""A replay from request to end: the parts put together, in the order of their need.

Start-up *is* crash recovery: the journal is folded, the venue rebuilt from it, promises without
an answer are kept, and only then the tape goes on. An empty journal is just the shortest case.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalyst_bot.bootstrap import journals
from catalyst_bot.bootstrap.approvals import approval_of
from catalyst_bot.bootstrap.modes import Loop, mode_row
from catalyst_bot.bootstrap.parts import (
    Outcome,
    Task,
    broker_of,
    embedded_venue,
    run_started,
    supervised,
)
from catalyst_bot.bootstrap.rules import engine_rules
from catalyst_bot.bootstrap.tapes import Recording
from catalyst_bot.bootstrap.texts import readers_of
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.messages.facts import RunStopped
from catalyst_bot.domain.messages.registry import Command, Fact
from catalyst_bot.engine.engine import Engine
from catalyst_bot.engine.recovery import unanswered
from catalyst_bot.market_data.recorded import RecordedMarketData
from catalyst_bot.ports.journal import Journal
from catalyst_bot.runtime import async_loop, resume
from catalyst_bot.runtime.clock import SimulatedClock
from catalyst_bot.runtime.effects import Effects
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.runtime.pipeline import Listener, Pipeline
from catalyst_bot.runtime.replay import Inlet, ReplayDriver
from catalyst_bot.runtime.sync_loop import run_batches
from catalyst_bot.runtime.timers import TimerBook
from catalyst_bot.settings import LoadedSettings
from catalyst_bot.storage.places import Place
from catalyst_bot.texts.readers.desk import RecordedDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What to replay, how fast, who listens, and what runs beside it (the dashboard, say).

    `at_end` is told the seconds the replay took; `then` runs after it, in the asyncio loop.
    """

    loaded: LoadedSettings
    mode: Mode
    is_dry_run: bool
    recording: Recording
    journal: Place
    speed: float | None = None
    listeners: Sequence[Listener] = ()
    beside: Sequence[Task] = ()
    at_end: Callable[[float], None] | None = None
    then: Task | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """The parts of one run, and the commands a crashed one left undone."""

    engine: Engine
    pipeline: Pipeline
    effects: Effects
    driver: ReplayDriver
    clock: SimulatedClock
    mailbox: OperatorMailbox | None
    known: set[str]
    bars_until: datetime | None
    undone: Sequence[Command]
    resumed_after_seq: int


def replay(request: ReplayRequest) -> Outcome:
    """Run a replay to its end and close the journal; a crashed one goes on where it stopped.

    Raises `ConfigError` before anything is opened when limits were loosened without approval, and
    `KeyboardInterrupt` when it is told to end.
    """
    row = mode_row(request.mode, is_dry_run=request.is_dry_run)
    approval_of(request.loaded.settings, is_asked=row.asks_approval)
    started = time.perf_counter()
    with journals.open_journal(
        request.journal,
        is_durable=row.is_durable,
        starts_over=True,
        inputs_hash=request.recording.inputs_hash,
        run_as=journals.run_as_of(request.loaded.as_json(), str(row.broker)),
    ) as journal:
        parts = assemble(request, journal)
        batches = story(request, parts)
        if row.loop is Loop.SYNCHRONOUS:
            run_batches(batches, pipeline=parts.pipeline, effects=parts.effects, first=parts.undone)
            _tell_end(request, started)
        else:
            try:
                asyncio.run(_play(request, parts, batches, started))
            except asyncio.CancelledError:
                raise KeyboardInterrupt from None
        return Outcome(
            journal=request.journal,
            trading_state=parts.engine.state.risk.trading_state,
            resumed_after_seq=parts.resumed_after_seq,
        )


def _tell_end(request: ReplayRequest, started: float) -> None:
    if request.at_end is not None:
        request.at_end(time.perf_counter() - started)


def assemble(request: ReplayRequest, journal: Journal) -> Assembly:
    """Build every part over what the journal holds."""
    settings, recording = request.loaded.settings, request.recording
    records = journals.all_records(journal)
    clock = SimulatedClock(records[-1].at if records else recording.tape.start)
    inlet, timers = Inlet(), TimerBook()
    venue = embedded_venue(settings, sink=inlet, clock=clock)
    market = RecordedMarketData(
        recording.store,
        clock=clock,
        sink=inlet,
        benchmark=settings.run.benchmark,
        costs=settings.costs,
    )
    engine = Engine(
        engine_rules(
            settings,
            recording.calendar,
            recording.companies,
            bar_interval_s=recording.store.interval_s,
        )
    )
    engine.fold(records)
    for fact in venue.recover((record.body for record in records), clock.now()):
        inlet(fact)
    readers = readers_of(
        settings,
        events=tuple(engine.rules.detection.classifier.taxonomy.categories),
        recorded_from=recording.tape.start,
    )
    row = mode_row(request.mode, is_dry_run=request.is_dry_run)
    mailbox = OperatorMailbox(settings.run.data_dir) if row.loop is Loop.ASYNCIO else None
    overlap_from = clock.now() - resume.OVERLAP
    return Assembly(
        engine=engine,
        pipeline=Pipeline(
            supervised(engine, journals.beside(request.journal, settings.run.data_dir)),
            journal,
            (*request.listeners, *([mailbox.trades] if mailbox is not None else [])),
        ),
        effects=Effects(
            broker=broker_of(row, venue, settings, sink=inlet, clock=clock),
            market_data=market,
            text_reader=RecordedDesk(readers, clock=clock, sink=inlet),
            timers=timers,
            mailbox=mailbox,
            clock=clock,
            sink=inlet,
        ),
        driver=ReplayDriver(
            recording.tape.starting_at(overlap_from) if records else recording.tape,
            clock=clock,
            venue=venue,
            watched=lambda: market.watched,
            timers=timers,
            inlet=inlet,
        ),
        clock=clock,
        mailbox=mailbox,
        known=resume.known_keys(records, overlap_from),
        bars_until=resume.bars_told_until(records),
        undone=unanswered(records),
        resumed_after_seq=len(records),
    )


def story(request: ReplayRequest, parts: Assembly) -> Iterator[Sequence[Fact]]:
    """The whole run as batches of facts: its start, the tape, its end."""
    started = run_started(
        request.loaded,
        mode=request.mode,
        row=mode_row(request.mode, is_dry_run=request.is_dry_run),
        journal=request.journal,
        inputs_hash=request.recording.inputs_hash,
        at=parts.clock.now(),
        bar_interval_s=request.recording.store.interval_s,
    )
    yield [started]
    yield from resume.without_known(parts.driver.batches(), parts.known, parts.bars_until)
    yield [RunStopped(at=parts.clock.now(), run_id=started.run_id, reason="the recording ended")]


async def _play(
    request: ReplayRequest, parts: Assembly, batches: Iterator[Sequence[Fact]], started: float
) -> None:
    inbox = async_loop.Inbox()

    async def main() -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None, "nothing runs without a task"
        for name in async_loop.ends():  # once told, it is ended in order, however often it is told
            loop.add_signal_handler(name, task.cancel)
        await async_loop.play(batches, inbox=inbox, speed=request.speed)
        _tell_end(request, started)
        if request.then is not None:
            await request.then()

    beside = list(request.beside)
    if parts.mailbox is not None:
        mailbox = parts.mailbox
        beside.append(lambda: async_loop.watch_mailbox(mailbox, inbox=inbox, clock=parts.clock))
    await async_loop.run_until_done(
        main(),
        inbox=inbox,
        pipeline=parts.pipeline,
        effects=parts.effects,
        first=parts.undone,
        beside=beside,
    )
