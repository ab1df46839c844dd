"""Files and functions stay small enough to be read in one sitting."""

from __future__ import annotations

import ast
from pathlib import Path

from tools.checks.source import python_files, trees

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 80


def check(root: Path) -> list[str]:
    """Return one finding per file or function that is too long."""
    return _long_files(root) + _long_functions(root)


def _long_files(root: Path) -> list[str]:
    counts = [
        (name, len(path.read_text("utf-8").splitlines())) for path, name in python_files(root)
    ]
    return [
        f"{name}: {count} lines, at most {MAX_FILE_LINES}; split it by what changes together"
        for name, count in counts
        if count > MAX_FILE_LINES
    ]


def _long_functions(root: Path) -> list[str]:
    functions = [
        (name, node, (node.end_lineno or node.lineno) - node.lineno + 1)
        for tree, name in trees(root)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [
        f"{name}:{node.lineno}: {node.name} has {count} lines, at most {MAX_FUNCTION_LINES}; "
        "give its steps names and call them"
        for name, node, count in functions
        if count > MAX_FUNCTION_LINES
    ]
