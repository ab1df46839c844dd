"""What the checks share: the package's files, their syntax trees, and the files git knows."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "src/catalyst_bot"


def python_files(root: Path, *folders: str) -> Iterator[tuple[Path, str]]:
    """Yield (path, path relative to the package) of every module, or of those in `folders`."""
    package = root / PACKAGE
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not folders or name.split("/")[0] in folders:
            yield path, name


def trees(root: Path, *folders: str) -> Iterator[tuple[ast.Module, str]]:
    """Yield (syntax tree, path relative to the package), as `python_files` does."""
    for path, name in python_files(root, *folders):
        yield ast.parse(path.read_text(encoding="utf-8"), filename=name), name


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` for a name or an attribute chain, and '' for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            head = dotted(value)
            return f"{head}.{attr}" if head else ""
        case _:
            return ""


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Map each name a module imports to the full path it stands for."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def repository_files(root: Path) -> list[str]:
    """List what git tracks, and what it would track if it were added now."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return sorted(name for name in set(listing.split("\0")) if name and (root / name).is_file())
