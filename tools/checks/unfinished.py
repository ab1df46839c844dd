"""What is on the main branch is finished: no reminders, and no code that pretends."""

from __future__ import annotations

import re
from pathlib import Path

from tools.checks.source import python_files

REMINDER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b|(?i:\b(?:stub(?:s|bed)?|placeholders?)\b)")


def check(root: Path) -> list[str]:
    """Return one finding per line with such a word."""
    return [
        f"{name}:{number}: says {found[0]!r}; finish it, or write an issue and remove the word"
        for path, name in python_files(root)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (found := REMINDER.search(line))
    ]
