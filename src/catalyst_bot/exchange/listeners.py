"""Who waits for an account's updates within this process: the streams of server-sent events."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

_MOST_WAITING: Final = 10_000


class Listener:
    """Somebody who waits for an account's updates; a slow one loses the oldest."""

    def __init__(self) -> None:
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_MOST_WAITING)
        self._has_more = asyncio.Event()

    def tell(self, message: dict[str, Any]) -> None:
        """Put a message in line."""
        self._waiting.append(message)
        self._has_more.set()

    async def next(self, patience_s: float) -> dict[str, Any] | None:
        """Return the next message, None when there is none for so long."""
        if not self._waiting:
            self._has_more.clear()
            try:
                await asyncio.wait_for(self._has_more.wait(), patience_s)
            except TimeoutError:
                return None
        return self._waiting.popleft()


class Listeners:
    """Who listens to which account."""

    def __init__(self) -> None:
        self._of: dict[str, list[Listener]] = {}

    def join(self, account_id: str) -> Listener:
        """Let somebody listen from now on."""
        listener = Listener()
        self._of.setdefault(account_id, []).append(listener)
        return listener

    def leave(self, account_id: str, listener: Listener) -> None:
        """Let somebody go."""
        self._of[account_id].remove(listener)

    def tell(self, account_id: str, message: dict[str, Any]) -> None:
        """Tell everybody who listens to an account."""
        for listener in self._of.get(account_id, ()):
            listener.tell(message)
