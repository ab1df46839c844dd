"""The log that is the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from catalyst_bot.domain.messages.registry import Recorded


class Journal(Protocol):
    """Append-only, checksummed, hash-chained. One writer."""

    def append(self, batch: Sequence[Recorded]) -> None:
        """Append all or nothing. `seq` must continue without a gap.

        Durable on return, with all that came before; a batch of nothing but what is
        `TOLD_AGAIN` may wait for the next one that is, or until it settles.
        """
        ...

    def settle(self, *, is_quiet: bool = True) -> None:
        """Let what people look at follow; called when no order waits for it.

        Where it is not quiet, because more is in line, only once much has gathered.
        """
        ...

    def read(self, after_seq: int = 0) -> Iterator[Recorded]:
        """Yield records in order. Raises `JournalDamaged` that names the first bad `seq`."""
        ...

    def last_seq(self) -> int:
        """Return the last sequence number, 0 when empty."""
        ...
