"""What waits at a start until our books are compared with the broker's.

The core sends nothing before that. News that came meanwhile would be judged on books that may be
old, and its entries withdrawn; so it is not asked for before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from catalyst_bot.domain.messages.facts import BrokerSnapshotReceived
from catalyst_bot.domain.messages.registry import Recorded

Task = Callable[[], Awaitable[None]]


class AfterBooks:
    """Listens to what is committed, until the broker's books are in and `is_starting` no more;
    then `then` is called once.
    """

    def __init__(self, is_starting: Callable[[], bool], then: Callable[[], None]) -> None:
        self._is_starting = is_starting
        self._then = then
        self._is_compared = asyncio.Event()

    def __call__(self, batch: Sequence[Recorded]) -> None:
        """See `Listener`."""
        if self._is_compared.is_set() or self._is_starting():
            return
        if any(isinstance(record.body, BrokerSnapshotReceived) for record in batch):
            self._is_compared.set()
            self._then()

    def held(self, task: Task) -> Task:
        """Return a task that begins when the books are compared."""

        async def run() -> None:
            await self._is_compared.wait()
            await task()

        return run
