"""What only a journal in a file can be, or suffer."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.errors import ConfigError, JournalDamaged, JournalUnwritable
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.news import Alert
from catalyst_bot.storage.database import erase
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.read_model import ReadModel
from catalyst_bot.storage.sqlite_store import SqliteStore, mark_of, mark_path
from catalyst_bot.storage.store import Mark
from tests import builders as b
from tests.databases import read_tables
from tests.unit.storage.stories import a_day, record

DAY = record(a_day())
ORDER = c.SubmitOrder(order=b.approved_order(), valid_until=b.NOON)


def write_day(file: Path, *, durable: bool = True) -> None:
    with SqlJournal(file, durable=durable) as journal:
        for at in range(0, len(DAY), 5):
            journal.append(DAY[at : at + 5])


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 0)])
def test_durable_waits_for_the_disk_and_not_durable_does_not(file: Path, durable: bool, level: int):
    store = SqliteStore(file, durable=durable)
    with store.read() as statements:
        assert statements.execute("PRAGMA synchronous").fetchone() == (level,)
        assert statements.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()


@pytest.mark.parametrize(("durable", "levels"), [(True, [2, 1, 2]), (False, [0, 0, 0])])
def test_a_transaction_waits_for_the_disk_when_told(file: Path, durable: bool, levels: list[int]):
    store = SqliteStore(file, durable=durable)
    found = []
    for waits in (True, False, True):
        with store.transaction(waits=waits) as statements:
            found.append(statements.execute("PRAGMA synchronous").fetchone()[0])
    assert found == levels
    store.close()


def test_no_order_waits_while_a_long_wal_is_brought_into_the_file(file: Path):
    big = f.HeadlineReceived(at=b.NOON, headline=b.headline(body=os.urandom(60_000).hex()))
    with SqlJournal(file) as journal:
        before = file.stat().st_size
        for seq in range(0, 80, 2):
            journal.append(record([big, ORDER], after_seq=seq))
        assert Path(f"{file}-wal").stat().st_size > 1_000 * 4_096
        assert file.stat().st_size == before
        journal.settle()
        assert file.stat().st_size > before + 1_000 * 4_096


def test_news_and_prices_are_acknowledged_with_the_next_order(file: Path):
    bars = [f.BarClosed(at=b.NOON, bar=b.bar()) for _ in range(3)]
    with SqlJournal(file) as journal:
        journal.append(record([ORDER]))
        journal.append(record(bars, after_seq=1))
        assert mark_of(file) == Mark(1, journal._chain_at(1))
    with SqlJournal(file) as journal:
        assert journal.last_seq() == 4
        journal.append(record([bars[0], ORDER], after_seq=4))
        assert mark_of(file) == Mark(6, journal._chain_at(6))


def test_news_and_prices_are_written_with_the_next_order_or_at_rest(file: Path):
    bars = [f.BarClosed(at=b.NOON, bar=b.bar()) for _ in range(3)]
    with SqlJournal(file) as journal:
        journal.append(record(bars))
        assert (journal.last_seq(), rows_in(file)) == (3, 0)
        journal.append(record([ORDER], after_seq=3))
        assert rows_in(file) == 4
        journal.append(record(bars, after_seq=4))
        assert rows_in(file) == 4
        journal.settle()
        assert rows_in(file) == 7
        journal.append(record(bars, after_seq=7))
        assert [r.seq for r in journal.read(after_seq=7)] == [8, 9, 10]


def rows_in(file: Path) -> int:
    with closing(sqlite3.connect(file)) as reader:
        (count,) = reader.execute("SELECT count(*) FROM journal").fetchone()
    return int(count)


def test_an_alert_waits_for_the_disk_only_with_what_notifies_at_once(file: Path):
    news = d.CatalystDetected(catalyst=b.catalyst())
    alert = Alert(
        alert_id="a", catalyst_id="c", symbol="ACME", severity=Severity.CRITICAL, text="sued"
    )
    told = d.AlertRaised(alert=alert)
    notice = c.SendNotification(severity=Severity.CRITICAL, title="t", text="sued", trail_id="c")
    with SqlJournal(file) as journal:
        journal.append(record([news, told]))
        assert mark_of(file) is None
        journal.append(record([news, told, notice], after_seq=2))
        assert mark_of(file) == Mark(5, journal._chain_at(5))


def test_the_folder_is_made(tmp_path: Path):
    with SqlJournal(f"sqlite:///{tmp_path}/new/folder/journal.db") as journal:
        assert journal.place == tmp_path / "new" / "folder" / "journal.db"
        assert journal.place.exists()


def test_a_name_with_signs_of_a_url_is_just_a_name(tmp_path: Path):
    file = tmp_path / "100% odd?name=x#y.db"
    write_day(file)
    with ReadModel(file) as model:
        assert list(model.records()) == DAY
    assert file.exists()


def test_a_full_disk_leaves_nothing_of_its_batch(file: Path):
    with SqlJournal(file) as journal:
        journal.append(DAY[:1])
        before = read_tables(file)
        with journal._store.read() as statements:
            used = statements.execute("PRAGMA page_count").fetchone()[0]
            statements.execute(f"PRAGMA max_page_count = {used}")
        big = f.HeadlineReceived(at=b.NOON, headline=b.headline(body=os.urandom(60_000).hex()))
        with pytest.raises(JournalUnwritable, match="full"):
            journal.append([DAY[1], *record([big, ORDER], after_seq=2)])
        assert (journal.last_seq(), read_tables(file)) == (1, before)
        with journal._store.read() as statements:
            statements.execute(f"PRAGMA max_page_count = {used + 1000}")
        journal.append(DAY[1:])
    with SqlJournal(file) as journal:
        assert list(journal.read()) == DAY


@pytest.mark.parametrize("content", [b"not a database, but long enough" * 100, b""])
def test_a_file_that_is_no_database(file: Path, content: bytes):
    file.write_bytes(content)
    if content:
        with pytest.raises(JournalDamaged, match="no readable database"):
            SqlJournal(file)
        with pytest.raises(JournalDamaged, match="no readable database"):
            ReadModel(file)
    else:
        SqlJournal(file).close()  # an empty file is an empty database


def crash_copy(file: Path, folder: Path) -> Path:
    """What is on the disk while the writer is at work: the file, its WAL and its mark."""
    folder.mkdir()
    for part in file.parent.glob(f"{file.name}*"):
        shutil.copy(part, folder)
    return folder / file.name


@pytest.fixture
def crashed(file: Path, tmp_path: Path) -> Path:
    """A journal whose rows are all still in the WAL, as after kill -9."""
    with SqlJournal(file) as journal:
        for at in range(0, len(DAY), 5):
            journal.append(DAY[at : at + 5])
        return crash_copy(file, tmp_path / "crashed")


def test_a_crash_by_itself_loses_nothing(crashed: Path):
    assert Path(f"{crashed}-wal").stat().st_size > 0
    with SqlJournal(crashed) as journal:
        assert list(journal.read()) == DAY


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.6, 0.95])
def test_a_truncated_wal_is_found_though_sqlite_says_nothing(crashed: Path, kept: float):
    wal = Path(f"{crashed}-wal")
    os.truncate(wal, int(wal.stat().st_size * kept))
    with pytest.raises((JournalDamaged, ConfigError), match=r"row \d+ is missing"):
        SqlJournal(crashed)


def test_a_lost_wal_is_found_and_can_be_accepted(file: Path, tmp_path: Path):
    """The file alone, copied without its WAL, is an old but whole database."""
    write_day(file)
    with SqlJournal(file) as journal:
        journal.append(record(a_day(), after_seq=len(DAY)))
        copy = crash_copy(file, tmp_path / "crashed")
    for part in ("-wal", "-shm"):
        Path(f"{copy}{part}").unlink()
    with pytest.raises(JournalDamaged, match=rf"row {len(DAY) + 1} is missing.*db restore"):
        SqlJournal(copy)
    mark_path(copy).unlink()
    with SqlJournal(copy) as journal:
        assert journal.last_seq() == len(DAY)


def test_a_removed_journal_does_not_begin_anew_by_itself(file: Path):
    write_day(file)
    file.unlink()
    with pytest.raises(JournalDamaged, match="row 1 is missing"):
        SqlJournal(file)
    erase(file)
    with SqlJournal(file) as journal:
        assert journal.last_seq() == 0


@pytest.mark.parametrize("open_it", [SqlJournal, ReadModel])
def test_a_folder_is_no_journal(tmp_path: Path, open_it):
    with pytest.raises(ConfigError, match="is a folder, no journal"):
        open_it(tmp_path)


@pytest.mark.parametrize("open_it", [SqlJournal, ReadModel])
def test_an_emptied_journal_is_not_a_new_one(file: Path, open_it):
    write_day(file)
    os.truncate(file, 0)
    with pytest.raises(JournalDamaged, match=r"db restore"):
        open_it(file)


def test_another_journal_in_its_place_is_found(file: Path, tmp_path: Path):
    write_day(file)
    other = tmp_path / "other.db"
    with SqlJournal(other) as journal:
        journal.append(record([*a_day()[::-1], *a_day()]))
    shutil.copy(other, file)
    with pytest.raises(JournalDamaged, match="exchanged"):
        SqlJournal(file)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\xfe", b"12"])
def test_a_mark_that_cannot_be_read_says_nothing(file: Path, content: bytes):
    write_day(file)
    mark_path(file).write_bytes(content)
    if content == b"12":  # a row without its chain is no match for any
        with pytest.raises(JournalDamaged, match="row 12 is not the one"):
            SqlJournal(file)
    else:
        SqlJournal(file).close()


def test_a_mark_behind_the_journal_is_fine(file: Path):
    """After a power cut the mark, which nobody waits for, may be older than the journal."""
    with SqlJournal(file) as journal:
        journal.append(DAY[:7])
        old = mark_path(file).read_bytes()
        journal.append(DAY[7:])
    mark_path(file).write_bytes(old)
    with SqlJournal(file) as journal:
        assert journal.last_seq() == len(DAY)


def test_a_backtest_keeps_no_mark(file: Path):
    write_day(file, durable=False)
    assert not mark_path(file).exists()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_file_cut_short_is_refused(file: Path, share: float):
    write_day(file)
    os.truncate(file, int(file.stat().st_size * share))
    with pytest.raises(JournalDamaged):
        SqlJournal(file)


def test_pages_of_noise_are_never_traded_on(file: Path):
    """Each page in turn is overwritten: refused, or what is read is still exactly what was."""
    write_day(file)
    whole = file.read_bytes()
    page = 4096
    found = 0
    for start in range(0, len(whole), page):
        file.write_bytes(whole[:start] + os.urandom(page) + whole[start + page :])
        try:
            with SqlJournal(file) as journal:
                assert list(journal.read()) == DAY
        except (JournalDamaged, ConfigError):
            found += 1
        for part in ("-wal", "-shm"):
            Path(f"{file}{part}").unlink(missing_ok=True)
    assert found > 3


def fill_up(journal: SqlJournal, spare_pages: int) -> None:
    """Leave so many pages on the disk and no more."""
    with journal._store.read() as statements:
        used = statements.execute("PRAGMA page_count").fetchone()[0]
        statements.execute(f"PRAGMA max_page_count = {used + spare_pages}")


@pytest.mark.parametrize("nth", range(len(DAY)))
def test_a_disk_full_at_any_write_loses_that_write_only(file: Path, nth: int):
    """A message is made too large for the disk, whichever it is; then there is room again."""
    big = f.HeadlineReceived(at=b.NOON, headline=b.headline(body=os.urandom(60_000).hex()))
    with SqlJournal(file) as journal:
        for row in DAY[:nth]:
            journal.append([row])
        before = read_tables(file)
        fill_up(journal, 0)
        with pytest.raises(JournalUnwritable, match="full"):
            journal.append(record([big, ORDER], after_seq=nth))
        assert (journal.last_seq(), read_tables(file)) == (nth, before)
        fill_up(journal, 10_000)
        for row in DAY[nth:]:
            journal.append([row])
    with SqlJournal(file) as journal:
        assert list(journal.read()) == DAY


def test_a_locked_database_is_given_up_after_a_while_and_goes_on_when_it_is_free(file: Path):
    with SqlJournal(file) as journal:
        journal.append(DAY[:1])
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            with journal._store.read() as statements:
                statements.execute("PRAGMA busy_timeout = 50")
            with pytest.raises(JournalUnwritable, match="locked"):
                journal.append(DAY[1:])
            assert journal.last_seq() == 1
            other.execute("ROLLBACK")
        journal.append(DAY[1:])
    with SqlJournal(file) as journal:
        assert list(journal.read()) == DAY
