"""What a journal proves about itself, while its writer may be at work: chain, tables, schema.

Nothing is written and nothing locked: everything is read from one moment's snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from catalyst_bot.domain.errors import ConfigError, JournalDamaged
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage import revisions, schema
from catalyst_bot.storage.database import errors_named, exists, read_engine
from catalyst_bot.storage.fold import Fold, by_key
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.rows import START_OF_CHAIN, JournalHash, Row, check_row, to_record
from catalyst_bot.storage.sqlite_store import mark_of
from catalyst_bot.storage.store import Mark

_PAGE_ROWS = 1000
_MAX_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was found; `damage` means: do not trade on it, `schema_problem`: not with this program.

    `chain` is the chain value of the last row, `journal_hash` that of the whole run.
    """

    journal: str
    schema: str
    rows: int
    last_at: str
    chain: str
    journal_hash: str
    damage: tuple[str, ...]
    schema_problem: str = ""

    @property
    def is_whole(self) -> bool:
        """True when nothing speaks against it."""
        return not self.damage and not self.schema_problem

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {**asdict(self), "is_whole": self.is_whole}


def prove(place: Place) -> Proof:
    """Check everything there is to check. Raises `ConfigError` when there is no journal."""
    if not exists(place):
        raise ConfigError(f"storage.url: there is no journal at {place}")
    mark = (mark_of(place) if isinstance(place, Path) else None) or Mark(0, START_OF_CHAIN)
    found = _Findings(place, mark)
    try:
        with snapshot(place) as connection, Fold() as fold:
            found.look(connection, fold)
    except JournalDamaged as error:
        found.damage.append(str(error))
    return found.proof()


def rows_of(connection: Connection) -> Iterator[Row]:
    """Rows of the table `journal` as they are, unchecked, in the snapshot of a connection."""
    journal, seq = schema.journal, 0
    columns = [journal.c[name] for name in Row._fields]
    query = select(*columns).order_by(journal.c.seq).limit(_PAGE_ROWS)
    while page := connection.execute(query.where(journal.c.seq > seq)).all():
        yield from map(Row._make, page)
        seq = page[-1][0]


@contextmanager
def snapshot(place: Place) -> Iterator[Connection]:
    """A connection that sees one moment of a journal and cannot write."""
    engine = read_engine(place)
    try:
        with errors_named(place), engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


class _Findings:
    """Collects what is found on the way through a journal."""

    def __init__(self, place: Place, mark: Mark) -> None:
        self._place = place
        self._mark = mark
        self.damage: list[str] = []
        self._schema = ""
        self._schema_problem = ""
        self._last = Row(0, "", "", "", 0, None, "", b"", 0, START_OF_CHAIN)
        self._hash = JournalHash()

    def look(self, connection: Connection, fold: Fold) -> None:
        """Go through all of it; damage ends the journey where it is found.

        The read tables may be a few rows behind the journal: they are held against a fold of the
        rows they know.
        """
        if connection.dialect.name == "sqlite":
            said = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check(5)")]
            self.damage += [f"SQLite: {word}" for word in said if word != "ok"]
        self._schema = str(connection.exec_driver_sql(revisions.READ_VERSION).scalar() or "")
        try:
            revisions.check(self._place, self._schema)
        except ConfigError as error:
            self._schema_problem = str(error)
        shown = 0 if self._schema_problem else _shown(connection)
        page: list[Recorded] = []
        for record in self._records(connection):
            if record.seq <= shown:
                page.append(record)
            if len(page) == _PAGE_ROWS:
                fold.add(page)
                page.clear()
        if page:
            fold.add(page)
        self._hold_against_mark()
        if not self._schema_problem:
            self.damage += [
                problem
                for table in schema.PROJECTIONS
                for problem in _differences(table, connection, fold)
            ]

    def _records(self, connection: Connection) -> Iterator[Recorded]:
        for row in rows_of(connection):
            check_row(row, previous_seq=self._last.seq, previous_chain=self._last.chain)
            if row.seq == self._mark.seq and row.chain != self._mark.chain:
                raise JournalDamaged(f"journal row {row.seq} is not the one acknowledged")
            self._hash.add(row)
            self._last = row
            yield to_record(row)

    def _hold_against_mark(self) -> None:
        if self._last.seq < self._mark.seq:
            raise JournalDamaged(
                f"journal row {self._last.seq + 1} is missing: row {self._mark.seq} was "
                "acknowledged; the -wal file, or the end of the file, is lost"
            )

    def proof(self) -> Proof:
        """The result."""
        return Proof(
            journal=str(self._place),
            schema=self._schema,
            rows=self._last.seq,
            last_at=self._last.at,
            chain=self._last.chain,
            journal_hash=self._hash.hexdigest(),
            damage=tuple(self.damage),
            schema_problem=self._schema_problem,
        )


def _shown(connection: Connection) -> int:
    """The last row that the read tables know, 0 for none."""
    return connection.execute(select(schema.projector_checkpoint.c.seq)).scalar() or 0


def _differences(table: Table, connection: Connection, fold: Fold) -> list[str]:
    """At most one line about a read table that is not what the journal makes of it."""
    held = by_key(table, connection.execute(select(table)).all())
    fresh = fold.rows(table)
    if held == fresh:
        return []
    keys = sorted((key for key in {*held, *fresh} if held.get(key) != fresh.get(key)), key=str)
    named = ", ".join("/".join(map(str, key)) for key in keys[:_MAX_NAMED])
    more = ", ..." if len(keys) > _MAX_NAMED else ""
    told = f"read table {table.name}: {len(keys)} rows differ from a fresh fold ({named}{more})"
    return [f"{told}: `catalyst-bot rebuild` writes them again"]


def proof_text(proof: Proof) -> str:
    """A line when whole, else a line per problem."""
    if proof.is_whole:
        return (
            f"whole: {proof.journal}, {proof.rows} rows to {proof.last_at or 'the beginning'}, "
            f"schema {proof.schema}, chain {proof.chain[:16]}, sha256 {proof.journal_hash}"
        )
    problems = [*proof.damage, *filter(None, [proof.schema_problem])]
    return "\n".join([f"NOT whole: {proof.journal}", *(f"  {line}" for line in problems)])


def must_be_undamaged(proof: Proof) -> None:
    """Raise `JournalDamaged` for a journal that nobody should copy."""
    if proof.damage:
        raise JournalDamaged(f"{proof.journal}: {'; '.join(proof.damage)}")
