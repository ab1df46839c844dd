"""Every module, and every public class and function at its top level, says what it is."""

from __future__ import annotations

import ast
from pathlib import Path

from tools.checks.source import trees

DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def check(root: Path) -> list[str]:
    """Return one finding per missing docstring."""
    findings = []
    for tree, name in trees(root):
        if tree.body and not ast.get_docstring(tree):
            findings.append(f"{name}:1: no module docstring; say in a sentence what it is for")
        findings += [
            f"{name}:{node.lineno}: {node.name} has no docstring; "
            "say in a sentence what it does, or make it private with a leading underscore"
            for node in tree.body
            if isinstance(node, DEFINITIONS)
            if not node.name.startswith("_") and not ast.get_docstring(node)
        ]
    return findings
