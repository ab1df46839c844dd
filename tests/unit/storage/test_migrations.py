"""The schema of a journal: made, compared, brought up to date, or refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.storage import revisions
from catalyst_bot.storage.database import migration_engine, open_store
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.migrate import configuration, migrate
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.storage.schema import metadata
from tests.databases import database, read_tables
from tests.unit.storage.stories import a_day, record

DAY = record(a_day())


def write_day(place: Place) -> None:
    with SqlJournal(place) as journal:
        journal.append(DAY)


def make_old(place: Place) -> None:
    """A journal as revision 0001 left it: the journal's rows, and read tables of then."""
    write_day(place)
    with database(place) as statements:
        rows = statements.execute("SELECT * FROM journal ORDER BY seq").fetchall()
        for table in (*metadata.sorted_tables, "alembic_version"):
            statements.execute(f"DROP TABLE {table}")
        if not isinstance(place, Path):
            statements.execute("DROP AGGREGATE decimal_sum(text)")
            statements.execute("DROP FUNCTION decimal_add(numeric, text)")
            statements.execute("DROP FUNCTION decimal_text(numeric)")
    migrate(place, "0001")
    with database(place) as statements:
        marks = ", ".join("?" * len(rows[0]))
        statements.executemany(f"INSERT INTO journal VALUES ({marks})", map(tuple, rows))
        statements.execute("INSERT INTO projector_checkpoint VALUES (1, ?)", (len(rows),))


def set_revision(place: Place, revision: str) -> None:
    with database(place) as statements:
        statements.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def test_the_revisions_named_in_the_code_are_those_of_alembic():
    script = ScriptDirectory.from_config(configuration())
    every = [revision.revision for revision in script.walk_revisions()]
    assert every == [revisions.CURRENT, *reversed(revisions.OLDER)]


def test_the_migrations_make_exactly_the_schema(place: Place):
    SqlJournal(place).close()
    engine = migration_engine(place)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_opening_again_changes_nothing(file: Path):
    SqlJournal(file).close()
    before = file.read_bytes()
    SqlJournal(file).close()
    assert file.read_bytes() == before


@pytest.mark.parametrize("open_it", [SqlJournal, ReadModel])
def test_an_older_schema_is_refused_with_the_remedy(place: Place, open_it):
    make_old(place)
    with pytest.raises(ConfigError, match=r"schema 0001.*db backup.*db migrate"):
        open_it(place)


def test_an_older_journal_is_brought_up_to_date_when_asked(place: Place, tmp_path: Path):
    make_old(place)
    SqlJournal(place, migrates=True).close()
    with SqlJournal(place) as journal:
        assert list(journal.read()) == DAY
    fresh = tmp_path / "fresh.db"
    write_day(fresh)
    assert read_tables(place) == read_tables(fresh)


@pytest.mark.parametrize("open_it", [SqlJournal, ReadModel])
@pytest.mark.parametrize("migrates", [False, True])
def test_a_schema_from_the_future_is_refused(place: Place, open_it, migrates: bool):
    write_day(place)
    set_revision(place, "9999")
    more = {"migrates": migrates} if open_it is SqlJournal else {}
    with pytest.raises(ConfigError, match="newer than this one"):
        open_it(place, **more)


@pytest.mark.parametrize("open_it", [SqlJournal, ReadModel])
def test_a_schema_without_a_version_is_refused(place: Place, open_it):
    write_day(place)
    with database(place) as statements:
        statements.execute("DELETE FROM alembic_version")
    with pytest.raises(ConfigError, match="is no journal"):
        open_it(place)


@pytest.mark.parametrize("open_it", [SqlJournal, ReadModel])
def test_tables_of_something_else_are_left_alone(place: Place, open_it):
    open_store(place, durable=False).close()
    with database(place) as statements:
        statements.execute("CREATE TABLE cellar (wine INTEGER)")
    with pytest.raises(ConfigError, match="is no journal"):
        open_it(place)
    with database(place) as statements:
        assert statements.execute("SELECT * FROM cellar").fetchall() == []


def test_a_migration_that_fails_leaves_the_schema_as_it_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    """The last statement fails: everything before it is undone too."""
    make_old(place)
    before = read_tables_of_0001(place)
    monkeypatch.setattr("alembic.op.create_index", _fail)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        SqlJournal(place, migrates=True)
    monkeypatch.undo()
    assert read_tables_of_0001(place) == before
    SqlJournal(place, migrates=True).close()


def test_a_first_start_that_fails_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("alembic.op.create_index", _fail)
    with pytest.raises(RuntimeError, match="the disk is gone"):
        SqlJournal(place)
    monkeypatch.undo()
    write_day(place)


def _fail(*_: object) -> None:
    raise RuntimeError("the disk is gone")


def read_tables_of_0001(place: Place) -> list[tuple]:
    with database(place) as statements:
        return [
            *statements.execute("SELECT version_num FROM alembic_version").fetchall(),
            *statements.execute("SELECT * FROM orders").fetchall(),
            *statements.execute("SELECT * FROM projector_checkpoint").fetchall(),
        ]


def test_every_revision_says_what_it_does():
    for file in sorted((Path(revisions.__file__).parent / "migrations" / "versions").glob("*.py")):
        assert re.match(r'"""[A-Z].+"""', file.read_text("utf-8")), file.name
