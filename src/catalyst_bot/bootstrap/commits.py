"""The commit that this program runs from."""

from __future__ import annotations

import subprocess
from pathlib import Path

import catalyst_bot

UNKNOWN = "unknown"
_PATIENCE_S = 10.0


def commit() -> str:
    """Return all digits of the commit, marked when files were changed since; "unknown" outside a
    clone.
    """
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],  # noqa: S607
            cwd=Path(catalyst_bot.__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE_S,
        )
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return found.stdout.strip()
