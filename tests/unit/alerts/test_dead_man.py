"""The ping that a watchman outside waits for, against a server on this machine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest

from catalyst_bot.alerts.dead_man import ADAPTER, ALARM_AFTER, DeadMan
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.facts import AdapterFailed, AdapterRecovered
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.runtime.clock import SimulatedClock
from tests import builders
from tests.hook_server import Hook, Say, hook

EVERY_S = 0.02


class Run:
    """A ping that runs against a hook."""

    def __init__(self, at: Hook) -> None:
        self.told: list[Fact] = []
        self.man = DeadMan(
            f"{at.url}/ping/SECRET",
            variable="PING",
            every_s=EVERY_S,
            tell=self._tell,
            clock=SimulatedClock(builders.NOON),
        )

    async def _tell(self, facts: Sequence[Fact]) -> None:
        self.told += facts

    async def until(self, done: Callable[[], bool]) -> None:
        task = asyncio.create_task(self.man.run())
        async with asyncio.timeout(10):
            while not done():  # noqa: ASYNC110  # a count has no event
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_pings_while_the_loop_lives_and_not_while_it_hangs():
    with hook() as at:
        run = Run(at)

        def hang() -> bool:
            if len(at.told) < 3:
                return False
            time.sleep(EVERY_S)  # what was under way has arrived
            count = len(at.told)
            time.sleep(EVERY_S * 10)  # the loop stands still
            assert len(at.told) == count
            return True

        await run.until(hang)
    assert {told.path for told in at.told} == {"/ping/SECRET"}
    assert run.told == []


async def test_who_takes_no_ping_is_told_once_without_the_address_and_when_he_is_back():
    with hook() as at:
        at.answers.extend([Say(status=500)] * (ALARM_AFTER + 2))
        run = Run(at)
        await run.until(lambda: len(run.told) == 2)
    failed, recovered = run.told
    assert isinstance(failed, AdapterFailed)
    assert isinstance(recovered, AdapterRecovered)
    assert failed.adapter == recovered.adapter == ADAPTER
    assert "HTTP 500" in failed.error
    assert "SECRET" not in failed.error


async def test_nobody_there_is_a_failure_and_no_more():
    with hook() as at:
        run = Run(at)
    await run.until(lambda: bool(run.told))
    assert isinstance(run.told[0], AdapterFailed)


@pytest.mark.parametrize("url", ["", "ftp://x/SECRET", "http:///SECRET", "SECRET"])
async def test_what_is_no_address_is_refused_without_repeating_it(url: str):
    with pytest.raises(ConfigError, match="PING: is no http") as caught:
        DeadMan(
            url,
            variable="PING",
            every_s=1,
            tell=None,
            clock=SimulatedClock(builders.NOON),  # type: ignore[arg-type]
        )
    assert "SECRET" not in str(caught.value)


async def test_a_ping_or_two_that_nobody_takes_are_no_news():
    with hook() as at:
        at.answers.extend([Say(status=500)] * (ALARM_AFTER - 1))
        run = Run(at)
        await run.until(lambda: len(at.told) > ALARM_AFTER)
    assert run.told == []
