from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place, PostgresPlace
from catalyst_bot.storage.proof import Proof, proof_text, prove
from catalyst_bot.storage.rows import journal_hash
from catalyst_bot.storage.sqlite_store import mark_path
from tests.databases import database
from tests.unit.storage.stories import a_day, record
from tests.unit.storage.test_migrations import make_old, set_revision

DAY = record(a_day())


def write_day(place: Place) -> None:
    with SqlJournal(place) as journal:
        for at in range(0, len(DAY), 7):
            journal.append(DAY[at : at + 7])


def the_damage(proof: Proof) -> str:
    assert not proof.is_whole
    (damage,) = proof.damage
    assert damage in proof_text(proof)
    return damage


def test_a_whole_journal_proves_itself(place: Place):
    write_day(place)
    proof = prove(place)
    assert proof.is_whole
    assert (proof.rows, proof.last_at, proof.schema) == (len(DAY), "2025-10-06T16:00:00Z", "0003")
    assert proof.journal_hash == journal_hash(DAY)
    assert proof_text(proof).startswith("whole: ")


def test_an_empty_journal_is_whole(place: Place):
    SqlJournal(place).close()
    proof = prove(place)
    assert proof.is_whole
    assert proof.rows == 0


def test_it_is_proved_while_its_writer_goes_on(place: Place):
    with SqlJournal(place) as journal:
        journal.append(DAY)
        assert prove(place).rows == len(DAY)
        journal.append(record(a_day(), after_seq=len(DAY)))
        assert prove(place).rows == 2 * len(DAY)
        assert prove(place).is_whole


def test_both_databases_prove_the_same(place: Place, tmp_path: Path):
    other = tmp_path / "other.db"
    write_day(place)
    write_day(other)
    one, two = prove(place), prove(other)
    assert (one.chain, one.journal_hash) == (two.chain, two.journal_hash)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("UPDATE journal SET checksum = checksum + 1 WHERE seq = 4", r"row 4 .*checksum"),
        ("UPDATE journal SET trail_id = 'x' WHERE seq = 5", r"row 5 .*chain"),
        ("DELETE FROM journal WHERE seq = 6", "row 6 is missing"),
        ("UPDATE trades SET pnl_usd = '1'", "read table trades: 1 rows differ"),
        ("DELETE FROM events WHERE seq > 3", r"read table events: \d+ rows differ.*\.\.\."),
        ("UPDATE status SET trading_state = 'active'", r"read table status: 1 .*rebuild"),
    ],
)
def test_damage_is_found_and_named(place: Place, change: str, word: str):
    write_day(place)
    with database(place) as statements:
        statements.execute(change)
    assert re.search(word, the_damage(prove(place)))


def test_a_row_too_many_in_a_read_table_is_found(place: Place):
    write_day(place)
    with database(place) as statements:
        statements.execute(
            "INSERT INTO fills SELECT 'x', seq, client_order_id, symbol, side, quantity, price,"
            " value_usd, fee_usd, filled_at FROM fills LIMIT 1"
        )
    assert "read table fills: 1 rows differ from a fresh fold (x)" in the_damage(prove(place))


def test_an_older_journal_is_no_damage_but_not_for_this_program(place: Place):
    make_old(place)
    proof = prove(place)
    assert not proof.damage
    assert not proof.is_whole
    assert "db migrate" in proof.schema_problem
    assert proof.rows == len(DAY)


def test_a_newer_journal_is_not_for_this_program(place: Place):
    write_day(place)
    set_revision(place, "9999")
    assert "newer than this one" in prove(place).schema_problem


def test_no_journal_is_told(place: Place):
    with pytest.raises(ConfigError, match="there is no journal"):
        prove(place)
    if isinstance(place, Path):
        assert not place.exists()
    else:
        assert isinstance(place, PostgresPlace)


def test_noise_in_a_file_is_found(file: Path):
    write_day(file)
    size = file.stat().st_size
    with file.open("r+b") as handle:
        handle.seek(size // 2)
        handle.write(os.urandom(4096))
    assert prove(file).damage


def test_no_database_at_all_is_damage(file: Path):
    file.write_bytes(b"x" * 5000)
    assert "no readable database" in the_damage(prove(file))


def test_a_lost_end_is_found_by_the_mark(file: Path):
    write_day(file)
    old = file.read_bytes()
    with SqlJournal(file) as journal:
        journal.append(record(a_day(), after_seq=len(DAY)))
    file.write_bytes(old)
    for part in ("-wal", "-shm"):
        Path(f"{file}{part}").unlink(missing_ok=True)
    assert f"row {len(DAY) + 1} is missing" in the_damage(prove(file))
    mark_path(file).unlink()
    assert prove(file).is_whole
