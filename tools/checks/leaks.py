"""No file may name a package registry's host or a path of somebody's machine."""

from __future__ import annotations

import re
from pathlib import Path

from tools.checks.source import repository_files

# Written apart, so that this file passes its own check.
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("proxy", "golang", "org"),
        ("ghcr", "io"),
    )
)
FOLDERS = ("work", "farm")
LEAK = re.compile(
    "|".join(re.escape(host) for host in HOSTS) + rf"|(?<![\w.~-])/({'|'.join(FOLDERS)})/"
)


def check(root: Path) -> list[str]:
    """Return one finding per line that names such a host or path."""
    findings = []
    for name in repository_files(root):
        try:
            lines = (root / name).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:  # an image or another binary file
            continue
        findings += [
            f"{name}:{number}: names {found[0]!r}; "
            "use a path relative to the repository, or the package's name instead of its host"
            for number, line in enumerate(lines, start=1)
            if (found := LEAK.search(line))
        ]
    return findings
