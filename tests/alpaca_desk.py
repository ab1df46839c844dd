"""The real Alpaca adapter against the small Alpaca of the tests, stepped instead of timed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.client import AlpacaClient
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.broker.alpaca_client import AlpacaBrokerClient
from catalyst_bot.broker.alpaca_mapping import read_order
from catalyst_bot.broker.alpaca_stream import Update
from catalyst_bot.domain.messages.registry import Fact, Message
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink
from tests.fake_alpaca import KEY, SECRET, FakeAlpaca, ServiceAdapter

T = TypeVar("T")
HURRY = 1e6  # pauses take no time, and no limit of requests is met
NO_LIMIT = 10**9


def client_for(service: FakeAlpaca, *, secret: str = SECRET) -> AlpacaClient:
    """A client whose requests go straight into the service."""
    access = access_of(
        base_url="http://localhost",
        data_url="http://localhost",
        environ={"ALPACA_API_KEY": KEY, "ALPACA_SECRET": secret},
    )
    return AlpacaClient(access, pace=Pace(HURRY), per_min=NO_LIMIT, adapter=ServiceAdapter(service))


class AlpacaDesk:
    """A broker, its service and a loop that runs only in `settle`."""

    def __init__(self, sink: Sink, *, clock: Clock, service: FakeAlpaca | None = None) -> None:
        self._sink = sink
        self._clock = clock
        self.service = service or FakeAlpaca(now=clock.now)
        self.broker = self._broker()

    def _broker(self) -> AlpacaBrokerClient:
        client = client_for(self.service)
        return AlpacaBrokerClient(client, sink=self._sink, clock=self._clock, poll_s=0)

    def restart(self, messages: Iterable[Message]) -> list[Fact]:
        """Take a new broker that knows only the journal, as after a crash."""
        self.broker = self._broker()
        return self.broker.recover(messages, self._clock.now())

    def settle(self) -> None:
        """Carry out the commands in line one after the other, then poll."""
        self.run(self._settle())

    async def _settle(self) -> None:
        jobs = self.broker._jobs
        while not jobs.empty():
            await jobs.get_nowait()()
        await self.broker.poll()

    def hear(self, event: dict[str, Any]) -> None:
        """Let the broker hear one event of the stream."""
        self.broker._watch.take(Update(event["event"], read_order(event["order"])))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run one coroutine to its end."""
        return asyncio.run(work)
