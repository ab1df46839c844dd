"""What every journal promises, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.ports.journal import Journal
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.memory import MemoryJournal
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.rows import journal_hash
from tests.unit.storage.stories import a_day, record

DAY = record(a_day())


@pytest.fixture(
    params=["memory", "sqlite", "sqlite, not durable", "postgres", "postgres, not durable"]
)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    database, _, hurry = request.param.partition(", ")
    if database == "memory":
        yield MemoryJournal()
        return
    place: Place = tmp_path / "journal.db"
    if database == "postgres":
        place = request.getfixturevalue("postgres_server").place()
    with SqlJournal(place, durable=not hurry) as opened:
        yield opened


def test_an_empty_journal_has_nothing(journal: Journal):
    assert journal.last_seq() == 0
    assert list(journal.read()) == []


def test_what_was_appended_is_read_in_order(journal: Journal):
    journal.append(DAY[:3])
    journal.append([])
    journal.append(DAY[3:])
    assert list(journal.read()) == DAY
    assert journal.last_seq() == DAY[-1].seq


@pytest.mark.parametrize("after_seq", [0, 1, 7, len(DAY) - 1, len(DAY), len(DAY) + 5])
def test_reading_can_begin_anywhere(journal: Journal, after_seq: int):
    journal.append(DAY)
    assert list(journal.read(after_seq)) == DAY[after_seq:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda batch: batch[1:],
        lambda batch: [*batch, batch[-1]],
        lambda batch: [batch[0], *batch[2:]],
        lambda batch: batch[::-1],
        lambda batch: [replace(batch[0], seq=0), *batch[1:]],
    ],
    ids=["gap before", "repeated", "gap inside", "backwards", "zero"],
)
def test_a_gap_or_repetition_is_refused_as_a_whole(journal: Journal, spoil: Callable[..., list]):
    with pytest.raises(InvariantViolated, match="expects row"):
        journal.append(spoil(DAY[:4]))
    assert journal.last_seq() == 0
    assert list(journal.read()) == []
    journal.append(DAY)  # and it still works
    assert journal.last_seq() == len(DAY)


def test_the_same_batch_twice_is_refused(journal: Journal):
    journal.append(DAY)
    with pytest.raises(InvariantViolated):
        journal.append(DAY)
    assert list(journal.read()) == DAY


def test_appending_while_reading_is_allowed(journal: Journal):
    journal.append(DAY[:2])
    reading = journal.read()
    first = next(reading)
    journal.append(DAY[2:])
    assert [first, *reading][:2] == DAY[:2]


def test_the_hash_is_that_of_the_records(journal: Journal):
    journal.append(DAY)
    assert journal_hash(journal.read()) == journal_hash(DAY)
