"""A wish to resume is held against the journal, and against the lack of one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catalyst_bot.bootstrap import resuming
from catalyst_bot.bootstrap.journals import lost
from catalyst_bot.domain.enums import PositionsPolicy
from catalyst_bot.domain.errors import JournalDamaged
from catalyst_bot.runtime.latch_file import set_latch
from catalyst_bot.settings import Settings
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.sqlite_store import mark_path
from tests.unit.storage.stories import record, run_started


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of which one row was acknowledged, under a HALT latch."""
    path = tmp_path / "journals" / "live.db"
    path.parent.mkdir()
    with SqlJournal(path, durable=True) as written:
        written.append(record([run_started()]))
    set_latch(tmp_path, by="test", reason="look", positions_policy=PositionsPolicy.HOLD)
    return path


def settings_of(folder: Path, url: str = "") -> Settings:
    return Settings.model_validate({"run": {"data_dir": str(folder)}, "storage": {"url": url}})


def resume(settings: Settings) -> resuming.Resumption:
    return resuming.resume(settings, reason="fine", confirmed=(), journal=None, by="test")


@pytest.mark.parametrize("is_emptied", [False, True])
def test_a_start_that_refuses_a_lost_journal_makes_no_new_one(
    journal: Path, tmp_path: Path, *, is_emptied: bool
):
    """Else the resume after it would find a journal in which nothing ever happened."""
    journal.write_bytes(b"") if is_emptied else journal.unlink()
    with pytest.raises(JournalDamaged, match=r"live\.db is gone or empty, but row 1 was"):
        SqlJournal(journal)
    with pytest.raises(JournalDamaged, match=r"live\.db is lost"):
        resume(settings_of(tmp_path))
    assert (tmp_path / "operator" / "HALT").exists()


def test_a_journal_that_ends_early_lifts_no_latch(journal: Path, tmp_path: Path):
    with SqlJournal(tmp_path / "other.db") as other:
        other.append(record([]))
    shutil.copy(tmp_path / "other.db", journal)
    with pytest.raises(JournalDamaged, match=r"ends at row 0, but row 1 was acknowledged"):
        resume(settings_of(tmp_path))
    assert (tmp_path / "operator" / "HALT").exists()


@pytest.mark.parametrize("is_named", [False, True])
def test_a_lost_journal_lifts_no_latch_until_the_loss_is_accepted(
    journal: Path, tmp_path: Path, *, is_named: bool
):
    settings = settings_of(tmp_path, url=f"sqlite:///{journal}" if is_named else "")
    assert lost(settings) == []
    journal.unlink()
    with pytest.raises(JournalDamaged, match=r"live\.db is lost"):
        resume(settings)
    assert (tmp_path / "operator" / "HALT").exists()
    mark_path(journal).unlink()
    assert lost(settings) == []
