"""Copies of journals that can be trusted: taken while the bot runs, proved, put back atomically.

A backup is a journal in a SQLite file, whatever database it came from: it can be verified, read,
explained and restored to either.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.storage import sqlite_store
from catalyst_bot.storage.database import driver, erase, errors_named, exists, locked
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place, PostgresPlace, name_from
from catalyst_bot.storage.proof import Proof, must_be_undamaged, prove, rows_of, snapshot
from catalyst_bot.storage.revisions import CURRENT, READ_VERSION

_STAMP = "%Y%m%dT%H%M%S%fZ"


def backup(place: Place, target: Path, *, is_folder: bool = False) -> Proof:
    """Write a proved copy of a journal to a file, or into a folder under a name with the time.

    What is no folder yet is made one with `is_folder`. The bot may go on writing: the copy is of
    one moment. Raises `ConfigError` when there is no journal, or when the file exists or cannot be
    written, `JournalDamaged` when the journal does not prove itself.
    """
    if not exists(place):
        raise ConfigError(f"storage.url: there is no journal at {place}")
    if is_folder or target.is_dir():
        stem = place.stem if isinstance(place, Path) else place.name
        target = target / f"{stem}-{datetime.now(UTC).strftime(_STAMP)}.db"
    if target.exists():
        raise ConfigError(f"{target} exists already: a backup is never overwritten")
    part = target.with_name(f".{target.name}.part")
    _make_room(part, target)
    try:
        if isinstance(place, Path):
            _copy_file(place, part)
        else:
            _copy_rows(place, part)
        proof = prove(part)
        must_be_undamaged(proof)
        _sync(part)
        os.link(part, target)  # unlike a rename it never overwrites
        _sync(target.parent)
    except FileExistsError as error:
        raise ConfigError(f"{target} exists already: a backup is never overwritten") from error
    finally:
        _remove(part)
    return prove(target)


def restore(source: Place, place: Place, *, replaces: bool) -> Proof:
    """Make a journal of a proved copy, all at once; what it replaces is set aside, not deleted.

    Rows are taken as they are, with their chain; the read tables are written anew, in the schema
    of this program. Raises `JournalDamaged` for a copy that does not prove itself and `ConfigError`
    for a journal that exists (unless `replaces`) or that a bot writes.
    """
    must_be_undamaged(prove(source))
    with locked(place):
        if exists(place) and not replaces:
            raise ConfigError(
                f"storage.url: there is a journal at {place}; --force replaces it (the old one is "
                "kept under another name)"
            )
        fresh = _beside(place)
        erase(fresh)
        try:
            _copy_rows(source, fresh)
            stamp = datetime.now(UTC).strftime(_STAMP)
            if isinstance(place, Path) and isinstance(fresh, Path):
                sqlite_store.swap(fresh, place, stamp)
            elif isinstance(place, PostgresPlace) and isinstance(fresh, PostgresPlace):
                driver().swap(fresh, place, stamp)
        finally:
            erase(fresh)
            if isinstance(fresh, Path):
                Path(f"{fresh}.lock").unlink(missing_ok=True)
    return prove(place)


def _beside(place: Place) -> Place:
    """Where the new journal grows until it takes its place."""
    if isinstance(place, Path):
        return place.with_name(f".{place.name}.restoring")
    return PostgresPlace(place.server, name_from(f"{place.name}--restoring"))


def _copy_file(source: Path, target: Path) -> None:
    """SQLite's own copy of one moment of a file that may be written meanwhile."""
    with (
        errors_named(source),
        closing(sqlite_store.open_reader(source)) as taken,
        closing(sqlite3.connect(target)) as given,
    ):
        taken.backup(given)
        given.execute("PRAGMA journal_mode = DELETE")  # one file, complete in itself


def _copy_rows(source: Place, target: Place) -> None:
    with snapshot(source) as connection, SqlJournal(target) as journal:
        journal.copy(rows_of(connection))
    if isinstance(target, Path):
        with closing(sqlite3.connect(target)) as connection_:
            connection_.execute("PRAGMA journal_mode = DELETE")


def _make_room(part: Path, target: Path) -> None:
    """See that a copy can be written at all: later an error would be taken for the journal's."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _remove(part)
        part.touch()
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(
            f"the backup {target} cannot be written: {reason}; name another file"
        ) from error


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of files, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(part: Path) -> None:
    for file in (part, *part.parent.glob(f"{part.name}-*"), Path(f"{part}.lock")):
        with suppress(FileNotFoundError):
            file.unlink()


def migrated(place: Place) -> tuple[str, str]:
    """Bring an older journal up to date; return its revision before and after.

    Raises `ConfigError` when there is no journal, or one that is newer than this program.
    """
    if not exists(place):
        raise ConfigError(f"storage.url: there is no journal at {place}")
    with snapshot(place) as connection:
        before = str(connection.exec_driver_sql(READ_VERSION).scalar() or "")
    SqlJournal(place, migrates=True).close()
    return before, CURRENT
