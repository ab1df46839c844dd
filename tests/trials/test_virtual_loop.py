"""Time that jumps to what is due next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.trials.virtual_loop import VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop()
    yield made
    made.close()


def test_a_day_passes_at_once_and_in_order(loop: VirtualLoop):
    seen: list[tuple[str, float]] = []

    async def sleeper(name: str, pause_s: float) -> None:
        await asyncio.sleep(pause_s)
        seen.append((name, loop.time()))

    async def all_of_them() -> None:
        await asyncio.gather(sleeper("late", 86_400.0), sleeper("soon", 0.5), sleeper("now", 0.0))

    loop.run_until_complete(all_of_them())
    assert seen == [("now", 0.0), ("soon", 0.5), ("late", 86_400.0)]


def test_timeouts_are_virtual(loop: VirtualLoop):
    async def patience() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5.0):
                await asyncio.Event().wait()

    loop.run_until_complete(patience())
    assert loop.time() == pytest.approx(5.0)


def test_who_waits_for_nothing_is_told(loop: VirtualLoop):
    with pytest.raises(InvariantViolated, match="nothing is due"):
        loop.run_until_complete(asyncio.Event().wait())
