"""How long a source is waited for: a silent one is told early, a busy one is asked again, later.

Nobody is asked again before anybody answered: an address that is wrong stays wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from catalyst_bot.domain.errors import BadData, SourceUnreachable

TELL_AFTER_S = 2.5
PAUSES_S = (1.0, 5.0, 30.0)  # before the second, third and last try
LONGEST_PAUSE_S = 120.0  # of what a source asks for
T = TypeVar("T")


class Busy(SourceUnreachable):
    """No usable answer now, perhaps later; `retry_after_s` is what the source asked for, or 0."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Patience:
    """Asks the questions of one download; `tell` hears of what takes long."""

    def __init__(
        self,
        tell: Callable[[str], None],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._tell = tell
        self._pause = pause
        self._was_answered = False

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Return the answer. Raises `Busy` when none came, and whatever the question raises."""
        for pause_s in PAUSES_S:
            try:
                return await self._once(question)
            except Busy as error:
                wait_s = max(pause_s, error.retry_after_s)
                if not self._was_answered or wait_s > LONGEST_PAUSE_S:
                    raise
                self._tell(f"{error}; asking again in {wait_s:g} s")
                await self._pause(wait_s)
        return await self._once(question)

    async def _once(self, question: Callable[[], Awaitable[T]]) -> T:
        asking = asyncio.ensure_future(question())
        try:
            await asyncio.wait({asking}, timeout=TELL_AFTER_S)
            if not asking.done():
                self._tell(f"no answer within {TELL_AFTER_S:g} s, still waiting")
            answer = await asking
        except BadData:  # a clear no is an answer
            self._was_answered = True
            raise
        finally:
            asking.cancel()
        self._was_answered = True
        return answer
