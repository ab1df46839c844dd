"""The journal in a database: append-only, checksummed, hash-chained, one writer.

A batch, with those before it that had to wait for nothing, is one transaction, and its orders leave
when it is on the disk. The read tables follow in a transaction of their own that nobody waits for:
what they miss after a crash, the next opening adds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from itertools import islice
from typing import Self

from sqlalchemy.schema import CreateTable

from catalyst_bot.domain.errors import JournalDamaged, JournalUnwritable
from catalyst_bot.domain.messages.registry import TOLD_AGAIN, Recorded
from catalyst_bot.storage import projector, revisions
from catalyst_bot.storage.batch_codec import BatchEncoder
from catalyst_bot.storage.database import open_store
from catalyst_bot.storage.places import Place, place_of
from catalyst_bot.storage.rows import (
    START_OF_CHAIN,
    Row,
    check_follows,
    check_row,
    to_record,
    to_row,
)
from catalyst_bot.storage.schema import PROJECTIONS
from catalyst_bot.storage.store import Mark, Statements

_PAGE_ROWS = 1000
_MOST_BEHIND_ROWS = 250  # a few milliseconds' work, for which the next in line waits
_COLUMNS = ", ".join(Row._fields)
_READ_PAGE = f"SELECT {_COLUMNS} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
_APPEND = f"INSERT INTO journal ({_COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))})"  # noqa: S608
_CHAIN_AT = "SELECT chain FROM journal WHERE seq = ?"


class SqlJournal:
    """`ports.journal.Journal` at a place, given as such or as URL; use it from one thread.

    Opening takes the writer's lock, checks the schema's revision and every row, and lets the read
    tables catch up. Raises `ConfigError` for a second writer or another revision (an older one is
    brought up to date with `migrates`), `JournalDamaged` for a row that does not prove itself, and
    `SourceUnreachable` when there is no answer. `durable=False` is for backtests: quick, and safe
    from a crash of the process but not of the machine.
    """

    def __init__(self, where: Place | str, *, durable: bool = True, migrates: bool = False) -> None:
        self.place = place_of(where)
        with ExitStack() as stack:
            self._store = stack.enter_context(closing(open_store(self.place, durable=durable)))
            self._check_schema(migrates=migrates)
            self._version = self._store.version()
            self._last_seq, self._chain = self._verify()
            self._unwritten: list[Row] = []  # what goes to the disk with the next that waits for it
            self._behind: list[Recorded] = []  # what the read tables do not show yet
            self._catch_up()
            self._held = stack.pop_all()

    def append(self, batch: Sequence[Recorded]) -> None:
        """See `Journal.append`. Raises `BadData` for what could not be read back."""
        if not batch:
            return
        check_follows(batch, self._last_seq)
        rows: list[Row] = []
        chain, write = self._chain, BatchEncoder().encode
        for record in batch:
            rows.append(to_row(record, previous_chain=chain, write=write))
            chain = rows[-1].chain
        self._write(rows, batch, waits=any(type(r.body) not in TOLD_AGAIN for r in batch))

    def settle(self, *, is_quiet: bool = True) -> None:
        """See `Journal.settle`: the read tables follow, in one transaction, with the rows that had
        to wait for nothing.
        """
        if len(self._behind) < (1 if is_quiet else _MOST_BEHIND_ROWS):
            return
        with self._store.transaction(waits=False, tidies=True) as statements:
            statements.executemany(_APPEND, self._unwritten)
            known_seq = self._last_seq - len(self._behind)
            projector.apply(statements, self._behind, known_seq=known_seq)
        self._unwritten.clear()
        self._behind.clear()

    def copy(self, rows: Iterable[Row]) -> None:
        """Append rows of another journal as they are, with their chain, and what follows from them.

        Raises `JournalDamaged` for a row that does not prove itself.
        """
        coming = self._checked(rows)
        while page := list(islice(coming, _PAGE_ROWS)):
            self._write(page, [to_record(row) for row in page])
            self.settle()

    def read(self, after_seq: int = 0) -> Iterator[Recorded]:
        """See `Journal.read`. Rows checked at the opening are checked again once others wrote."""
        self._write_down()
        return map(to_record, self._rows(after_seq))

    def last_seq(self) -> int:
        """See `Journal.last_seq`."""
        return self._last_seq

    def rebuild(self) -> None:
        """Write every read table again from the journal, in one transaction; a lost one too."""
        self._write_down()
        with self._store.transaction() as statements:
            for table in PROJECTIONS:
                made = CreateTable(table, if_not_exists=True).compile(dialect=self._store.dialect)
                statements.execute(str(made))
            projector.clear(statements)
            self._apply_from(statements, 0)
        self._behind.clear()

    def close(self) -> None:
        """Let the read tables follow, close the database and let go of the lock."""
        with self._held, suppress(JournalUnwritable):  # the next opening lets them follow
            self.settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(
        self, rows: Sequence[Row], records: Sequence[Recorded], *, waits: bool = True
    ) -> None:
        """Bring rows to the disk, with all before them; or keep them for the next that wait."""
        unwritten = [*self._unwritten, *rows]
        if waits:
            with self._store.transaction() as statements:
                statements.executemany(_APPEND, unwritten)
            unwritten.clear()
        self._unwritten = unwritten
        self._behind += records
        self._last_seq, self._chain = rows[-1].seq, rows[-1].chain
        if waits:
            self._store.acknowledge(Mark(self._last_seq, self._chain))

    def _write_down(self) -> None:
        """Let whoever reads find all rows."""
        if self._unwritten:
            with self._store.transaction(waits=False) as statements:
                statements.executemany(_APPEND, self._unwritten)
            self._unwritten.clear()

    def _check_schema(self, *, migrates: bool) -> None:
        """Make the tables of a new journal; refuse those of another program."""
        with self._store.read() as statements:
            found = revisions.revision(statements, self._store.tables())
        is_to_migrate = found is None or (migrates and found in revisions.OLDER)
        if not is_to_migrate:
            revisions.check(self.place, found)
            return
        # Alembic takes 0.2 s to load, which a restart saves.
        from catalyst_bot.storage.migrate import migrate  # noqa: PLC0415

        with self._store.read():
            migrate(self.place)

    def _verify(self) -> tuple[int, str]:
        """Check the whole journal; return its last seq and the end of its chain."""
        mark = self._store.acknowledged() or Mark(0, START_OF_CHAIN)
        seq, chain, marked_chain = 0, START_OF_CHAIN, START_OF_CHAIN
        for row in self._checked_rows(0):
            seq, chain = row.seq, row.chain
            if seq == mark.seq:
                marked_chain = chain
        if seq < mark.seq:
            raise JournalDamaged(
                f"journal row {seq + 1} is missing: {self.place} ends there, but row {mark.seq} "
                "was acknowledged; its -wal file, or its end, is lost: `catalyst-bot db restore` "
                f"brings back a backup (or remove {self.place}-mark to accept the loss)"
            )
        if marked_chain != mark.chain:
            raise JournalDamaged(
                f"journal row {mark.seq} is not the one that was acknowledged: {self.place} was "
                f"exchanged; `catalyst-bot db restore` does that properly (or remove "
                f"{self.place}-mark to accept it)"
            )
        return seq, chain

    def _catch_up(self) -> None:
        """Give the read tables what they miss after a migration emptied them."""
        with self._store.read() as statements:
            known = projector.checkpoint(statements)
        if known > self._last_seq:
            raise JournalDamaged(
                f"journal row {self._last_seq + 1} is missing: the read tables know row {known}"
            )
        if known < self._last_seq:
            with self._store.transaction() as statements:
                self._apply_from(statements, known)

    def _apply_from(self, statements: Statements, after_seq: int) -> None:
        records, known_seq = self.read(after_seq), after_seq
        while page := list(islice(records, _PAGE_ROWS)):
            projector.apply(statements, page, known_seq=known_seq)
            known_seq = page[-1].seq

    def _rows(self, after_seq: int) -> Iterator[Row]:
        """Rows of pages that nobody else has touched since the opening, or checked ones."""
        seq = after_seq
        while self._version is not None:
            page = self._page(after_seq=seq)
            if self._store.version() != self._version:
                break
            yield from map(Row._make, page)
            seq += len(page)
            if not page:
                return
        yield from self._checked_rows(seq)

    def _checked_rows(self, after_seq: int) -> Iterator[Row]:
        seq, chain = after_seq, self._chain_at(after_seq)
        while page := self._page(after_seq=seq):
            for row in map(Row._make, page):
                check_row(row, previous_seq=seq, previous_chain=chain)
                seq, chain = row.seq, row.chain
                yield row

    def _page(self, *, after_seq: int) -> list[tuple[object, ...]]:
        with self._store.read() as statements:
            found: list[tuple[object, ...]] = statements.execute(
                _READ_PAGE, (after_seq, _PAGE_ROWS)
            ).fetchall()
            return found

    def _checked(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Rows from elsewhere, each following the one before, and the first what is here."""
        seq, chain = self._last_seq, self._chain
        for row in rows:
            check_row(row, previous_seq=seq, previous_chain=chain)
            seq, chain = row.seq, row.chain
            yield row

    def _chain_at(self, seq: int) -> str:
        with self._store.read() as statements:
            found = statements.execute(_CHAIN_AT, (seq,)).fetchone()
        return str(found[0]) if found else START_OF_CHAIN
