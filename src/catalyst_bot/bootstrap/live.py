"""Live feeds by the wall clock: the same core and journal as a replay.

With an Alpaca account there are live prices and orders at Alpaca, and the time is Alpaca's. The
venue in this process has no live prices: headlines are read, classified and alerted as they come,
every signal is dropped with that reason, and the funnel says so.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

from catalyst_bot.alerts.channels import Channel
from catalyst_bot.alerts.delivery import Delivery
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.alpaca.stepped import SteppedExchange
from catalyst_bot.bootstrap import alerts, journals
from catalyst_bot.bootstrap.alpaca import AlpacaDesk, alpaca_desk
from catalyst_bot.bootstrap.approvals import approval_of
from catalyst_bot.bootstrap.feeds import Chosen, open_feeds
from catalyst_bot.bootstrap.modes import BrokerKind, LivePrices, ModeRow, mode_row
from catalyst_bot.bootstrap.outside import Outside, outside_of, starting_cash_usd
from catalyst_bot.bootstrap.parts import Outcome, Task, run_started, supervised
from catalyst_bot.bootstrap.reminders import words_of_its_own
from catalyst_bot.bootstrap.rules import INTRADAY_S, companies_of, engine_rules
from catalyst_bot.bootstrap.texts import readers_of
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.facts import RunStopped
from catalyst_bot.domain.messages.registry import Command, Recorded
from catalyst_bot.engine.engine import Engine
from catalyst_bot.engine.recovery import questions
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.news_feed import NewsFeed
from catalyst_bot.runtime import async_loop
from catalyst_bot.runtime.clock import SimulatedClock, SystemClock
from catalyst_bot.runtime.effects import Effects
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.runtime.pipeline import Listener, Pipeline
from catalyst_bot.runtime.sessions import MAX_SLEEP_S, Sessions, open_day
from catalyst_bot.runtime.start import AfterBooks
from catalyst_bot.runtime.stepping import Stepper
from catalyst_bot.runtime.timers import TimerBook
from catalyst_bot.settings import LoadedSettings, Settings
from catalyst_bot.storage.places import Place
from catalyst_bot.texts.readers.desk import LiveDesk, RecordedDesk

MIN_TIMER_POLL_S = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRequest:
    """Which feeds to follow, who listens, and what runs beside (the dashboard, say).

    Without a `clock` the time is that of the broker. `ends_at` ends the run; None never does.
    `on_ready` is called once nothing refuses the start any more.
    """

    loaded: LoadedSettings
    mode: Mode
    is_dry_run: bool
    feeds: Chosen
    journal: Place
    listeners: Sequence[Listener] = ()
    beside: Sequence[Task] = ()
    clock: Clock | None = None
    ends_at: datetime | None = None
    on_ready: Callable[[], None] = lambda: None

    @property
    def row(self) -> ModeRow:
        """The row of the mode table."""
        venue = self.loaded.settings.broker.kind
        return mode_row(self.mode, is_dry_run=self.is_dry_run, venue=venue)


def follow(request: LiveRequest) -> Outcome:
    """Follow the feeds until SIGINT or SIGTERM; the journal goes on across restarts.

    Raises `ConfigError` and `SourceUnreachable` when the configured account is not fit to trade,
    limits were loosened without approval, or a channel has no address.
    """
    with ends_held():
        return _follow(request)


@contextmanager
def ends_held() -> Iterator[None]:
    """Hold back what ends or halts a run until its loop listens, or the start fails.

    Python raises Ctrl-C wherever it is, and what is raised in a callback of a weak reference is
    dropped: a bot that was just starting would go on.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*async_loop.ends(), async_loop.HALTS})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _follow(request: LiveRequest) -> Outcome:
    row, settings = request.row, request.loaded.settings
    approval_of(settings, is_asked=row.asks_approval)
    channels = alerts.channels_of(settings) if row.tells_people else ()
    desk = _desk(request)
    clock = request.clock or (desk.clock() if desk else SystemClock())
    with journals.open_journal(
        request.journal, is_durable=row.is_durable, starts_over=False
    ) as journal:
        records = journals.all_records(journal)
        journals.check_same_account(records, broker=row.broker, outside=BrokerKind.ALPACA)
        calendar = load_calendar()
        engine = Engine(engine_rules(settings, calendar, companies_of(settings)))
        engine.fold(records)
        inbox, timers = async_loop.Inbox(), TimerBook()
        asked: list[Command] = []
        after_books = AfterBooks(
            lambda: engine.state.execution.books.is_starting, lambda: effects.execute(asked)
        )
        held = after_books.held
        outside = outside_of(
            row, settings, desk, records, calendar=calendar, sink=inbox, clock=clock, held=held
        )
        asked += questions(outside.undone)
        inbox.take_in(outside.due)
        mailbox = OperatorMailbox(settings.run.data_dir)
        mailbox.note_broker(_where_orders_are(row, desk))
        texts = _text_desk(settings, engine, clock, inbox)
        effects = _effects(outside, texts, timers, mailbox, clock=clock, inbox=inbox)
        delivery = _delivery(channels, settings, records, inbox=inbox, clock=clock)
        own_words = words_of_its_own(row, settings, records, tell=inbox.put, clock=clock)
        listeners: list[Listener] = [*request.listeners, mailbox.trades, after_books]
        listeners += [delivery.listen] if delivery else []
        quarantine = journals.beside(request.journal, settings.run.data_dir)
        pipeline = Pipeline(supervised(engine, quarantine), journal, listeners)
        parts = _Parts(
            request,
            desk,
            outside,
            records=records,
            calendar=calendar,
            clock=clock,
            inbox=inbox,
            timers=timers,
            delivery=delivery,
        )
        request.on_ready()
        asyncio.run(
            async_loop.run_until_done(
                parts.from_start_to_end(starting_cash_usd(row, desk)),
                inbox=inbox,
                pipeline=pipeline,
                effects=effects,
                first=[each for each in outside.undone if each not in asked],
                beside=[
                    *request.beside,
                    *outside.tasks,
                    *_tellers(delivery, texts),
                    *own_words,
                    partial(async_loop.watch_mailbox, mailbox, inbox=inbox, clock=clock),
                    *parts.by_the_clock(open_day(records), held),
                ],
            )
        )
        return Outcome(
            journal=request.journal,
            trading_state=engine.state.risk.trading_state,
            resumed_after_seq=len(records),
        )


def _desk(request: LiveRequest) -> AlpacaDesk | None:
    """The Alpaca account that the run uses, if any."""
    settings = request.loaded.settings
    desk = alpaca_desk(settings) if request.row.live_prices is LivePrices.ALPACA else None
    if desk is not None and desk.is_ours_to_move and request.ends_at is None:
        raise ConfigError("the exchange waits to be moved: say with --to DAY how far")
    return desk


def _where_orders_are(row: ModeRow, desk: AlpacaDesk | None) -> dict[str, str]:
    """What the kill switch has to know; a venue in this process dies with it."""
    if row.broker is not BrokerKind.ALPACA or desk is None:
        return {"kind": row.broker.value}
    return {
        "kind": BrokerKind.ALPACA.value,
        "base_url": desk.access.base_url,
        "account": desk.account.number,
    }


def _effects(
    outside: Outside,
    texts: LiveDesk | RecordedDesk,
    timers: TimerBook,
    mailbox: OperatorMailbox,
    *,
    clock: Clock,
    inbox: async_loop.Inbox,
) -> Effects:
    return Effects(
        broker=outside.broker,
        market_data=outside.market_data,
        text_reader=texts,
        timers=timers,
        mailbox=mailbox,
        clock=clock,
        sink=inbox,
    )


def _delivery(
    channels: Sequence[Channel],
    settings: Settings,
    records: Sequence[Recorded],
    *,
    inbox: async_loop.Inbox,
    clock: Clock,
) -> Delivery | None:
    """What tells people, where there is a channel to them."""
    if not channels:
        return None
    return alerts.delivery_of(channels, settings, records, tell=inbox.put, clock=clock)


def _tellers(delivery: Delivery | None, texts: LiveDesk | RecordedDesk) -> list[Task]:
    """Tasks of those who talk to people and to readers of texts."""
    return [
        *([delivery.run] if delivery else []),
        *([texts.keep] if isinstance(texts, LiveDesk) else []),
    ]


def _text_desk(
    settings: Settings, engine: Engine, clock: Clock, inbox: async_loop.Inbox
) -> LiveDesk | RecordedDesk:
    """Readers of texts; where the time waits to be moved, it waits for them too."""
    events = tuple(engine.rules.detection.classifier.taxonomy.categories)
    readers = readers_of(settings, events=events)
    if isinstance(clock, SimulatedClock):
        return RecordedDesk(readers, clock=clock, sink=inbox, after=timedelta())
    return LiveDesk(readers, clock=clock, sink=inbox)


class _Parts:
    """What moves a live run: the clock, or an exchange that waits to be moved."""

    def __init__(
        self,
        request: LiveRequest,
        desk: AlpacaDesk | None,
        outside: Outside,
        *,
        records: Sequence[Recorded],
        calendar: TradingCalendar,
        clock: Clock,
        inbox: async_loop.Inbox,
        timers: TimerBook,
        delivery: Delivery | None,
    ) -> None:
        self._records = records
        self._delivery = delivery
        self._request = request
        self._desk = desk
        self._outside = outside
        self._calendar = calendar
        self._clock = clock
        self._inbox = inbox
        self._timers = timers
        self._pace = desk.pace() if desk else Pace()

    async def from_start_to_end(self, cash_usd: Decimal | None) -> None:
        """Record the start, go on until a signal or the last day's end, record the end."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in async_loop.ends():
            loop.add_signal_handler(name, stop.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, async_loop.ends())
        started = run_started(
            self._request.loaded,
            mode=self._request.mode,
            row=self._request.row,
            journal=self._request.journal,
            inputs_hash="",
            at=self._clock.now(),
            starting_cash_usd=cash_usd,
            bar_interval_s=INTRADAY_S,
        )
        await self._inbox.put([started])
        stopped, ended = asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._days())
        try:
            await asyncio.wait((stopped, ended), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                ended.result()
        finally:
            stopped.cancel()
            ended.cancel()
        if self._delivery is not None:
            await self._delivery.finish()
        reason = "stopped" if stop.is_set() else "the last day ended"
        now = self._clock.now()
        await self._inbox.put([RunStopped(at=now, run_id=started.run_id, reason=reason)])

    async def _days(self) -> None:
        """Return when the last day has ended; never without a last day."""
        ends_at = self._request.ends_at
        if isinstance(self._clock, SimulatedClock) and ends_at is not None:
            await self._step(self._clock, ends_at)
            return
        while ends_at is None or self._clock.now() < ends_at:
            await self._pace.sleep(MAX_SLEEP_S)

    async def _step(self, clock: SimulatedClock, ends_at: datetime) -> None:
        assert self._desk is not None
        steps = self._outside.steps
        exchange = SteppedExchange(self._desk.access, self._desk.admin_token, streams=steps.streams)
        async with exchange, self._feeds() as feeds:
            stepper = Stepper(
                exchange,
                clock=clock,
                inbox=self._inbox,
                timers=self._timers,
                sessions=self._calendar.between(clock.now(), ends_at),
                reads=steps.reads,
                looks=steps.looks,
                idle=steps.idle,
                feeds=[*steps.feeds, *(feed.look for feed in feeds)],
            )
            await stepper.play(ends_at)

    def by_the_clock(self, day: date | None, held: Callable[[Task], Task]) -> list[Task]:
        """What the passing of time sets off, feeds when nothing holds them any more; a stepped
        exchange does it instead.
        """
        if isinstance(self._clock, SimulatedClock):
            return []
        sessions = Sessions(
            self._calendar, inbox=self._inbox, clock=self._clock, pace=self._pace, day=day
        )
        every_s = max(self._pace.on_the_wall(async_loop.TIMER_POLL_S), MIN_TIMER_POLL_S)
        timers = partial(
            async_loop.fire_timers,
            self._timers,
            inbox=self._inbox,
            clock=self._clock,
            every_s=every_s,
        )
        feeds = [] if self._request.feeds.is_empty else [held(self._follow)]
        return [sessions.keep, timers, *feeds]

    async def _follow(self) -> None:
        """Follow every feed, each in its own rhythm."""
        async with self._feeds() as feeds, asyncio.TaskGroup() as group:
            for feed in feeds:
                group.create_task(feed.run())

    def _feeds(self) -> AbstractAsyncContextManager[Sequence[NewsFeed]]:
        return open_feeds(
            self._request.feeds,
            calendar=self._calendar,
            clock=self._clock,
            sink=self._inbox,
            pause=self._pace.sleep,
            history=(record.body for record in self._records),
        )
