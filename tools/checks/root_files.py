"""The root is a short list; reports and notes belong in docs/ or the changelog."""

from __future__ import annotations

from pathlib import Path

from tools.checks.source import repository_files

ALLOWED = frozenset(
    {
        ".ci",
        ".dockerignore",
        ".env.example",
        ".github",
        ".gitignore",
        ".importlinter",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "STYLE.md",
        "THIRD_PARTY.md",
        "benchmarks",
        "catalyst.toml",
        "deploy",
        "docs",
        "examples",
        "pyproject.toml",
        "requirements",
        "src",
        "tests",
        "tools",
    }
)


def check(root: Path) -> list[str]:
    """Return one finding per entry of the root that is not on the list."""
    entries = {name.split("/")[0] for name in repository_files(root)}
    return [
        f"{entry}: does not belong in the root; move it (docs/, tools/, deploy/), ignore it, "
        "or add it to tools/checks/root_files.py"
        for entry in sorted(entries - ALLOWED)
    ]
