"""A journal in a PostgreSQL database: a schema of its own, one writer held by an advisory lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import psycopg
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql

from catalyst_bot.domain.errors import JournalUnwritable
from catalyst_bot.storage import postgres
from catalyst_bot.storage.places import PostgresPlace
from catalyst_bot.storage.store import Mark, Statements


class PostgresStore:
    """`Store` in a database. Raises `ConfigError` when another session writes the journal.

    There is one session, and it is never replaced: when it is lost the lock is lost with it, and
    another process may write. Then every call fails, and the bot stops.
    """

    def __init__(self, place: PostgresPlace, *, durable: bool) -> None:
        self.place = place
        self.dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
        with ExitStack() as stack:
            self._connection = stack.enter_context(
                closing(postgres.connect(place, autocommits=True))
            )
            postgres.take_lock(self._connection, place)
            if durable:
                postgres.check_durability(self._connection, place)
            self._connection.execute(f"SET synchronous_commit = {'on' if durable else 'off'}")
            postgres.make_schema(self._connection, place)
            self._statements = _Translated(self._connection)
            self._held = stack.pop_all()

    def tables(self) -> set[str]:
        """See `Store.tables`."""
        with postgres.errors_named(self.place):
            return postgres.tables_of(self._connection)

    @contextmanager
    def read(self) -> Iterator[Statements]:
        """See `Store.read`."""
        with postgres.errors_named(self.place):
            yield self._statements

    @contextmanager
    def transaction(
        self,
        *,
        waits: bool = True,
        tidies: bool = False,  # noqa: ARG002  # the server does that beside us
    ) -> Iterator[Statements]:
        """See `Store.transaction`; statements without an answer share one trip to the server."""
        try:
            with self._connection.transaction(), self._connection.pipeline():
                if not waits:
                    self._connection.execute("SET LOCAL synchronous_commit = off")
                yield self._statements
        except psycopg.Error as error:
            raise JournalUnwritable(f"{self.place} takes no more: {error}") from error

    def version(self) -> int | None:
        """See `Store.version`: PostgreSQL has no such number."""
        return None

    def acknowledge(self, mark: Mark) -> None:
        """See `Store.acknowledge`: the server's own log needs no second witness."""

    def acknowledged(self) -> Mark | None:
        """See `Store.acknowledged`."""
        return None

    def close(self) -> None:
        """See `Store.close`."""
        self._held.close()


class _Translated:
    """Our statements over the driver's connection; bytes come back as bytes, not as hex."""

    def __init__(self, connection: postgres.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Any = (), /) -> Any:
        """See `Statements.execute`."""
        return self._connection.execute(postgres.translated(statement), values or None, binary=True)

    def executemany(self, statement: str, values: Iterable[Any], /) -> Any:
        """See `Statements.executemany`."""
        cursor = self._connection.cursor()
        cursor.executemany(postgres.translated(statement), values)
        return cursor
