"""How many requests an account may make in a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_WINDOW_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RateVerdict:
    """Whether a request may pass, and what its `X-RateLimit-*` headers say.

    `limit` 0 means that nothing is limited; then there are no headers. `reset_s` is the UNIX
    second at which the count begins anew.
    """

    is_allowed: bool
    limit: int
    remaining: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """Return the headers of an answer."""
        if self.limit == 0:
            return {}
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_s),
        }


class RateLimit:
    """Counts the requests of one account in whole minutes of the clock it is told."""

    def __init__(self, limit_per_min: int) -> None:
        self._limit = limit_per_min
        self._window = 0
        self._used = 0

    def take(self, now_s: float) -> RateVerdict:
        """Count a request at a UNIX time."""
        window = int(now_s) // _WINDOW_S
        if window != self._window:
            self._window, self._used = window, 0
        is_allowed = self._limit == 0 or self._used < self._limit
        self._used += 1
        return RateVerdict(
            is_allowed=is_allowed,
            limit=self._limit,
            remaining=max(0, self._limit - self._used),
            reset_s=(window + 1) * _WINDOW_S,
        )
