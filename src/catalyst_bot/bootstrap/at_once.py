"""A question that is asked before anything runs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def at_once(asking: Coroutine[Any, Any, T]) -> T:
    """Run a question in a loop of its own; a look-up of a name that hangs in a thread is left
    behind, where `asyncio.run` would wait for it.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(asking)
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.close()
