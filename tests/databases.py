"""Behind the journal's back: raw statements on a place, whatever database it is in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from catalyst_bot.storage import postgres, schema
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.store import Statements


class _Session:
    """Takes the same statements on both databases."""

    def __init__(self, connection: postgres.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Any = (), /) -> Any:
        return self._connection.execute(postgres.translated(statement), values or None)

    def executemany(self, statement: str, values: Any, /) -> Any:
        cursor = self._connection.cursor()
        cursor.executemany(postgres.translated(statement), values)
        return cursor


@contextmanager
def database(place: Place) -> Iterator[Statements]:
    """Statements that are committed at the end."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection, connection:
            yield connection
    else:
        with postgres.connect(place) as session, session.transaction():
            yield _Session(session)


def read_tables(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every read table."""
    with database(place) as statements:
        return {
            table.name: sorted(
                map(tuple, statements.execute(f"SELECT * FROM {table.name}").fetchall()), key=str
            )
            for table in schema.PROJECTIONS
        }
