"""The core decides from what it is told: no clock, environment, randomness, files or network.

The import contract sees imports; this sees uses, such as `datetime.now`, which no contract can.
"""

from __future__ import annotations

import ast
from pathlib import Path

from tools.checks.source import dotted, imported_names, trees

PURE = (
    *("domain", "ports", "features", "simulation", "detection"),
    *("signals", "risk", "execution", "portfolio", "engine"),
)
BUILTINS = ("open", "input", "print", "exec", "eval")
CLOCKS = ("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today")
IMPURE = (
    *(*BUILTINS, *CLOCKS, "datetime.date.today", "time", "random", "numpy.random", "secrets"),
    *("uuid.uuid1", "uuid.uuid4", "os", "sys", "io", "pathlib", "importlib.resources", "shutil"),
    *("tempfile", "socket", "ssl", "urllib", "subprocess", "threading", "asyncio", "sqlite3"),
)
FILE_METHODS = frozenset({"read_text", "read_bytes", "write_text", "write_bytes", "mkdir"})


def check(root: Path) -> list[str]:
    """Return one finding per impure line of the pure packages."""
    return [
        f"{name}:{line}: uses {what} in the pure core; "
        "take it as an argument (time, numbers, text) or move the call into an adapter"
        for tree, name in trees(root, *PURE)
        for line, what in sorted(_impure_uses(tree).items())
    ]


def _impure_uses(tree: ast.Module) -> dict[int, str]:
    names = imported_names(tree)
    found: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            head, _, rest = dotted(node).partition(".")
            path = names.get(head, head if head in BUILTINS else "") + (f".{rest}" if rest else "")
            method = node.attr if isinstance(node, ast.Attribute) else ""
            if path.startswith(tuple(f"{bad}." for bad in IMPURE)) or path in IMPURE:
                found.setdefault(node.lineno, path)
            elif method in FILE_METHODS:
                found.setdefault(node.lineno, f".{method}()")
    return found
