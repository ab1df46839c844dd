"""The journal of a schedule: real rows with checksums and chain, on a disk that can fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from catalyst_bot.domain.errors import InvariantViolated, JournalUnwritable
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.rows import (
    START_OF_CHAIN,
    Row,
    check_follows,
    check_row,
    to_record,
    to_row,
)


class Disk:
    """What outlives the process: the rows of its journal, and the records that they read as.

    Without `keeps` only the end of the chain is remembered, for a life that is long and the last.
    """

    def __init__(self, *, keeps: bool = True) -> None:
        self._keeps = keeps
        self.rows: list[Row] = []
        self.records: list[Recorded] = []
        self.count = 0
        self.chain = START_OF_CHAIN

    def add(self, rows: Sequence[Row], records: Sequence[Recorded]) -> None:
        """Take in rows that follow the last one, and what they read as."""
        self.count += len(rows)
        self.chain = rows[-1].chain
        if self._keeps:
            self.rows.extend(rows)
            self.records.extend(records)

    def read_again(self) -> list[Recorded]:
        """Read the journal from its rows, every one checked. Raises `JournalDamaged`."""
        seq, chain = 0, START_OF_CHAIN
        for row in self.rows:
            check_row(row, previous_seq=seq, previous_chain=chain)
            seq, chain = row.seq, row.chain
        return [to_record(row) for row in self.rows]


class DiskJournal:
    """`Journal` of one life of the bot. `check` raises when that life is over; `fails` says
    whether a write goes wrong.

    Every record is read back at once, as a later process will read it: what could not be read was
    never written.
    """

    def __init__(
        self, disk: Disk, *, check: Callable[[str], None], fails: Callable[[], bool]
    ) -> None:
        self._disk = disk
        self._check = check
        self._fails = fails

    def append(self, batch: Sequence[Recorded]) -> None:
        """See `Journal.append`. Raises `JournalUnwritable`."""
        self._check("before commit")
        if self._fails():
            raise JournalUnwritable("the journal takes no more: database or disk is full")
        check_follows(batch, self.last_seq())
        rows: list[Row] = []
        read: list[Recorded] = []
        chain = self._disk.chain
        for record in batch:
            row = to_row(record, previous_chain=chain)
            read.append(to_record(row))
            if read[-1] != record:
                raise InvariantViolated(f"{type(record.body).__name__} is not read as written")
            rows.append(row)
            chain = row.chain
        self._disk.add(rows, read)
        self._check("after commit")

    def settle(self, *, is_quiet: bool = True) -> None:
        """See `Journal.settle`: nobody looks on."""

    def read(self, after_seq: int = 0) -> Iterator[Recorded]:
        """See `Journal.read`."""
        return iter(self._disk.records[after_seq:])

    def last_seq(self) -> int:
        """See `Journal.last_seq`."""
        return self._disk.count
