"""A journal in a list: for tests, and for backtests that keep nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.rows import check_follows


class MemoryJournal:
    """`ports.journal.Journal` without a file."""

    def __init__(self) -> None:
        self._records: list[Recorded] = []

    def append(self, batch: Sequence[Recorded]) -> None:
        """See `Journal.append`."""
        check_follows(batch, self.last_seq())
        self._records.extend(batch)

    def settle(self, *, is_quiet: bool = True) -> None:
        """See `Journal.settle`: nothing else is kept here."""

    def read(self, after_seq: int = 0) -> Iterator[Recorded]:
        """See `Journal.read`."""
        yield from self._records[after_seq:]

    def last_seq(self) -> int:
        """See `Journal.last_seq`."""
        return len(self._records)
