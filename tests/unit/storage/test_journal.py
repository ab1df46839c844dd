from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData, ConfigError, JournalDamaged
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.storage import schema
from catalyst_bot.storage.places import place_of as path_of
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.rows import Row, journal_hash, to_row
from tests import builders as b
from tests.unit.storage.stories import a_day, record, run_started

DAY = record(a_day())


@contextmanager
def database(url: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path_of(url))) as connection, connection:
        yield connection


def write_day(url: str) -> None:
    with SqlJournal(url, durable=False) as journal:
        journal.append(DAY)


def tables(url: str) -> dict[str, list[tuple]]:
    with database(url) as connection:
        return {
            table.name: sorted(
                connection.execute(f"SELECT * FROM {table.name}").fetchall(), key=str
            )
            for table in schema.PROJECTIONS
        }


def test_a_journal_goes_on_where_it_stopped(url: str):
    with SqlJournal(url) as journal:
        journal.append(DAY[:5])
    with SqlJournal(url) as journal:
        assert journal.last_seq() == 5
        journal.append(DAY[5:])
    with SqlJournal(url) as journal:
        assert list(journal.read()) == DAY


def test_durable_waits_for_the_disk_and_not_durable_does_not(url: str):
    for durable, level in ((True, 2), (False, 0)):
        with SqlJournal(url, durable=durable) as journal:
            assert journal._connection.execute("PRAGMA synchronous").fetchone() == (level,)
            assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_folder_is_made(tmp_path: Path):
    with SqlJournal(f"sqlite:///{tmp_path}/new/folder/journal.db") as journal:
        assert journal.path.exists()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "postgresql://h/x", "data/x.db"]
)
def test_a_url_that_names_no_file_is_refused(url: str):
    with pytest.raises(ConfigError, match=r"storage\.url"):
        SqlJournal(url)


def test_a_second_writer_is_refused_at_once_and_told_who_is_first(url: str):
    with SqlJournal(url):
        with pytest.raises(ConfigError, match=f"process {os.getpid()} already writes"):
            SqlJournal(url)
        script = (
            "import sys; from catalyst_bot.storage.journal import SqlJournal as J; J(sys.argv[1])"
        )
        other = subprocess.run(
            [sys.executable, "-c", script, url], capture_output=True, text=True, check=False
        )
        assert "ConfigError" in other.stderr
        assert "already writes" in other.stderr
    SqlJournal(url).close()


def test_a_bad_message_leaves_nothing_of_its_batch(url: str):
    bad = replace(DAY[2], body=f.BarClosed(at=b.NOON, bar=b.bar(close=float("nan"))))
    with SqlJournal(url) as journal:
        journal.append(DAY[:1])
        before = tables(url)
        with pytest.raises(BadData):
            journal.append([DAY[1], bad])
        assert (journal.last_seq(), tables(url)) == (1, before)
        journal.append(DAY[1:])


def test_a_full_disk_leaves_nothing_of_its_batch(url: str):
    with SqlJournal(url) as journal:
        journal.append(DAY[:1])
        before = tables(url)
        used = journal._connection.execute("PRAGMA page_count").fetchone()[0]
        journal._connection.execute(f"PRAGMA max_page_count = {used}")
        big = f.HeadlineReceived(at=b.NOON, headline=b.headline(body=os.urandom(60_000).hex()))
        with pytest.raises(sqlite3.OperationalError, match="full"):
            journal.append([DAY[1], *record([big], after_seq=2)])
        assert (journal.last_seq(), tables(url)) == (1, before)
        journal._connection.execute(f"PRAGMA max_page_count = {used + 1000}")
        journal.append(DAY[1:])
    with SqlJournal(url) as journal:
        assert list(journal.read()) == DAY


@pytest.mark.parametrize("seq", [1, 5, len(DAY)])
def test_a_flipped_byte_in_a_body_is_found_and_named(url: str, seq: int):
    write_day(url)
    with database(url) as connection:
        (body,) = connection.execute("SELECT body FROM journal WHERE seq = ?", (seq,)).fetchone()
        flipped = body[:9] + bytes([body[9] ^ 1]) + body[10:]
        connection.execute("UPDATE journal SET body = ? WHERE seq = ?", (flipped, seq))
    with pytest.raises(JournalDamaged, match=rf"row {seq} .*checksum differs"):
        SqlJournal(url)


@pytest.mark.parametrize(
    ("column", "value"),
    [("at", "2025-10-06T16:00:01Z"), ("name", "RunStopped"), ("cause_seq", 1), ("trail_id", "x")],
)
def test_a_changed_column_is_found_and_named(url: str, column: str, value: object):
    write_day(url)
    with database(url) as connection:
        connection.execute(f"UPDATE journal SET {column} = ? WHERE seq = 4", (value,))
    with pytest.raises(JournalDamaged, match=r"row 4 .*chain differs"):
        SqlJournal(url)


def test_a_row_exchanged_with_its_checksum_is_found_by_the_chain(url: str):
    write_day(url)
    forged = to_row(replace(DAY[3], body=run_started("forged")), previous_chain="")
    with database(url) as connection:
        connection.execute(
            "UPDATE journal SET name = ?, body = ?, checksum = ? WHERE seq = 4",
            (forged.name, forged.body, forged.checksum),
        )
    with pytest.raises(JournalDamaged, match=r"row 4 .*chain differs"):
        SqlJournal(url)


@pytest.mark.parametrize("seq", [1, 4, len(DAY)])
def test_a_missing_row_is_found_and_named(url: str, seq: int):
    write_day(url)
    with database(url) as connection:
        connection.execute("DELETE FROM journal WHERE seq = ?", (seq,))
    with pytest.raises(JournalDamaged, match=f"row {seq} is missing"):
        SqlJournal(url)


def test_an_edit_with_the_chain_made_anew_passes_the_chain(url: str):
    """The chain finds accidents, not forgers: `replay --verify` decides again and finds those."""
    write_day(url)
    records, chain = [*DAY], ""
    records[3] = replace(DAY[3], trail_id="forged")
    with database(url) as connection:
        for edited in records:
            row = to_row(edited, previous_chain=chain)
            chain = row.chain
            connection.execute(
                "UPDATE journal SET trail_id = ?, chain = ? WHERE seq = ?",
                (row.trail_id, row.chain, row.seq),
            )
    with SqlJournal(url) as journal:
        assert next(journal.read(3)).trail_id == "forged"


def test_reading_finds_damage_that_came_after_opening(url: str):
    write_day(url)
    with SqlJournal(url) as journal:
        with database(url) as connection:
            connection.execute("UPDATE journal SET trail_id = 'x' WHERE seq = 6")
        assert [read.seq for read in islice(journal.read(), 5)] == [1, 2, 3, 4, 5]
        with pytest.raises(JournalDamaged, match="row 6"):
            list(journal.read())


@pytest.mark.parametrize("content", [b"not a database, but long enough" * 100, b""])
def test_a_file_that_is_no_database(url: str, content: bytes):
    path_of(url).write_bytes(content)
    if content:
        with pytest.raises(JournalDamaged, match="no readable database"):
            SqlJournal(url)
    else:
        SqlJournal(url).close()  # an empty file is an empty database


def test_read_tables_can_be_rebuilt_from_the_journal_alone(url: str):
    with SqlJournal(url, durable=False) as journal:
        for at in range(0, len(DAY), 4):
            journal.append(DAY[at : at + 4])
    before = tables(url)
    assert all(before[name] for name in before if name != "positions")
    with database(url) as connection:
        connection.execute("UPDATE trades SET pnl_usd = '1000000'")
        connection.execute("DELETE FROM events")
        connection.execute("INSERT INTO fills SELECT 'x', 1, 'x', '', '', '', '', '', '', ''")
    with SqlJournal(url) as journal:
        journal.rebuild()
        assert list(journal.read()) == DAY
    assert tables(url) == before


def test_read_tables_that_a_migration_emptied_catch_up_on_opening(url: str):
    write_day(url)
    before = tables(url)
    with database(url) as connection:
        for table in schema.PROJECTIONS:
            connection.execute(f"DELETE FROM {table.name}")
    SqlJournal(url).close()
    assert tables(url) == before


def test_the_hash_leaves_out_the_run_and_the_commands():
    facts_and_decisions = [r for r in DAY if to_row(r, previous_chain="").kind != "command"]
    other_run = [replace(DAY[0], body=run_started("another run")), *DAY[1:]]
    assert journal_hash(DAY) == journal_hash(facts_and_decisions) == journal_hash(other_run)
    assert journal_hash(DAY) != journal_hash(DAY[:5])
    assert journal_hash(DAY) != journal_hash([*DAY[:2], DAY[3], DAY[2], *DAY[4:]])


def test_columns_and_row_fields_are_the_same():
    assert tuple(schema.journal.c.keys()) == Row._fields
