"""One request to Alpaca: bounded in time, never repeated, every outcome one of three.

An answer is returned; a clear no raises `AlpacaRefused`; anything else (silence, a broken
connection, a 5xx, a page instead of JSON) raises `AlpacaSilent`: what was asked may have been done.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, NoReturn, Self

import httpx2

from catalyst_bot.alpaca.access import Access
from catalyst_bot.domain.errors import BrokerRefused, OutcomeUnknown

TIMEOUT_S = 5.0
MAX_MESSAGE = 200
_MULTIPLE_CHOICES, _BAD_REQUEST, _SERVER_ERROR = 300, 400, 500
_KEY_REFUSED = 40110000
_NO_JSON = "a page instead of an answer"
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _UNPROCESSABLE, _TOO_MANY = 401, 403, 404, 422, 429

Parameters = Mapping[str, str]


class AlpacaRefused(BrokerRefused):
    """Alpaca said no: `status` is HTTP's, `code` its own (0 where the body has none)."""

    def __init__(self, message: str, *, status: int, code: int) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

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
    def is_about_keys(self) -> bool:
        """Who we are was refused, not what we asked; a 403 about an order says more."""
        is_bare = not self.code and str(self).startswith(("forbidden", _NO_JSON))
        return (
            self.status == _UNAUTHORIZED
            or self.code == _KEY_REFUSED
            or (self.status == _FORBIDDEN and is_bare)
        )


class AlpacaSilent(OutcomeUnknown):
    """No usable answer came; whether the request was carried out is not known."""


class AlpacaClient:
    """Requests to both hosts of Alpaca over one pool of connections; close it after use."""

    def __init__(self, access: Access, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._access = access
        self._http = httpx2.AsyncClient(
            headers=access.headers(),
            timeout=TIMEOUT_S,
            follow_redirects=False,  # keys do not travel to another host
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def trading(
        self,
        method: str,
        path: str,
        *,
        query: Parameters | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask the trading host; return the decoded answer, None when it is empty.

        Raises `AlpacaRefused` and `AlpacaSilent`.
        """
        return await self._ask(method, self._access.base_url + path, query, body)

    async def data(self, path: str, query: Parameters) -> Any:
        """Get from the data host. Raises `AlpacaRefused` and `AlpacaSilent`."""
        return await self._ask("GET", self._access.data_url + path, query, None)

    async def _ask(
        self, method: str, url: str, query: Parameters | None, body: Mapping[str, Any] | None
    ) -> Any:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                response = await self._http.request(method, url, params=query, json=body)
        except TimeoutError as error:
            raise AlpacaSilent(f"no answer within {TIMEOUT_S:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise AlpacaSilent(f"{type(error).__name__}: {_one_line(str(error))}") from error
        return _answer_of(response)


def _answer_of(response: httpx2.Response) -> Any:
    status = response.status_code
    if status >= _SERVER_ERROR or _MULTIPLE_CHOICES <= status < _BAD_REQUEST:
        raise AlpacaSilent(f"HTTP {status}")
    if not response.content.strip() and status < _BAD_REQUEST:
        return None
    try:
        answer = json.loads(response.content, parse_constant=_refuse_constant)
    except ValueError as error:
        if status < _BAD_REQUEST:
            raise AlpacaSilent(f"{_NO_JSON} (HTTP {status})") from error
        raise AlpacaRefused(f"{_NO_JSON} (HTTP {status})", status=status, code=0) from error
    if status < _BAD_REQUEST:
        return answer
    told = answer if isinstance(answer, dict) else {}
    code = told.get("code")
    raise AlpacaRefused(
        _one_line(str(told.get("message") or f"HTTP {status}")),
        status=status,
        code=code if isinstance(code, int) else 0,
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:MAX_MESSAGE]
