"""The commit that a program runs from, as cards and reports name it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import catalyst_bot
from catalyst_bot.bootstrap.commits import UNKNOWN, commit

WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git to ask")
def test_it_is_all_digits_of_the_commit_and_says_when_files_were_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "package" / "__init__.py"
    source.parent.mkdir()
    source.write_text("")
    monkeypatch.setattr(catalyst_bot, "__file__", str(source))
    git("init", "-q", at=tmp_path)
    git("add", ".", at=tmp_path)
    git(*WHO, "commit", "-q", "-m", "first", at=tmp_path)
    head = git("rev-parse", "HEAD", at=tmp_path)
    assert (commit(), len(head)) == (head, 40)
    source.write_text("changed = True")
    assert commit() == f"{head}-dirty"


def test_outside_a_clone_and_without_git_it_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(catalyst_bot, "__file__", str(tmp_path / "__init__.py"))
    assert commit() == UNKNOWN
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit() == UNKNOWN


def git(*words: str, at: Path) -> str:
    """Run git in a folder; return what it says."""
    done = subprocess.run(
        ["git", *words],
        cwd=at,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
