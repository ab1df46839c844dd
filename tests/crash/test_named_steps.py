"""Real processes that die at named steps, in recovery, and on full disks; the same trades follow.

Each death is followed by the next on the same journal: what one left behind, another goes on from.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalyst_bot.bootstrap import run
from catalyst_bot.bootstrap.journal_tools import verify
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.messages.facts import OrderAccepted
from tests.crash.killed_at_step import APPENDS, FOLDED, RECOVERY, SENDS
from tests.crash.test_crash_on_disk import recorded, result
from tests.replays import first_difference, generated, story

DRIVER = Path(__file__).with_name("killed_at_step.py")
STEPS = (
    "signal stored",
    "intent stored",
    "before send",
    "after send",
    "ack seen",
    "ack stored",
    "fill seen",
    "fill applied",
    "stop placed",
    "state saved",
)
FULL_BLOCKS = (0, 64, 400, 1000, 2200, 4000)  # of 512 bytes, that a file may have
UNWRITABLE = 6


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run.replay(generated(tmp_path_factory.mktemp("whole"))).journal


class Bot:
    """`catalyst-bot demo` on one journal, again and again."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "steps.db"
        self.flags = ["demo", "--seed", "7", "--mode", "paper-trading", "--exit"]
        self.flags += ["--data-dir", str(folder), "--journal", str(self.journal)]

    def start(
        self, *before: str, blocks: int | None = None, more: tuple[str, ...] = ()
    ) -> subprocess.Popen[str]:
        under = ["sh", "-c", f'ulimit -f {blocks} && exec "$@"', "sh"] if blocks is not None else []
        return subprocess.Popen(
            [*under, sys.executable, *before, *self.flags, *more],
            env=os.environ | {"CATALYST_DASHBOARD__ENABLED": "false"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *before: str, blocks: int | None = None) -> tuple[int, str]:
        process = self.start(*before, blocks=blocks)
        _, told = process.communicate(timeout=120)
        return process.returncode, told

    def die_at(self, step: str) -> None:
        code, told = self.run(str(DRIVER), step)
        assert code == -signal.SIGKILL, f"it did not die at {step}: {told}"

    def finish_as(self, finished: Path) -> None:
        code, told = self.run("-m", "catalyst_bot")
        assert code in {0, 5}, told
        assert not first_difference(story(recorded(self.journal)), story(recorded(finished)))
        assert result(self.journal) == result(finished)
        assert verify(self.journal, decides_again=True).divergence is None


def test_every_step_of_the_drivers_table_is_used():
    assert set(STEPS) == set(APPENDS) | set(SENDS)


def test_killed_at_each_named_step_and_in_recovery_it_ends_with_the_same_trades(
    tmp_path: Path, finished: Path
):
    bot = Bot(tmp_path)
    grown = []
    for step in STEPS:
        bot.die_at(step)
        grown.append(len(recorded(bot.journal)))
    assert grown == sorted(grown)  # nothing that was stored is ever gone
    assert grown[-1] > FOLDED
    for _ in range(5):
        bot.die_at(RECOVERY)
    assert len(recorded(bot.journal)) == grown[-1]
    bot.finish_as(finished)


def test_a_disk_that_fills_up_stops_it_and_more_room_lets_it_go_on(tmp_path: Path, finished: Path):
    bot = Bot(tmp_path)
    known = 0
    for blocks in FULL_BLOCKS:
        code, told = bot.run("-m", "catalyst_bot", blocks=blocks)
        assert code not in {0, 5}, "it went on without a place for its journal"
        assert "Traceback" not in told
        if bot.journal.exists() and blocks >= FULL_BLOCKS[2]:
            assert code == UNWRITABLE
            whole = recorded(bot.journal)
            assert len(whole) >= known
            known = len(whole)
    assert known > 0
    bot.finish_as(finished)


def test_sigterm_in_the_middle_is_an_ordinary_stop(tmp_path: Path, finished: Path):
    bot = Bot(tmp_path)
    process = bot.start("-m", "catalyst_bot", more=("--speed", "3600"))
    until = time.monotonic() + 60
    while process.poll() is None and not (bot.journal.exists() and _has_orders(bot.journal)):
        assert time.monotonic() < until
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=30)
    assert "Traceback" not in told
    assert recorded(bot.journal)
    bot.finish_as(finished)


def _has_orders(journal: Path) -> bool:
    try:
        return any(isinstance(record.body, OrderAccepted) for record in recorded(journal))
    except ConfigError:  # it is just being made
        return False
