"""How much disk the bot needs beside Python: site-packages of an environment with only the base."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.line import Line, skipped

VENV = "CATALYST_BASE_VENV"
_JOB = "base install"


def lines() -> list[Line]:
    """Add up the files of the environment that the variable names."""
    named = os.environ.get(VENV)
    if not named:
        return [skipped(_JOB, f"{VENV} names no environment with only requirements/base.txt")]
    folders = list(Path(named).glob("lib/python3*/site-packages"))
    if not folders:
        return [skipped(_JOB, f"{named} has no site-packages")]
    files = {
        (stat.st_dev, stat.st_ino): stat.st_blocks * 512
        for folder in folders
        for path in folder.rglob("*")
        if not path.is_symlink() and path.is_file()
        for stat in [path.stat()]
    }
    megabytes = sum(files.values()) / 1e6
    return [Line(job=_JOB, unit="MB", value=megabytes, target=400, is_less_better=True)]
