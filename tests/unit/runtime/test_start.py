"""What waits at a start until the books are compared."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.account import BrokerSnapshot
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.runtime.start import AfterBooks
from tests.builders import NOON
from tests.stages import run_started

BOOKS = BrokerSnapshot(cash_usd=Decimal(0), positions=(), open_orders=())
LOOK = f.BrokerSnapshotReceived(at=NOON, snapshot=BOOKS)


def batch(body: Any) -> list[Recorded]:
    return [Recorded(seq=1, at=NOON, cause_seq=None, trail_id="", body=body)]


def test_a_task_begins_once_the_books_are_in_and_nothing_is_held_any_more():
    is_starting, done = True, []
    after = AfterBooks(lambda: is_starting, lambda: done.append("then"))

    async def task() -> None:
        done.append("task")

    async def play() -> None:
        nonlocal is_starting
        running = asyncio.ensure_future(after.held(task)())
        after(batch(LOOK))  # differences: the core holds on
        is_starting = False
        after(batch(run_started()))  # no books
        await asyncio.sleep(0)
        assert done == []
        after(batch(LOOK))
        after(batch(LOOK))
        await running

    asyncio.run(play())
    assert done == ["then", "task"]
