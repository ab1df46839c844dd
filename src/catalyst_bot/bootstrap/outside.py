"""Who a live run trades with, by its row of the mode table: the venue in here, or Alpaca."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalyst_bot.alpaca.access import Access, access_of
from catalyst_bot.alpaca.account import Account, ask_account
from catalyst_bot.alpaca.client import AlpacaClient
from catalyst_bot.bootstrap.modes import BrokerKind, LivePrices, ModeRow
from catalyst_bot.bootstrap.parts import Task, broker_of, embedded_venue
from catalyst_bot.broker.alpaca import AlpacaBroker
from catalyst_bot.broker.dry_run import DryRunBroker
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.registry import Command, Fact, Recorded
from catalyst_bot.engine.recovery import unanswered
from catalyst_bot.market_data.alpaca import AlpacaMarketData
from catalyst_bot.market_data.none import NoMarketData
from catalyst_bot.ports.broker import Broker
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.market_data import MarketData
from catalyst_bot.ports.sink import Sink
from catalyst_bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Broker and prices of a live run, with their tasks.

    `due` are facts the core has to hear first, `undone` commands to execute first.
    """

    broker: Broker
    market_data: MarketData
    due: Sequence[Fact]
    undone: Sequence[Command]
    tasks: Sequence[Task] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperAccount:
    """An account at Alpaca that answered, and how to get there."""

    access: Access
    account: Account


def paper_account(settings: Settings) -> PaperAccount:
    """Ask for the account the environment has keys for.

    Raises `ConfigError` when keys are missing or refused, the address is not the paper service or
    the account may not trade; `SourceUnreachable` when nobody answers.
    """
    access = access_of(
        base_url=settings.alpaca.base_url, data_url=settings.alpaca.data_url, environ=os.environ
    )
    return PaperAccount(access=access, account=asyncio.run(ask_account(access)))


def starting_cash_usd(row: ModeRow, paper: PaperAccount | None) -> Decimal | None:
    """The cash of the account that orders go to; None where it is the configured one."""
    return paper.account.cash_usd if paper and row.broker is BrokerKind.ALPACA else None


def outside_of(
    row: ModeRow,
    settings: Settings,
    paper: PaperAccount | None,
    records: Sequence[Recorded],
    *,
    calendar: TradingCalendar,
    sink: Sink,
    clock: Clock,
) -> Outside:
    """Build broker and prices over what the journal holds."""
    if row.live_prices is LivePrices.ALPACA and paper is not None:
        return _alpaca(row, settings, paper, records, calendar=calendar, sink=sink, clock=clock)
    venue = embedded_venue(settings, sink=sink, clock=clock)
    return Outside(
        broker=broker_of(row, venue, settings, sink=sink, clock=clock),
        market_data=NoMarketData(clock=clock, sink=sink),
        due=venue.recover((record.body for record in records), clock.now()),
        undone=unanswered(records),
    )


def _alpaca(
    row: ModeRow,
    settings: Settings,
    paper: PaperAccount,
    records: Sequence[Recorded],
    *,
    calendar: TradingCalendar,
    sink: Sink,
    clock: Clock,
) -> Outside:
    """Alpaca's prices, with its broker or none; one pool of connections for both.

    Orders that were promised and not answered are looked up, never sent again.
    """
    client = AlpacaClient(paper.access)
    market_data = AlpacaMarketData(
        client,
        calendar=calendar,
        clock=clock,
        sink=sink,
        benchmark=settings.run.benchmark,
        feed=settings.alpaca.feed,
    )
    undone = unanswered(records)
    if row.broker is BrokerKind.DRY_RUN:
        cash_usd = settings.run.starting_cash_usd
        return Outside(
            broker=DryRunBroker(sink=sink, clock=clock, cash_usd=cash_usd),
            market_data=market_data,
            due=(),
            undone=undone,
            tasks=[_with_client(client, market_data.run)],
        )
    broker = AlpacaBroker(client, sink=sink, clock=clock, poll_s=settings.alpaca.poll_s)
    return Outside(
        broker=broker,
        market_data=market_data,
        due=broker.recover((record.body for record in records), clock.now()),
        undone=[command for command in undone if not isinstance(command, SubmitOrder)],
        tasks=[_with_client(client, market_data.run, broker.run)],
    )


def _with_client(client: AlpacaClient, *runs: Callable[[], Coroutine[Any, Any, None]]) -> Task:
    """One task that runs the adapters and closes their connections in the end."""

    async def run() -> None:
        async with client, asyncio.TaskGroup() as group:
            for each in runs:
                group.create_task(each())

    return run
