"""Run every house check on this repository and exit 1 on findings."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.checks import (
    approvals,
    broad_excepts,
    docstrings,
    leaks,
    pickles,
    purity,
    root_files,
    sizes,
    unfinished,
)

ALL = (
    approvals,
    broad_excepts,
    docstrings,
    leaks,
    pickles,
    purity,
    root_files,
    sizes,
    unfinished,
)


def main() -> int:
    """Print every finding; the number of them decides the exit code."""
    root = Path(__file__).parents[2]
    findings = [finding for module in ALL for finding in module.check(root)]
    print(*findings, sep="\n", end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
