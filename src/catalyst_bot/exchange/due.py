"""What an exchange has to do later: acknowledge an order, finish a cancel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from heapq import heappop, heappush


class Chore(StrEnum):
    """What is to be done."""

    ACKNOWLEDGE = "acknowledge"
    CONFIRM_CANCEL = "confirm_cancel"


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One chore. Of those due at one time the one that was added first comes first."""

    at: datetime
    number: int
    chore: Chore
    account_id: str
    order_id: str


class DueList:
    """Chores by time."""

    def __init__(self) -> None:
        self._heap: list[Due] = []
        self._added = 0

    def add(self, at: datetime, chore: Chore, account_id: str, order_id: str) -> None:
        """Remember a chore."""
        self._added += 1
        heappush(self._heap, Due(at, self._added, chore, account_id, order_id))

    def next_at(self) -> datetime | None:
        """Return when the next chore is due."""
        return self._heap[0].at if self._heap else None

    def take(self, until: datetime) -> list[Due]:
        """Return what is due at or before a time, and forget it."""
        taken: list[Due] = []
        while self._heap and self._heap[0].at <= until:
            taken.append(heappop(self._heap))
        return taken
