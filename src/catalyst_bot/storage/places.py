"""Where a journal lies: in a file of its own, or in a schema of its own in a PostgreSQL database.

A place is written as a URL: `sqlite:///data/x.db`, or
`postgresql+psycopg://user@host:5432/database?journal=name`. A password is never part of it: it
would end up in settings, logs and the journal itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.settings import STORAGE_PASSWORD

POSTGRES = "postgresql+psycopg"
_JOURNAL = "journal"
_TRY = (
    "try sqlite:///data/x.db, or postgresql+psycopg://user@host/database with the password in "
    f"{STORAGE_PASSWORD} or {STORAGE_PASSWORD}_FILE"
)
_NAME = re.compile(r"(?!pg_|public$|information_schema$)[a-z][a-z0-9_-]*")
_MAX_NAME = 63  # of a PostgreSQL identifier
_DIGEST = 8


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A journal in a database: `server` is its URL, `name` the schema that holds the tables."""

    server: str
    name: str

    def __str__(self) -> str:
        url = make_url(self.server).update_query_dict({_JOURNAL: self.name})
        return url.render_as_string(hide_password=False)  # there is none


Place = Path | PostgresPlace


def place_of(where: Place | str) -> Place:
    """Return the place that a URL names. Raises `ConfigError`, without echoing a password."""
    if not isinstance(where, str):
        return where
    url, parts = where, _parts_of(where)
    if parts.get_backend_name() == "sqlite":
        if parts.database in {None, "", ":memory:"}:
            raise ConfigError(f"storage.url: {url!r} names no SQLite file; {_TRY}")
        return Path(str(parts.database))
    name = parts.query.get(_JOURNAL)
    if not isinstance(name, str):
        raise ConfigError(f"storage.url: {url!r} names no journal; add ?journal=NAME")
    return PostgresPlace(server_of(url), checked_name(name))


def server_of(url: str) -> str:
    """Return the URL of a database without a journal's name. Raises `ConfigError`."""
    parts = _parts_of(url)
    if parts.drivername != POSTGRES:
        raise ConfigError(f"storage.url: {url!r} is no PostgreSQL database; {_TRY}")
    return parts.difference_update_query([_JOURNAL]).render_as_string(hide_password=False)


def checked_name(name: str) -> str:
    """Return the name of a journal in a database. Raises `ConfigError` for what is none."""
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        raise ConfigError(
            f"{name!r} is no name of a journal: up to {_MAX_NAME} small letters, digits, - and _, "
            "a letter first, none of PostgreSQL's own"
        )
    return name


def name_from(text: str) -> str:
    """Make any text a journal's name; a long one ends with a digest of all of it."""
    name = re.sub(r"[^a-z0-9_-]", "-", text.lower())
    name = name if _NAME.match(name) else f"run-{name}"
    if len(name) <= _MAX_NAME:
        return name
    digest = sha256(text.encode()).hexdigest()[:_DIGEST]
    return f"{name[: _MAX_NAME - _DIGEST - 1]}-{digest}"


def _parts_of(url: str) -> URL:
    try:
        has_password = urlsplit(url).password is not None
        parts = make_url(url)
    except (ArgumentError, ValueError) as error:
        # Not quoted: what cannot be read may well hold a password.
        raise ConfigError(f"storage.url is no database URL; {_TRY}") from error
    if has_password or parts.password is not None or "password" in parts.query:
        raise ConfigError(
            f"storage.url holds a password: give it in {STORAGE_PASSWORD} (or that name and _FILE)"
        )
    if parts.drivername not in {"sqlite", POSTGRES}:
        raise ConfigError(f"storage.url: {parts.drivername} is no journal's database; {_TRY}")
    return parts
