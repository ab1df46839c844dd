"""The journal in SQLite: append-only, checksummed, hash-chained, one writer.

A batch and the rows of the read tables that follow from it are one transaction, so that what a
person sees never disagrees with the truth.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import islice
from typing import Self

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from catalyst_bot.domain.errors import JournalDamaged
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage import projector
from catalyst_bot.storage.database import damage_named, lock, open_writer, path_of
from catalyst_bot.storage.migrate import migrate
from catalyst_bot.storage.rows import (
    START_OF_CHAIN,
    Row,
    check_follows,
    check_row,
    to_record,
    to_row,
)
from catalyst_bot.storage.schema import PROJECTIONS

_PAGE_ROWS = 1000
_READ_PAGE = f"SELECT {', '.join(Row._fields)} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
_APPEND = (
    f"INSERT INTO journal ({', '.join(Row._fields)}) VALUES ({', '.join('?' * len(Row._fields))})"  # noqa: S608
)


class SqlJournal:
    """`ports.journal.Journal` in the SQLite file that `url` names; use it from one thread.

    Opening takes the writer's lock, brings the schema up to date, checks every row and lets the
    read tables catch up. Raises `ConfigError` for a second writer and `JournalDamaged` for a row
    that does not prove itself. `durable=False` is for backtests: quick, and safe from a crash of
    the process but not of the machine.
    """

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self.path = path_of(url)
        with ExitStack() as stack:
            stack.enter_context(lock(self.path))
            stack.enter_context(damage_named(self.path))
            self._connection = stack.enter_context(closing(open_writer(self.path, durable=durable)))
            migrate(self.path)
            self._last_seq, self._chain = self._verify()
            self._catch_up()
            self._held = stack.pop_all()

    def append(self, batch: Sequence[Recorded]) -> None:
        """See `Journal.append`. Raises `BadData` for what could not be read back."""
        if not batch:
            return
        check_follows(batch, self._last_seq)
        rows: list[Row] = []
        chain = self._chain
        for record in batch:
            rows.append(to_row(record, previous_chain=chain))
            chain = rows[-1].chain
        with self._transaction() as connection:
            connection.executemany(_APPEND, rows)
            projector.apply(connection, batch)
        self._last_seq, self._chain = batch[-1].seq, chain

    def read(self, after_seq: int = 0) -> Iterator[Recorded]:
        """See `Journal.read`."""
        return map(to_record, self._checked_rows(after_seq))

    def last_seq(self) -> int:
        """See `Journal.last_seq`."""
        return self._last_seq

    def rebuild(self) -> None:
        """Write every read table again from the journal, in one transaction; a lost one too."""
        with self._transaction() as connection:
            for table in PROJECTIONS:
                made = CreateTable(table, if_not_exists=True).compile(dialect=sqlite.dialect())
                connection.execute(str(made))
            projector.clear(connection)
            self._apply_from(connection, 0)

    def close(self) -> None:
        """Close the file and let go of the lock."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _transaction(self) -> sqlite3.Connection:
        """Begin; as a context manager the connection then commits, or rolls back on an error."""
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def _verify(self) -> tuple[int, str]:
        """Check the whole journal; return its last seq and the end of its chain."""
        seq, chain = 0, START_OF_CHAIN
        for row in self._checked_rows(0):
            seq, chain = row.seq, row.chain
        return seq, chain

    def _catch_up(self) -> None:
        """Give the read tables what they miss after a migration emptied them."""
        known = projector.checkpoint(self._connection)
        if known > self._last_seq:
            raise JournalDamaged(
                f"journal row {self._last_seq + 1} is missing: the read tables know row {known}"
            )
        if known < self._last_seq:
            with self._transaction() as connection:
                self._apply_from(connection, known)

    def _apply_from(self, connection: sqlite3.Connection, after_seq: int) -> None:
        records = self.read(after_seq)
        while page := list(islice(records, _PAGE_ROWS)):
            projector.apply(connection, page)

    def _checked_rows(self, after_seq: int) -> Iterator[Row]:
        seq, chain = after_seq, self._chain_at(after_seq)
        while page := self._connection.execute(_READ_PAGE, (seq, _PAGE_ROWS)).fetchall():
            for row in map(Row._make, page):
                check_row(row, previous_seq=seq, previous_chain=chain)
                seq, chain = row.seq, row.chain
                yield row

    def _chain_at(self, seq: int) -> str:
        found = self._connection.execute(
            "SELECT chain FROM journal WHERE seq = ?", (seq,)
        ).fetchone()
        return str(found[0]) if found else START_OF_CHAIN
