"""Fewer requests than Alpaca allows: a bucket of turns, some of them only for cancels.

Alpaca counts the requests of the whole account, so what its answers say about the rest of the
minute counts more than our own count. A refused request (429) closes the gate for a while; the
reserve stays open, because a cancel must get through when everything else has used up the minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from catalyst_bot.alpaca.pace import Pace

WINDOW_S = 60.0
RESERVE = 20
FIRST_PAUSE_S = 2.0
MAX_PAUSE_S = 60.0
TOO_MANY = 429
_REMAINING, _RESET = "x-ratelimit-remaining", "x-ratelimit-reset"


class OutOfTurns(Exception):
    """There is no turn within the caller's patience; nothing was asked."""


class RateLimit:
    """Turns to ask one host. `reserve` of them go to urgent requests only."""

    def __init__(
        self,
        *,
        per_min: int,
        pace: Pace,
        reserve: int = 0,
        epoch: Callable[[], float] = time.time,
    ) -> None:
        self._size = float(per_min)
        self._reserve = float(min(reserve, per_min // 2))
        self._pace = pace
        self._epoch = epoch
        self._turns = self._size
        self._counted_at = pace.seconds()
        self._closed_until = 0.0
        self._pause_s = FIRST_PAUSE_S

    async def turn(self, *, is_urgent: bool = False, patience_s: float = WINDOW_S) -> None:
        """Take a turn, waiting for it. Raises `OutOfTurns` when that would take too long."""
        give_up_at = self._pace.seconds() + patience_s
        while (wait_s := self._wait_s(is_urgent=is_urgent)) > 0:
            if self._pace.seconds() + wait_s > give_up_at:
                raise OutOfTurns(f"no request is free for {wait_s:.1f} s")
            await self._pace.sleep(wait_s)
        self._turns -= 1

    def learn(self, status: int, headers: Mapping[str, str]) -> None:
        """Take in what an answer says about the rest of the minute."""
        told = {name.lower(): value for name, value in headers.items()}
        remaining = _number(told.get(_REMAINING))
        self._refill()
        if remaining is not None:
            self._turns = min(self._turns, max(remaining, 0.0))
        if status != TOO_MANY:
            self._pause_s = FIRST_PAUSE_S
            return
        self._turns = min(self._turns, self._reserve)
        reset_in_s = (_number(told.get(_RESET)) or 0.0) - self._epoch()
        is_told = 0 < reset_in_s <= MAX_PAUSE_S
        opens_at = self._pace.seconds() + (reset_in_s if is_told else self._pause_s)
        self._closed_until = max(self._closed_until, opens_at)  # a refused cancel opens nothing
        self._pause_s = min(self._pause_s * 2, MAX_PAUSE_S)

    def _wait_s(self, *, is_urgent: bool) -> float:
        """Return how long until a turn is free, 0 when one is."""
        now = self._refill()
        needed = 1.0 if is_urgent else 1.0 + self._reserve
        missing = needed - self._turns
        refilled_in_s = missing * WINDOW_S / self._size if missing > 0 else 0.0
        opened_in_s = 0.0 if is_urgent else self._closed_until - now
        return max(refilled_in_s, opened_in_s, 0.0)

    def _refill(self) -> float:
        now = self._pace.seconds()
        earned = (now - self._counted_at) * self._size / WINDOW_S
        self._turns = min(self._size, self._turns + earned)
        self._counted_at = now
        return now


def _number(text: str | None) -> float | None:
    """Read a header's number; None for what is none, for whatever it holds."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
