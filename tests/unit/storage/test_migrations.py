from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.storage.migrate import migrate
from catalyst_bot.storage.schema import metadata


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "100% odd.db"
    migrate(path)
    return path


def test_the_migrations_make_exactly_the_schema(path: Path):
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_migrating_again_changes_nothing(path: Path):
    before = path.read_bytes()
    migrate(path)
    assert path.read_bytes() == before


def test_a_file_from_the_future_is_refused(path: Path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigError, match="another version"):
        migrate(path)
