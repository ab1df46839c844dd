"""Only the risk stage may say yes: `ApprovedOrder` is built nowhere else."""

from __future__ import annotations

import ast
from pathlib import Path

from tools.checks.source import dotted, trees


def check(root: Path) -> list[str]:
    """Return one finding per `ApprovedOrder(...)` outside the risk package."""
    return [
        f"{name}:{node.lineno}: builds ApprovedOrder; "
        "only risk/ may: pass the intent through the risk stage and use what it returns"
        for tree, name in trees(root)
        if not name.startswith("risk/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] == "ApprovedOrder"
    ]
