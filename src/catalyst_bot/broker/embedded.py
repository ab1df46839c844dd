"""The matching engine as a broker inside the process: trading without any account or network.

It has two faces. The bot sends orders to it through the `Broker` port and hears back through the
sink. Whoever brings the prices (the replay driver or the live loop) calls the `on_…` methods and
puts the facts they return into the inbox, ahead of what the bot is to learn from those prices.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from catalyst_bot.broker.embedded_venue import EmbeddedVenue
from catalyst_bot.domain.market import Bar, OpenPrint
from catalyst_bot.domain.messages.commands import (
    CancelOrder,
    LookUpOrder,
    ReplaceOrder,
    SubmitOrder,
    TakeBrokerSnapshot,
)
from catalyst_bot.domain.messages.facts import BrokerSnapshotReceived, OrderLookedUp
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink


class EmbeddedBroker:
    """`Broker` over an `EmbeddedVenue`; the venue lives and dies with the process."""

    name = "embedded"

    def __init__(self, venue: EmbeddedVenue, *, sink: Sink, clock: Clock) -> None:
        self._venue = venue
        self._sink = sink
        self._clock = clock

    def submit(self, command: SubmitOrder) -> None:
        self._tell(self._venue.submit(command.order, self._clock.now()))

    def cancel(self, command: CancelOrder) -> None:
        self._tell(self._venue.cancel(command.client_order_id, self._clock.now()))

    def replace(self, command: ReplaceOrder) -> None:
        self._tell(
            self._venue.replace(
                command.client_order_id,
                self._clock.now(),
                stop_price=command.stop_price,
                limit_price=command.limit_price,
            )
        )

    def look_up(self, command: LookUpOrder) -> None:
        order_id = command.client_order_id
        ticket = self._venue.ticket(order_id)
        self._sink(OrderLookedUp(at=self._clock.now(), client_order_id=order_id, ticket=ticket))

    def snapshot(self, command: TakeBrokerSnapshot) -> None:  # noqa: ARG002 - the port's shape
        snapshot = self._venue.snapshot()
        self._sink(BrokerSnapshotReceived(at=self._clock.now(), snapshot=snapshot))

    def on_bars(self, bars: Iterable[Bar], at: datetime) -> list[Fact]:
        """Match complete bars; return what the venue has to say, for the caller to deliver."""
        return [fact for bar in bars for fact in self._venue.on_bar(bar, at)]

    def on_open_prints(self, prints: Iterable[OpenPrint], at: datetime) -> list[Fact]:
        """Match the first trades of bars that open at `at`; return the venue's facts."""
        return [fact for opening in prints for fact in self._venue.on_open_print(opening, at)]

    def on_session_close(self, at: datetime) -> list[Fact]:
        """Let day orders lapse; return the venue's facts."""
        return self._venue.on_session_close(at)

    def on_halt(self, symbol: str, at: datetime) -> None:
        """Stop matching a symbol. The caller records `SymbolHalted` with the same time."""
        self._venue.halt(symbol, at)

    def on_resume(self, symbol: str, at: datetime) -> None:
        """Match a symbol again. The caller records `SymbolResumed` with the same time."""
        self._venue.resume(symbol, at)

    def working_symbols(self) -> set[str]:
        """Return the symbols whose prices the venue needs."""
        return self._venue.working_symbols()

    def recover(self, messages: Iterable[Message], at: datetime) -> list[Fact]:
        """Rebuild a new venue from the journal; return facts that were due when it died.

        Submits without a recorded answer are not at the venue; the runtime sends them again.
        """
        self._venue.rebuild(messages)
        return self._venue.settle(at)

    def _tell(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._sink(fact)
