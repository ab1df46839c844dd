"""A seed is a schedule: in this process, in another one, under another hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.trials.playing import played

SEEDS = (3, 16, 40)
PRINT = """
import sys
from pathlib import Path
from tests.trials.playing import played
for seed in map(int, sys.argv[2:]):
    print(played(seed, Path(sys.argv[1])).journal_hash)
"""


def test_the_same_seed_is_the_same_journal_and_the_same_story(tmp_path: Path):
    for seed in SEEDS:
        first = played(seed, tmp_path, is_told=True)
        assert played(seed, tmp_path, is_told=True) == first
        assert played(seed, tmp_path).journal_hash == first.journal_hash


def test_other_seeds_are_other_journals(tmp_path: Path):
    hashes = {played(seed, tmp_path).journal_hash for seed in range(5)}
    assert len(hashes) == 5


def test_the_hash_seed_of_the_process_does_not_matter(tmp_path: Path):
    ours = [played(seed, tmp_path).journal_hash for seed in SEEDS]
    for hash_seed in ("0", "4711"):
        told = subprocess.run(
            [sys.executable, "-c", PRINT, str(tmp_path), *map(str, SEEDS)],
            env={
                **os.environ,
                "PYTHONHASHSEED": hash_seed,
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout.split() == ours
