"""Effects: each command goes to the adapter that does it. Nothing else holds the broker."""

from __future__ import annotations

from collections.abc import Iterable

from catalyst_bot.domain.enums import OrderRole
from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages.facts import SubmitSuppressed
from catalyst_bot.domain.messages.registry import Command
from catalyst_bot.ports.broker import Broker
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.market_data import MarketData
from catalyst_bot.ports.sink import Sink
from catalyst_bot.ports.text_reader import TextReader
from catalyst_bot.runtime.latch import OperatorMailbox
from catalyst_bot.runtime.timers import TimerBook


class Effects:
    """Executes commands in order; answers come back through the adapters' sink."""

    def __init__(
        self,
        *,
        broker: Broker,
        market_data: MarketData,
        text_reader: TextReader,
        timers: TimerBook,
        mailbox: OperatorMailbox | None,
        clock: Clock,
        sink: Sink,
    ) -> None:
        self._broker = broker
        self._market_data = market_data
        self._text_reader = text_reader
        self._timers = timers
        self._mailbox = mailbox
        self._clock = clock
        self._sink = sink

    def execute(self, commands: Iterable[Command]) -> None:
        """Hand every command to its adapter. Raises `InvariantViolated` for an unknown one."""
        for command in commands:
            self._execute(command)

    def _execute(self, command: Command) -> None:
        match command:
            case c.SubmitOrder():
                self._submit(command)
            case c.CancelOrder():
                self._broker.cancel(command)
            case c.ReplaceOrder():
                self._broker.replace(command)
            case c.LookUpOrder():
                self._broker.look_up(command)
            case c.TakeBrokerSnapshot():
                self._broker.snapshot(command)
            case c.RequestMarketView() | c.WatchSymbol() | c.UnwatchSymbol():
                self._look(command)
            case c.RequestTextOpinion():
                self._text_reader.request_opinion(command)
            case c.SetTimer():
                self._timers.set(command)
            case c.ClearTimer():
                self._timers.clear(command)
            case c.SendNotification():
                pass  # the journal is the outbox: a live run delivers from there, see alerts/
            case _:
                raise InvariantViolated(f"no adapter for {type(command).__name__}")

    def _look(self, command: c.RequestMarketView | c.WatchSymbol | c.UnwatchSymbol) -> None:
        match command:
            case c.RequestMarketView():
                self._market_data.request_view(command)
            case c.WatchSymbol():
                self._market_data.watch(command.symbol)
            case c.UnwatchSymbol():
                self._market_data.unwatch(command.symbol)

    def _submit(self, command: c.SubmitOrder) -> None:
        """Check again at the moment of use: the latch may be set, the promise too old."""
        reason = ""
        if self._clock.now() > command.valid_until:
            reason = "promise_too_old"
        elif command.order.role is OrderRole.ENTRY and self._is_latched():
            reason = "halt_latch"
        if reason:
            self._sink(
                SubmitSuppressed(
                    at=self._clock.now(),
                    client_order_id=command.order.client_order_id,
                    reason=reason,
                )
            )
            return
        self._broker.submit(command)

    def _is_latched(self) -> bool:
        return self._mailbox is not None and self._mailbox.is_halted()
