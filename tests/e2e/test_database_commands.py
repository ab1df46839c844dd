"""`catalyst-bot db …` and journals that nobody may trade on, by command and exit code."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.domain.enums import Mode
from catalyst_bot.storage.journal import SqlJournal
from tests.e2e.commands import Said, catalyst_bot
from tests.postgres import Postgres
from tests.replays import generated
from tests.unit.storage.test_migrations import make_old, set_revision


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    journal = run.replay(generated(tmp_path_factory.mktemp("finished"))).journal
    assert isinstance(journal, Path)
    return journal


@pytest.fixture
def journal(tmp_path: Path, finished: Path) -> Path:
    return Path(shutil.copy(finished, tmp_path / "journal.db"))


def db(*command: object) -> Said:
    return catalyst_bot("db", *map(str, command))


def told(said: Said) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.out)
    return found


def spoil(journal: Path, statement: str) -> None:
    with closing(sqlite3.connect(journal)) as database, database:
        database.execute(statement)


def test_verify_says_what_a_journal_proves(journal: Path):
    said = db("verify", journal)
    assert said.code == 0, said.err
    proof = told(db("verify", journal, "--json", "-"))
    assert proof["is_whole"] is True
    assert proof["rows"] > 1000
    assert proof["journal_hash"] in said.out


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("UPDATE journal SET body = x'00' WHERE seq = 100", "row 100"),
        ("UPDATE orders SET status = 'filled'", "read table orders"),
        ("DELETE FROM journal WHERE seq > 1000", "read tables|read table|missing"),
    ],
)
def test_verify_names_damage_with_exit_code_6(journal: Path, statement: str, word: str):
    spoil(journal, statement)
    said = db("verify", journal, "--json", "-")
    assert said.code == 6
    assert any(part in " ".join(told(said)["damage"]) for part in word.split("|"))
    assert "NOT whole" in db("verify", journal).out


def test_what_is_missing_or_of_another_schema_is_code_3(journal: Path, tmp_path: Path):
    said = db("verify", tmp_path / "none.db")
    assert said.code == 3
    assert "no journal" in said.err
    set_revision(journal, "9999")
    said = db("verify", journal)
    assert said.code == 3
    assert "newer than this one" in said.out


def test_backup_and_restore_give_the_same_journal(journal: Path, tmp_path: Path):
    before = told(db("verify", journal, "--json", "-"))
    copy, there = tmp_path / "copy.db", tmp_path / "there.db"
    assert db("backup", copy, "--journal", journal).code == 0
    assert db("backup", copy, "--journal", journal).code == 3, "never overwritten"
    assert db("restore", copy, "--journal", there).code == 0
    said = db("restore", copy, "--journal", there)
    assert said.code == 3
    assert "--force" in said.err
    assert db("restore", copy, "--journal", there, "--force").code == 0
    after = told(db("verify", there, "--json", "-"))
    assert {**after, "journal": ""} == {**before, "journal": ""}
    shown = [catalyst_bot("explain", "last", "--journal", str(p)).out for p in (journal, there)]
    assert shown[0] == shown[1]


def test_a_slash_at_the_end_means_a_folder_which_is_made(journal: Path, tmp_path: Path):
    for _ in range(2):
        said = db("backup", f"{tmp_path}/backups/new/", "--journal", journal)
        assert said.code == 0, said.err
    copies = [*(tmp_path / "backups" / "new").iterdir()]
    assert len(copies) == 2
    assert {copy.suffix for copy in copies} == {".db"}
    assert db("restore", copies[0], "--journal", tmp_path / "there.db").code == 0


def test_the_folder_of_a_backup_is_made(journal: Path, tmp_path: Path):
    copy = tmp_path / "a" / "b" / "copy.db"
    said = db("backup", copy, "--journal", journal)
    assert said.code == 0, said.err
    assert [file.name for file in copy.parent.iterdir()] == ["copy.db"]


@pytest.mark.parametrize("target", ["{}/text/copy.db", "{}/text/", "{}/text/a/copy.db"])
def test_a_backup_that_cannot_be_written_is_not_blamed_on_the_journal(
    journal: Path, tmp_path: Path, target: str
):
    (tmp_path / "text").write_text("no folder")
    said = db("backup", target.format(tmp_path), "--journal", journal)
    assert said.code == 3
    assert f"the backup {tmp_path}/text" in said.err
    assert "cannot be written" in said.err
    assert str(journal) not in said.err


def test_nothing_is_restored_over_a_running_bot(journal: Path, tmp_path: Path):
    copy = tmp_path / "copy.db"
    db("backup", copy, "--journal", journal)
    with SqlJournal(journal):
        said = db("restore", copy, "--journal", journal, "--force")
        assert db("backup", tmp_path / "beside.db", "--journal", journal).code == 0
    assert said.code == 3
    assert "already writes" in said.err


def test_a_damaged_copy_is_not_restored(journal: Path, tmp_path: Path):
    spoil(journal, "UPDATE journal SET trail_id = 'x' WHERE seq = 7")
    said = db("restore", journal, "--journal", tmp_path / "new.db")
    assert said.code == 6
    assert not (tmp_path / "new.db").exists()


def run_on(journal: Path, tmp_path: Path) -> Said:
    return catalyst_bot(
        *("demo", "--seed", "7", "--mode", "backtest", "--exit"),
        *("--data-dir", str(tmp_path), "--journal", str(journal)),
    )


def test_an_old_journal_is_refused_with_the_remedy_that_works(tmp_path: Path):
    journal = tmp_path / "old.db"
    make_old(journal)
    said = run_on(journal, tmp_path)
    assert said.code == 3
    assert "catalyst-bot db migrate" in said.err
    assert catalyst_bot("status", "--journal", str(journal)).code == 3
    said = db("migrate", journal)
    assert said.code == 0
    assert "from schema 0001" in said.out
    assert "is up to date" in db("migrate", journal).out
    assert db("verify", journal).code == 0


@pytest.fixture
def unfinished(tmp_path: Path, finished: Path) -> Path:
    """A durable journal of a session that was killed, with its WAL and mark."""
    journal = tmp_path / "run" / "unfinished.db"
    journal.parent.mkdir()
    with SqlJournal(finished, durable=False) as whole:
        records = list(whole.read())
    with SqlJournal(journal) as begun:
        for start in range(0, 900, 30):
            begun.append(records[start : start + 30])
        folder = tmp_path / "killed"
        folder.mkdir()
        for part in journal.parent.glob("unfinished.db*"):
            shutil.copy(part, folder)
    return folder / journal.name


def cut_wal(journal: Path) -> None:
    wal = Path(f"{journal}-wal")
    os.truncate(wal, wal.stat().st_size // 2)


def cut_file(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.truncate(journal, journal.stat().st_size // 2)


def remove_file(journal: Path) -> None:
    for part in ("", "-wal", "-shm"):
        Path(f"{journal}{part}").unlink(missing_ok=True)


def fill_with_noise(journal: Path) -> None:
    remove_file(journal)
    journal.write_bytes(os.urandom(100_000))


def from_the_future(journal: Path) -> None:
    set_revision(journal, "9999")


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (cut_wal, 6),
        (cut_file, 6),
        (remove_file, 6),
        (fill_with_noise, 6),
        (from_the_future, 3),
    ],
)
def test_the_bot_never_trades_on_a_harmed_journal(
    unfinished: Path, tmp_path: Path, harm: Any, code: int
):
    harm(unfinished)
    said = catalyst_bot(
        *("demo", "--seed", "7", "--mode", "paper-trading", "--exit"),
        *("--data-dir", str(tmp_path), "--journal", str(unfinished)),
        env={"CATALYST_DASHBOARD__ENABLED": "false"},
    )
    assert said.code == code, said.err
    assert "catalyst-bot: " in said.err
    assert "bought" not in said.err


def test_a_whole_but_unfinished_journal_goes_on(unfinished: Path, tmp_path: Path):
    """The same copy without harm: what the tests above refuse is the harm."""
    with SqlJournal(unfinished) as journal:
        assert journal.last_seq() == 900


def on_postgres(server: Postgres, *command: str) -> Said:
    env = {"CATALYST_STORAGE__URL": server.server, "CATALYST_DASHBOARD__ENABLED": "false"}
    return catalyst_bot(*command, env=env)


def test_all_commands_work_on_a_database_named_by_the_setting(
    postgres_server: Postgres, tmp_path: Path, finished: Path
):
    data = ("--data-dir", str(tmp_path))

    def said(*command: str) -> Said:
        done = on_postgres(postgres_server, *command)
        assert done.code in {0, 5}, (command, done.err)  # this session ends halted
        return done

    result = json.loads(
        said("demo", "--seed", "7", "--mode", Mode.BACKTEST, "--exit", "--json", "-", *data).out
    )
    assert result["journal"].startswith(postgres_server.server.split("?")[0])
    name = result["journal"].rpartition("journal=")[2]
    whole = told(db("verify", finished, "--json", "-"))
    proof = told(said("db", "verify", "--json", "-", *data))
    assert (proof["journal"], proof["rows"]) == (result["journal"], whole["rows"])
    assert proof["journal_hash"] == whole["journal_hash"] == result["journal_hash"]
    assert told(said("status", "--json", "-", *data))["journal"] == result["journal"]
    assert said("explain", "last", *data).out
    assert "identical" in said("replay", "--verify", name).out
    assert said("rebuild", name).code == 0
    copy = str(tmp_path / "copy.db")
    assert said("db", "backup", copy, "--journal", name).code == 0
    assert said("db", "restore", copy, "--journal", f"{name[:40]}-again").code == 0
    assert said("db", "verify", f"{name[:40]}-again").code == 0
    assert said("db", "migrate", name).code == 0
    findings = told_list(on_postgres(postgres_server, "doctor", "--json", "-", *data))
    assert findings["newest journal"]["is_ok"]
    assert [*tmp_path.glob("journals/*.db")] == [], "nothing but the database was used"


def told_list(said: Said) -> dict[str, Any]:
    return {finding["name"]: finding for finding in json.loads(said.out)}


def test_a_database_that_does_not_answer_is_code_4(tmp_path: Path):
    env = {"CATALYST_STORAGE__URL": "postgresql+psycopg://bot@127.0.0.1:1/catalyst"}
    for command in (["demo", "--exit", "--mode", "backtest"], ["status"], ["db", "verify"]):
        said = catalyst_bot(*command, "--data-dir", str(tmp_path), env=env)
        assert said.code == 4, said.err


def test_a_password_in_the_setting_is_refused_and_shown_nowhere(tmp_path: Path):
    canary = "hunter2-canary"
    env = {"CATALYST_STORAGE__URL": f"postgresql+psycopg://bot:{canary}@127.0.0.1/catalyst"}
    for command in (["demo", "--exit"], ["config", "show"], ["status"], ["doctor"]):
        said = catalyst_bot(*command, env=env)
        assert said.code == 3
        assert "CATALYST_STORAGE_PASSWORD" in said.err
        assert canary not in said.out + said.err
    said = catalyst_bot("status", "--journal", f"postgresql+psycopg://u:{canary}@h/d?journal=x")
    assert said.code == 3
    assert canary not in said.out + said.err
