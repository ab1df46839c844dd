"""How quickly a page of filings is read, and what a page that no parser should see costs."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from backports import zstd

from benchmarks.line import Line, median_of, shared_data, skipped
from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.readers.edgar_atom import parse_edgar_atom
from catalyst_bot.feeds.sources import EDGAR

PAGE_ENTRIES = 100
ITEMS = 100_000
TARGET_S = 1.0
TARGET_MB = 50.0
_LATER = datetime(2026, 9, 1, tzinfo=UTC)
_HEAD = '<?xml version="1.0" encoding="ISO-8859-1" ?><feed xmlns="http://www.w3.org/2005/Atom">'


def lines() -> list[Line]:
    """Measure the December days of EDGAR, in pages of 100, and a flood of 100,000 entries."""
    return [_december(), *_flood()]


def _december() -> Line:
    data = shared_data()
    job = "feeds, 7,144 EDGAR entries"
    if data is None:
        return skipped(job, "no shared data")
    with zstd.open(data / "news" / "edgar_getcurrent_2025-12.jsonl.zst", "rt") as file:
        entries = [_entry(json.loads(line)) for line in file]
    pages = [
        f"{_HEAD}{''.join(entries[at : at + PAGE_ENTRIES])}</feed>".encode("latin-1", "replace")
        for at in range(0, len(entries), PAGE_ENTRIES)
    ]
    read = 0

    def measure() -> float:
        nonlocal read
        start = time.process_time()
        read = sum(len(_read(page)) for page in pages)
        return time.process_time() - start

    took_s = median_of(measure)
    return Line(
        job=job,
        unit="s",
        value=took_s,
        target=TARGET_S,
        is_less_better=True,
        note=f"{read:,} headlines from {len(pages)} pages",
    )


def _flood() -> list[Line]:
    page = f"{_HEAD}{'<entry/>' * ITEMS}</feed>".encode()

    def read_or_refuse() -> None:
        with suppress(BadData):
            _read(page)

    took_s, most_mb = _cost(read_or_refuse)
    made: dict[str, Any] = {"is_less_better": True, "note": f"{ITEMS:,} empty entries"}
    return [
        Line(job="feeds, a flood", unit="s", value=took_s, target=TARGET_S, **made),
        Line(job="feeds, a flood, memory", unit="MB", value=most_mb, target=TARGET_MB, **made),
    ]


def _cost(action: Callable[[], None]) -> tuple[float, float]:
    start = time.perf_counter()
    action()
    took_s = time.perf_counter() - start
    tracemalloc.start()
    action()
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return took_s, most_bytes / 1e6


def _read(page: bytes) -> tuple[object, ...]:
    return parse_edgar_atom(page, source=EDGAR, received_at=_LATER).headlines


def _entry(row: dict[str, Any]) -> str:
    """Write a recorded entry as the feed has it."""
    published_at = datetime.fromisoformat(row["published_at"]) - timedelta(hours=5)
    return (
        f'<entry><title>{escape(row["title"])}</title><link href="{escape(row["url"])}"/>'
        f"<summary>{escape(escape(row['body']))}</summary>"
        f"<updated>{published_at:%Y-%m-%dT%H:%M:%S}-05:00</updated>"
        f'<category term="{escape(row["form"])}"/>'
        f"<id>urn:tag:sec.gov,2008:accession-number={row['accession']}</id></entry>"
    )
