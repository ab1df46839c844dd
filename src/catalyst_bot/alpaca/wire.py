"""What lies between the bot and Alpaca: requests answered, sockets opened, chance and UNIX time.

A network in life (`network.py`); a simulated one where faults are tried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Host(StrEnum):
    """Alpaca's two hosts."""

    TRADING = "trading"
    DATA = "data"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host answered, as it came."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Unanswered(Exception):
    """No whole answer came: silence, a broken connection, or one that is too large."""


class Socket(Protocol):
    """One open connection of a stream; `name` is what the other side called it, or nothing.

    Its methods raise what `alpaca.stream.FAULTS` lists when the connection breaks.
    """

    @property
    def name(self) -> str:
        """Return the other side's name of the connection."""
        ...

    async def send(self, message: str) -> None:
        """Send one text frame."""
        ...

    async def recv(self) -> str | bytes:
        """Wait for one frame."""
        ...

    async def close(self) -> None:
        """Close it; whoever waits in `recv` is told."""
        ...


class Wire(Protocol):
    """The way to both hosts."""

    async def ask(
        self, host: Host, method: str, path: str, parts: Mapping[str, Any] | None
    ) -> Answer:
        """Ask once; `parts` are the query or the body. When it is cancelled, the request is
        broken off. Raises `Unanswered`.
        """
        ...

    def listen(self, url: str) -> AbstractAsyncContextManager[Socket]:
        """Open a socket. Raises what `alpaca.stream.FAULTS` lists, and `InvalidStatus`."""
        ...

    def chance(self) -> float:
        """Return a number in [0, 1), by which pauses differ from one another."""
        ...

    def unix_s(self) -> float:
        """Return the UNIX time that Alpaca's headers speak of."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...
