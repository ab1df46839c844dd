"""What only a journal in a PostgreSQL database can be, or suffer."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import ConfigError, JournalUnwritable, SourceUnreachable
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.settings import STORAGE_PASSWORD as PASSWORD
from catalyst_bot.storage import postgres
from catalyst_bot.storage.database import erase, exists
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import PostgresPlace
from catalyst_bot.storage.postgres_store import PostgresStore
from catalyst_bot.storage.read_model import ReadModel
from tests import builders as b
from tests.databases import database, read_tables
from tests.postgres import PASSWORD as SECRET
from tests.postgres import Postgres
from tests.unit.storage.stories import a_day, record

DAY = record(a_day())


@pytest.fixture
def place(postgres_server: Postgres) -> PostgresPlace:
    return postgres_server.place()


@pytest.fixture
def guarded(postgres_server: Postgres) -> PostgresPlace:
    """A journal of the role that has to log in."""
    server = postgres_server.server.replace("bot@", "guarded@")
    return PostgresPlace(server, postgres_server.place().name)


@pytest.mark.parametrize(("durable", "word"), [(True, "on"), (False, "off")])
def test_durable_waits_for_the_disk_and_not_durable_does_not(
    place: PostgresPlace, durable: bool, word: str
):
    store = PostgresStore(place, durable=durable)
    with store.read() as statements:
        assert statements.execute("SHOW synchronous_commit").fetchone() == (word,)
    store.close()


def test_a_transaction_waits_for_the_disk_when_told(place: PostgresPlace):
    store = PostgresStore(place, durable=True)
    found = []
    for waits in (True, False, True):
        with store.transaction(waits=waits) as statements:
            found.append(statements.execute("SHOW synchronous_commit").fetchone()[0])
    assert found == ["on", "off", "on"]
    store.close()


@pytest.fixture
def forgetful(postgres_server: Postgres) -> Iterator[Postgres]:
    """A server that does not wait for its disk."""
    postgres_server.execute("ALTER SYSTEM SET fsync = off")
    postgres_server.execute("SELECT pg_reload_conf()")
    yield postgres_server
    postgres_server.execute("ALTER SYSTEM RESET fsync")
    postgres_server.execute("SELECT pg_reload_conf()")


def test_a_server_that_may_lose_commits_takes_no_durable_journal(forgetful: Postgres):
    place = forgetful.place()
    with pytest.raises(ConfigError, match="fsync = off"):
        SqlJournal(place)
    SqlJournal(place, durable=False).close()


def test_the_password_comes_from_the_environment_or_a_file(
    guarded: PostgresPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv(PASSWORD, SECRET)
    SqlJournal(guarded).close()
    monkeypatch.delenv(PASSWORD)
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    monkeypatch.setenv(f"{PASSWORD}_FILE", str(file))
    with ReadModel(guarded) as model:
        assert list(model.records()) == []


@pytest.mark.parametrize("given", ["wrong-" + SECRET, None])
def test_a_refused_login_is_told_without_the_password(
    guarded: PostgresPlace,
    given: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    monkeypatch.setenv("PGPASSFILE", "/nowhere")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    if given is not None:
        monkeypatch.setenv(PASSWORD, given)
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigError, match=PASSWORD) as refused:
        SqlJournal(guarded)
    assert SECRET not in f"{refused.value!r} {refused.value.__cause__!r} {caplog.text}"


def test_a_database_that_is_not_there_is_told(place: PostgresPlace):
    nowhere = PostgresPlace(place.server.replace("/catalyst", "/cellar"), place.name)
    with pytest.raises(ConfigError, match=r"cellar.*does not exist.*createdb"):
        SqlJournal(nowhere)


def test_an_unknown_option_in_the_url_is_told(place: PostgresPlace):
    odd = PostgresPlace(f"{place.server}?colour=red", place.name)
    with pytest.raises(ConfigError, match="colour"):
        SqlJournal(odd)


def test_a_server_that_does_not_answer_is_unreachable():
    nobody = PostgresPlace("postgresql+psycopg://bot@127.0.0.1:1/catalyst", "live")
    with pytest.raises(SourceUnreachable, match="cannot be reached"):
        SqlJournal(nobody)


def test_a_missing_driver_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "catalyst_bot.storage.postgres")
    monkeypatch.delattr("catalyst_bot.storage.postgres")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match="make setup-postgres"):
        SqlJournal("postgresql+psycopg://bot@127.0.0.1/catalyst?journal=live")


def test_text_is_compared_byte_by_byte_whatever_the_database_prefers(place: PostgresPlace):
    """As in SQLite: another collation would order and compare times and symbols its own way."""
    SqlJournal(place).close()
    with database(place) as statements:
        found = statements.execute(
            "SELECT DISTINCT collation_name FROM information_schema.columns"
            " WHERE data_type = 'text' AND table_schema = current_schema()"
        ).fetchall()
    assert found == [("C",)]


def test_journals_in_one_database_know_nothing_of_each_other(postgres_server: Postgres):
    one, other = postgres_server.place(), postgres_server.place()
    with SqlJournal(one) as first, SqlJournal(other) as second:
        first.append(DAY)
        assert second.last_seq() == 0
        second.append(DAY[:3])
    with ReadModel(one) as model:
        assert list(model.records()) == DAY
    assert postgres.journals_of(postgres_server.server)[:2] == [other.name, one.name]
    erase(one)
    assert not exists(one)
    assert exists(other)
    with pytest.raises(ConfigError, match="no journal"):
        ReadModel(one)


def test_a_journal_in_use_is_not_removed(place: PostgresPlace):
    with SqlJournal(place) as journal:
        journal.append(DAY)
        with pytest.raises(ConfigError, match="already writes"):
            erase(place)
    assert exists(place)


def test_a_user_who_may_not_make_a_schema_is_told(
    postgres_server: Postgres, guarded: PostgresPlace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(PASSWORD, SECRET)
    postgres_server.execute("REVOKE CREATE ON DATABASE catalyst FROM guarded")
    try:
        with pytest.raises(ConfigError, match="grant the user CREATE"):
            SqlJournal(guarded)
    finally:
        postgres_server.execute("GRANT CREATE ON DATABASE catalyst TO guarded")


def test_a_session_that_is_cut_writes_no_more_and_the_lock_is_free(
    postgres_server: Postgres, place: PostgresPlace
):
    with SqlJournal(place) as journal:
        journal.append(DAY[:5])
        postgres_server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name LIKE 'catalyst-bot %'"
        )
        with pytest.raises(JournalUnwritable, match="takes no more"):
            journal.append(DAY[5:])
        with SqlJournal(place) as other:
            other.append(DAY[5:7])
        with pytest.raises(JournalUnwritable):
            journal.append(DAY[5:])  # it never comes back behind the other's back
        with pytest.raises(SourceUnreachable):
            list(journal.read())
    with SqlJournal(place) as journal:
        assert list(journal.read()) == DAY[:7]


def test_a_statement_that_fails_leaves_nothing_of_its_batch(
    postgres_server: Postgres, place: PostgresPlace
):
    with SqlJournal(place) as journal:
        journal.append(DAY[:1])
        before = read_tables(place)
        with database(place) as statements:
            statements.execute("CREATE TABLE catalysts_away AS SELECT * FROM catalysts")
            statements.execute("ALTER TABLE catalysts RENAME TO catalysts_hidden")
        journal.append(DAY[1:])
        with pytest.raises(JournalUnwritable, match="catalysts"):
            journal.settle()
        with database(place) as statements:
            statements.execute("ALTER TABLE catalysts_hidden RENAME TO catalysts")
            statements.execute("DROP TABLE catalysts_away")
        assert read_tables(place) == before
        journal.settle()  # the session lives: only the read tables had to wait
    with SqlJournal(place) as journal:
        assert list(journal.read()) == DAY


def test_text_with_nul_is_stored_as_the_same_row_in_both(place: PostgresPlace, tmp_path: Path):
    headline = b.headline(title="a\x00b", item_id="x\x00y")
    (odd,) = record([f.HeadlineReceived(at=b.NOON, headline=headline)])
    file = tmp_path / "journal.db"
    for where in (place, file):
        with SqlJournal(where) as journal:
            journal.append([replace(odd, trail_id="t")])
            assert next(journal.read()).body == odd.body
    assert read_tables(place) == read_tables(file)
