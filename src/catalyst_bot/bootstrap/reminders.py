"""What a live run has to say by itself, apart from what its journal sets off."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from catalyst_bot.alerts.dead_man import DeadMan
from catalyst_bot.alerts.delivery import Tell
from catalyst_bot.bootstrap.modes import BrokerKind, ModeRow
from catalyst_bot.bootstrap.parts import Task
from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.messages.facts import NoticeRaised
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.ports.clock import Clock
from catalyst_bot.runtime.clock import SimulatedClock, SystemClock
from catalyst_bot.runtime.drills import last_drill
from catalyst_bot.settings import PING_URL, Settings
from catalyst_bot.settings_sources import secret

DRILL_DUE = "The kill switch is due for a drill"
EVERY = timedelta(days=1)
_LOOK_S = 600.0


def words_of_its_own(
    row: ModeRow, settings: Settings, records: Sequence[Recorded], *, tell: Tell, clock: Clock
) -> list[Task]:
    """The tasks that speak: the ping of a watchman outside, where his address is given, and the
    reminder of the drill, where orders outlive the bot. A stepped exchange hears of no days.

    Raises `ConfigError` for an address that is none.
    """
    tasks: list[Task] = []
    url = secret(PING_URL, os.environ) if row.tells_people else None
    if url is not None:
        every_s = settings.alerts.ping_every_s
        tasks.append(DeadMan(url, variable=PING_URL, every_s=every_s, tell=tell, clock=clock).run)
    if row.broker is BrokerKind.ALPACA and not isinstance(clock, SimulatedClock):
        data_dir = settings.run.data_dir
        tasks.append(partial(remind_of_drill, data_dir, records, tell=tell, clock=clock))
    return tasks


async def remind_of_drill(
    data_dir: Path, records: Iterable[Recorded], *, tell: Tell, clock: Clock
) -> None:
    """Say once a day that a drill is due, restarts included."""
    said = max((r.at for r in records if _is_reminder(r)), default=None)
    while True:
        now = clock.now()
        notice = _drill_notice(data_dir, now)
        if notice is not None and (said is None or now - said >= EVERY):
            said = now
            await tell([notice])
        await asyncio.sleep(_LOOK_S)


def _is_reminder(record: Recorded) -> bool:
    return isinstance(record.body, NoticeRaised) and record.body.title == DRILL_DUE


def _drill_notice(data_dir: Path, now: datetime) -> NoticeRaised | None:
    last = last_drill(data_dir, SystemClock().now())  # drills are made by the wall's time
    if not last.is_overdue:
        return None
    return NoticeRaised(at=now, severity=Severity.WARNING, title=DRILL_DUE, text=last.text())
