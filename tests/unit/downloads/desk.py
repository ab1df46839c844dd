"""A download without a command: a source, a catalog, a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from catalyst_bot.downloads.download import DownloadReport, Into, download
from catalyst_bot.downloads.wanted import Period, Source, Wanted
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.catalog import read_catalog

NOW = datetime(2025, 12, 1, 15, 0, tzinfo=UTC)
CALENDAR = load_calendar()


def period(first: str = "2025-10-06", last: str = "2025-10-10") -> Period:
    return Period(first=date.fromisoformat(first), last=date.fromisoformat(last))


def ask(
    source: Source,
    catalog: Path,
    *symbols: str,
    days: Period | None = None,
    now: datetime = NOW,
) -> DownloadReport:
    """Download as the command does, and raise what it raises."""
    wanted = Wanted(symbols=symbols, period=days or period(), today=NOW.date())
    into = Into(catalog=catalog, calendar=CALENDAR, now=lambda: now)
    return asyncio.run(download(source, wanted, into, tell=lambda _: None))


def outcomes(report: DownloadReport) -> list[str]:
    return [each.outcome for each in report.symbols]


def bars_of(catalog: Path) -> pl.DataFrame:
    """The rows of the only file of bars."""
    (dataset,) = read_catalog(catalog)
    return pl.read_parquet(catalog / dataset.file)


def csv_of(rows: Sequence[tuple[str, float]]) -> bytes:
    """A table as Stooq writes it, of days and closes."""
    lines = [f"{day},{close},{close + 1},{close - 1},{close},1000" for day, close in rows]
    return "\n".join(["Date,Open,High,Low,Close,Volume", *lines, ""]).encode()


WEEK = [
    ("2025-10-06", 50.0),
    ("2025-10-07", 51.0),
    ("2025-10-08", 52.0),
    ("2025-10-09", 53.0),
    ("2025-10-10", 54.0),
]
