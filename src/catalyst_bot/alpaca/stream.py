"""One WebSocket to Alpaca, kept open: after every fault it comes back, ever slower.

What is said on it is the business of a `Talk`. Three things end a connection: a fault, silence
where there should be news, and `renew`, for whoever notices that something was left out. Nothing
that was missed is told again by Alpaca, so `Talk.opened` asks by REST after every connection.

At an exchange that we move step by step what is heard waits until `read`, so that it is taken in at
its time and in its turn, and not when the wire happens to bring it.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from websockets.exceptions import InvalidStatus, WebSocketException

from catalyst_bot.alpaca.network import OPEN_TIMEOUT_S, over_websocket
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.alpaca.wire import Socket
from catalyst_bot.domain.errors import BadData, CatalystError

FIRST_PAUSE_S = 0.5
BUSY_PAUSE_S = 5.0  # another connection of ours is still held open there
MAX_PAUSE_S = 30.0
STEADY_S = 60.0  # a connection that lived this long makes the next pause short again
MAX_REFUSALS = 3  # of the keys or the subscription: after that it is not tried any more
_KEYS_REFUSED, _TOO_MANY = frozenset({401, 403}), frozenset({406, 429})
FAULTS = (OSError, TimeoutError, WebSocketException, BadData)


class StreamRefused(CatalystError):
    """Alpaca does not let us listen. `is_final`: the same question gets the same answer."""

    def __init__(self, message: str, *, is_final: bool = False, is_busy: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final
        self.is_busy = is_busy


class Silence(CatalystError):
    """Nothing was heard for too long."""


class Talk(Protocol):
    """What is said on one stream."""

    url: str

    async def begin(self, line: Line) -> None:
        """Log in and subscribe. Raises `StreamRefused` and `BadData`."""
        ...

    def take(self, message: Any) -> None:
        """Take in what was decoded of one frame. Raises `BadData`."""
        ...

    def opened(self) -> None:
        """The stream is open: ask by REST for what was missed."""
        ...

    def closed(self, why: Exception) -> None:
        """The stream is closed, and `run` goes on trying unless it was the last refusal."""
        ...

    def longest_silence_s(self) -> float | None:
        """Return how long silence is normal at the moment; None for any time."""
        ...


class Line:
    """One open connection: JSON both ways.

    `said_count` and `heard_count` are messages. `name` is what the other side called the
    connection, empty when it gave it no name.
    """

    def __init__(self, connection: Socket) -> None:
        self._connection = connection
        self.name = connection.name
        self.said_count = 0
        self.heard_count = 0

    async def say(self, message: Any) -> None:
        """Send one message."""
        self.said_count += 1
        await self._connection.send(json.dumps(message))

    async def hear(self) -> Any:
        """Wait for one message, text or binary. Raises `BadData` for one that is no JSON."""
        frame = await self._connection.recv()
        self.heard_count += 1
        return decoded(frame)


def decoded(frame: str | bytes) -> Any:
    """Decode a frame. Raises `BadData`."""
    try:
        return json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise BadData(f"a frame that is no JSON: {frame[:40]!r}") from error


class Stream:
    """Keeps one conversation going; `run` is its task."""

    def __init__(
        self,
        talk: Talk,
        *,
        pace: Pace,
        chance: Callable[[], float] = random.random,
        listen: Callable[[str], AbstractAsyncContextManager[Socket]] = over_websocket,
    ) -> None:
        self._talk = talk
        self._pace = pace
        self._chance = chance
        self._listen = listen
        self._line: Line | None = None
        self._unread: deque[Any] = deque()
        self.is_given_up = False
        self._connection: Socket | None = None
        self._failures = 0
        self._refusals = 0
        self.up_since: float | None = None

    @property
    def is_up(self) -> bool:
        """True while we are logged in and subscribed."""
        return self.up_since is not None

    def up_for_s(self) -> float:
        """Return for how many of the broker's seconds it has been up, 0 when it is not."""
        return 0.0 if self.up_since is None else self._pace.seconds() - self.up_since

    @property
    def url(self) -> str:
        """Where it leads."""
        return self._talk.url

    @property
    def line(self) -> Line | None:
        """The connection while it is up."""
        return self._line if self.is_up else None

    async def read(self) -> None:
        """Take in what was heard and waits; a fault in it breaks the connection."""
        while self._unread:
            try:
                self._talk.take(self._unread.popleft())
            except (BadData, StreamRefused):
                await self.renew()

    async def say(self, message: Any) -> None:
        """Send one message if the stream is up; a fault is dealt with by `run`."""
        line = self._line
        if line is not None and self.is_up:
            try:
                await line.say(message)
            except WebSocketException:
                return

    async def renew(self) -> None:
        """Break the connection, so that it is made anew."""
        if self._connection is not None and self.is_up:
            await self._connection.close()

    async def run(self) -> None:
        """Connect again and again; return when Alpaca has refused for good."""
        while self._refusals < MAX_REFUSALS:
            lived_s = 0.0
            try:
                await self._talk_once()
                why: Exception = Silence("the connection was closed")
            except StreamRefused as error:
                self._refusals += error.is_final
                why = error
            except InvalidStatus as error:
                why = _refused(error.response.status_code)
                self._refusals += why.is_final
            except (*FAULTS, Silence) as error:
                why = error
            finally:
                lived_s = self.up_for_s()
                self._connection = self._line = self.up_since = None
            self._talk.closed(why)
            await asyncio.sleep(self._pause_s(why, lived_s))
        self.is_given_up = True

    async def _talk_once(self) -> None:
        async with self._listen(self._talk.url) as connection:
            self._connection, self._line = connection, Line(connection)
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await self._talk.begin(self._line)
            self.up_since = self._pace.seconds()
            self._refusals = 0
            self._talk.opened()
            while True:
                message = await self._next(self._line)
                if self._pace.is_stepped:
                    self._unread.append(message)
                else:
                    self._talk.take(message)

    async def _next(self, line: Line) -> Any:
        limit_s = self._talk.longest_silence_s()
        try:
            async with asyncio.timeout(limit_s and self._pace.on_the_wall(limit_s)):
                return await line.hear()
        except TimeoutError as error:
            raise Silence(f"nothing was heard for {limit_s} s") from error

    def _pause_s(self, why: Exception, lived_s: float) -> float:
        """Wait half to all of a pause that doubles with each failure; wall seconds.

        Hearing something is not enough to begin anew: a server that takes every connection and
        drops it would be asked without end.
        """
        steady_s = STEADY_S
        self._failures = 0 if lived_s >= steady_s else self._failures
        is_busy = isinstance(why, StreamRefused) and why.is_busy
        first_s = BUSY_PAUSE_S if is_busy else FIRST_PAUSE_S
        longest_s = min(first_s * float(2 ** min(self._failures, 10)), MAX_PAUSE_S)
        self._failures += 1
        return longest_s / 2 + longest_s / 2 * self._chance()


def _refused(status: int) -> StreamRefused:
    if status in _KEYS_REFUSED:
        return StreamRefused(f"the keys are refused (HTTP {status})", is_final=True)
    if status in _TOO_MANY:
        return StreamRefused(f"another connection is open (HTTP {status})", is_busy=True)
    return StreamRefused(f"HTTP {status}")
