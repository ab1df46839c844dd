"""A ping while the bot is well, for a watchman outside who speaks up when none comes.

The task lives in the loop that trades: a loop that hangs, a process that died and a machine without
power all end the pings, and none of them could tell anybody itself.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx2

from catalyst_bot.alerts.delivery import Tell
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.facts import AdapterFailed, AdapterRecovered
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.ports.clock import Clock

ADAPTER = "dead-man ping"
TIMEOUT_S = 10.0
ALARM_AFTER = 3  # pings in a row that nobody took


def checked_address(url: str, *, variable: str) -> str:
    """Return an address that can be asked; it is a secret and is not repeated.

    Raises `ConfigError` for what is no http or https address.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"{variable}: is no http or https address")
    return url


class DeadMan:
    """Asks an address again and again; it is a secret and is never repeated.

    Raises `ConfigError` for what is no http or https address.
    """

    def __init__(
        self, url: str, *, variable: str, every_s: float, tell: Tell, clock: Clock
    ) -> None:
        self._url = checked_address(url, variable=variable)
        self._every_s = every_s
        self._tell = tell
        self._clock = clock
        self._failures = 0

    async def run(self) -> None:
        """Ping until cancelled; whether anybody listens is told, and changes nothing else."""
        async with httpx2.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            while True:
                fact = self._judge(await self._ping(client))
                if fact is not None:
                    await self._tell([fact])
                await asyncio.sleep(self._every_s)

    async def _ping(self, client: httpx2.AsyncClient) -> str:
        """Return what went wrong; empty for a ping that was taken."""
        try:
            answer = await client.get(self._url)
        except httpx2.HTTPError as error:
            return type(error).__name__
        return "" if answer.is_success else f"HTTP {answer.status_code}"

    def _judge(self, problem: str) -> Fact | None:
        """What is worth telling: that nobody listens any more, and that somebody does again."""
        now = self._clock.now()
        was_down = self._failures >= ALARM_AFTER
        self._failures = self._failures + 1 if problem else 0
        if self._failures == ALARM_AFTER:
            error = f"the watchman took no ping {ALARM_AFTER} times in a row: {problem}"
            return AdapterFailed(at=now, adapter=ADAPTER, error=error)
        if was_down and not problem:
            return AdapterRecovered(at=now, adapter=ADAPTER)
        return None
