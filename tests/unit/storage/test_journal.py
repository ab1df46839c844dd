from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData, ConfigError, JournalDamaged
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.storage import schema
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.proof import prove
from catalyst_bot.storage.rows import Row, journal_hash, to_row
from tests import builders as b
from tests.databases import database, read_tables
from tests.unit.storage.stories import a_day, record, run_started

DAY = record(a_day())


def write_day(place: Place) -> None:
    with SqlJournal(place, durable=False) as journal:
        journal.append(DAY)


def test_a_journal_goes_on_where_it_stopped(place: Place):
    with SqlJournal(place) as journal:
        journal.append(DAY[:5])
    with SqlJournal(place) as journal:
        assert journal.last_seq() == 5
        journal.append(DAY[5:])
    with SqlJournal(place) as journal:
        assert list(journal.read()) == DAY


def test_a_second_writer_is_refused_and_told_who_is_first(place: Place):
    with SqlJournal(place):
        with pytest.raises(ConfigError, match=rf"{os.getpid()}.* already writes"):
            SqlJournal(place)
        script = (
            "import sys; from catalyst_bot.storage.journal import SqlJournal as J; J(sys.argv[1])"
        )
        url = f"sqlite:///{place}" if isinstance(place, Path) else str(place)
        other = subprocess.run(
            [sys.executable, "-c", script, url], capture_output=True, text=True, check=False
        )
        assert "ConfigError" in other.stderr
        assert "already writes" in other.stderr
    SqlJournal(place).close()


def test_a_bad_message_leaves_nothing_of_its_batch(place: Place):
    bad = replace(DAY[2], body=f.BarClosed(at=b.NOON, bar=b.bar(close=float("nan"))))
    with SqlJournal(place) as journal:
        journal.append(DAY[:1])
        before = read_tables(place)
        with pytest.raises(BadData):
            journal.append([DAY[1], bad])
        assert (journal.last_seq(), read_tables(place)) == (1, before)
        journal.append(DAY[1:])


@pytest.mark.parametrize("seq", [1, 5, len(DAY)])
def test_a_flipped_byte_in_a_body_is_found_and_named(place: Place, seq: int):
    write_day(place)
    with database(place) as connection:
        query = "SELECT body FROM journal WHERE seq = ?"
        (body,) = connection.execute(query, (seq,)).fetchone()
        flipped = body[:9] + bytes([body[9] ^ 1]) + body[10:]
        connection.execute("UPDATE journal SET body = ? WHERE seq = ?", (flipped, seq))
    with pytest.raises(JournalDamaged, match=rf"row {seq} .*checksum differs"):
        SqlJournal(place)


@pytest.mark.parametrize(
    ("column", "value"),
    [("at", "2025-10-06T16:00:01Z"), ("name", "RunStopped"), ("cause_seq", 1), ("trail_id", "x")],
)
def test_a_changed_column_is_found_and_named(place: Place, column: str, value: object):
    write_day(place)
    with database(place) as connection:
        connection.execute(f"UPDATE journal SET {column} = ? WHERE seq = 4", (value,))
    with pytest.raises(JournalDamaged, match=r"row 4 .*chain differs"):
        SqlJournal(place)


def test_a_row_exchanged_with_its_checksum_is_found_by_the_chain(place: Place):
    write_day(place)
    forged = to_row(replace(DAY[3], body=run_started("forged")), previous_chain="")
    with database(place) as connection:
        connection.execute(
            "UPDATE journal SET name = ?, body = ?, checksum = ? WHERE seq = 4",
            (forged.name, forged.body, forged.checksum),
        )
    with pytest.raises(JournalDamaged, match=r"row 4 .*chain differs"):
        SqlJournal(place)


@pytest.mark.parametrize("seq", [1, 4, len(DAY)])
def test_a_missing_row_is_found_and_named(place: Place, seq: int):
    write_day(place)
    with database(place) as connection:
        connection.execute("DELETE FROM journal WHERE seq = ?", (seq,))
    with pytest.raises(JournalDamaged, match=f"row {seq} is missing"):
        SqlJournal(place)


def test_an_edit_with_the_chain_made_anew_passes_the_chain(place: Place):
    """The chain finds accidents, not forgers: `replay --verify` decides again and finds those."""
    write_day(place)
    records, chain = [*DAY], ""
    records[3] = replace(DAY[3], trail_id="forged")
    with database(place) as connection:
        for edited in records:
            row = to_row(edited, previous_chain=chain)
            chain = row.chain
            connection.execute(
                "UPDATE journal SET trail_id = ?, chain = ? WHERE seq = ?",
                (row.trail_id, row.chain, row.seq),
            )
    with SqlJournal(place) as journal:
        assert next(journal.read(3)).trail_id == "forged"


def test_reading_finds_damage_that_came_after_opening(place: Place):
    write_day(place)
    with SqlJournal(place) as journal:
        with database(place) as connection:
            connection.execute("UPDATE journal SET trail_id = 'x' WHERE seq = 6")
        assert [read.seq for read in islice(journal.read(), 5)] == [1, 2, 3, 4, 5]
        with pytest.raises(JournalDamaged, match="row 6"):
            list(journal.read())


def test_read_tables_can_be_rebuilt_from_the_journal_alone(place: Place):
    with SqlJournal(place, durable=False) as journal:
        for at in range(0, len(DAY), 4):
            journal.append(DAY[at : at + 4])
    before = read_tables(place)
    assert all(before[name] for name in before if name != "positions")
    with database(place) as connection:
        connection.execute("UPDATE trades SET pnl_usd = '1000000'")
        connection.execute("DELETE FROM events")
        connection.execute("INSERT INTO fills SELECT 'x', 1, 'x', '', '', '', '', '', '', ''")
    with SqlJournal(place) as journal:
        journal.rebuild()
        assert list(journal.read()) == DAY
    assert read_tables(place) == before


def test_read_tables_that_a_migration_emptied_catch_up_on_opening(place: Place):
    write_day(place)
    before = read_tables(place)
    with database(place) as connection:
        for table in schema.PROJECTIONS:
            connection.execute(f"DELETE FROM {table.name}")
    SqlJournal(place).close()
    assert read_tables(place) == before


def test_read_tables_follow_and_nothing_waits_for_them(place: Place):
    write_day(place)
    whole = read_tables(place)
    with SqlJournal(place) as journal:
        journal.append(record(a_day(), after_seq=len(DAY)))
        assert read_tables(place) == whole
        assert prove(place).is_whole
        journal.settle()
        assert read_tables(place) != whole
        assert prove(place).is_whole


def test_read_tables_are_never_far_behind(place: Place):
    with SqlJournal(place, durable=False) as journal:
        while journal.last_seq() <= 1000:
            journal.append(record(a_day(), after_seq=journal.last_seq()))
            journal.settle(is_quiet=False)
        with database(place) as statements:
            (shown,) = statements.execute("SELECT seq FROM projector_checkpoint").fetchone()
        assert 700 <= shown < journal.last_seq()


def test_the_hash_leaves_out_the_run_and_the_commands():
    facts_and_decisions = [r for r in DAY if to_row(r, previous_chain="").kind != "command"]
    other_run = [replace(DAY[0], body=run_started("another run")), *DAY[1:]]
    assert journal_hash(DAY) == journal_hash(facts_and_decisions) == journal_hash(other_run)
    assert journal_hash(DAY) != journal_hash(DAY[:5])
    assert journal_hash(DAY) != journal_hash([*DAY[:2], DAY[3], DAY[2], *DAY[4:]])


def test_columns_and_row_fields_are_the_same():
    assert tuple(schema.journal.c.keys()) == Row._fields
