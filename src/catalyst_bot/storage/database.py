"""How the database file is found, locked and opened.

The writer speaks to SQLite directly: a row per message must cost microseconds. SQLAlchemy keeps
the schema, the migrations and the reading.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import IO

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from catalyst_bot.domain.errors import ConfigError, JournalDamaged

_BUSY_TIMEOUT_S = 5.0


def path_of(url: str) -> Path:
    """Return the file that `sqlite:///path` names. Raises `ConfigError` for anything else."""
    try:
        parts = make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            f"storage.url: {url!r} is no database URL; try sqlite:///data/x.db"
        ) from error
    if parts.get_backend_name() != "sqlite" or parts.database in {None, "", ":memory:"}:
        raise ConfigError(f"storage.url: {url!r} names no SQLite file; try sqlite:///data/x.db")
    return Path(str(parts.database))


def lock(path: Path) -> IO[str]:
    """Return the held lock of the one writer of `path`; closing it, or dying, lets go.

    Raises `ConfigError` at once when another writer holds it. The lock is a file beside the
    database, for SQLite drops its own locks between transactions.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = Path(f"{path}.lock").open("a+", encoding="ascii")  # noqa: SIM115  # held until close
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        held.seek(0)
        holder = held.read().strip() or "unknown"
        held.close()
        raise ConfigError(
            f"storage.url: process {holder} already writes {path}; stop it, or use another file"
        ) from error
    held.truncate(0)
    held.write(str(os.getpid()))
    held.flush()
    return held


def open_writer(path: Path, *, durable: bool) -> sqlite3.Connection:
    """Open the file for the one writer; `durable` waits for the disk at every commit."""
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
    connection.create_aggregate("decimal_sum", 1, _DecimalSum)  # type: ignore[arg-type]  # typed for int
    return connection


def read_only_engine(path: Path) -> Engine:
    """Return an engine that cannot write, for use beside a running writer."""
    url = URL.create(
        "sqlite", database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"}
    )
    return create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S})


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Turn SQLite's word for a broken file into `JournalDamaged`; let locks and full disks be."""
    try:
        yield
    except (sqlite3.DatabaseError, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, sqlite3.OperationalError):
            if "no such table" in str(cause):
                raise ConfigError(f"storage.url: {path} is no journal: {cause}") from error
            raise
        raise JournalDamaged(f"{path} is no readable database: {cause}") from error


class _DecimalSum:
    """SQL aggregate: exact sum of decimal text."""

    def __init__(self) -> None:
        self.total = Decimal(0)

    def step(self, value: str) -> None:
        self.total += Decimal(value)

    def finalize(self) -> str:
        return f"{self.total:f}"
