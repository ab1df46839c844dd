"""The clock of an exchange on this machine that moves only when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

import httpx2

from catalyst_bot.alpaca.access import Access
from catalyst_bot.alpaca.reading import optional_time, rfc3339, time_of
from catalyst_bot.alpaca.stream import Line, Stream
from catalyst_bot.domain.errors import BadData, SourceUnreachable

ADMIN_TOKEN = "CATALYST_EXCHANGE_ADMIN_TOKEN"  # noqa: S105 - the name of a variable, not a secret
TIMEOUT_S = 60.0  # a step may hold many moments
HEARD_WITHIN_S = 60.0  # a stream that was cut is up again by then
LOOK_AGAIN_S = 0.002


class SteppedExchange:
    """Asks for the next moment and moves the clock. Every method raises `SourceUnreachable`.

    `streams` are those on which the exchange tells us what happens.
    """

    def __init__(self, access: Access, token: str, *, streams: Sequence[Stream] = ()) -> None:
        self._streams = streams
        self._http = httpx2.AsyncClient(
            base_url=access.base_url,
            headers={"X-Admin-Token": token},
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def next_event(self) -> datetime | None:
        """Return when something happens there next, None when nothing ever does.

        Trades inside a bar are nothing here: what they come to is told when the bar closes.
        """
        return optional_time(await self._ask("GET", "/admin/clock", None), "next_event")

    async def advance(self, to: datetime) -> datetime:
        """Let everything happen up to a time, and return what the clock shows then."""
        body = {"to": rfc3339(to)}
        return time_of(await self._ask("POST", "/admin/clock/advance", body), "now")

    async def heard(self) -> None:
        """Wait until each of our streams is up, all that we said on it was heard there, and all
        that was said there has been heard here.
        """
        behind: list[str] = []
        try:
            async with asyncio.timeout(HEARD_WITHIN_S):
                while behind := await self._behind():  # noqa: ASYNC110 - the exchange tells us
                    await asyncio.sleep(LOOK_AGAIN_S)
        except TimeoutError as error:
            raise SourceUnreachable(
                f"{', '.join(behind)}: not everything that was told there was heard within "
                f"{HEARD_WITHIN_S:g} s"
            ) from error

    async def _behind(self) -> list[str]:
        """Return the addresses of the streams that are not up, or have something under way."""
        streams = [stream for stream in self._streams if not stream.is_given_up]
        if not streams:
            return []
        told = (await self._ask("GET", "/admin/streams", None)).get("streams")
        counts = {str(row["id"]): row for row in told or () if "id" in row}
        return [stream.url for stream in streams if not _is_level(stream.line, counts)]

    async def _ask(self, method: str, path: str, body: dict[str, str] | None) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, json=body)
            told = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise SourceUnreachable(f"{method} {path} of the exchange: {error}") from error
        if answer.is_error or not isinstance(told, dict):
            raise SourceUnreachable(f"{method} {path} of the exchange: {answer.text[:200]}")
        try:
            time_of(told, "now")
        except BadData as error:
            raise SourceUnreachable(f"{method} {path} of the exchange: {error}") from error
        return told


def _is_level(line: Line | None, counts: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether nothing is under way on a connection, in either direction."""
    told = counts.get(line.name) if line else None
    if line is None or told is None:
        return False
    return bool(told["heard"] >= line.said_count and line.heard_count >= told["sent"])
