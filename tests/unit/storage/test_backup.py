from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import ConfigError, JournalDamaged
from catalyst_bot.storage.backup import backup, migrated, restore
from catalyst_bot.storage.database import exists
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place, PostgresPlace
from catalyst_bot.storage.proof import prove
from catalyst_bot.storage.read_model import ReadModel
from tests.databases import database, read_tables
from tests.unit.storage.stories import a_day, record
from tests.unit.storage.test_migrations import make_old

DAY = record(a_day())
DAYS = 40


def write_day(place: Place) -> None:
    with SqlJournal(place) as journal:
        journal.append(DAY)


def journals_at(place: Place) -> set[str]:
    """Everything that lies where the journal lies."""
    if isinstance(place, Path):
        return {file.name for file in place.parent.iterdir()}
    with database(place) as statements:
        found = statements.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE ?", (f"{place.name}%",)
        )
        return {name for (name,) in found.fetchall()}


def test_a_backup_is_a_journal_of_its_own(place: Place, tmp_path: Path):
    write_day(place)
    target = tmp_path / "copy" / "b.db"
    target.parent.mkdir()
    proof = backup(place, target)
    assert proof.is_whole
    assert proof.journal == str(target)
    assert [file.name for file in target.parent.iterdir()] == ["b.db"]
    with ReadModel(target) as model:
        assert list(model.records()) == DAY
    assert read_tables(target) == read_tables(place)
    assert prove(target).chain == prove(place).chain


def test_into_a_folder_it_goes_under_a_name_with_the_time(place: Place, tmp_path: Path):
    write_day(place)
    folder = tmp_path / "backups"
    folder.mkdir()
    backup(place, folder)
    (made,) = folder.iterdir()
    assert made.name.startswith("journal")
    assert made.suffix == ".db"


def test_a_backup_is_taken_of_one_moment_while_the_writer_goes_on(place: Place, tmp_path: Path):
    begun, done = threading.Event(), threading.Event()

    def write() -> None:
        with SqlJournal(place, durable=False) as journal:
            for _ in range(DAYS):
                journal.append(record(a_day(), after_seq=journal.last_seq()))
                begun.set()
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert begun.wait(30)
    taken = 0
    while not done.is_set() or not taken:
        proof = backup(place, tmp_path / f"b{taken}.db")
        assert proof.is_whole
        assert proof.rows % len(DAY) == 0, "a batch was torn apart"
        taken += 1
    writer.join()


def test_a_backup_never_overwrites(place: Place, tmp_path: Path):
    write_day(place)
    target = tmp_path / "b.db"
    target.write_text("precious")
    with pytest.raises(ConfigError, match="exists already"):
        backup(place, target)
    assert target.read_text() == "precious"


def test_not_even_a_file_that_appears_meanwhile(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_day(place)
    target = tmp_path / "b.db"
    monkeypatch.setattr(
        "catalyst_bot.storage.backup._sync", lambda _: target.write_text("precious")
    )
    with pytest.raises(ConfigError, match="exists already"):
        backup(place, target)
    assert target.read_text() == "precious"


def test_no_backup_of_nothing_or_of_damage(place: Place, tmp_path: Path):
    folder = tmp_path / "backups"
    folder.mkdir()
    with pytest.raises(ConfigError, match="no journal"):
        backup(place, folder / "b.db")
    write_day(place)
    with database(place) as statements:
        statements.execute("UPDATE journal SET trail_id = 'x' WHERE seq = 5")
    with pytest.raises(JournalDamaged, match="row 5"):
        backup(place, folder / "b.db")
    assert [*folder.iterdir()] == []


def test_an_older_journal_can_be_backed_up_before_it_is_migrated(place: Place, tmp_path: Path):
    make_old(place)
    proof = backup(place, tmp_path / "old.db")
    assert not proof.damage
    assert migrated(place) == ("0001", "0003")
    assert migrated(place) == ("0003", "0003")
    write_day(tmp_path / "fresh.db")
    assert read_tables(place) == read_tables(tmp_path / "fresh.db")


def test_a_migration_of_nothing_makes_nothing(place: Place):
    with pytest.raises(ConfigError, match="no journal"):
        migrated(place)
    assert not exists(place)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    made = tmp_path / "source.db"
    write_day(made)
    copied = tmp_path / "copy.db"
    backup(made, copied)
    return copied


def test_a_copy_becomes_a_journal_that_goes_on(place: Place, copy: Path):
    assert restore(copy, place, replaces=False).is_whole
    assert read_tables(place) == read_tables(copy)
    with SqlJournal(place) as journal:
        assert list(journal.read()) == DAY
        journal.append(record(a_day(), after_seq=len(DAY)))
    assert prove(place).rows == 2 * len(DAY)
    (name,) = [name for name in journals_at(place) if "restoring" in name] or [None]
    assert name is None


def test_a_journal_moves_from_one_database_to_the_other_and_back(place: Place, tmp_path: Path):
    write_day(place)
    there = tmp_path / "there.db"
    restore(place, there, replaces=False)
    restore(there, place, replaces=True)
    assert prove(place).chain == prove(there).chain
    assert read_tables(place) == read_tables(there)


def test_an_existing_journal_is_replaced_only_by_force_and_kept(place: Place, copy: Path):
    longer = record([*a_day(), *a_day()])
    with SqlJournal(place) as journal:
        journal.append(longer)
    with pytest.raises(ConfigError, match="--force"):
        restore(copy, place, replaces=False)
    assert prove(place).rows == len(longer)
    restore(copy, place, replaces=True)
    assert prove(place).rows == len(DAY)
    (aside,) = [n for n in journals_at(place) if "replaced" in n and not n.endswith(("wal", "shm"))]
    kept = place.with_name(aside) if isinstance(place, Path) else PostgresPlace(place.server, aside)
    assert prove(kept).rows == len(longer)


def test_a_damaged_journal_can_be_replaced(place: Place, copy: Path):
    write_day(place)
    with database(place) as statements:
        statements.execute("DELETE FROM journal WHERE seq = 3")
    restore(copy, place, replaces=True)
    assert prove(place).is_whole


@pytest.mark.parametrize("spoil", [b"no database at all" * 100, b""])
def test_a_file_of_noise_can_be_replaced(file: Path, copy: Path, spoil: bytes):
    file.write_bytes(spoil)
    restore(copy, file, replaces=True)
    assert prove(file).is_whole


def test_a_journal_that_a_bot_writes_is_never_replaced(place: Place, copy: Path):
    with SqlJournal(place) as journal:
        journal.append(DAY)
        with pytest.raises(ConfigError, match="already writes"):
            restore(copy, place, replaces=True)
        journal.append(record(a_day(), after_seq=len(DAY)))


def test_a_copy_that_does_not_prove_itself_is_refused(place: Place, copy: Path):
    with database(copy) as statements:
        statements.execute("UPDATE journal SET at = '2020-01-01T00:00:00Z' WHERE seq = 9")
    with pytest.raises(JournalDamaged, match="row 9"):
        restore(copy, place, replaces=False)
    assert not exists(place)


def test_an_old_copy_comes_back_in_the_schema_of_today(place: Place, tmp_path: Path):
    old = tmp_path / "old.db"
    make_old(old)
    restore(old, place, replaces=False)
    with SqlJournal(place) as journal:
        assert list(journal.read()) == DAY


def _die(*_: object) -> None:
    raise KeyboardInterrupt


STEPS: list[Callable[[pytest.MonkeyPatch], None]] = [
    lambda patch: patch.setattr(SqlJournal, "copy", _die),
    lambda patch: patch.setattr("catalyst_bot.storage.sqlite_store.swap", _die),
    lambda patch: patch.setattr(os, "link", _die),
    lambda patch: patch.setattr(Path, "replace", _die),
    lambda patch: patch.setattr(Path, "replace", _dies_at(2)),
    lambda patch: patch.setattr(Path, "replace", _dies_at(3)),
]


def _dies_at(turn: int) -> Callable[..., Path]:
    replace, turns = Path.replace, iter(range(1, turn))

    def deadly(self: Path, target: Path) -> Path:
        if next(turns, None) is None:
            raise KeyboardInterrupt
        return replace(self, target)

    return deadly


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_a_restore_that_dies_leaves_the_old_or_the_new_or_is_refused(
    file: Path, copy: Path, tmp_path: Path, step: int
):
    """At each step: what is there is one of the two journals whole, or nobody trades on it."""
    longer = record([*a_day(), *a_day()])
    with SqlJournal(file) as journal:
        journal.append(longer)
        folder = tmp_path / "crashed"
        folder.mkdir()
        for part in file.parent.glob(f"{file.name}*"):
            shutil.copy(part, folder)  # with its WAL, as kill -9 leaves it
    crashed = folder / file.name
    with pytest.MonkeyPatch.context() as patch:
        STEPS[step](patch)
        with pytest.raises(KeyboardInterrupt):
            restore(copy, crashed, replaces=True)
    assert what_is_there(crashed) in (longer, DAY, "refused: `catalyst-bot db restore`")
    restore(copy, crashed, replaces=True)  # the same command again succeeds
    assert prove(crashed).rows == len(DAY)


def what_is_there(file: Path) -> object:
    """All records, or that the journal is refused with the remedy."""
    try:
        with SqlJournal(file) as journal:
            return list(journal.read())
    except JournalDamaged as error:
        return f"refused: {re.findall('`catalyst-bot db restore`', str(error))[0]}"
