"""Unpickling runs whatever the file says, so no module reads or writes pickles."""

from __future__ import annotations

import ast
from pathlib import Path

from tools.checks.source import trees

# What of a pickling module runs jobs and writes no file.
HARMLESS = {"joblib": frozenset({"Parallel", "delayed", "parallel_config"})}
PICKLERS = frozenset({"pickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"})


def check(root: Path) -> list[str]:
    """Return one finding per import of a pickling module or `allow_pickle=True`."""
    return [
        f"{name}:{line}: pickles; store plain data instead (msgspec, TOML, NumPy arrays)"
        for tree, name in trees(root)
        for line in _pickling_lines(tree)
    ]


def _pickling_lines(tree: ast.Module) -> list[int]:
    lines = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                modules = {alias.name.split(".")[0] for alias in names}
                lines += [node.lineno] if modules & PICKLERS else []
            case ast.ImportFrom(module=str(module), names=names) if (
                module.split(".")[0] in PICKLERS
            ):
                taken = {alias.name for alias in names}
                lines += [] if taken <= HARMLESS.get(module, frozenset()) else [node.lineno]
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                lines.append(node.value.lineno)
            case _:
                pass
    return lines
