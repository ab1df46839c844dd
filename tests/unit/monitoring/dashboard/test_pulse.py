"""One reader serves every viewer, tells only what changed and never waits for a slow page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalyst_bot.domain.errors import SourceUnreachable
from catalyst_bot.monitoring.dashboard.pulse import MAX_VIEWERS, VIEWER_BACKLOG, Pulse, Viewer
from tests.unit.monitoring.dashboard.sample import SampleSource


@pytest.fixture
def source() -> SampleSource:
    return SampleSource()


@pytest.fixture
async def pulse(source: SampleSource) -> AsyncIterator[Pulse]:
    pulse = Pulse(source, poll_s=0.01, beat_s=0.0)
    running = asyncio.create_task(pulse.run())
    yield pulse
    running.cancel()
    pulse.close()


async def seat(pulse: Pulse) -> AsyncIterator[bytes]:
    viewer = await pulse.join()
    assert viewer is not None
    return viewer.messages()


async def heard(messages: AsyncIterator[bytes], event: str) -> dict[str, Any]:
    """The data of the next message of this kind."""
    async with asyncio.timeout(10):
        async for message in messages:
            fields = dict(
                line.split(": ", 1) for line in message.decode().splitlines() if ": " in line
            )
            if fields["event"] == event:
                return dict(json.loads(fields["data"]))
    raise AssertionError("the stream ended")


async def test_a_viewer_first_hears_everything(pulse: Pulse) -> None:
    state = await heard(await seat(pulse), "state")
    assert len(state["equity"]) == 390
    assert len(state["events"]) == 24
    assert state["risk"][0]["room_usd"] == "18232.96"


async def test_then_it_hears_only_what_changed(pulse: Pulse, source: SampleSource) -> None:
    messages = await seat(pulse)
    await heard(messages, "state")
    source.account_row = {**source.account_row, "equity_usd": Decimal("99000.5")}
    source.touch()
    change = await heard(messages, "change")
    assert set(change) == {"now", "status", "account"}
    assert change["account"]["equity_usd"] == "99000.5"


async def test_new_events_and_points_are_told_once(pulse: Pulse, source: SampleSource) -> None:
    messages = await seat(pulse)
    await heard(messages, "state")
    source.event_rows = [*source.event_rows, {**source.event_rows[-1], "seq": 900}]
    last = source.points[-1]
    newer = {**last, "at": last["at"] + timedelta(milliseconds=500)}
    source.points = [*source.points, newer]
    source.touch()
    change = await heard(messages, "change")
    assert [row["seq"] for row in change["events"]] == [900]
    assert [row["at"] for row in change["equity"]] == ["2025-10-06T19:59:00.500000Z"]
    source.touch()
    assert set(await heard(messages, "change")) == {"now", "status"}


async def test_a_late_viewer_takes_nothing_from_the_others(
    pulse: Pulse, source: SampleSource
) -> None:
    first = await seat(pulse)
    await heard(first, "state")
    source.position_rows = []
    source.touch()
    second = await seat(pulse)
    assert (await heard(first, "change"))["positions"] == []
    assert (await heard(second, "state"))["positions"] == []


async def test_a_nudge_is_told_at_once(source: SampleSource) -> None:
    pulse = Pulse(source, poll_s=3600)
    running = asyncio.create_task(pulse.run())
    messages = await seat(pulse)
    await heard(messages, "state")
    source.status_row = {**source.status_row, "trading_state": "halted"}
    pulse.nudge()
    assert (await heard(messages, "change"))["status"]["trading_state"] == "halted"
    running.cancel()
    pulse.close()


async def test_beats_prove_that_the_source_can_be_read(pulse: Pulse, source: SampleSource) -> None:
    messages = await seat(pulse)
    await heard(messages, "state")
    assert set(await heard(messages, "beat")) == {"now"}


async def test_a_source_that_comes_back_is_followed_again(
    pulse: Pulse, source: SampleSource
) -> None:
    messages = await seat(pulse)
    await heard(messages, "state")
    source.is_down = True
    for _ in range(2):
        with pytest.raises(SourceUnreachable):
            await pulse.join()
        await asyncio.sleep(0.03)  # the poller meets the error too, and lives on
    assert source.refusals > 2
    source.is_down = False
    source.touch()
    assert "status" in await heard(messages, "change")


async def test_nobody_watching_costs_no_reads(source: SampleSource) -> None:
    pulse = Pulse(source, poll_s=0)
    running = asyncio.create_task(pulse.run())
    for _ in range(50):
        await asyncio.sleep(0)
    assert source.reads == 0
    running.cancel()
    pulse.close()


async def test_the_house_is_full_at_fifty(source: SampleSource) -> None:
    pulse = Pulse(source)
    viewers = [await pulse.join() for _ in range(MAX_VIEWERS)]
    assert None not in viewers
    assert await pulse.join() is None
    assert isinstance(viewers[0], Viewer)
    pulse.leave(viewers[0])
    assert await pulse.join() is not None
    pulse.close()


async def test_a_page_too_slow_is_closed_instead_of_waited_for() -> None:
    viewer = Viewer()
    for number in range(VIEWER_BACKLOG + 1):
        viewer.offer(str(number).encode())
    assert [message async for message in viewer.messages()] == []


async def test_closing_ends_every_stream(pulse: Pulse) -> None:
    messages = await seat(pulse)
    await heard(messages, "state")
    pulse.close()
    async with asyncio.timeout(10):
        assert [message async for message in messages if b"event: beat" not in message] == []
