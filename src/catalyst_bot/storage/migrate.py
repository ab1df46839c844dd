"""Brings the schema of a journal up to date; apart from `database` because readers never do it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, NullPool, create_engine

from catalyst_bot.domain.errors import ConfigError

_MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(path: Path) -> None:
    """Bring the schema to the newest revision. Raises `ConfigError` for a file from the future."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ConfigError(
                f"storage.url: {path} was written by another version of this program: {error}"
            ) from error
