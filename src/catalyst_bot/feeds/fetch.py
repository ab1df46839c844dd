"""One polite GET: conditional, bounded in time and size, never led to another host.

Every failure becomes an `Unanswered` with a readable reason; no foreign exception leaves here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx2

from catalyst_bot.domain.errors import SourceUnreachable
from catalyst_bot.feeds.page import one_line

TIMEOUT_S = 10.0
MAX_BYTES = 5 << 20  # decoded: a small compressed answer can unpack to gigabytes
MAX_REDIRECTS = 3
_NOT_MODIFIED = 304
_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Unanswered(SourceUnreachable):
    """The feed gave no usable answer; `retry_after_s` is what it asked us to wait, or 0."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


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


def make_client() -> httpx2.AsyncClient:
    """Return the client for feeds; the caller closes it. It reads no proxy or netrc settings."""
    return httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)


async def fetch(
    client: httpx2.AsyncClient, url: str, *, user_agent: str, validators: Validators
) -> Answer | None:
    """Get a URL; None when it has not changed. Raises `Unanswered`."""
    headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip"}
    if validators.etag:
        headers["If-None-Match"] = validators.etag
    if validators.last_modified:
        headers["If-Modified-Since"] = validators.last_modified
    try:
        async with asyncio.timeout(TIMEOUT_S):
            for _ in range(MAX_REDIRECTS + 1):
                answer = await _get(client, url, headers)
                if not isinstance(answer, str):
                    return answer
                url = _same_host(url, answer)
    except TimeoutError as error:
        raise Unanswered(f"no answer within {TIMEOUT_S:g} s") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Unanswered(f"{type(error).__name__}: {one_line(str(error))}") from error
    raise Unanswered(f"more than {MAX_REDIRECTS} redirects")


async def _get(
    client: httpx2.AsyncClient, url: str, headers: dict[str, str]
) -> Answer | str | None:
    """Return the answer, the place it moved to, or None when it has not changed."""
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code == _NOT_MODIFIED:
            return None
        if response.status_code in _REDIRECTS:
            return response.headers.get("Location", "")
        if response.status_code != _OK:
            raise Unanswered(f"HTTP {response.status_code}", _retry_after_s(response))
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > MAX_BYTES:
                raise Unanswered(f"more than {MAX_BYTES >> 20} MiB, the rest was not read")
            parts.append(part)
        validators = Validators(
            etag=response.headers.get("ETag", ""),
            last_modified=response.headers.get("Last-Modified", ""),
        )
        return Answer(b"".join(parts), validators)


def _same_host(url: str, location: str) -> str:
    target = urljoin(url, location)
    here, there = urlsplit(url), urlsplit(target)
    if (here.scheme, here.netloc) not in {
        (there.scheme, there.netloc),
        ("http", there.netloc),  # a step up to https is welcome
    }:
        raise Unanswered(f"redirected to another host ({there.hostname}); not followed")
    return target


def _retry_after_s(response: httpx2.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0
