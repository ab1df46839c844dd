"""How a PostgreSQL database is reached: connections, the writer's lock, the journals in it.

The only module that needs the driver, an extra: others import it where a place is in a database.
"""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from catalyst_bot.domain.errors import ConfigError, SourceUnreachable
from catalyst_bot.settings import STORAGE_PASSWORD
from catalyst_bot.settings_sources import secret
from catalyst_bot.storage.places import PostgresPlace, name_from

Connection = psycopg.Connection[Any]

_CONNECT_TIMEOUT_S = 5
_DEAD_AFTER_MS = 10_000  # a network that swallows everything is noticed within this time
_LOCK_TRIES, _LOCK_PAUSE_S = 10, 0.1  # a killed process's session ends a moment after it
_KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
_SERVER_KEEPALIVE = {
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
}
_WRITER = {"lock_timeout": "5s", "statement_timeout": "60s"}
_READER = {"default_transaction_read_only": "on"}
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
_HOLDER = """
    SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND ((classid::bigint << 32) | objid::bigint) = %s
        AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_JOURNALS = """
    SELECT nspname FROM pg_namespace
    WHERE EXISTS (SELECT FROM pg_tables WHERE schemaname = nspname AND tablename = 'journal')
        AND obj_description(oid, 'pg_namespace') LIKE 'catalyst-bot journal%'
    ORDER BY obj_description(oid, 'pg_namespace') DESC, nspname
"""
_HAS_SCHEMA = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)"
_WRONG_LOGIN = "28"  # class of SQLSTATE: invalid authorization
_NO_DATABASE = "3D000"
_NAMED = re.compile(r"(?<!:):([a-z_]+)\b")


def connect(
    place: PostgresPlace, *, reads_only: bool = False, autocommits: bool = False
) -> Connection:
    """Return a session in which the journal's schema is the only one.

    Raises `SourceUnreachable` when there is no answer, `ConfigError` when the server says no.
    """
    url = make_url(place.server)
    settings = {"search_path": f'"{place.name}"', **_SERVER_KEEPALIVE}
    settings |= _READER if reads_only else _WRITER
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    given: dict[str, Any] = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "dbname": url.database,
        "password": secret(STORAGE_PASSWORD),
        "application_name": f"catalyst-bot {os.getpid()} on {socket.gethostname()}",
        "connect_timeout": _CONNECT_TIMEOUT_S,
        "tcp_user_timeout": _DEAD_AFTER_MS,
        **_KEEPALIVE,
        **url.query,
    }
    given["options"] = f"{given.get('options', '')} {options}".strip()
    named = {key: value for key, value in given.items() if value is not None}
    try:
        return psycopg.connect(autocommit=autocommits, **named)
    except psycopg.Error as error:
        raise _refused(place, error) from error


def _refused(place: PostgresPlace, error: psycopg.Error) -> ConfigError | SourceUnreachable:
    """What a connection was refused for; the driver's words never hold the password."""
    said = str(error).strip()
    code = error.sqlstate or ""
    is_login = "authentication" in said or "no password supplied" in said
    if code.startswith(_WRONG_LOGIN) or is_login:
        return ConfigError(
            f"storage.url: {place.server} refuses the login (password from {STORAGE_PASSWORD} or "
            f"{STORAGE_PASSWORD}_FILE): {said}"
        )
    if code == _NO_DATABASE or ("database" in said and "does not exist" in said):
        return ConfigError(f"storage.url: {place.server}: {said}; create it with createdb")
    if isinstance(error, psycopg.ProgrammingError):
        return ConfigError(f"storage.url: {place.server}: {said}")
    return SourceUnreachable(f"storage.url: {place.server} cannot be reached: {said}")


def take_lock(connection: Connection, place: PostgresPlace) -> None:
    """Become the journal's one writer until the session ends, however it ends.

    Raises `ConfigError` when another session holds the lock.
    """
    key = _lock_key(place.name)
    for _ in range(_LOCK_TRIES):
        if _value(connection, "SELECT pg_try_advisory_lock(%s)", key):
            return
        time.sleep(_LOCK_PAUSE_S)
    holder = _value(connection, _HOLDER, key) or "a process"
    raise ConfigError(
        f"storage.url: {holder} already writes the journal {place.name}; stop it, or use another "
        "journal"
    )


def _lock_key(name: str) -> int:
    digest = blake2b(f"catalyst-bot journal {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _value(connection: Connection, query: str, *values: object) -> Any:
    found = connection.execute(query.encode(), values or None).fetchone()
    return found[0] if found else None


def tables_of(connection: Connection) -> set[str]:
    """Names of the tables in the journal's schema."""
    return {name for (name,) in connection.execute(_TABLES)}


def make_schema(connection: Connection, place: PostgresPlace) -> None:
    """Make the journal's schema unless it is there, and note in it that it was opened now."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    name = sql.Identifier(place.name)
    with schema_errors_named(place):
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
        connection.execute(
            sql.SQL("COMMENT ON SCHEMA {} IS {}").format(
                name, sql.Literal(f"catalyst-bot journal, opened {now}")
            )
        )


def drop(connection: Connection, name: str) -> None:
    """Remove a journal with everything in it."""
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))


def rename(connection: Connection, name: str, new_name: str) -> None:
    """Give a journal another name."""
    connection.execute(
        sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(
            sql.Identifier(name), sql.Identifier(new_name)
        )
    )


def journals_of(server: str) -> list[str]:
    """Names of the journals in a database, the one opened last first."""
    with connect(PostgresPlace(server, "public"), reads_only=True) as connection:
        return [name for (name,) in connection.execute(_JOURNALS)]


def describe(server: str) -> str:
    """The version of a server and whether it waits for its disk. Raises as `connect` does."""
    with connect(PostgresPlace(server, "public"), reads_only=True) as connection:
        version, fsync = _value(connection, "SHOW server_version"), _value(connection, "SHOW fsync")
    return f"PostgreSQL {version}, fsync {fsync}"


def exists(place: PostgresPlace) -> bool:
    """True when the database holds tables under that name."""
    with connect(place, reads_only=True) as connection:
        return bool(tables_of(connection))


def check_durability(connection: Connection, place: PostgresPlace) -> None:
    """Raise `ConfigError` when the server itself does not wait for its disk."""
    if _value(connection, "SHOW fsync") != "on":
        raise ConfigError(
            f"storage.url: {place.server} runs with fsync = off, so a commit may be lost: switch "
            "it on to trade"
        )


@contextmanager
def errors_named(place: PostgresPlace) -> Iterator[None]:
    """Say in our words why a journal cannot be read."""
    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
            raise ConfigError(f"storage.url: {place} is no journal: {cause}") from error
        raise SourceUnreachable(f"{place} cannot be read now: {cause}") from error


@contextmanager
def schema_errors_named(place: PostgresPlace) -> Iterator[None]:
    """Say in our words why a schema cannot be made, renamed or dropped."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigError(
            f"storage.url: {place.server}: {error}; grant the user CREATE on the database"
        ) from error
    except psycopg.Error as error:
        raise SourceUnreachable(f"storage.url: {place}: {error}") from error


@lru_cache(maxsize=1_000)
def translated(statement: str) -> bytes:
    """Write our statement the way the driver wants its values named."""
    text = statement.replace("%", "%%")
    text = _NAMED.sub(r"%(\1)s", text)
    return text.replace("?", "%s").encode()


def swap(fresh: PostgresPlace, place: PostgresPlace, stamp: str) -> None:
    """Put a journal in the place of another, which is kept as `NAME-replaced-STAMP`, at once."""
    aside = name_from(f"{place.name}-replaced-{stamp.lower()}")
    with connect(place) as connection, schema_errors_named(place):
        if _value(connection, _HAS_SCHEMA, place.name):
            rename(connection, place.name, aside)
        rename(connection, fresh.name, place.name)
