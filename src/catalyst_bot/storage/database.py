"""Where SQLite and PostgreSQL part: a place in, what opens, reads or removes it out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType

from sqlalchemy import Engine, NullPool, create_engine, event

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.storage import sqlite_store
from catalyst_bot.storage.places import Place, PostgresPlace
from catalyst_bot.storage.store import Store

NO_DRIVER = (
    "storage.url: PostgreSQL needs the driver psycopg, which is not installed: run "
    "`make setup-postgres`"
)


def open_store(place: Place, *, durable: bool) -> Store:
    """Open a place to write. Raises `ConfigError` for a second writer or a missing driver."""
    if isinstance(place, Path):
        return sqlite_store.SqliteStore(place, durable=durable)
    driver()
    from catalyst_bot.storage import postgres_store  # noqa: PLC0415  # its driver is an extra

    return postgres_store.PostgresStore(place, durable=durable)


def driver() -> ModuleType:
    """The module that reaches PostgreSQL. Raises `ConfigError` where its driver is missing."""
    try:
        from catalyst_bot.storage import postgres  # noqa: PLC0415  # its driver is an extra
    except ImportError as error:
        raise ConfigError(NO_DRIVER) from error
    return postgres


def exists(place: Place) -> bool:
    """True when there is a journal at the place. Raises `ConfigError` for a folder."""
    if isinstance(place, PostgresPlace):
        return bool(driver().exists(place))
    sqlite_store.refuse_folder(place)
    return place.exists()


def read_engine(place: Place) -> Engine:
    """Return an engine that cannot write, for use beside a running writer.

    Its transactions see one moment, from their first query on.
    """
    if isinstance(place, PostgresPlace):
        postgres = driver()
        return create_engine(
            "postgresql+psycopg://",
            creator=lambda: postgres.connect(place, reads_only=True),
            isolation_level="REPEATABLE READ",
            pool_pre_ping=True,
        )
    engine = create_engine("sqlite://", creator=lambda: sqlite_store.open_reader(place))
    return _with_begin(engine, "BEGIN")


def migration_engine(place: Place) -> Engine:
    """Return an engine whose transactions take all changes of the schema, or none."""
    if isinstance(place, PostgresPlace):
        postgres = driver()
        return create_engine(
            "postgresql+psycopg://", creator=lambda: postgres.connect(place), poolclass=NullPool
        )
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(place), poolclass=NullPool)
    return _with_begin(engine, "BEGIN IMMEDIATE")


def errors_named(place: Place) -> AbstractContextManager[None]:
    """Say in our words what the database says when a place is read."""
    if isinstance(place, PostgresPlace):
        named: AbstractContextManager[None] = driver().errors_named(place)
        return named
    return sqlite_store.errors_named(place)


def erase(place: Place) -> None:
    """Remove a journal that nobody has open, with all that belongs to it."""
    if isinstance(place, PostgresPlace):
        postgres = driver()
        with (
            postgres.connect(place, autocommits=True) as connection,
            postgres.schema_errors_named(place),
        ):
            postgres.take_lock(connection, place)
            postgres.drop(connection, place.name)
        return
    for part in (place, *place.parent.glob(f"{place.name}-*")):
        part.unlink(missing_ok=True)


def _with_begin(engine: Engine, statement: str) -> Engine:
    """Begin transactions by our own word: the driver would begin them late, or not at all."""

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begun(connection: object) -> None:
        connection.exec_driver_sql(statement)  # type: ignore[attr-defined]

    return engine


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Be the one writer of a place for a while, without opening it."""
    if isinstance(place, PostgresPlace):
        postgres = driver()
        with postgres.connect(place, autocommits=True) as connection:
            postgres.take_lock(connection, place)
            yield
        return
    with sqlite_store.lock(place):
        yield
