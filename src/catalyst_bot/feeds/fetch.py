"""One polite GET: conditional, bounded in time and size, never led to another host.

Every failure becomes an `Unanswered` with a readable reason; no foreign exception leaves here, and
no key either: what a request must not tell is blotted out of its reasons.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urljoin, urlsplit

import httpx2

from catalyst_bot.domain.errors import SourceUnreachable
from catalyst_bot.feeds.page import one_line

TIMEOUT_S = 10.0
MAX_BYTES = 5 << 20  # decoded: a small compressed answer can unpack to gigabytes
MAX_REDIRECTS = 3
BLOT = "***"
_CHUNK_BYTES = 1 << 16
_NOT_MODIFIED = 304
_OK = 200
_FOUND = 302  # stands for every redirect
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GZIP = frozenset({"gzip", "x-gzip"})
_OF_LIBRARIES = re.compile(r"\[(?:Errno|SSL)[^\]]*\] ?| \(_ssl\.c:\d+\)")  # numbers of their own
_GZIP_HEADER = zlib.MAX_WBITS | 16


class Unanswered(SourceUnreachable):
    """The feed gave no usable answer; `retry_after_s` is what it asked us to wait, or 0. `status`
    is the one of HTTP, 0 where there was none.
    """

    def __init__(self, reason: str, retry_after_s: float = 0.0, status: int = 0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to get, and what to say with it; `secret` may stand in both and is never shown.

    Of an answer longer than `max_bytes` a request that `cuts` takes the beginning; any other is
    refused it.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: str = field(default="", repr=False)
    max_bytes: int = MAX_BYTES
    cuts: bool = False

    def blotted(self, text: str) -> str:
        """Return a text without the secret."""
        return text.replace(self.secret, BLOT) if self.secret else text


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server gave to ask "has it changed?" with."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The decoded content of a feed, and the validators for the next time."""

    content: bytes
    validators: Validators


NO_VALIDATORS = Validators()


def make_client() -> httpx2.AsyncClient:
    """Return the client for feeds; the caller closes it. It reads no proxy or netrc settings."""
    return httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)


async def fetch(
    client: httpx2.AsyncClient, request: Request, validators: Validators = NO_VALIDATORS
) -> Answer | None:
    """Get a page; None when it has not changed. Raises `Unanswered`."""
    headers = {**request.headers, "Accept-Encoding": "gzip"}
    if validators.etag:
        headers["If-None-Match"] = validators.etag
    if validators.last_modified:
        headers["If-Modified-Since"] = validators.last_modified
    asked = replace(request, headers=headers)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            for _ in range(MAX_REDIRECTS + 1):
                answer = await _get(client, asked)
                if not isinstance(answer, str):
                    return answer
                asked = replace(asked, url=_same_host(asked.url, answer))
    except TimeoutError as error:
        raise Unanswered(f"no answer within {TIMEOUT_S:g} s") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        reason = request.blotted(_in_words(error))
        # The foreign exception holds the request: it does not go along where there is a secret.
        raise Unanswered(reason) from (None if request.secret else error)
    raise Unanswered(f"more than {MAX_REDIRECTS} redirects", status=_FOUND)


async def _get(client: httpx2.AsyncClient, request: Request) -> Answer | str | None:
    """Return the answer, the place it moved to, or None when it has not changed."""
    async with client.stream("GET", request.url, headers=dict(request.headers)) as response:
        if response.status_code == _NOT_MODIFIED:
            return None
        if response.status_code in _REDIRECTS:
            return response.headers.get("Location", "")
        if response.status_code != _OK:
            status = response.status_code
            raise Unanswered(f"HTTP {status}", _retry_after_s(response), status)
        validators = Validators(
            etag=response.headers.get("ETag", ""),
            last_modified=response.headers.get("Last-Modified", ""),
        )
        try:
            return Answer(await _content(response, request), validators)
        except Unanswered as error:  # it did answer, with what is of no use
            raise Unanswered(str(error), status=_OK) from error


async def _content(response: httpx2.Response, request: Request) -> bytes:
    """Read a body, never unpacking more of it than is allowed."""
    unpacker = _Unpacker(response.headers.get("Content-Encoding", ""))
    parts: list[bytes] = []
    left = request.max_bytes
    async for raw in response.aiter_raw(_CHUNK_BYTES):
        part = unpacker.unpack(raw, left + 1)
        parts.append(part[:left])
        left -= len(part)
        if left < 0 and request.cuts:
            return b"".join(parts)
        if left < 0:
            size = f"{request.max_bytes / (1 << 20):g} MiB"
            raise Unanswered(f"more than {size}, the rest was not read")
    unpacker.finish()
    return b"".join(parts)


class _Unpacker:
    """Unpacks gzip piece by piece; plain content passes."""

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in {*_GZIP, "", "identity"}:
            raise Unanswered(f"packed as {name!r}, which was not asked for")
        self._gzip = zlib.decompressobj(_GZIP_HEADER) if name in _GZIP else None

    def unpack(self, raw: bytes, max_bytes: int) -> bytes:
        """Return what a piece holds, up to a number of bytes."""
        if self._gzip is None:
            return raw
        try:
            return self._gzip.decompress(raw, max_bytes)
        except zlib.error as error:
            raise Unanswered(f"not readable as gzip: {error}") from error

    def finish(self) -> None:
        """Refuse an archive that ends in the middle."""
        if self._gzip is not None and not self._gzip.eof:
            raise Unanswered("not readable as gzip: it ends in the middle")


def _same_host(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(target)
    except ValueError as error:
        raise Unanswered("redirected to what is no address", status=_FOUND) from error
    if (here.scheme, here.netloc) not in {
        (there.scheme, there.netloc),
        ("http", there.netloc),  # a step up to https is welcome
    }:
        reason = f"redirected to another host ({there.hostname}); not followed"
        raise Unanswered(reason, status=_FOUND)
    return target


def _retry_after_s(response: httpx2.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _in_words(error: Exception) -> str:
    """What went wrong on the way, without the names and numbers of the libraries."""
    said = _OF_LIBRARIES.sub("", one_line(str(error)))
    match error:
        case httpx2.TimeoutException():
            return "no answer in time"
        case httpx2.InvalidURL():
            return f"is no address: {said}"
        case httpx2.ConnectError():
            return f"no connection: {said}"
        case _:
            return f"the answer broke off: {said}"
