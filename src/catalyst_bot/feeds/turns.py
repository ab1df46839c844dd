"""How often a host may be asked: so many requests in so many seconds, in every window.

Wall time is counted, for it is the host's patience that is spared.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

Limits = Sequence[tuple[int, int]]


class Turns:
    """Turns to ask one host. Of `limits` (requests, seconds) every one holds."""

    def __init__(
        self,
        limits: Limits,
        *,
        seconds: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        assert all(count > 0 and window_s > 0 for count, window_s in limits), limits
        self._windows = [(deque[float](maxlen=count), window_s) for count, window_s in limits]
        self._seconds = seconds
        self._pause = pause

    async def take(self) -> None:
        """Take the next turn, waiting for it; turns are given in the order of asking."""
        now = self._seconds()
        free_at = [times[0] + window_s for times, window_s in self._windows if _is_full(times)]
        at = max([now, *free_at])
        for times, _ in self._windows:
            times.append(at)
        if at > now:
            await self._pause(at - now)


class HostTurns:
    """The turns of all hosts that are asked; those of one domain (`www.`, `data.`) share them."""

    def __init__(self) -> None:
        self._by_domain: dict[str, Turns] = {}

    def of(self, url: str, limits: Limits) -> Turns:
        """Return the turns of an address, with the limits of whoever asks first."""
        return self._by_domain.setdefault(domain_of(url), Turns(limits))


def domain_of(url: str) -> str:
    """Return the last two labels of a host's name; a number or a single label with its port."""
    parts = urlsplit(url)
    labels = (parts.hostname or "").split(".")
    if len(labels) == 1 or labels[-1].isdigit():
        return parts.netloc
    return ".".join(labels[-2:])


def _is_full(times: deque[float]) -> bool:
    return len(times) == times.maxlen
