"""Asks one feed again and again and hands on what is new.

A feed that fails is told once, asked ever less often up to a limit, and told again when it is
back. The other feeds and the core go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import httpx2

from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.enums import SessionPhase
from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import HeadlineReceived, HeadlineUnreadable
from catalyst_bot.domain.messages.registry import Fact
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.choice import Feed
from catalyst_bot.feeds.documents import Documents
from catalyst_bot.feeds.fetch import NO_VALIDATORS, Answer, Unanswered, Validators, fetch
from catalyst_bot.feeds.halts import HaltBoard
from catalyst_bot.feeds.health import Health
from catalyst_bot.feeds.page import Halt, Page
from catalyst_bot.feeds.turns import HostTurns
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

TELL_AFTER_S = 2.5  # a feed that is silent for this long is told as failed, and still awaited
REMEMBERED_ITEMS = 20_000
SHORTEST_PAUSE_S = 5.0
READER_BROKE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
# Outside the session less happens, and nobody trades on it before the open.
SLOWER = {SessionPhase.PRE: 1.5, SessionPhase.POST: 1.5, SessionPhase.CLOSED: 3.0}


class Memory:
    """Which items were handed on, of all feeds together; the oldest are forgotten."""

    def __init__(self) -> None:
        self._keys: dict[str, None] = {}

    def is_new(self, key: str) -> bool:
        """Tell whether a key was never given before, and remember it."""
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > REMEMBERED_ITEMS:
            del self._keys[next(iter(self._keys))]
        return True


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the pollers of a run have in common."""

    client: httpx2.AsyncClient
    calendar: TradingCalendar
    clock: Clock
    sink: Sink
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    turns: HostTurns = field(default_factory=HostTurns)
    memory: Memory = field(default_factory=Memory)
    board: HaltBoard = field(default_factory=HaltBoard)


class Poller:
    """Polls one feed: a `NewsFeed`."""

    def __init__(self, feed: Feed, shared: Shared) -> None:
        source = feed.source
        self._feed = feed
        self._shared = shared
        self._sink, self._clock = shared.sink, shared.clock
        self._turns = shared.turns.of(source.url, source.limits)
        self._health = Health(
            self.name, sink=self._sink, clock=self._clock, stale_after_s=source.stale_after_s
        )
        self._documents = Documents(
            feed,
            client=shared.client,
            turns=shared.turns.of(source.documents_at or source.url, source.limits),
            health=Health(f"{self.name} documents", sink=self._sink, clock=self._clock),
        )
        self._validators = NO_VALIDATORS
        self._halts: Sequence[Halt] | None = None  # as they were listed last
        self._until_resume_s = float("inf")
        self._is_behind = False  # a round broke off: what lies beyond may never have been read

    @property
    def name(self) -> str:
        """See `NewsFeed`."""
        return f"feed {self._feed.name}"

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            await self._shared.pause(await self.look())

    async def look(self) -> float:
        """Ask once, hand on what is new, newest first; return the seconds to wait."""
        try:
            brought = await self._round()
        except (Unanswered, BadData) as error:
            self._health.failed(str(error))
            asked_s = error.retry_after_s if isinstance(error, Unanswered) else 0.0
            return self._health.pause_s(self._usual_s(), asked_s)
        self._health.worked(brought=brought, is_open=self._phase() is SessionPhase.REGULAR)
        return min(self._usual_s(), self._until_resume_s)

    async def _round(self) -> bool:
        """Turn pages until one overlaps what is known; return whether anything was new."""
        answer = await self._ask(0, self._validators)
        if answer is None:
            return bool(await self._take_halts(self._halts))  # time ends halts, changed or not
        goes_on, brought = await self._take(answer)
        self._validators = answer.validators
        catches_up, self._is_behind = self._is_behind, True
        for number in range(1, self._feed.source.pages):
            if not (goes_on or catches_up):
                break
            answer = await self._ask(number)
            goes_on, brought_more = (False, False) if answer is None else await self._take(answer)
            brought = brought or brought_more
        self._is_behind = False
        return brought

    async def _ask(self, page: int, validators: Validators = NO_VALIDATORS) -> Answer | None:
        """Fetch, telling of a silent feed early: its time-out comes too late to be news."""
        await self._turns.take()
        request = self._feed.request(self._clock.now().date(), page)
        asking = asyncio.ensure_future(fetch(self._shared.client, request, validators))
        try:
            await asyncio.wait({asking}, timeout=TELL_AFTER_S)
            if not asking.done():
                self._health.warn(f"no answer within {TELL_AFTER_S:g} s, still waiting")
            return await asking
        finally:
            asking.cancel()

    async def _take(self, answer: Answer) -> tuple[bool, bool]:
        """Hand on a page; return whether all of it was new, so that more may follow, and whether
        any of it was.
        """
        try:
            page = await asyncio.to_thread(self._feed.read, answer.content, self._clock.now())
        except READER_BROKE as error:  # a fault of ours in one reader stops no other feed
            raise BadData(f"the reader of {self._feed.source.kind} broke: {error!r}") from error
        fresh = [item for item in page.headlines if self._shared.memory.is_new(item.item_id)]
        fresh.sort(key=lambda item: item.published_at, reverse=True)
        await self._hand_on(fresh[: self._feed.source.newest])
        await self._tell_problems(page)
        changes = await self._take_halts(page.halts)
        return len(fresh) == len(page.headlines) > 0, bool(fresh or changes)

    async def _take_halts(self, halts: Sequence[Halt] | None) -> int:
        """Tell what a list of halts changes, and look again when the next halt is to end."""
        self._halts = halts
        if halts is None:
            return 0
        board, now = self._shared.board, self._clock.now()
        facts = board.take(halts, publisher=self._feed.source.source, now=now)
        for fact in facts:
            await self._say(fact)
        self._until_resume_s = max(board.seconds_to_change(now), SHORTEST_PAUSE_S)
        return len(facts)

    async def _hand_on(self, headlines: Sequence[Headline]) -> None:
        """Tell what needs no text at once, and then the filings with theirs."""
        waiting = [headline for headline in headlines if self._documents.wants(headline)]
        for headline in headlines:
            if not self._documents.wants(headline):
                await self._tell(headline)
        for headline in await self._documents.add_to(waiting):
            await self._tell(headline)

    async def _tell(self, headline: Headline) -> None:
        now = self._clock.now()
        await self._say(HeadlineReceived(at=now, headline=replace(headline, received_at=now)))

    async def _tell_problems(self, page: Page) -> None:
        for problem in page.problems:
            if self._shared.memory.is_new(f"{self.name} {problem.place} {problem.reason}"):
                await self._say(
                    HeadlineUnreadable(
                        at=self._clock.now(),
                        source=self._feed.name,
                        place=problem.place,
                        reason=problem.reason,
                    )
                )

    async def _say(self, fact: Fact) -> None:
        self._sink(fact)
        await asyncio.sleep(0)  # let the core keep pace with a full page

    def _usual_s(self) -> float:
        slower_s = self._feed.poll_s * SLOWER.get(self._phase(), 1.0)
        return max(self._feed.source.pause_s, slower_s)

    def _phase(self) -> SessionPhase:
        now: datetime = self._clock.now()
        return self._shared.calendar.phase_or_closed(now)
