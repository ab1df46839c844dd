"""Things that happen at known times, in the order in which they happen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Timeline(Generic[Item]):
    """Items by time; those of one time in the order given."""

    def __init__(self, items: Iterable[tuple[datetime, Item]] = ()) -> None:
        ordered = sorted(items, key=lambda pair: pair[0])
        self._times = [at for at, _ in ordered]
        self._items = tuple(item for _, item in ordered)

    def __len__(self) -> int:
        return len(self._items)

    def until(self, at: datetime) -> tuple[Item, ...]:
        """Return what has happened at or before a time."""
        return self._items[: bisect_right(self._times, at)]

    def between(self, after: datetime, until: datetime) -> tuple[Item, ...]:
        """Return what happens in (after, until]."""
        return self._items[bisect_right(self._times, after) : bisect_right(self._times, until)]

    def next_at(self, after: datetime) -> datetime | None:
        """Return when the next thing after a time happens."""
        index = bisect_right(self._times, after)
        return self._times[index] if index < len(self._times) else None
