"""One request to Alpaca: in its turn, bounded in time, never repeated, every outcome one of three.

An answer is returned; a clear no raises `AlpacaRefused`; anything else (silence, a broken
connection, a redirect, a 5xx, a page instead of JSON) raises `AlpacaSilent`: what was asked may
have been done.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Self

from catalyst_bot.alpaca.access import Access
from catalyst_bot.alpaca.network import Network
from catalyst_bot.alpaca.pace import Pace
from catalyst_bot.alpaca.rate_limit import RESERVE, WINDOW_S, OutOfTurns, RateLimit
from catalyst_bot.alpaca.stream import Stream, Talk
from catalyst_bot.alpaca.wire import Host, Unanswered, Wire
from catalyst_bot.domain.errors import BrokerRefused, OutcomeUnknown

if TYPE_CHECKING:
    from requests.adapters import HTTPAdapter

TIMEOUT_S = 5.0
REQUESTS_PER_MIN = 200
MAX_MESSAGE = 200
_MULTIPLE_CHOICES, _BAD_REQUEST, _SERVER_ERROR = 300, 400, 500
_KEY_REFUSED = 40110000
_NO_JSON = "a page instead of an answer"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _UNPROCESSABLE, _TOO_MANY = 401, 403, 404, 422, 429
_CONSTANTS = (b"NaN", b"Infinity")

Parameters = Mapping[str, str]


class AlpacaRefused(BrokerRefused):
    """Alpaca said no: `status` is HTTP's, `code` its own (0 where the body has none).

    `was_sent` is False when our own limit of requests said no first.
    """

    def __init__(self, message: str, *, status: int, code: int, was_sent: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.was_sent = was_sent

    @property
    def is_unknown(self) -> bool:
        """What was asked for is not there."""
        return self.status == _NOT_FOUND

    @property
    def is_duplicate(self) -> bool:
        """The client order id is taken: the order was placed before."""
        return self.status == _UNPROCESSABLE and "client_order_id must be unique" in str(self)

    @property
    def is_rate_limit(self) -> bool:
        """Too many requests; nothing is said about what was asked."""
        return self.status == _TOO_MANY

    @property
    def is_key_refusal(self) -> bool:
        """The keys are refused in so many words: nothing will work until a person changes them."""
        return self.status == _UNAUTHORIZED or self.code == _KEY_REFUSED

    @property
    def is_about_keys(self) -> bool:
        """Who we are was refused, not what we asked; a 403 about an order says more."""
        is_bare = not self.code and str(self).startswith(("forbidden", _NO_JSON))
        return self.is_key_refusal or (self.status == _FORBIDDEN and is_bare)


class AlpacaSilent(OutcomeUnknown):
    """No usable answer came; whether the request was carried out is not known."""


@dataclass(frozen=True, slots=True)
class Told:
    """A usable answer: decoded, None when it is empty."""

    body: Any
    headers: Mapping[str, str]


class AlpacaClient:
    """Requests to both hosts of Alpaca over a wire, the network's without one; close it after use.

    Raises `ConfigError` when alpaca-py is not installed.
    """

    def __init__(
        self,
        access: Access,
        *,
        pace: Pace | None = None,
        per_min: int = REQUESTS_PER_MIN,
        adapter: HTTPAdapter | None = None,
        wire: Wire | None = None,
    ) -> None:
        self.access = access
        self.pace = pace or Pace()
        self.wire = wire or Network(access, adapter)
        epoch = self.wire.unix_s
        self._limits = {
            Host.TRADING: RateLimit(per_min=per_min, pace=self.pace, reserve=RESERVE, epoch=epoch),
            Host.DATA: RateLimit(per_min=per_min, pace=self.pace, epoch=epoch),
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.wire.close()

    async def trading(
        self,
        method: str,
        path: str,
        *,
        query: Parameters | None = None,
        body: Mapping[str, Any] | None = None,
        is_urgent: bool = False,
        patience_s: float = WINDOW_S,
    ) -> Any:
        """Ask the trading host; return the decoded answer, None when it is empty.

        `is_urgent` may use the reserve of requests; `patience_s` is how long to wait for a turn.
        Raises `AlpacaRefused` and `AlpacaSilent`.
        """
        parts = query if body is None else body
        limit = self._limits[Host.TRADING]
        await _turn(limit, is_urgent=is_urgent, patience_s=patience_s)
        return (await self._ask(Host.TRADING, method, path, parts)).body

    async def clock(self) -> Told:
        """Ask what time it is there; the headers say whether it is a replayed time.

        Raises `AlpacaRefused` and `AlpacaSilent`.
        """
        await _turn(self._limits[Host.TRADING])
        return await self._ask(Host.TRADING, "GET", "/v2/clock", None)

    async def data(self, path: str, query: Parameters) -> Any:
        """Get from the data host. Raises `AlpacaRefused` and `AlpacaSilent`."""
        await _turn(self._limits[Host.DATA])
        return (await self._ask(Host.DATA, "GET", path, query)).body

    def stream(self, talk: Talk) -> Stream:
        """Return a stream over the same wire; its `run` opens it."""
        return Stream(talk, pace=self.pace, chance=self.wire.chance, listen=self.wire.listen)

    async def _ask(
        self, host: Host, method: str, path: str, parts: Mapping[str, Any] | None
    ) -> Told:
        """Ask; when the time is up, the request is broken off."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = await self.wire.ask(host, method, path, parts)
        except TimeoutError as error:
            raise AlpacaSilent(f"no answer within {TIMEOUT_S:g} s") from error
        except Unanswered as error:
            raise AlpacaSilent(_one_line(str(error))) from error
        self._limits[host].learn(answer.status, answer.headers)
        return Told(_body_of(answer.status, answer.content), answer.headers)


async def _turn(limit: RateLimit, *, is_urgent: bool = False, patience_s: float = WINDOW_S) -> None:
    try:
        await limit.turn(is_urgent=is_urgent, patience_s=patience_s)
    except OutOfTurns as error:
        raise AlpacaRefused(str(error), status=_TOO_MANY, code=0, was_sent=False) from error


def _body_of(status: int, content: bytes) -> Any:
    if status >= _SERVER_ERROR or _MULTIPLE_CHOICES <= status < _BAD_REQUEST:
        raise AlpacaSilent(f"HTTP {status}")
    if not content.strip() and status < _BAD_REQUEST:
        return None
    try:
        body = _decoded(content)
    except ValueError as error:
        if status < _BAD_REQUEST:
            raise AlpacaSilent(f"{_NO_JSON} (HTTP {status})") from error
        raise AlpacaRefused(f"{_NO_JSON} (HTTP {status})", status=status, code=0) from error
    if status < _BAD_REQUEST:
        return body
    told = body if isinstance(body, dict) else {}
    code = told.get("code")
    raise AlpacaRefused(
        _one_line(str(told.get("message") or f"HTTP {status}")),
        status=status,
        code=code if isinstance(code, int) else 0,
    )


def _decoded(content: bytes) -> Any:
    """Decode JSON; NaN and infinity, which Python's decoder lets pass, are none.

    Raises `ValueError`.
    """
    try:
        if any(constant in content for constant in _CONSTANTS):
            return json.loads(content, parse_constant=_refuse_constant)
        return json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:MAX_MESSAGE]
