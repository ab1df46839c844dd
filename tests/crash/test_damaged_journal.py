"""A journal that is not whole: the start ends with an error, and no order goes anywhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.broker.embedded import EmbeddedBroker
from catalyst_bot.domain.errors import CatalystError
from tests.crash.test_crash_on_disk import Died, die_at
from tests.replays import generated

DIED_AT = 200


def _sql(*words: str) -> Callable[[Path], None]:
    def damage(journal: Path) -> None:
        with sqlite3.connect(journal) as connection:
            for each in words:
                connection.execute(each)
        connection.close()

    return damage


def _cut(journal: Path) -> None:
    whole = journal.read_bytes()
    journal.write_bytes(whole[: len(whole) // 2])


def _overwrite(journal: Path) -> None:
    whole = bytearray(journal.read_bytes())
    whole[: len(whole) // 3] = bytes(len(whole) // 3)
    journal.write_bytes(whole)


def _flip(journal: Path) -> None:
    """Flip one bit inside a value: SQLite itself finds nothing wrong with that."""
    with sqlite3.connect(journal) as connection:
        (body,) = connection.execute("SELECT body FROM journal WHERE seq = 20").fetchone()
    connection.close()
    whole = journal.read_bytes()
    at = whole.index(bytes(body)[:200])
    journal.write_bytes(whole[: at + 100] + bytes([whole[at + 100] ^ 1]) + whole[at + 101 :])


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(_flip, id="a bit"),
        pytest.param(_sql("DELETE FROM journal WHERE seq = 20"), id="a row is missing"),
        pytest.param(_sql("DELETE FROM journal WHERE seq <= 20"), id="the beginning is missing"),
        pytest.param(_sql("UPDATE journal SET checksum = 0 WHERE seq = 30"), id="a checksum"),
        pytest.param(_sql("UPDATE journal SET version = 99"), id="of another version"),
        pytest.param(_sql("DROP TABLE journal"), id="no table"),
        pytest.param(_cut, id="the file is cut"),
        pytest.param(_overwrite, id="zeros"),
    ],
)
def test_nothing_trades_on_a_damaged_journal(
    damage: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    request = unfinished(tmp_path)
    damage(request.journal)
    sent = sent_by(monkeypatch)
    with pytest.raises(CatalystError):
        run.replay(request)
    assert not sent


def test_a_whole_one_is_traded_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    request = unfinished(tmp_path)
    sent = sent_by(monkeypatch)
    run.replay(request)
    assert sent


def unfinished(folder: Path) -> run.ReplayRequest:
    """A run that died in the middle, its journal all in one file."""
    request = generated(folder)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, DIED_AT, "after")
        with pytest.raises(Died):
            run.replay(request)
    _settle(request.journal)
    return request


def sent_by(patch: pytest.MonkeyPatch) -> list[object]:
    """What is sent to the broker from now on, in place of being sent."""
    sent: list[object] = []
    patch.setattr(EmbeddedBroker, "submit", lambda _, command: sent.append(command))
    return sent


def _settle(journal: Path) -> None:
    """Bring everything that waits in the log into the file itself."""
    with sqlite3.connect(journal) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
