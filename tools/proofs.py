"""Which test proves which row of the conformance table: pytest, asked to collect and not to run.

A test says it with a mark: `@pytest.mark.proves("GET /v2/account", …)` for rows by name, and
`@pytest.mark.proves(refusal=(status, code, message))` for an answer that refuses.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDERS = ("tests/conformance", "tests/exchange")
MARK = "proves"
_FILE = "CATALYST_PROOFS_FILE"
Refused = tuple[int, int | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """Tests (as `file::function`) by the row, and by the refusal, that they prove."""

    rows: Mapping[str, tuple[str, ...]]
    refusals: Mapping[Refused, tuple[str, ...]]


def collect() -> Proofs:
    """Ask pytest; raises `RuntimeError` with what it said when it cannot collect."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "proofs.json"
        command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "tools.proofs"]
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider", *FOLDERS],
            cwd=ROOT,
            env=os.environ | {_FILE: str(file)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"pytest could not collect the tests:\n{done.stdout}{done.stderr}")
        told = json.loads(file.read_text(encoding="utf-8"))
    rows: dict[str, dict[str, None]] = {}
    refusals: dict[Refused, dict[str, None]] = {}
    for test, row, refusal in told:
        if row is not None:
            rows.setdefault(row, {})[test] = None
        else:
            status, code, message = refusal
            refusals.setdefault((status, code, message), {})[test] = None
    return Proofs(
        rows={row: tuple(tests) for row, tests in rows.items()},
        refusals={refusal: tuple(tests) for refusal, tests in refusals.items()},
    )


def pytest_collection_finish(session: Any) -> None:
    """Write the marks of all collected tests; pytest calls it in the process of `collect`."""
    if _FILE in os.environ:
        told = [line for item in session.items for line in _marks(item)]
        Path(os.environ[_FILE]).write_text(json.dumps(told), encoding="utf-8")


def _marks(item: Any) -> Iterator[tuple[str, str | None, Any]]:
    test = item.nodeid.split("[")[0]
    for mark in item.iter_markers(MARK):
        for row in mark.args:
            yield test, row, None
        if "refusal" in mark.kwargs:
            yield test, None, mark.kwargs["refusal"]
