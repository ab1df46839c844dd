from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tools.checks import (
    approvals,
    broad_excepts,
    docstrings,
    leaks,
    pickles,
    purity,
    root_files,
    sizes,
    unfinished,
)
from tools.checks.__main__ import ALL

ROOT = Path(__file__).parents[2]
MAX_CHECK_LINES = 60


@pytest.mark.parametrize("check", ALL, ids=lambda module: module.__name__.split(".")[-1])
def test_the_repository_keeps_the_house_rules(check: ModuleType):
    findings = check.check(ROOT)
    assert not findings, "\n" + "\n".join(findings)


def plant(root: Path, name: str, text: str) -> Path:
    path = root / "src/catalyst_bot" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("check", "name", "text"),
    [
        (approvals, "engine/bad.py", "order = ApprovedOrder(quantity=1)\n"),
        (approvals, "broker/bad.py", "order = trading.ApprovedOrder(quantity=1)\n"),
        (broad_excepts, "feeds/bad.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
        (
            broad_excepts,
            "feeds/bad.py",
            "try:\n    f()\nexcept (OSError, BaseException):\n    g()\n",
        ),
        (broad_excepts, "feeds/bad.py", "try:\n    f()\nexcept:\n    pass\n"),
        (broad_excepts, "feeds/bad.py", "with contextlib.suppress(Exception):\n    f()\n"),
        (docstrings, "bad.py", "x = 1\n"),
        (docstrings, "bad.py", '"""Module."""\nclass Public:\n    pass\n'),
        (docstrings, "bad.py", '"""Module."""\nasync def public():\n    pass\n'),
        (pickles, "storage/bad.py", "import pickle\n"),
        (pickles, "storage/bad.py", "from joblib import load\n"),
        (pickles, "storage/bad.py", "from joblib import Parallel, dump\n"),
        (pickles, "storage/bad.py", "a = np.load(path, allow_pickle=True)\n"),
        (purity, "domain/bad.py", "from datetime import datetime\nnow = datetime.now()\n"),
        (purity, "domain/bad.py", "import datetime as dt\nnow = dt.datetime.now(dt.UTC)\n"),
        (purity, "domain/bad.py", "from datetime import datetime as d\nf(default=d.utcnow)\n"),
        (purity, "risk/bad.py", "import time\ntime.sleep(1)\n"),
        (purity, "risk/bad.py", "from time import time as now\nt = now()\n"),
        (purity, "risk/bad.py", "import os\nx = os.environ['X']\n"),
        (purity, "features/bad.py", "import numpy as np\nx = np.random.default_rng()\n"),
        (purity, "engine/bad.py", "import random\nx = random.random()\n"),
        (purity, "engine/bad.py", "from uuid import uuid4\nx = uuid4()\n"),
        (purity, "detection/bad.py", "x = open('taxonomy.toml')\n"),
        (purity, "detection/bad.py", "from pathlib import Path\nx = Path('a').read_text()\n"),
        (purity, "detection/bad.py", "def f(path):\n    return path.read_text()\n"),
        (sizes, "bad.py", "x = 1\n" * 501),
        (sizes, "bad.py", "def f():\n" + "    x = 1\n" * 80),
        (unfinished, "bad.py", "x = 1  # TO" + "DO: later\n"),
        (unfinished, "bad.py", '"""A place' + 'holder."""\n'),
    ],
)
def test_a_planted_breach_is_found(tmp_path: Path, check: ModuleType, name: str, text: str):
    assert any(name in finding for finding in check.check(plant(tmp_path, name, text)))


@pytest.mark.parametrize(
    ("check", "name", "text"),
    [
        (approvals, "risk/good.py", "order = ApprovedOrder(quantity=1)\n"),
        (broad_excepts, "runtime/supervisor.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
        (broad_excepts, "feeds/good.py", "try:\n    f()\nexcept (OSError, ValueError):\n    g()\n"),
        (docstrings, "good.py", '"""Module."""\ndef _private():\n    pass\n'),
        (docstrings, "__init__.py", ""),
        (pickles, "good.py", "from joblib import Parallel, delayed\n"),
        (pickles, "good.py", "remedy = 'a .pkl file is refused; pickle is unsafe'\n"),
        (purity, "runtime/good.py", "import time\nnow = time.time()\n"),
        (purity, "domain/good.py", "from datetime import time\ndef f(clock): return clock.now()\n"),
        (purity, "domain/good.py", "import datetime\nx = datetime.datetime.fromisoformat(y)\n"),
        (purity, "execution/good.py", "random = 1\nos = random\n"),
        (sizes, "good.py", "def f():\n" + "    x = 1\n" * 79),
        (unfinished, "good.py", "stubborn = 'hacking'\n"),
    ],
)
def test_good_code_passes(tmp_path: Path, check: ModuleType, name: str, text: str):
    assert check.check(plant(tmp_path, name, text)) == []


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def test_a_stray_root_file_is_found(repository: Path):
    (repository / "SUCCESS_REPORT.md").touch()
    (repository / "README.md").touch()
    (finding,) = root_files.check(repository)
    assert "SUCCESS_REPORT.md" in finding


@pytest.mark.parametrize("leak", [leaks.HOSTS[0], leaks.HOSTS[2], "see /" + "work/notes"])
def test_a_leak_is_found(repository: Path, leak: str):
    (repository / "notes.md").write_text(f"fine\n{leak}\n")
    (repository / "image.png").write_bytes(b"\x89PNG\xff")
    (finding,) = leaks.check(repository)
    assert finding.startswith("notes.md:2")


def test_a_relative_path_is_no_leak(repository: Path):
    (repository / "notes.md").write_text("../work/a docs/work/b homework/c\n")
    assert leaks.check(repository) == []


def test_every_check_is_run_and_stays_small():
    files = sorted((ROOT / "tools/checks").glob("*.py"))
    run = {module.__name__.split(".")[-1] for module in ALL} | {"__init__", "__main__", "source"}
    assert {file.stem for file in files} == run
    for file in files:
        assert len(file.read_text().splitlines()) <= MAX_CHECK_LINES, file.name
