"""A journal in a SQLite file: WAL, one writer held by a lock file.

The writer speaks to SQLite directly: a row per message must cost microseconds.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from decimal import Decimal
from pathlib import Path
from typing import IO

from sqlalchemy import Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from catalyst_bot.domain.errors import (
    ConfigError,
    JournalDamaged,
    JournalUnwritable,
    SourceUnreachable,
)
from catalyst_bot.storage.store import Mark, Statements

_BUSY_TIMEOUT_S = 5.0
_MARK = "-mark"
_MARK_BYTES = 128
_WAL_PAGES = 1_000  # SQLite's own measure of a WAL that is long
_NO_CHECKPOINT = "PRAGMA wal_autocheckpoint = 0"
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"


class SqliteStore:
    """`Store` in a file. Raises `ConfigError` at once when another process writes it."""

    def __init__(self, path: Path, *, durable: bool) -> None:
        self.place = path
        self.dialect: Dialect = sqlite.dialect()
        self._durable = self._waits = durable
        refuse_folder(path)
        with ExitStack() as stack:
            stack.enter_context(lock(path))
            _refuse_lost(path)
            with errors_named(path):
                self._connection = stack.enter_context(closing(open_writer(path, durable=durable)))
            self._mark = stack.enter_context(closing(_MarkFile(mark_path(path))))
            self._held = stack.pop_all()

    def tables(self) -> set[str]:
        """See `Store.tables`."""
        with self.read() as statements:
            return {name for (name,) in statements.execute(_TABLES)}

    @contextmanager
    def read(self) -> Iterator[Statements]:
        """See `Store.read`."""
        with errors_named(self.place):
            yield self._connection

    @contextmanager
    def transaction(self, *, waits: bool = True, tidies: bool = False) -> Iterator[Statements]:
        """See `Store.transaction`."""
        try:
            self._wait_for_disk(waits=waits and self._durable)
            with self._tidying() if tidies else nullcontext():
                self._connection.execute("BEGIN IMMEDIATE")
                with self._connection:  # commits, or rolls back on an error
                    yield self._connection
        except sqlite3.OperationalError as error:
            raise JournalUnwritable(f"{self.place} takes no more: {error}") from error

    def _wait_for_disk(self, *, waits: bool) -> None:
        if waits != self._waits:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if waits else 'NORMAL'}")
            self._waits = waits

    @contextmanager
    def _tidying(self) -> Iterator[None]:
        """Let a commit bring a long WAL into the file, which takes tens of milliseconds."""
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        try:
            yield
        finally:
            self._connection.execute(_NO_CHECKPOINT)

    def version(self) -> int | None:
        """See `Store.version`."""
        with self.read() as statements:
            return int(statements.execute("PRAGMA data_version").fetchone()[0])

    def acknowledge(self, mark: Mark) -> None:
        """See `Store.acknowledge`."""
        if self._durable:
            self._mark.write(mark)

    def acknowledged(self) -> Mark | None:
        """See `Store.acknowledged`."""
        return mark_of(self.place)

    def close(self) -> None:
        """See `Store.close`."""
        self._held.close()


def mark_path(path: Path) -> Path:
    """The file beside a journal that knows how far it was acknowledged."""
    return Path(f"{path}{_MARK}")


def marked_in(folder: Path) -> list[Path]:
    """The journals of a folder that have such a file, in sorted order, whether they are there."""
    return sorted(Path(str(mark).removesuffix(_MARK)) for mark in folder.glob(f"*{_MARK}"))


def is_lost(path: Path) -> bool:
    """True for a journal that is gone, or emptied, although rows of it were acknowledged."""
    return mark_path(path).exists() and not (path.exists() and path.stat().st_size)


def _refuse_lost(path: Path) -> None:
    """To open it would make a new one, which looks as if nothing had ever happened."""
    if is_lost(path) and (mark := mark_of(path)) is not None:
        raise JournalDamaged(
            f"journal row 1 is missing: {path} is gone or empty, but row {mark.seq} was "
            "acknowledged: `catalyst-bot db restore` brings back a backup (or remove "
            f"{path}-mark to accept the loss)"
        )


def refuse_folder(path: Path) -> None:
    """Raise `ConfigError` for a folder where a journal is meant."""
    if path.is_dir():
        raise ConfigError(f"{path} is a folder, no journal: name a file in it")


def mark_of(path: Path) -> Mark | None:
    """How far a journal was acknowledged; None when its mark is missing or cannot be read."""
    try:
        seq, _, chain = mark_path(path).read_text("ascii").strip().partition(" ")
        return Mark(int(seq), chain)
    except (FileNotFoundError, UnicodeDecodeError, ValueError):
        return None


class _MarkFile:
    """The end of the chain, rewritten in place after each durable commit.

    Not waited for: after a power cut it may be behind the journal, which is fine, but never ahead
    of it, since it is written after the commit reached the disk. It finds what SQLite cannot: the
    loss of a whole WAL, or of the file itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def write(self, mark: Mark) -> None:
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(self._file, f"{mark.seq} {mark.chain}".ljust(_MARK_BYTES).encode(), 0)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)


def lock(path: Path, *, named: str = "storage.url") -> IO[str]:
    """Return the held lock of the one writer of `path`; closing it, or dying, lets go.

    Raises `ConfigError` at once when another writer holds it; `named` is the setting or flag that
    chose the file. The lock is a file beside the
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
            f"{named}: process {holder} already writes {path}; stop it, or use another file"
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
    connection.execute(_NO_CHECKPOINT)
    return prepared(connection)


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the file for reading beside a running writer; SQLAlchemy may hand it to its threads."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=_BUSY_TIMEOUT_S,
        check_same_thread=False,
    )


def prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Give a connection the SQL functions that our statements use."""
    connection.create_aggregate("decimal_sum", 1, _DecimalSum)  # type: ignore[arg-type]  # typed for int
    return connection


@contextmanager
def errors_named(path: Path) -> Iterator[None]:
    """Say in our words what SQLite says about the file."""
    try:
        yield
    except (sqlite3.DatabaseError, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, sqlite3.OperationalError):
            raise JournalDamaged(f"{path} is no readable database: {cause}") from error
        if "no such table" in str(cause) or "no such column" in str(cause):
            if (mark := mark_of(path)) is not None:
                raise JournalDamaged(
                    f"{path} is emptied: row {mark.seq} was acknowledged, and its table is gone; "
                    "`catalyst-bot db restore` brings back a backup"
                ) from error
            raise ConfigError(f"storage.url: {path} is no journal: {cause}") from error
        raise SourceUnreachable(f"{path} cannot be read now: {cause}") from error


class _DecimalSum:
    """SQL aggregate: exact sum of decimal text."""

    def __init__(self) -> None:
        self.total = Decimal(0)

    def step(self, value: str) -> None:
        self.total += Decimal(value)

    def finalize(self) -> str:
        return f"{self.total:f}"


def swap(fresh: Path, path: Path, stamp: str) -> None:
    """Put a closed journal in the place of another, which is kept as `PATH.replaced-STAMP`.

    A death on the way leaves the old journal, or one that its mark refuses: never a mixture.
    """
    aside = f"{path}.replaced-{stamp}"
    if path.exists():
        os.link(path, aside)
    for part in ("-wal", "-shm"):  # of the old file: SQLite would apply them to the new one
        with suppress(FileNotFoundError):
            Path(f"{path}{part}").replace(f"{aside}{part}")
    fresh.replace(path)
    if mark_path(fresh).exists():
        mark_path(fresh).replace(mark_path(path))
    else:  # an empty journal
        mark_path(path).unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
