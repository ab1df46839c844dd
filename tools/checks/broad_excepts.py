"""Catching everything hides our own bugs, so it is done in one named place only."""

from __future__ import annotations

import ast
from pathlib import Path

from tools.checks.source import dotted, trees

ALLOWED = frozenset({"runtime/supervisor.py"})
BROAD = frozenset({"Exception", "BaseException"})


def check(root: Path) -> list[str]:
    """Return one finding per broad `except` or `suppress` outside the allowed files."""
    return [
        f"{name}:{line}: catches everything; name the errors you expect, "
        f"or let it rise to {', '.join(sorted(ALLOWED))}"
        for tree, name in trees(root)
        if name not in ALLOWED
        for line in _broad_lines(tree)
    ]


def _broad_lines(tree: ast.Module) -> list[int]:
    lines = []
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=None):
                lines.append(node.lineno)
            case ast.ExceptHandler(type=ast.Tuple(elts=caught)) if _is_broad(caught):
                lines.append(node.lineno)
            case ast.ExceptHandler(type=ast.expr() as caught) if _is_broad([caught]):
                lines.append(node.lineno)
            case ast.Call(func=func, args=caught) if dotted(func).endswith("suppress"):
                lines += [node.lineno] if _is_broad(caught) else []
            case _:
                pass
    return lines


def _is_broad(caught: list[ast.expr]) -> bool:
    return any(dotted(node).removeprefix("builtins.") in BROAD for node in caught)
