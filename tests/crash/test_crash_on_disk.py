"""Death with the real journal file: an exception in the process, and SIGKILL from the system."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.bootstrap.journal_tools import verify
from catalyst_bot.domain.enums import Mode
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel
from tests.replays import first_difference, generated, play, story

DRIVER = Path(__file__).with_name("killed_at.py")
ROOT = Path(__file__).parents[2]


class Died(Exception):
    """The process is gone."""


def result(journal: Place) -> dict[str, Any]:
    """The result of a run without what names the run itself or may differ after a restart."""
    with ReadModel(journal) as model:
        told: dict[str, Any] = {**model.run_result()}
    return {key: told[key] for key in told if key not in {"journal", "journal_hash"}}


def recorded(journal: Path) -> list[Recorded]:
    with ReadModel(f"sqlite:///{journal}") as model:
        return list(model.records())


def die_at(patch: pytest.MonkeyPatch, commit: int, when: str) -> None:
    append, commits = SqlJournal.append, 0

    def deadly(self: SqlJournal, batch: Sequence[Recorded]) -> None:
        nonlocal commits
        commits += 1
        if commits == commit and when == "before":
            raise Died
        append(self, batch)
        if commits == commit and when == "after":
            raise Died

    patch.setattr(SqlJournal, "append", deadly)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    request = generated(tmp_path_factory.mktemp("whole"))
    return run.replay(request).journal


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """After how many records each commit of the session ends, by another journal's account."""
    return play(generated(tmp_path_factory.mktemp("ends"))).commits


@pytest.mark.parametrize(
    ("mode", "commit", "when"),
    [
        (Mode.BACKTEST, 1, "before"),
        (Mode.BACKTEST, 1, "after"),
        (Mode.BACKTEST, 200, "before"),
        (Mode.PAPER, 120, "after"),
        (Mode.PAPER, 300, "before"),
    ],
)
def test_an_exception_at_a_commit_loses_nothing(
    tmp_path: Path, finished: Path, ends: list[int], mode: Mode, commit: int, when: str
):
    request = generated(tmp_path, mode=mode)
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, commit, when)
        with pytest.raises(Died):
            run.replay(request)
    left_behind = recorded(request.journal)
    survived = commit if when == "after" else commit - 1
    assert len(left_behind) == [0, *ends][survived], "a torn or missing batch"

    outcome = run.replay(request)

    assert outcome.resumed_after_seq == len(left_behind)
    assert not first_difference(story(recorded(request.journal)), story(recorded(finished)))
    assert result(request.journal) == result(finished)
    assert verify(request.journal, decides_again=True).divergence is None


def catalyst_bot(*arguments: str, killed_at: tuple[int, str] | None = None) -> int:
    """Run the command in a process of its own; the exit code, negative for a signal."""
    start = [str(DRIVER), str(killed_at[0]), killed_at[1]] if killed_at else ["-m", "catalyst_bot"]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT / "src"),
        "CATALYST_DASHBOARD__PORT": "0",
    }
    done = subprocess.run(
        [sys.executable, *start, *arguments],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize(
    ("mode", "commit", "when"),
    [
        ("backtest", 40, "after"),
        ("backtest", 150, "before"),
        ("backtest", 330, "after"),
        ("paper-trading", 100, "after"),
        ("paper-trading", 250, "before"),
    ],
)
def test_kill_9_and_the_same_command_again(
    tmp_path: Path, finished: Path, mode: str, commit: int, when: str
):
    journal = tmp_path / "killed.db"
    command = ["demo", "--seed", "7", "--mode", mode, "--exit"]
    command += ["--data-dir", str(tmp_path), "--journal", str(journal)]
    assert catalyst_bot(*command, killed_at=(commit, when)) == -signal.SIGKILL
    assert recorded(journal)
    assert catalyst_bot(*command) in {0, 5}
    assert not first_difference(story(recorded(journal)), story(recorded(finished)))
    assert result(journal) == result(finished)


def test_an_unfinished_run_is_not_continued_with_other_settings(tmp_path: Path):
    request = replace(generated(tmp_path), journal=tmp_path / "mine.db")
    with pytest.MonkeyPatch.context() as patch:
        die_at(patch, 100, "after")
        with pytest.raises(Died):
            run.replay(request)
    other = replace(generated(tmp_path, is_dry_run=True), journal=request.journal)
    with pytest.raises(ConfigError, match="unfinished run"):
        run.replay(other)
    assert run.replay(request).resumed_after_seq > 0


def test_the_journal_of_another_run_is_never_overwritten(tmp_path: Path, finished: Path):
    before = recorded(finished)
    other = replace(generated(tmp_path, seed=8), journal=finished)
    with pytest.raises(ConfigError, match="another run"):
        run.replay(other)
    assert recorded(finished) == before
