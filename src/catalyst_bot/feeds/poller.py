"""Asks one feed again and again and hands on what is new.

A feed that fails is told once, asked ever less often up to a limit, and told again when it is
back. The other feeds and the core go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

import httpx2

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    AdapterRecovered,
    HeadlineReceived,
    HeadlineUnreadable,
)
from catalyst_bot.feeds.fetch import Answer, Unanswered, Validators, fetch
from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.sources import Feed
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

TELL_AFTER_S = 2.5  # a feed that is silent for this long is told as failed, and still awaited
MAX_BACK_OFF_S = 600.0
MAX_BACK_OFF_DOUBLINGS = 6
REMEMBERED_ITEMS = 5_000


class Poller:
    """Polls one feed; `run` is the task, `poll` one round of it. `pause` waits between rounds."""

    def __init__(
        self,
        feed: Feed,
        *,
        client: httpx2.AsyncClient,
        clock: Clock,
        sink: Sink,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._feed = feed
        self._pause = pause
        self._client = client
        self._clock = clock
        self._sink = sink
        self._validators = Validators()
        self._handed_on: dict[str, None] = {}  # oldest first
        self._failures = 0
        self._is_told = False

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            wait_s = await self.poll()
            await self._pause(wait_s)

    async def poll(self) -> float:
        """Ask once, hand on what is new, newest first; return the seconds to wait."""
        try:
            answer = await self._ask()
            if answer is not None:
                page = await asyncio.to_thread(self._feed.parse, answer.content, self._clock.now())
                self._validators = answer.validators
                await self._hand_on(page)
        except (Unanswered, BadData) as error:
            return self._fail(error)
        self._recover()
        return self._feed.poll_s

    async def _ask(self) -> Answer | None:
        """Fetch, telling of a silent feed early: its time-out comes too late to be news."""
        asking = asyncio.ensure_future(
            fetch(
                self._client,
                self._feed.url,
                user_agent=self._feed.user_agent,
                validators=self._validators,
            )
        )
        try:
            await asyncio.wait({asking}, timeout=TELL_AFTER_S)
            if not asking.done():
                self._tell(f"no answer within {TELL_AFTER_S:g} s, still waiting")
            return await asking
        finally:
            asking.cancel()

    async def _hand_on(self, page: Page) -> None:
        for headline in sorted(page.headlines, key=lambda item: item.published_at, reverse=True):
            if self._is_new(headline.item_id):
                now = self._now()
                self._sink(HeadlineReceived(at=now, headline=replace(headline, received_at=now)))
                await asyncio.sleep(0)  # let the core keep pace with a full page
        for problem in page.problems:
            if self._is_new(f"{problem.place} {problem.reason}"):
                self._sink(
                    HeadlineUnreadable(
                        at=self._now(),
                        source=self._feed.name,
                        place=problem.place,
                        reason=problem.reason,
                    )
                )

    def _is_new(self, key: str) -> bool:
        """Tell whether an item was not handed on before, and remember it."""
        if key in self._handed_on:
            return False
        self._handed_on[key] = None
        if len(self._handed_on) > REMEMBERED_ITEMS:
            del self._handed_on[next(iter(self._handed_on))]
        return True

    def _fail(self, error: Unanswered | BadData) -> float:
        self._tell(str(error))
        longer_s = self._feed.poll_s * float(2 ** min(self._failures, MAX_BACK_OFF_DOUBLINGS))
        self._failures += 1
        asked_s = error.retry_after_s if isinstance(error, Unanswered) else 0.0
        return max(self._feed.poll_s, min(max(longer_s, asked_s), MAX_BACK_OFF_S))

    def _tell(self, error: str) -> None:
        if not self._is_told:
            self._is_told = True
            self._sink(AdapterFailed(at=self._now(), adapter=self._adapter, error=error))

    def _recover(self) -> None:
        self._failures = 0
        if self._is_told:
            self._is_told = False
            self._sink(AdapterRecovered(at=self._now(), adapter=self._adapter))

    @property
    def _adapter(self) -> str:
        return f"feed {self._feed.name}"

    def _now(self) -> datetime:
        return self._clock.now()
