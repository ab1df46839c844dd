"""Every planted bug is found, and nothing of it stays behind.

To fill in a new row: `catalyst-bot simulate --seeds 0..1000 --planted-bug NAME`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.trials.bugs import BUGS
from tests.trials.playing import played

FOUND_BY: dict[str, int] = {}


@pytest.mark.parametrize(("name", "seed"), FOUND_BY.items())
def test_a_planted_bug_is_found(name: str, seed: int, tmp_path: Path):
    with BUGS[name].planted():
        outcome = played(seed, tmp_path)
    assert outcome.violations


def test_every_planted_bug_has_a_seed_that_finds_it():
    assert FOUND_BY.keys() == BUGS.keys()
    assert len(BUGS) >= 20


def test_what_was_planted_is_dug_out_again(tmp_path: Path):
    before = played(3, tmp_path)
    for each in BUGS.values():
        with each.planted():
            pass
    assert played(3, tmp_path) == before
