"""What a live run has to say by itself, apart from what its journal sets off."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from catalyst_bot.alerts.dead_man import DeadMan
from catalyst_bot.alerts.delivery import Tell
from catalyst_bot.bootstrap.parts import Task
from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.messages.facts import NoticeRaised
from catalyst_bot.domain.messages.registry import Recorded
from catalyst_bot.ports.clock import Clock
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.runtime.drills import last_drill
from catalyst_bot.settings import PING_URL, Settings
from catalyst_bot.settings_sources import secret

DRILL_DUE = "The kill switch is due for a drill"
EVERY = timedelta(days=1)
_LOOK_S = 600.0


def dead_man_of(settings: Settings, *, tell: Tell, clock: Clock) -> list[Task]:
    """The ping of a watchman outside, where its address is given. Raises `ConfigError`."""
    url = secret(PING_URL, os.environ)
    if url is None:
        return []
    every_s = settings.alerts.ping_every_s
    return [DeadMan(url, variable=PING_URL, every_s=every_s, tell=tell, clock=clock).run]


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
