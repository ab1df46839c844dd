"""One reader for all viewers: polls the read model, sends each of them only what changed.

A poll per viewer would cost the trading process more with every open tab; this way nobody
watching costs nothing and fifty viewers cost one read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, TypeVar

from fastapi.sse import format_sse_event

from catalyst_bot.domain.errors import SourceUnreachable
from catalyst_bot.monitoring.dashboard.encoding import moment, to_json
from catalyst_bot.monitoring.dashboard.sources import DashboardSource

POLL_S: Final = 0.25
BEAT_S: Final = 5.0
MAX_VIEWERS: Final = 50
VIEWER_BACKLOG: Final = 64
TRADES_SHOWN: Final = 50
EVENTS_SHOWN: Final = 200
EQUITY_POINTS_SHOWN: Final = 2_000
EQUITY_POINTS_PER_POLL: Final = 400

Answer = TypeVar("Answer")
logger = logging.getLogger(__name__)


class Viewer:
    """One open page: messages wait here until the network takes them."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(VIEWER_BACKLOG)

    def offer(self, message: bytes) -> None:
        """Queue a message; a page too slow to keep up is closed and will come back by itself."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        """End the stream now; what still waits is dropped."""
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield messages until the viewer is closed."""
        while (message := await self._waiting.get()) is not None:
            yield message


class Pulse:
    """Reads the source in its own thread and tells viewers about changes.

    A message has only the sections that changed, plus new equity points and events; the first
    message of a viewer has everything. Without news a beat every `beat_s` proves that the source
    can still be read, so a page that hears nothing knows it is out of date.
    """

    def __init__(
        self, source: DashboardSource, *, poll_s: float = POLL_S, beat_s: float = BEAT_S
    ) -> None:
        self._source = source
        self._poll_s = poll_s
        self._beat_s = beat_s
        self._viewers: set[Viewer] = set()
        self._known: dict[str, str] = {}
        self._can_read = True
        self._last_seq = -1
        self._last_point_at = datetime.min.replace(tzinfo=UTC)
        self._last_sent = 0.0
        self._turn = asyncio.Lock()
        self._nudged = asyncio.Event()
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dashboard-reader")

    @property
    def viewers(self) -> int:
        """How many pages are open."""
        return len(self._viewers)

    async def read(self, ask: Callable[[], Answer]) -> Answer:
        """Call a method of the source in the reader thread."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, ask)

    async def run(self) -> None:
        """Poll for ever, at once when nudged; cancel to stop."""
        while True:
            self._nudged.clear()
            if self._viewers:
                await self._poll_and_tell()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nudged.wait(), self._poll_s)

    def nudge(self) -> None:
        """Look for changes now instead of at the next poll."""
        self._nudged.set()

    def close(self) -> None:
        """End every stream and the reader thread."""
        for viewer in self._viewers:
            viewer.close()
        self._reader.shutdown(wait=False, cancel_futures=True)

    async def join(self) -> Viewer | None:
        """Return a new viewer that already holds the full state; None when the house is full."""
        async with self._turn:
            if len(self._viewers) >= MAX_VIEWERS:
                return None
            await self._tell_changes()
            viewer = Viewer()
            viewer.offer(_message("state", await self.read(self._everything)))
            self._viewers.add(viewer)
            return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        self._viewers.discard(viewer)

    async def full_state(self) -> str:
        """Return one complete snapshot as JSON."""
        return await self.read(lambda: _envelope(self._everything_of(self._sections())))

    async def _poll_and_tell(self) -> None:
        try:
            async with self._turn:
                await self._tell_changes()
        except SourceUnreachable as error:  # no beat: the pages grey out until it is back
            if self._can_read:  # said once, not at every poll
                logger.warning("the dashboard cannot read its source: %s", error)
            self._can_read = False
        else:
            self._can_read = True

    async def _tell_changes(self) -> None:
        changes = await self.read(self._changes)
        now = asyncio.get_running_loop().time()
        if changes:
            self._send(_message("change", changes))
        elif now - self._last_sent >= self._beat_s:
            self._send(_message("beat", {}))
        else:
            return
        self._last_sent = now

    def _send(self, message: bytes) -> None:
        for viewer in tuple(self._viewers):
            viewer.offer(message)

    def _changes(self) -> dict[str, str]:
        """What is new since the last call; all reads come first, so a failed one loses nothing."""
        if to_json(self._source.status()) == self._known.get("status"):
            return {}
        sections = self._sections()
        events = self._source.events(after_seq=self._last_seq, limit=EVENTS_SHOWN)
        points = [
            point
            for point in self._source.equity_points(limit=EQUITY_POINTS_PER_POLL)
            if moment(point["at"]) > self._last_point_at
        ]
        changes = {name: text for name, text in sections.items() if text != self._known.get(name)}
        self._known = sections
        if events:
            self._last_seq = events[-1]["seq"]
            changes["events"] = to_json(events)
        if points:
            self._last_point_at = moment(points[-1]["at"])
            changes["equity"] = to_json(points)
        return changes

    def _sections(self) -> dict[str, str]:
        source = self._source
        return {
            "status": to_json(source.status()),
            "account": to_json(source.account()),
            "positions": to_json(source.positions()),
            "trades": to_json(source.trades(limit=TRADES_SHOWN)),
            "funnel": to_json(source.funnel()),
            "risk": to_json(source.risk()),
        }

    def _everything(self) -> dict[str, str]:
        return self._everything_of(self._known)

    def _everything_of(self, sections: Mapping[str, str]) -> dict[str, str]:
        return {
            **sections,
            "events": to_json(self._source.events(after_seq=-1, limit=EVENTS_SHOWN)),
            "equity": to_json(self._source.equity_points(limit=EQUITY_POINTS_SHOWN)),
        }


def _envelope(sections: Mapping[str, str]) -> str:
    """Join sections that are JSON already; `now` lets the page see through a wrong clock."""
    parts = {"now": to_json(datetime.now(UTC)), **sections}
    return "{" + ",".join(f'"{name}":{text}' for name, text in parts.items()) + "}"


def _message(event: str, sections: Mapping[str, str]) -> bytes:
    return format_sse_event(event=event, data_str=_envelope(sections), retry=2_000)
