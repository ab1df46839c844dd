"""A live run at Alpaca: the account, its prices, its news and its clock, put together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from catalyst_bot.alpaca.access import Access, access_of
from catalyst_bot.alpaca.account import Account, Standing, ask_standing, read_time
from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.alpaca.stepped import ADMIN_TOKEN
from catalyst_bot.alpaca.stream import Stream
from catalyst_bot.bootstrap.at_once import at_once
from catalyst_bot.bootstrap.modes import BrokerKind, ModeRow
from catalyst_bot.bootstrap.parts import Task
from catalyst_bot.broker.alpaca_client import AlpacaBrokerClient
from catalyst_bot.broker.dry_run import DryRunBroker
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.registry import Command, Fact, Recorded
from catalyst_bot.engine.recovery import unanswered
from catalyst_bot.feeds.alpaca_news import AlpacaNews
from catalyst_bot.market_data.alpaca import AlpacaMarketData
from catalyst_bot.market_data.alpaca_rest import FINISHED_AFTER
from catalyst_bot.market_data.alpaca_scanner import AlpacaScanner
from catalyst_bot.ports.broker import Broker
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink
from catalyst_bot.runtime.clock import SimulatedClock, SystemClock, VenueClock
from catalyst_bot.runtime.stepping import Ask
from catalyst_bot.settings import Settings
from catalyst_bot.settings_sources import secret

FOLLOW_EVERY_S = 1.0  # wall seconds between looks at the clock of an exchange that replays
STEP_EVERY_S = 0.02  # and of one that moves only when it is told to
SHORTEST_SILENCE_S = 5.0  # of the wall
STEP_PACE = 600.0  # pauses there end soon, because nobody knows how far the clock will move


@dataclass(frozen=True, slots=True, kw_only=True)
class AlpacaDesk:
    """An account at Alpaca that answered, and how to get there."""

    access: Access
    standing: Standing
    admin_token: str = field(default="", repr=False)

    @property
    def account(self) -> Account:
        """The account as it was at the start."""
        return self.standing.account

    @property
    def is_replay(self) -> bool:
        """The exchange replays days: its clock is ours."""
        return self.standing.time.is_replay

    def pace(self) -> Pace:
        """How fast time passes there."""
        return Pace(self.standing.time.speed or STEP_PACE, is_stepped=self.is_ours_to_move)

    @property
    def is_ours_to_move(self) -> bool:
        """The exchange's clock moves only when it is told to, and we were given the right to."""
        return self.is_replay and not self.standing.time.speed and bool(self.admin_token)

    def silence_s(self, usual_s: float) -> float | None:
        """How long the stream of prices may be silent. Of a replayed day a second holds many, and
        the wall's are what the wire needs; a clock that nobody moves brings no news at all.
        """
        speed = self.standing.time.speed
        return max(usual_s, SHORTEST_SILENCE_S * speed) if speed else None

    def clock(self) -> Clock:
        """The time to trade by."""
        told = self.standing.time
        if self.is_ours_to_move:
            return SimulatedClock(told.at)
        if not self.is_replay:
            return SystemClock()
        return VenueClock(at=told.at, shown_at=told.shown_at, speed=told.speed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What a stepped exchange needs of the adapters: see `Stepper` and `SteppedExchange`."""

    streams: Sequence[Stream] = ()
    reads: Sequence[Ask] = ()
    looks: Sequence[Ask] = ()
    idle: Sequence[Ask] = ()
    feeds: Sequence[Ask] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlpacaParts:
    """What a run needs of Alpaca; `task` runs all of it. `steps` are for a stepped exchange."""

    broker: Broker
    market_data: AlpacaMarketData
    due: Sequence[Fact]
    undone: Sequence[Command]
    task: Task
    steps: Steps


def alpaca_desk(settings: Settings) -> AlpacaDesk:
    """Ask for the account the environment has keys for.

    Raises `ConfigError` when keys are missing or refused, or the account, its kind, the address,
    the clock or the prices are not what the configuration says; `SourceUnreachable` when nobody
    answers.
    """
    alpaca = settings.alpaca
    access = access_of(
        base_url=alpaca.base_url,
        data_url=alpaca.data_url,
        environ=os.environ,
        is_live=settings.run.mode is Mode.LIVE,
        allow_live=alpaca.allow_live,
    )
    asking = ask_standing(
        access,
        clock=SystemClock(),
        number=alpaca.account,
        benchmark=settings.run.benchmark,
        wants_sip=alpaca.feed == "sip",
    )
    token = secret(ADMIN_TOKEN) or ""
    return AlpacaDesk(access=access, standing=at_once(asking), admin_token=token)


def alpaca_parts(
    row: ModeRow,
    settings: Settings,
    desk: AlpacaDesk,
    records: Sequence[Recorded],
    *,
    calendar: TradingCalendar,
    sink: Sink,
    clock: Clock,
    held: Callable[[Task], Task],
) -> AlpacaParts:
    """Alpaca's prices and news, with its broker or none; one client for all of them.

    Orders that were promised and not answered are looked up, never sent again. News is `held` at
    first, except where time stands still until the bot is done.
    """
    client = AlpacaClient(desk.access, pace=desk.pace(), per_min=settings.alpaca.requests_per_min)
    market_data = AlpacaMarketData(
        client,
        calendar=calendar,
        clock=clock,
        sink=sink,
        benchmark=settings.run.benchmark,
        feed=settings.alpaca.feed,
        silence_s=desk.silence_s(settings.alpaca.stream_silence_s),
        finished_after=timedelta(0) if desk.is_ours_to_move else FINISHED_AFTER,
        is_replay=desk.is_replay,
    )
    market_data.learn(records)
    runs: list[Task] = [market_data.run]
    steps = Steps(
        streams=[market_data.stream],
        reads=[market_data.stream.read],
        looks=[market_data.look],
        idle=[market_data.idle],
    )
    if settings.feeds.alpaca_news:
        news = AlpacaNews(client, clock=clock, sink=sink)
        runs.append(news.run if desk.is_ours_to_move else held(news.run))
        steps = replace(steps, streams=[*steps.streams, news.stream], feeds=[news.poll])
    if settings.scanner.enabled:
        scanner = _scanner(settings, client, calendar=calendar, clock=clock, sink=sink)
        runs.append(scanner.run)
        steps = replace(steps, looks=[*steps.looks, scanner.look])
    if isinstance(clock, VenueClock):
        runs.append(_Follower(client, clock, desk).run)
    undone = unanswered(records)
    if row.broker is BrokerKind.DRY_RUN:
        cash_usd = settings.run.starting_cash_usd
        return AlpacaParts(
            broker=DryRunBroker(sink=sink, clock=clock, cash_usd=cash_usd),
            market_data=market_data,
            due=(),
            undone=undone,
            task=_together(client, runs),
            steps=steps,
        )
    broker = AlpacaBrokerClient(
        client,
        sink=sink,
        clock=clock,
        poll_s=settings.alpaca.poll_s,
        calm_poll_s=settings.alpaca.calm_poll_s,
    )
    return AlpacaParts(
        broker=broker,
        market_data=market_data,
        due=broker.recover((record.body for record in records), clock.now()),
        undone=[command for command in undone if not isinstance(command, SubmitOrder)],
        task=_together(client, [*runs, broker.run]),
        steps=replace(
            steps,
            streams=[*steps.streams, broker.stream],
            reads=[*steps.reads, broker.stream.read],
            looks=[broker.poll, *steps.looks],
            idle=[broker.idle, *steps.idle],
        ),
    )


def _scanner(
    settings: Settings, client: AlpacaClient, *, calendar: TradingCalendar, clock: Clock, sink: Sink
) -> AlpacaScanner:
    return AlpacaScanner(
        client,
        calendar=calendar,
        clock=clock,
        sink=sink,
        rules=settings.scanner,
        feed=settings.alpaca.feed,
    )


class _Follower:
    """Keeps our clock with that of an exchange which replays days."""

    def __init__(self, client: AlpacaClient, clock: VenueClock, desk: AlpacaDesk) -> None:
        self._client = client
        self._clock = clock
        self._access = desk.access
        self._every_s = FOLLOW_EVERY_S if desk.standing.time.speed else STEP_EVERY_S
        self._wall = SystemClock()

    async def run(self) -> None:
        """Look at the clock there again and again; one missed look does no harm."""
        while True:
            await asyncio.sleep(self._every_s)
            asked_at = self._wall.now()
            try:
                told = await self._client.clock()
                time = read_time(
                    told, asked_at=asked_at, answered_at=self._wall.now(), access=self._access
                )
            except (AlpacaRefused, AlpacaSilent, BadData):
                continue
            self._clock.correct(at=time.at, shown_at=time.shown_at)


def _together(client: AlpacaClient, runs: Sequence[Task]) -> Task:
    """One task that runs the adapters and closes their connections in the end."""

    async def run() -> None:
        async with client, asyncio.TaskGroup() as group:
            for each in runs:
                group.create_task(_awaited(each()))

    return run


async def _awaited(run: Awaitable[None]) -> None:
    await run
