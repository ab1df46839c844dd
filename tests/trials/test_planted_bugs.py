"""Every planted bug is found, and nothing of it stays behind.

To fill in a new row: `catalyst-bot simulate --seeds 0..1000 --planted-bug NAME`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.trials.bugs import BUGS
from tests.trials.playing import played

FOUND_BY: dict[str, int] = {
    "a-halt-cancels-nothing": 8,
    "a-halt-is-not-told": 2,
    "a-halt-stops-no-entries": 26,
    "a-leg-unknown-is-gone": 526,
    "a-refusal-is-forgotten": 10,
    "a-restart-remembers-half": 0,
    "a-start-resumes": 2,
    "a-stop-is-moved-on-paper-only": 4,
    "a-stop-on-its-way-is-asked-for-again": 189,
    "a-symbol-is-bought-twice": 0,
    "an-unclear-order-is-not-asked-about": 2,
    "any-number-is-a-price": 16,
    "average-of-the-last-purchase": 0,
    "cancels-get-lost": 2,
    "effects-before-the-journal": 0,
    "entry-without-stop": 0,
    "every-fill-costs-a-dollar": 4,
    "everybody-uses-the-reserve": 4,
    "exits-do-not-wait": 59,
    "fills-counted-again-after-a-restart": 2,
    "halted-symbols-are-bought": 39,
    "halts-are-forgotten": 2,
    "nan-is-not-above-the-limit": 4,
    "new-id-per-try": 0,
    "no-client-id": 0,
    "no-look-at-a-start": 21,
    "nobody-looks-after-stops": 45,
    "open-orders-are-no-exposure": 59,
    "orders-never-looked-at": 124,
    "people-do-not-trade": 2,
    "quotes-may-be-old": 6,
    "refused-keys-are-a-failure-like-others": 17,
    "replaced-is-cancelled": 86,
    "sells-twice-what-is-held": 62,
    "sent-again-after-a-restart": 10,
    "sent-again-after-silence": 0,
    "silence-is-a-no": 0,
    "splits-are-ignored": 44,
    "sums-taken-for-executions": 0,
    "the-grace-never-ends": 32,
    "the-latch-is-not-looked-at": 47,
    "the-session-does-not-matter": 9,
    "timers-end-with-the-process": 0,
    "watches-end-with-the-process": 0,
}


@pytest.mark.parametrize(("name", "seed"), FOUND_BY.items())
def test_a_planted_bug_is_found(name: str, seed: int, tmp_path: Path):
    with BUGS[name].planted():
        outcome = played(seed, tmp_path)
    assert outcome.violations


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("refused-keys-are-a-failure-like-others", "I6 refused keys halt"),
        ("everybody-uses-the-reserve", "I9 the reserve is for cancels"),
        ("the-grace-never-ends", "I2 naked is told"),
    ],
)
def test_the_promise_that_is_meant_finds_it(name: str, promise: str, tmp_path: Path):
    with BUGS[name].planted():
        outcome = played(FOUND_BY[name], tmp_path)
    assert promise in {each.invariant for each in outcome.violations}


def test_every_planted_bug_has_a_seed_that_finds_it():
    assert FOUND_BY.keys() == BUGS.keys()
    assert len(BUGS) >= 20


def test_what_was_planted_is_dug_out_again(tmp_path: Path):
    before = played(3, tmp_path)
    for each in BUGS.values():
        with each.planted():
            pass
    assert played(3, tmp_path) == before
