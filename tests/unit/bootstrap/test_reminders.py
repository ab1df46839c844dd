"""What a live run reminds of by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalyst_bot.bootstrap import reminders
from catalyst_bot.domain.enums import Severity
from catalyst_bot.domain.messages.facts import NoticeRaised
from catalyst_bot.domain.messages.registry import Fact, Recorded
from catalyst_bot.runtime.clock import SimulatedClock
from catalyst_bot.runtime.drills import keep
from tests.unit.runtime.test_drills import GOOD


async def reminded(folder: Path, clock: SimulatedClock, records: Sequence[Recorded]) -> list[Fact]:
    told: list[Fact] = []

    async def tell(facts: Sequence[Fact]) -> None:
        told.extend(facts)

    with suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            await reminders.remind_of_drill(folder, records, tell=tell, clock=clock)
    return told


async def test_a_drill_that_is_due_is_told_once_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reminders, "_LOOK_S", 0.0)
    now = datetime.now(UTC)
    clock = SimulatedClock(now)
    (notice,) = await reminded(tmp_path, clock, [])
    assert isinstance(notice, NoticeRaised)
    assert notice.severity is Severity.WARNING
    assert "never drilled" in notice.text
    said = [Recorded(seq=1, at=now, cause_seq=None, trail_id="", body=notice)]
    assert await reminded(tmp_path, clock, said) == []
    clock.advance_to(now + timedelta(days=1))
    assert len(await reminded(tmp_path, clock, said)) == 1


async def test_a_fresh_drill_is_no_news(tmp_path: Path):
    now = datetime.now(UTC).replace(microsecond=0)
    keep(tmp_path, replace(GOOD, at=now))
    assert await reminded(tmp_path, SimulatedClock(now), []) == []
