"""How a feed fares: failures with back-off, and the silence of one that answers but brings nothing.

Both are told once, and once more when they are over.
"""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.messages.facts import AdapterFailed, AdapterRecovered
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

MAX_BACK_OFF_S = 600.0
MAX_BACK_OFF_DOUBLINGS = 6


class Health:
    """What the core knows of one feed. `adapter` is its name there.

    `stale_after_s` is how long it may bring nothing while the exchange is open, 0 for ever.
    """

    def __init__(
        self, adapter: str, *, sink: Sink, clock: Clock, stale_after_s: float = 0.0
    ) -> None:
        self._adapter = adapter
        self._sink = sink
        self._clock = clock
        self._stale_after_s = stale_after_s
        self._failures = 0
        self._is_told = False
        self._quiet_s = 0.0
        self._quiet_since: datetime | None = None

    def failed(self, reason: str) -> None:
        """Count a failure; the first of a series is told."""
        self._failures += 1
        self.warn(reason)

    def warn(self, reason: str) -> None:
        """Tell that something is wrong, unless it is known."""
        if not self._is_told:
            self._is_told = True
            now = self._clock.now()
            self._sink(AdapterFailed(at=now, adapter=self._adapter, error=reason))

    def worked(self, *, brought: bool, is_open: bool) -> None:
        """End a series of failures; `brought` tells whether there was anything new.

        Only the time between answers while the exchange is open counts as silence.
        """
        self._failures = 0
        now = self._clock.now()
        if brought or not is_open:
            self._quiet_since = now if is_open else None
            self._quiet_s = 0.0 if brought else self._quiet_s
        else:
            since = self._quiet_since or now
            self._quiet_s += (now - since).total_seconds()
            self._quiet_since = now
        if 0 < self._stale_after_s < self._quiet_s:
            self.warn(f"answers, but has brought nothing for {self._quiet_s / 60:.0f} min")
        elif self._is_told:
            self._is_told = False
            self._sink(AdapterRecovered(at=now, adapter=self._adapter))

    def pause_s(self, usual_s: float, asked_s: float = 0.0) -> float:
        """Return how long to wait: ever longer while it fails, and as long as the source asked,
        but no more than ten minutes (or the usual pause, where that is longer).
        """
        if not self._failures:
            return usual_s
        doublings = min(self._failures - 1, MAX_BACK_OFF_DOUBLINGS)
        longer_s = max(usual_s * float(2**doublings), asked_s)
        return max(usual_s, min(longer_s, MAX_BACK_OFF_S))
