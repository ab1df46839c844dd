"""What the journal needs of a database; SQLite and PostgreSQL each have one.

Statements are written once, in the SQL that both understand: `:name` for named values, `?` for
values by position, `ON CONFLICT` for upserts.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Dialect

from catalyst_bot.storage.places import Place


class Statements(Protocol):
    """Runs statements on one connection; what is returned has `fetchone` and `fetchall`."""

    def execute(self, statement: str, values: Any = (), /) -> Any:
        """Run a statement once."""
        ...

    def executemany(self, statement: str, values: Iterable[Any], /) -> Any:
        """Run a statement for each of the values."""
        ...


class Mark(NamedTuple):
    """The end of the chain as it was acknowledged last, kept outside the database."""

    seq: int
    chain: str


class Store(Protocol):
    """A journal's database in the hands of its one writer; used from one thread.

    What goes wrong with the database itself is told as `JournalDamaged` (what is there cannot be
    read), `ConfigError` (it is no journal) or `JournalUnwritable` (it took no more).
    """

    @property
    def place(self) -> Place:
        """Where it is."""
        ...

    @property
    def dialect(self) -> Dialect:
        """How its tables are written."""
        ...

    def tables(self) -> set[str]:
        """Names of all tables there are."""
        ...

    def read(self) -> AbstractContextManager[Statements]:
        """Statements outside a transaction."""
        ...

    def transaction(
        self, *, waits: bool = True, tidies: bool = False
    ) -> AbstractContextManager[Statements]:
        """Statements that are committed together, or not at all when one of them fails.

        One that `waits` is on the disk afterwards, with all before it. Without waiting it is safe
        from a crash of the process, and never on the disk before what came earlier. One that
        `tidies` may take long, for the database does then what it puts off while orders wait.
        """
        ...

    def version(self) -> int | None:
        """A number that changes when anybody else writes; None where that cannot be known."""
        ...

    def acknowledge(self, mark: Mark) -> None:
        """Remember outside the database how far it is, after a durable commit."""
        ...

    def acknowledged(self) -> Mark | None:
        """How far it was the last time; None where nothing but the database itself knows."""
        ...

    def close(self) -> None:
        """Close the database and let go of the writer's lock."""
        ...
