"""Looks at feeds without a run: does every source answer, and what does a capture yield?"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.client import AlpacaClient, AlpacaRefused, AlpacaSilent
from catalyst_bot.bootstrap.at_once import at_once
from catalyst_bot.bootstrap.feeds import Chosen, feeds_of
from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.feeds.alpaca_news import ADAPTER as ALPACA_NEWS
from catalyst_bot.feeds.choice import Feed
from catalyst_bot.feeds.fetch import Unanswered, fetch, make_client
from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.readers.edgar_document import Document, read_documents, text_of
from catalyst_bot.feeds.readers.table import READERS
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.settings import Settings

PATIENCE_S = 2.0
DOCUMENT = "edgar-document"
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What one source answered. `newest_at` is when its newest item was published."""

    name: str
    is_ok: bool
    detail: str
    took_s: float
    headlines: int = 0
    halts: int = 0
    problems: int = 0
    newest_at: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        newest_at = rfc3339(self.newest_at) if self.newest_at else None
        return asdict(self) | {"took_s": round(self.took_s, 3), "newest_at": newest_at}


def check_feeds(settings: Settings) -> list[Probe]:
    """Ask every configured source once, all at the same time; none is waited for longer than
    2 s. Raises `ConfigError` when none is configured.
    """
    chosen = feeds_of(settings)
    asks_alpaca = settings.broker.kind == "alpaca" and settings.feeds.alpaca_news
    if chosen.is_empty and not asks_alpaca:
        raise ConfigError("no source is configured: set feeds.sources in catalyst.toml")
    return at_once(_probes(chosen, settings, asks_alpaca=asks_alpaca))


async def _probes(chosen: Chosen, settings: Settings, *, asks_alpaca: bool) -> list[Probe]:
    one_of_each = {feed.source: feed for feed in chosen.polled}  # not every company
    async with make_client() as client:
        asking = [_timed(feed.name, partial(_ask, feed, client)) for feed in one_of_each.values()]
        if asks_alpaca:
            asking.append(_timed(ALPACA_NEWS.removeprefix("feed "), lambda: _ask_alpaca(settings)))
        recorded = [
            Probe(name=str(path), is_ok=True, detail="a recording", took_s=0.0)
            for path in chosen.recorded
        ]
        return [*await asyncio.gather(*asking), *recorded]


async def _timed(name: str, ask: Callable[[], Awaitable[Page | None]]) -> Probe:
    started = time.perf_counter()
    page: Page | None = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            page = await ask()
        failure = ""
    except TimeoutError:
        failure = f"no answer within {PATIENCE_S:g} s"
    except (Unanswered, BadData, ConfigError, AlpacaRefused, AlpacaSilent) as error:
        failure = str(error)
    took_s = time.perf_counter() - started
    if failure or page is None:
        return Probe(name=name, is_ok=not failure, detail=failure or "answers", took_s=took_s)
    newest = max((headline.published_at for headline in page.headlines), default=None)
    problems = f"; {page.problems[0].place}: {page.problems[0].reason}" if page.problems else ""
    return Probe(
        name=name,
        is_ok=True,
        detail=f"answers{problems}",
        took_s=took_s,
        headlines=len(page.headlines),
        halts=len(page.halts or ()),
        problems=len(page.problems),
        newest_at=newest,
    )


async def _ask(feed: Feed, client: httpx2.AsyncClient) -> Page:
    now = SystemClock().now()
    answer = await fetch(client, feed.request(now.date(), 0))
    return await asyncio.to_thread(feed.read, answer.content if answer else b"", now)


async def _ask_alpaca(settings: Settings) -> None:
    access = access_of(
        base_url=settings.alpaca.base_url, data_url=settings.alpaca.data_url, environ=os.environ
    )
    async with AlpacaClient(access, per_min=settings.alpaca.requests_per_min) as client:
        await client.data("/v1beta1/news", {"limit": "1"})


def probes_text(probes: Sequence[Probe]) -> str:
    """One line per source."""
    return "\n".join(
        f"{'ok  ' if probe.is_ok else 'FAIL'} {probe.name}: {probe.detail}"
        + (f", {probe.headlines} headlines" if probe.headlines else "")
        + (f" up to {rfc3339(probe.newest_at)}" if probe.newest_at else "")
        + (f", {probe.halts} halts" if probe.halts else "")
        + (f", {probe.problems} unreadable" if probe.problems else "")
        + f" ({probe.took_s:.2f} s)"
        for probe in probes
    )


def read_capture(file: Path, kind: str, *, source: str, received_at: datetime) -> dict[str, Any]:
    """Return what a saved answer yields, as JSON. Raises `BadData` naming file and reason."""
    if kind not in {*READERS, DOCUMENT}:
        known = ", ".join((*READERS, DOCUMENT))
        raise ConfigError(f"--kind {kind}: no such kind; there are {known}")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadData(f"{file}: cannot be read: {error.strerror}") from error
    shown: dict[str, Any] = {"file": str(file), "kind": kind}
    if kind == DOCUMENT:
        return shown | _document_dict(read_documents(content, file.name))
    page = READERS[kind](content, source=source or kind, received_at=received_at)
    return shown | {
        "headlines": [_as_json(headline) for headline in page.headlines],
        "halts": [_as_json(halt) for halt in page.halts or ()],
        "problems": [asdict(problem) for problem in page.problems],
    }


def capture_text(shown: Mapping[str, Any]) -> str:
    """What a capture yields, for people: the newest entries, and what could not be read."""
    if "text" in shown:
        parts = [
            f"{part['kind'] or 'document'}: {part['characters']} characters"
            for part in shown["documents"]
        ]
        return "\n".join([*parts, shown["text"]])
    headlines, halts, problems = shown["headlines"], shown["halts"], shown["problems"]
    lines = [f"{len(headlines)} headlines, {len(halts)} halts, {len(problems)} unreadable"]
    lines += [
        f"  {row['published_at']} {','.join(row['symbols']) or '-'} {row['title']}"
        for row in headlines[:_SHOWN]
    ]
    lines += [
        f"  {row['halted_at']} {row['symbol']} {row['code']} until {row['resumes_at'] or 'further'}"
        for row in halts[:_SHOWN]
    ]
    lines += [f"  unreadable: {row['place']}: {row['reason']}" for row in problems[:_SHOWN]]
    return "\n".join(lines)


def rfc3339(at: datetime) -> str:
    """Return a UTC time as RFC 3339 with Z."""
    return at.isoformat().replace("+00:00", "Z")


def _document_dict(documents: tuple[Document, ...]) -> dict[str, Any]:
    parts = [
        {"kind": part.kind, "description": part.description, "characters": len(part.text)}
        for part in documents
    ]
    return {"documents": parts, "text": text_of(documents)}


def _as_json(row: Any) -> dict[str, Any]:
    return {
        name: rfc3339(value) if isinstance(value, datetime) else value
        for name, value in asdict(row).items()
    }
