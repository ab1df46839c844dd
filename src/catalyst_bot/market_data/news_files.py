"""A light check of recorded news at the import: one JSON object a line, with a time and a title.

Reading what a line means belongs to the feeds; here it is only made sure that every line that is
kept can be read, and that the others are counted with their reason.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from backports import zstd

from catalyst_bot.domain.errors import BadData

_DATE_LENGTH = len("2025-10-06")


class LineRefusal(StrEnum):
    """Why a line of a news file was not taken."""

    NOT_JSON = "not_json"
    NO_TITLE = "no_title"
    NO_TIME = "no_time"
    NO_LIST = "symbols_no_list"  # of texts
    FUTURE = "future"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsReport:
    """What is in a news file; `date_only` items have no time of day and count from midnight."""

    source: str
    rows_read: int
    rows_taken: int
    date_only: int
    symbols: tuple[str, ...]
    first_at: str | None
    last_at: str | None
    refused: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    def render(self) -> str:
        """Return the report as a few lines for a person."""
        content = f"{self.rows_taken:,} items naming {len(self.symbols):,} symbols"
        span = f"{self.first_at or '-'} to {self.last_at or '-'}"
        lines = [f"{self.source}: {content}, {span}; {self.date_only:,} without a time"]
        lines += [f"  refused: {count:,} {reason}" for reason, count in self.refused.items()]
        return "\n".join(lines)


def check_news(path: Path, *, now: datetime) -> tuple[list[str], NewsReport]:
    """Return the good lines of a .jsonl or .jsonl.zst file in their order, and the report.

    Raises `BadData` when the file is no such text at all.
    """
    kept: dict[str, datetime] = {}  # by line, so that the same line is kept once
    refused: Counter[LineRefusal] = Counter()
    symbols: set[str] = set()
    rows_read = date_only = 0
    for line in _lines(path):
        rows_read += 1
        item = _item(line)
        if isinstance(item, LineRefusal):
            refused[item] += 1
            continue
        published_at = _published_at(item)
        if published_at is None:
            refused[LineRefusal.NO_TIME] += 1
        elif published_at > now:
            refused[LineRefusal.FUTURE] += 1
        elif line in kept:
            refused[LineRefusal.DUPLICATE] += 1
        else:
            kept[line] = published_at
            symbols.update(item.get("symbols") or ())
            date_only += len(item["published_at"]) == _DATE_LENGTH
    return list(kept), NewsReport(
        source=path.name,
        rows_read=rows_read,
        rows_taken=len(kept),
        date_only=date_only,
        symbols=tuple(sorted(symbols)),
        first_at=_text(min(kept.values(), default=None)),
        last_at=_text(max(kept.values(), default=None)),
        refused={str(reason): refused[reason] for reason in LineRefusal if refused[reason]},
    )


def write_news(path: Path, lines: Sequence[str]) -> None:
    """Write lines as .jsonl.zst; the same lines give the same bytes."""
    text = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(zstd.compress(text, level=9))


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines that are not blank, without their ends."""
    is_packed = path.suffix == ".zst"
    try:
        with (
            zstd.open(path, "rt", encoding="utf-8") if is_packed else path.open(encoding="utf-8")
        ) as text:
            for line in text:
                if stripped := line.strip():
                    yield stripped
    except (zstd.ZstdError, EOFError, UnicodeDecodeError) as error:
        raise BadData(f"{path}: is not JSON lines, plain or zstd ({error})") from error


def _item(line: str) -> dict[str, Any] | LineRefusal:
    try:
        item = json.loads(line)
    except ValueError:
        return LineRefusal.NOT_JSON
    if not isinstance(item, dict):
        return LineRefusal.NOT_JSON
    title, symbols = item.get("title"), item.get("symbols")
    if not isinstance(title, str) or not title.strip():
        return LineRefusal.NO_TITLE
    is_list = isinstance(symbols, list) and all(isinstance(each, str) for each in symbols)
    return item if symbols is None or is_list else LineRefusal.NO_LIST


def _published_at(item: dict[str, Any]) -> datetime | None:
    """Read an ISO date or time; without a zone it is UTC, as the shape promises."""
    try:
        published_at = datetime.fromisoformat(item["published_at"])
    except (KeyError, TypeError, ValueError):
        return None
    return published_at if published_at.tzinfo else published_at.replace(tzinfo=UTC)


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
