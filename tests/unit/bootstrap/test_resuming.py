"""A wish to resume is held against the journal, and against the lack of one."""

from __future__ import annotations

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
