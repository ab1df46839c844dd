from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(tree / "src")}
    return subprocess.run(
        command, cwd=tree, env=environment, check=False, capture_output=True, text=True
    )


def test_the_import_contract_is_kept():
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / ".importlinter", tmp_path)
    shutil.copytree(
        ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static")
    )
    return tmp_path


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("risk", "import catalyst_bot.execution", "catalyst_bot.risk.planted -> catalyst_bot.ex"),
        ("domain", "import catalyst_bot.engine", "catalyst_bot.domain.planted -> catalyst_bot.en"),
        ("risk", "import sqlite3", "catalyst_bot.risk.planted -> sqlite3"),
        ("detection", "from random import choice", "catalyst_bot.detection.planted -> random"),
    ],
)
def test_a_planted_violation_is_reported(copy: Path, module: str, line: str, broken: str):
    (copy / "src/catalyst_bot" / module / "planted.py").write_text(line + "\n")
    result = lint_imports(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    assert broken in result.stdout


def test_a_package_outside_the_layers_is_reported(copy: Path):
    (copy / "src/catalyst_bot/stray.py").write_text("")
    result = lint_imports(copy)
    assert result.returncode == 1
    assert "stray" in result.stdout + result.stderr
