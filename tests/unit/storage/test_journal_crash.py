"""A real process, killed without warning while it appends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from catalyst_bot.storage.journal import SqlJournal
from catalyst_bot.storage.places import Place
from catalyst_bot.storage.read_model import ReadModel
from tests.unit.storage.stories import a_day, record

KILLS = 10
MOST_DAYS = 200  # more, while the test gets no time, would only take long to check
ROOT = Path(__file__).parents[3]
DAY_LENGTH = len(a_day())


def append_until_killed(url: str) -> None:
    """Append one day after the other, saying after each how far it is."""
    with SqlJournal(url) as journal:
        for _ in range(MOST_DAYS):
            journal.append(record(a_day(), after_seq=journal.last_seq()))
            sys.stdout.write(f"{journal.last_seq()}\n")
            sys.stdout.flush()
        signal.pause()


def test_a_kill_loses_nothing_acknowledged_and_leaves_nothing_torn(place: Place):
    for kill in range(1, KILLS + 1):
        acknowledged = killed_after(place, appends=kill)
        with SqlJournal(place) as journal:  # checks every row and its chain
            last_seq = journal.last_seq()
            assert last_seq >= acknowledged
            assert last_seq % DAY_LENGTH == 0
            assert sum(1 for _ in journal.read()) == last_seq
        with ReadModel(place) as model:
            (last_event,) = model.events(limit=1)
            assert last_event["seq"] == last_seq  # a day ends with an event


def killed_after(place: Place, *, appends: int) -> int:
    """Start a writer, kill it some time after its n-th append; return the last it acknowledged."""
    url = f"sqlite:///{place}" if isinstance(place, Path) else str(place)
    writer = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.storage.test_journal_crash", url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert writer.stdout is not None
    with writer, writer.stdout as told:
        for _ in range(appends):
            assert told.readline().strip(), "the writer died by itself"
        os.kill(writer.pid, signal.SIGKILL)
        *_, last = [0, *(int(line) for line in told if line.endswith("\n"))]
    assert writer.returncode == -signal.SIGKILL
    return last


if __name__ == "__main__":
    append_until_killed(sys.argv[1])
