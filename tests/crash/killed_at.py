"""`python killed_at.py COMMIT before|after ARGUMENTS…`: catalyst-bot, killed with SIGKILL.

The journal's append is wrapped from outside: the program itself knows no switch for this.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from catalyst_bot import cli
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.storage.journal import SqlJournal


def kill_at(commit: int, when: str) -> None:
    append, commits = SqlJournal.append, 0

    def deadly(self: SqlJournal, batch: Sequence[Recorded]) -> None:
        nonlocal commits
        commits += 1
        if commits == commit and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        append(self, batch)
        if commits == commit and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    SqlJournal.append = deadly  # type: ignore[method-assign]


if __name__ == "__main__":
    kill_at(int(sys.argv[1]), sys.argv[2])
    sys.argv = ["catalyst-bot", *sys.argv[3:]]
    cli.main()
