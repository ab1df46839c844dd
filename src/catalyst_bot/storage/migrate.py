"""Brings the schema of a journal up to date; apart from `database` because a start rarely does."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from catalyst_bot.storage.database import migration_engine
from catalyst_bot.storage.places import Place

_MIGRATIONS = Path(__file__).with_name("migrations")


def migrate(place: Place, to: str = "head") -> None:
    """Bring the schema to a revision, all or nothing. The caller has checked which one it has."""
    engine = migration_engine(place)
    with engine.begin() as connection:
        settings = configuration()
        settings.attributes["connection"] = connection
        command.upgrade(settings, to)
    engine.dispose()


def configuration() -> Config:
    """Where Alembic finds the revisions."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
