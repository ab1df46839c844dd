"""Every planted bug is found, and nothing of it stays behind.

To fill in a new row: `catalyst-bot simulate --seeds 0..1000 --planted-bug NAME`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst_bot.trials.bugs import BUGS
from tests.trials.playing import played

FOUND_BY: dict[str, int] = {
    "a-halt-cancels-nothing": 21,
    "a-halt-is-not-told": 2,
    "a-halt-stops-no-entries": 25,
    "a-leg-unknown-is-gone": 249,
    "a-refusal-is-forgotten": 2,
    "a-restart-remembers-half": 0,
    "a-start-resumes": 2,
    "a-stop-is-moved-on-paper-only": 0,
    "a-stop-on-its-way-is-asked-for-again": 10,
    "a-symbol-is-bought-twice": 4,
    "an-unclear-order-is-not-asked-about": 2,
    "any-number-is-a-price": 7,
    "average-of-the-last-purchase": 0,
    "cancels-get-lost": 44,
    "effects-before-the-journal": 0,
    "entry-without-stop": 0,
    "every-fill-costs-a-dollar": 0,
    "everybody-uses-the-reserve": 0,
    "exits-do-not-wait": 25,
    "fills-counted-again-after-a-restart": 0,
    "halted-symbols-are-bought": 3,
    "halts-are-forgotten": 2,
    "nan-is-not-above-the-limit": 4,
    "new-id-per-try": 13,
    "no-client-id": 0,
    "no-look-at-a-start": 9,
    "nobody-looks-after-stops": 30,
    "open-orders-are-no-exposure": 8,
    "orders-never-looked-at": 380,
    "people-do-not-trade": 25,
    "quotes-may-be-old": 6,
    "refused-keys-are-a-failure-like-others": 17,
    "replaced-is-cancelled": 286,
    "sells-twice-what-is-held": 40,
    "sent-again-after-a-restart": 8,
    "sent-again-after-silence": 65,
    "silence-is-a-no": 21,
    "splits-are-ignored": 21,
    "sums-taken-for-executions": 0,
    "the-grace-never-ends": 32,
    "the-latch-is-not-looked-at": 62,
    "the-session-does-not-matter": 3,
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
        ("exits-do-not-wait", "I4 no share twice"),
        ("a-stop-on-its-way-is-asked-for-again", "I9 not to be cancelled"),
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
