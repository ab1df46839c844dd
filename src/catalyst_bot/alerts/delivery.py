"""Delivers what waits in the outbox: a task for each channel, beside the trading and never in it.

The order is: send, then say so (`NotificationDelivered`). So a notice may arrive twice, when the
process dies between the two or an answer is lost, but it is never lost.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from catalyst_bot.alerts.channels import Answer, Channel
from catalyst_bot.alerts.chart import RecentBars, candles_png
from catalyst_bot.alerts.notice import ADAPTER, Notice
from catalyst_bot.alerts.outbox import Outbox
from catalyst_bot.domain.market import Bar
from catalyst_bot.domain.messages.facts import (
    AdapterFailed,
    AdapterRecovered,
    NotificationDelivered,
    NotificationEscalated,
    NotificationFailed,
)
from catalyst_bot.domain.messages.registry import Fact, Recorded
from catalyst_bot.ports.clock import Clock

Tell = Callable[[Sequence[Fact]], Awaitable[None]]
_LOOK_S = 0.2  # between looks at an empty outbox
_FINISH_S, _FINISH_LOOK_S = 3.0, 0.02
_FIRST_BACK_OFF_S, _MAX_BACK_OFF_S = 2.0, 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """How patient delivery is. `alarm_after` failed tries in a row call a channel down; a try that
    takes longer than `deadline_s` failed; what is older than `max_age_s` is given up. What nobody
    answers is told again after `escalate_after_s` (0: never), at most `escalate_times`.
    """

    spacing_s: float
    max_waiting: int
    max_age_s: float
    alarm_after: int
    has_charts: bool
    escalate_after_s: float = 0.0
    escalate_times: int = 0
    deadline_s: float = 30.0
    first_back_off_s: float = _FIRST_BACK_OFF_S


class Delivery:
    """The tasks and the listener that keep people informed. `tell` puts facts into the inbox."""

    def __init__(
        self,
        channels: Sequence[Channel],
        outbox: Outbox,
        rules: DeliveryRules,
        *,
        tell: Tell,
        clock: Clock,
    ) -> None:
        self._channels = channels
        self._outbox = outbox
        self._rules = rules
        self._tell = tell
        self._clock = clock
        self._bars = RecentBars()
        self._is_ending = False
        self._under_way = 0
        self._uncommitted: dict[int, asyncio.Event] = {}  # by identity of the fact

    def listen(self, batch: Iterable[Recorded]) -> None:
        """Take in what was committed (a listener of the pipeline); costs microseconds."""
        for record in batch:
            self._outbox.note(record)
            self._bars.note(record)
            committed = self._uncommitted.get(id(record.body))
            if committed is not None:
                committed.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with asyncio.TaskGroup() as group:
            for channel in self._channels:
                group.create_task(self._serve(channel))
            if self._rules.escalate_after_s:
                group.create_task(self._escalate())

    async def finish(self) -> None:
        """Begin no more tries, and wait a moment until those under way are done and recorded."""
        self._is_ending = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_FINISH_S):
                while self._under_way:  # noqa: ASYNC110  # a count has no event
                    await asyncio.sleep(_FINISH_LOOK_S)

    async def _serve(self, channel: Channel) -> None:
        failures = 0
        while True:
            await self._give_up_the_rest(channel.name)
            notice = self._outbox.next_on(channel.name)
            if notice is None or self._is_ending:
                await asyncio.sleep(_LOOK_S)
                continue
            self._under_way += 1
            answer = await self._try(channel, notice)
            failures = 0 if answer.is_delivered else failures + 1
            await self._say(channel.name, notice, answer, failures)
            self._under_way -= 1
            await asyncio.sleep(self._pause_s(answer, failures))

    async def _escalate(self) -> None:
        """Say again what nobody answered."""
        after = timedelta(seconds=self._rules.escalate_after_s)
        while True:
            now = self._clock.now()
            facts = [
                NotificationEscalated(at=now, notice_id=each.notice.notice_id, level=each.level + 1)
                for each in self._outbox.overdue(now, after=after, times=self._rules.escalate_times)
            ]
            for fact in facts:
                self._outbox.escalate(fact)
            if facts and not self._is_ending:
                await self._tell(facts)
            await asyncio.sleep(_LOOK_S)

    async def _try(self, channel: Channel, notice: Notice) -> Answer:
        is_drawn = self._rules.has_charts and channel.shows_charts
        bars = self._bars.of(notice.symbol) if is_drawn else ()
        try:
            async with asyncio.timeout(self._rules.deadline_s):
                return await _in_thread(lambda: channel.send(notice, _chart(bars, notice)))
        except TimeoutError:
            reason = f"no answer within {self._rules.deadline_s:g} s"
            return Answer(is_delivered=False, reason=reason)

    def _pause_s(self, answer: Answer, failures: int) -> float:
        """The spacing, what the service asked for, or ever longer waits."""
        if not failures or answer.is_refused:  # the next message may be one it takes
            return self._rules.spacing_s
        doubled_s = self._rules.first_back_off_s * 2.0 ** min(failures - 1, 20)
        back_off_s = min(doubled_s, _MAX_BACK_OFF_S)
        return max(back_off_s, answer.retry_after_s, self._rules.spacing_s)

    async def _say(self, name: str, notice: Notice, answer: Answer, failures: int) -> None:
        """Record what came of a try, and when the channel stops or begins to work."""
        now = self._clock.now()
        if not answer.is_delivered:
            facts: list[Fact] = [
                self._failed(name, notice, answer.reason, is_final=answer.is_refused)
            ]
            if failures >= self._rules.alarm_after and name not in self._outbox.down:
                error = f"failed tries in a row: {failures}, the last with {answer.reason}"
                self._outbox.down[name] = error
                facts.append(AdapterFailed(at=now, adapter=f"{ADAPTER}{name}", error=error))
            await self._record(facts)
            return
        delivered = NotificationDelivered(
            at=now, notice_id=notice.notice_id, channel=name, note=answer.note
        )
        facts = [delivered]
        if self._outbox.down.pop(name, None) is not None:
            facts.append(AdapterRecovered(at=now, adapter=f"{ADAPTER}{name}"))
        await self._record(facts)

    async def _record(self, facts: Sequence[Fact]) -> None:
        """Return when the journal has it: a crash then repeats the try under way, and no other."""
        committed = asyncio.Event()
        self._uncommitted[id(facts[0])] = committed
        await self._tell(facts)
        await committed.wait()
        del self._uncommitted[id(facts[0])]

    async def _give_up_the_rest(self, name: str) -> None:
        """Let go of what is too old, and of the quietest where too much waits."""
        since = self._clock.now() - timedelta(seconds=self._rules.max_age_s)
        facts = [
            self._failed(name, notice, "too old to be told", is_final=True)
            for notice in self._outbox.outdated(name, since)
        ]
        facts += [
            self._failed(name, notice, "too many wait", is_final=True)
            for notice in self._outbox.surplus(name, self._rules.max_waiting)
        ]
        if facts:
            await self._tell(facts)

    def _failed(
        self, name: str, notice: Notice, reason: str, *, is_final: bool
    ) -> NotificationFailed:
        fact = NotificationFailed(
            at=self._clock.now(),
            notice_id=notice.notice_id,
            channel=name,
            reason=reason,
            is_given_up=is_final,
        )
        self._outbox.settle(fact)
        return fact


def _chart(bars: Sequence[Bar], notice: Notice) -> bytes | None:
    """The bars with the moment of the notice; none where there is nothing to draw."""
    try:
        return candles_png(bars, notice.at)
    except ValueError:
        return None


async def _in_thread(work: Callable[[], Answer]) -> Answer:
    """Run what blocks in a thread of its own, which never keeps the process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Answer] = loop.create_future()

    def hand_over(answer: Answer) -> None:
        if not done.done():
            done.set_result(answer)

    def perform() -> None:
        answer = work()
        if not loop.is_closed():
            loop.call_soon_threadsafe(hand_over, answer)

    try:
        threading.Thread(target=perform, name="alerts", daemon=True).start()
    except RuntimeError:  # the system gives no more threads; trading must not end of it
        return Answer(is_delivered=False, reason="no thread to send in")
    return await done
