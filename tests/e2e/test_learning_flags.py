"""What commands that train have in common: names of algorithms, and what must be installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from catalyst_bot.console import CONFIGURATION
from tests.e2e.commands import catalyst_bot

WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from catalyst_bot.cli import app
app(sys.argv[1:])
"""
DAYS = ("--start", "2015-01-02", "--oos-start", "2016-01-04", "--end", "2016-12-30")


@pytest.mark.parametrize(
    "command",
    [
        ("train", "--out", "model", "--history", "history"),
        ("walk-forward", *DAYS, "--history", "history"),
    ],
)
def test_without_the_learning_libraries_the_remedy_is_said(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    done = without_torch(tmp_path, *command)
    assert (done.returncode, "run `make setup-ml`" in done.stderr) == (CONFIGURATION, True)
    assert "Traceback" not in done.stderr


def test_a_trained_model_is_judged_without_them(tmp_path: Path) -> None:
    done = without_torch(tmp_path, "validate", "shipped", "--history", "history")
    assert (done.returncode, "history: no history" in done.stderr) == (CONFIGURATION, True)


def without_torch(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *command, "--data-dir", str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_spaces_between_algorithms_are_no_part_of_their_names(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs torch: make setup-ml")
    where = ("--data", str(tmp_path), "--data-dir", str(tmp_path / "data"))
    done = catalyst_bot("walk-forward", *DAYS, "--algorithms", "ppo, sac", *where)
    assert (done.code, "holds nothing" in done.err) == (CONFIGURATION, True), done.err
    wrong = catalyst_bot("walk-forward", *DAYS, "--algorithms", "ppo, sax", *where)
    assert (wrong.code, "--algorithms ppo,sax" in wrong.err) == (CONFIGURATION, True)


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_ledger_that_is_not_there_counts_no_trials(tmp_path: Path, *, is_folder: bool) -> None:
    ledger = tmp_path if is_folder else tmp_path / "none.jsonl"
    said = catalyst_bot("trials", "--ledger", str(ledger), "--data-dir", str(tmp_path))
    assert said.code == 3
    assert f"--ledger {ledger}: there is no such file" in said.err


@pytest.mark.parametrize("command", ["sweep", "trials", "status", "doctor", "simulate"])
def test_where_the_result_cannot_go_is_said_before_the_work(tmp_path: Path, command: str) -> None:
    """Whatever else is wrong or missing: nothing was looked at yet."""
    needed = ("--history", "none", "--vary", "x=1") if command == "sweep" else ()
    said = catalyst_bot(command, *needed, "--json", str(tmp_path))
    assert said.code == 3
    assert f"--json {tmp_path}: is a folder" in said.err


def test_where_the_model_cannot_go_is_said_before_the_work(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="training needs torch: make setup-ml")
    (tmp_path / "file").write_text("in the way")
    where = ("--data", str(tmp_path), "--data-dir", str(tmp_path / "data"))
    done = catalyst_bot(
        "walk-forward", *DAYS, *where, "--model", str(tmp_path / "file" / "deep" / "model")
    )
    assert (done.code, f"{tmp_path / 'file'} cannot be written to" in done.err) == (
        CONFIGURATION,
        True,
    ), done.err
