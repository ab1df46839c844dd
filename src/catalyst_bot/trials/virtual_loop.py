"""An asyncio loop whose time is virtual: it jumps to the next thing that is due.

No thread, socket or signal belongs to it, so the same seed runs the same callbacks in the same
order, and a day takes as long as its computations.
"""

from __future__ import annotations

import asyncio
from typing import Any

from catalyst_bot.domain.errors import InvariantViolated


class _Waiting:
    """Stands where a loop keeps its selector: waiting moves the clock and finds nothing."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def select(self, timeout: float | None) -> list[Any]:
        """Let time pass. Raises `InvariantViolated` when nothing will ever happen."""
        if timeout is None:
            raise InvariantViolated("every task waits for another one: nothing is due any more")
        self.now_s += timeout
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop for one simulation; `time` is virtual seconds since its start."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Waiting()
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Return the virtual time."""
        return self._selector.now_s

    def _process_events(self, event_list: list[Any]) -> None:
        """Nothing is ever selected."""

    def _write_to_self(self) -> None:
        """Nobody outside the thread wakes this loop."""
