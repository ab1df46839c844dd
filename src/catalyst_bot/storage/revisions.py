"""Which schema a database has, against the one this program reads and writes.

The revisions are those of `migrations/`. Their names stand here too, so that a start need not
load Alembic to see that nothing is to be done.
"""

from __future__ import annotations

from collections.abc import Collection

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.store import Statements

CURRENT = "0003"
OLDER = ("0001", "0002")
VERSION_TABLE = "alembic_version"
READ_VERSION = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608  # a constant


def revision(statements: Statements, tables: Collection[str]) -> str | None:
    """Return the revision of a database with these tables, None for one without any table."""
    if not tables:
        return None
    if VERSION_TABLE not in tables:
        return ""
    found = statements.execute(READ_VERSION).fetchall()
    return str(found[0][0]) if len(found) == 1 else ""


def check(place: Place, found: str | None) -> None:
    """Raise `ConfigError` with the remedy unless the revision is current (or there is none)."""
    if found in {None, CURRENT}:
        return
    if found == "":
        raise ConfigError(f"storage.url: {place} is no journal: its tables have no schema version")
    if found in OLDER:
        raise ConfigError(
            f"storage.url: {place} has schema {found}, written by an older version of this "
            f"program, which now needs {CURRENT}: make a copy with `catalyst-bot db backup`, then "
            "run `catalyst-bot db migrate` on it"
        )
    raise ConfigError(
        f"storage.url: {place} has schema {found}, written by another version of this program, "
        f"newer than this one ({CURRENT}): use that version, or another journal"
    )
