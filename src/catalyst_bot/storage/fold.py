"""The read tables made anew in memory, to compare with those that were written along the way."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage import projector
from catalyst_bot.storage.schema import PROJECTIONS
from catalyst_bot.storage.sqlite_store import prepared

Rows = dict[Any, tuple[Any, ...]]


class Fold:
    """Every read table as a fold of the records it was given, from the first one on."""

    def __init__(self) -> None:
        self._seq = 0
        self._connection = prepared(sqlite3.connect(":memory:", isolation_level=None))
        for table in PROJECTIONS:
            self._connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))

    def add(self, records: Sequence[Recorded]) -> None:
        """Fold the next records in."""
        self._connection.execute("BEGIN")
        with self._connection:
            projector.apply(self._connection, records, known_seq=self._seq)
        self._seq = records[-1].seq

    def rows(self, table: Table) -> Rows:
        """Rows of a table by their key."""
        query = f"SELECT * FROM {table.name}"  # noqa: S608  # names of our own tables
        return by_key(table, self._connection.execute(query).fetchall())

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def by_key(table: Table, rows: Sequence[Sequence[Any]]) -> Rows:
    """Rows of a table by their key."""
    places = [table.columns.keys().index(column.name) for column in table.primary_key]
    return {tuple(row[place] for place in places): tuple(row) for row in rows}
