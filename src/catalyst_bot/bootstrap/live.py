"""Live feeds by the wall clock: the same core and journal as a replay.

With an Alpaca paper account there are live prices and real paper orders. The venue in this process
has no live prices: headlines are read, classified and alerted as they come, every signal is
dropped with that reason, and the funnel says so.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from catalyst_bot.bootstrap import journals
from catalyst_bot.bootstrap.modes import BrokerKind, LivePrices, ModeRow, mode_row
from catalyst_bot.bootstrap.outside import outside_of, paper_account, starting_cash_usd
from catalyst_bot.bootstrap.parts import Outcome, Task, run_started, supervised
from catalyst_bot.bootstrap.rules import engine_rules
from catalyst_bot.bootstrap.tapes import companies_of
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.messages.facts import (
    RunStopped,
    SessionClosed,
    SessionOpened,
)
from catalyst_bot.engine.engine import Engine
from catalyst_bot.feeds.fetch import make_client
from catalyst_bot.feeds.poller import Poller
from catalyst_bot.feeds.sources import Feed
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.ports.clock import Clock
from catalyst_bot.runtime import async_loop
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.effects import Effects
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.runtime.pipeline import Listener, Pipeline
from catalyst_bot.runtime.timers import TimerBook
from catalyst_bot.settings import LoadedSettings
from catalyst_bot.storage.places import Place

MAX_SLEEP_S = 30.0  # a sleeping laptop wakes into the right session within this time


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRequest:
    """Which feeds to follow, who listens, and what runs beside (the dashboard, say)."""

    loaded: LoadedSettings
    mode: Mode
    is_dry_run: bool
    feeds: Sequence[Feed]
    journal: Place
    listeners: Sequence[Listener] = ()
    beside: Sequence[Task] = ()
    clock: Clock = field(default_factory=SystemClock)

    @property
    def row(self) -> ModeRow:
        """The row of the mode table."""
        venue = self.loaded.settings.broker.kind
        return mode_row(self.mode, is_dry_run=self.is_dry_run, venue=venue)


def follow(request: LiveRequest) -> Outcome:
    """Follow the feeds until SIGINT or SIGTERM; the journal goes on across restarts.

    Raises `ConfigError` and `SourceUnreachable` when the configured account is not fit to trade.
    """
    row, settings = request.row, request.loaded.settings
    paper = paper_account(settings) if row.live_prices is LivePrices.ALPACA else None
    with journals.open_journal(
        request.journal, is_durable=row.is_durable, starts_over=False
    ) as journal:
        records = journals.all_records(journal)
        journals.check_same_account(records, broker=row.broker, outside=BrokerKind.ALPACA)
        calendar = load_calendar()
        engine = Engine(engine_rules(settings, calendar, companies_of(settings)))
        engine.fold(records)
        clock, inbox, timers = request.clock, async_loop.Inbox(), TimerBook()
        outside = outside_of(
            row, settings, paper, records, calendar=calendar, sink=inbox, clock=clock
        )
        for fact in outside.due:
            inbox(fact)
        mailbox = OperatorMailbox(settings.run.data_dir)
        effects = Effects(
            broker=outside.broker,
            market_data=outside.market_data,
            timers=timers,
            mailbox=mailbox,
            clock=clock,
            sink=inbox,
        )
        listeners: list[Listener] = [*request.listeners, mailbox.trades]
        quarantine = journals.beside(request.journal, settings.run.data_dir)
        pipeline = Pipeline(supervised(engine, quarantine), journal, listeners)
        asyncio.run(
            async_loop.run_until_done(
                _until_stopped(request, inbox, starting_cash_usd(row, paper)),
                inbox=inbox,
                pipeline=pipeline,
                effects=effects,
                first=outside.undone,
                beside=[
                    *request.beside,
                    *outside.tasks,
                    partial(_keep_sessions, calendar, inbox, clock, journals.open_day(records)),
                    partial(async_loop.fire_timers, timers, inbox=inbox, clock=clock),
                    partial(async_loop.watch_mailbox, mailbox, inbox=inbox, clock=clock),
                    partial(_poll, request.feeds, inbox, clock),
                ],
            )
        )
        return Outcome(
            journal=request.journal,
            trading_state=engine.state.risk.trading_state,
            resumed_after_seq=len(records),
        )


async def _until_stopped(
    request: LiveRequest, inbox: async_loop.Inbox, cash_usd: Decimal | None
) -> None:
    """Record the start, wait for a signal to stop, record the end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    started = run_started(
        request.loaded,
        mode=request.mode,
        row=request.row,
        journal=request.journal,
        inputs_hash="",
        at=request.clock.now(),
        starting_cash_usd=cash_usd,
    )
    await inbox.put([started])
    await stop.wait()
    await inbox.put([RunStopped(at=request.clock.now(), run_id=started.run_id, reason="stopped")])


async def _keep_sessions(
    calendar: TradingCalendar, inbox: async_loop.Inbox, clock: Clock, known_day: date | None
) -> None:
    """Tell the core when the exchange opens and closes; a start in the session opens it.

    `known_day` is the session that the journal holds as open: a restart must not begin the day
    anew, for that would forget its loss and its trades.
    """
    while True:
        session = calendar.session_at(clock.now()) or calendar.next_session(clock.now())
        await _sleep_until(session.opens_at, clock)
        if session.day != known_day:
            now = clock.now()
            await inbox.put([SessionOpened(at=now, day=session.day, closes_at=session.closes_at)])
        await _sleep_until(session.closes_at, clock)
        await inbox.put([SessionClosed(at=clock.now(), day=session.day)])


async def _sleep_until(at: datetime, clock: Clock) -> None:
    """Short sleeps, because the wall clock may jump while a long one runs."""
    while (left_s := (at - clock.now()).total_seconds()) > 0:  # noqa: ASYNC110
        await asyncio.sleep(min(left_s, MAX_SLEEP_S))


async def _poll(feeds: Sequence[Feed], inbox: async_loop.Inbox, clock: Clock) -> None:
    """Poll every feed, each at its own pace."""
    async with make_client() as client, asyncio.TaskGroup() as group:
        for feed in feeds:
            group.create_task(Poller(feed, client=client, clock=clock, sink=inbox).run())
