"""Time as the runtime and the adapters see it; the core has no clock."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time: the wall's, or that of the replayed day."""

    def now(self) -> datetime:
        """Return the current time, aware UTC."""
        ...
