"""Who a live run trades with, by its row of the mode table: the venue in here, or Alpaca."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from catalyst_bot.bootstrap.alpaca import AlpacaDesk, Steps, alpaca_parts
from catalyst_bot.bootstrap.modes import BrokerKind, LivePrices, ModeRow
from catalyst_bot.bootstrap.parts import Task, broker_of, embedded_venue
from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.messages.registry import Command, Fact, Recorded
from catalyst_bot.engine.recovery import unanswered
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
    steps: Steps = field(default_factory=Steps)


def starting_cash_usd(row: ModeRow, desk: AlpacaDesk | None) -> Decimal | None:
    """The cash of the account that orders go to; None where it is the configured one."""
    return desk.account.cash_usd if desk and row.broker is BrokerKind.ALPACA else None


def outside_of(
    row: ModeRow,
    settings: Settings,
    desk: AlpacaDesk | None,
    records: Sequence[Recorded],
    *,
    calendar: TradingCalendar,
    sink: Sink,
    clock: Clock,
    held: Callable[[Task], Task],
) -> Outside:
    """Build broker and prices over what the journal holds; news is `held` at first."""
    if row.live_prices is LivePrices.ALPACA and desk is not None:
        parts = alpaca_parts(
            row, settings, desk, records, calendar=calendar, sink=sink, clock=clock, held=held
        )
        return Outside(
            broker=parts.broker,
            market_data=parts.market_data,
            due=parts.due,
            undone=parts.undone,
            tasks=[parts.task],
            steps=parts.steps,
        )
    venue = embedded_venue(settings, sink=sink, clock=clock)
    return Outside(
        broker=broker_of(row, venue, settings, sink=sink, clock=clock),
        market_data=NoMarketData(clock=clock, sink=sink),
        due=venue.recover((record.body for record in records), clock.now()),
        undone=unanswered(records),
    )
