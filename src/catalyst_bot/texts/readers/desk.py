"""The desk where the core's questions about texts are answered, once each and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from catalyst_bot.domain.errors import BadData, ConfigError, SourceUnreachable
from catalyst_bot.domain.messages.commands import RequestTextOpinion
from catalyst_bot.domain.messages.facts import TextOpinionsReceived
from catalyst_bot.domain.news import TextOpinion
from catalyst_bot.ports.clock import Clock
from catalyst_bot.ports.sink import Sink

MAX_WAITING = 50  # questions; the catalysts of the others go on without an answer
AT_ONCE = 4


class Reader(Protocol):
    """Has an opinion on a text, or a reason for having none."""

    name: str

    def read(self, command: RequestTextOpinion, within_s: float) -> TextOpinion:
        """Raises `BadData` or `SourceUnreachable` with the reason."""
        ...


def ask_all(
    readers: Sequence[Reader], command: RequestTextOpinion, *, within_s: float, at: datetime
) -> TextOpinionsReceived:
    """Ask every reader, one after the other, and return what they said or why they did not."""
    opinions: list[TextOpinion] = []
    refusals: list[str] = []
    for reader in readers:
        try:
            opinions.append(reader.read(command, within_s))
        except (BadData, SourceUnreachable, ConfigError) as error:
            refusals.append(f"{reader.name}: {error}")
    if not readers:
        refusals.append("no reader is configured")
    return TextOpinionsReceived(
        at=at,
        request_id=command.request_id,
        catalyst_id=command.catalyst_id,
        opinions=tuple(opinions),
        refusals=tuple(refusals),
    )


class RecordedDesk:
    """Answers for a replay: the replay stands still while a reader reads.

    The answer is told `after` later by the replay's clock, whatever the reading took, so that the
    same answers give the same run.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        *,
        clock: Clock,
        sink: Sink,
        after: timedelta = timedelta(seconds=1),
    ) -> None:
        self._readers = tuple(readers)
        self._clock = clock
        self._sink = sink
        self._after = after

    def request_opinion(self, command: RequestTextOpinion) -> None:
        """See `TextReader.request_opinion`."""
        now = self._clock.now()
        within_s = max((command.answer_by - now).total_seconds(), 0.0)
        self._sink(ask_all(self._readers, command, within_s=within_s, at=now + self._after))


class LiveDesk:
    """Answers by the wall clock: questions wait in line, readers read in threads."""

    def __init__(self, readers: Sequence[Reader], *, clock: Clock, sink: Sink) -> None:
        self._readers = tuple(readers)
        self._clock = clock
        self._sink = sink
        self._line: asyncio.Queue[RequestTextOpinion] = asyncio.Queue(MAX_WAITING)

    def request_opinion(self, command: RequestTextOpinion) -> None:
        """See `TextReader.request_opinion`."""
        try:
            self._line.put_nowait(command)
        except asyncio.QueueFull:
            self._refuse(command, f"{MAX_WAITING} questions wait already")

    async def keep(self) -> None:
        """Answer what stands in line until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._serve())

    async def _serve(self) -> None:
        while True:
            await self._answer(await self._line.get())

    async def _answer(self, command: RequestTextOpinion) -> None:
        left_s = (command.answer_by - self._clock.now()).total_seconds()
        if left_s <= 0:
            self._refuse(command, "its turn came too late")
            return
        reading = asyncio.to_thread(
            ask_all, self._readers, command, within_s=left_s, at=command.answer_by
        )
        try:
            answered = await asyncio.wait_for(reading, left_s)
        except TimeoutError:
            self._refuse(command, f"no answer within {left_s:.1f} s")
            return
        self._sink(_told_at(answered, self._clock.now()))

    def _refuse(self, command: RequestTextOpinion, reason: str) -> None:
        self._sink(
            TextOpinionsReceived(
                at=self._clock.now(),
                request_id=command.request_id,
                catalyst_id=command.catalyst_id,
                opinions=(),
                refusals=(reason,),
            )
        )


def _told_at(answered: TextOpinionsReceived, at: datetime) -> TextOpinionsReceived:
    return TextOpinionsReceived(
        at=at,
        request_id=answered.request_id,
        catalyst_id=answered.catalyst_id,
        opinions=answered.opinions,
        refusals=answered.refusals,
    )
