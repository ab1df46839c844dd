"""`python killed_at_step.py STEP ARGUMENTS…`: catalyst-bot, killed with SIGKILL at a named step.

The steps are those of an order's way, seen from outside: what is appended to the journal, what is
sent, what is folded. The program itself knows no switch for this.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence

from catalyst_bot import cli
from catalyst_bot.broker.embedded import EmbeddedBroker
from catalyst_bot.domain.messages import commands as c
from catalyst_bot.domain.messages import decisions as d
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.engine.engine import Engine
from catalyst_bot.storage.journal import SqlJournal

FOLDED = 20  # records of a recovery before it is killed
APPENDS: dict[str, tuple[type, str]] = {
    "signal stored": (d.SignalFormed, "after"),
    "intent stored": (d.IntentFormed, "after"),
    "ack seen": (f.OrderAccepted, "before"),
    "ack stored": (f.OrderAccepted, "after"),
    "fill seen": (f.OrderFilled, "before"),
    "fill applied": (f.OrderFilled, "after"),
    "stop placed": (d.ProtectionChanged, "after"),
    "state saved": (d.EquityMarked, "after"),
}
SENDS = {"before send": "before", "after send": "after"}
RECOVERY = "recovery"


def die() -> None:
    """The process is gone before the next instruction."""
    os.kill(os.getpid(), signal.SIGKILL)


def around(
    method: Callable[..., None], is_it: Callable[..., bool], when: str
) -> Callable[..., None]:
    """The method, deadly before or after a call that is meant."""

    def deadly(*args: object) -> None:
        is_meant = is_it(*args[1:])
        if is_meant and when == "before":
            die()
        method(*args)
        if is_meant:
            die()

    return deadly


def arm(step: str) -> None:
    """Let the process die when it comes to a step."""
    if step in SENDS:
        is_entry: Callable[..., bool] = lambda command: isinstance(command, c.SubmitOrder)  # noqa: E731
        EmbeddedBroker.submit = around(EmbeddedBroker.submit, is_entry, SENDS[step])  # type: ignore[method-assign]
    elif step == RECOVERY:
        folded = [0]

        def is_far(_: Recorded) -> bool:
            folded[0] += 1
            return folded[0] == FOLDED

        Engine.remember = around(Engine.remember, is_far, "before")  # type: ignore[method-assign]
    else:
        kind, when = APPENDS[step]

        def holds(batch: Sequence[Recorded]) -> bool:
            return any(isinstance(record.body, kind) for record in batch)

        SqlJournal.append = around(SqlJournal.append, holds, when)  # type: ignore[method-assign]


if __name__ == "__main__":
    arm(sys.argv[1])
    sys.argv = ["catalyst-bot", *sys.argv[2:]]
    cli.main()
