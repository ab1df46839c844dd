"""A live run ends, whatever the libraries under its tasks do with a cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import cast

import pytest

from catalyst_bot.runtime import async_loop
from catalyst_bot.runtime.effects import Effects
from catalyst_bot.runtime.pipeline import Pipeline


class _NoEffects:
    def execute(self, commands: object) -> None:
        pass


async def _loses_the_first_cancellation() -> None:
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.Event().wait()


def test_a_task_that_lost_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(async_loop, "CANCEL_AGAIN_S", 0.01)

    async def run() -> None:
        await async_loop.run_until_done(
            asyncio.sleep(0),
            inbox=async_loop.Inbox(),
            pipeline=cast("Pipeline", None),
            effects=cast("Effects", _NoEffects()),
            beside=[_loses_the_first_cancellation],
        )

    asyncio.run(asyncio.wait_for(run(), timeout=10))
