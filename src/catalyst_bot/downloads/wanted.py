"""What is asked for: whole days of some symbols, and how a source answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import polars as pl

from catalyst_bot.domain.errors import BadData, ConfigError
from catalyst_bot.downloads.names import Interval

NEW_YORK = ZoneInfo("America/New_York")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,14}")


class NothingThere(BadData):
    """The source answered and has nothing of this symbol in these days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days of the exchange, both included."""

    first: date
    last: date

    def covers(self, other: Period) -> bool:
        """Tell whether all days of the other are in this one."""
        return self.first <= other.first and other.last <= self.last

    def hull(self, other: Period) -> Period:
        """Return the shortest period that covers both."""
        return Period(first=min(self.first, other.first), last=max(self.last, other.last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is here of a symbol already: its days, and how to ask "has it changed?".

    `asked` tells addresses apart (a digest, since an address may hold a key).
    """

    period: Period
    asked: str = ""
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """Rows of one symbol: columns as `market_data.load` reads bars, or for news one column `line`
    of JSON objects; beside them `day`, the date in New York (`with_day`).

    They begin with the period that was asked for and may go on after it, so that "not changed
    since" can be believed of a longer one. `unreadable` says what else there was, and why not.
    """

    rows: pl.DataFrame
    unreadable: tuple[str, ...] = ()
    asked: str = ""
    etag: str = ""
    last_modified: str = ""


class Source(Protocol):
    """Somebody who has recordings.

    `interval` is that of bars, None for news; `adjustment` and `terms` are for the card (`Origin`).
    """

    name: str
    vendor: str
    place: str
    interval: Interval | None
    adjustment: str
    terms: str

    async def fetch(self, symbol: str, period: Period, known: Known | None, /) -> Fetched | None:
        """Return all rows of a symbol from a period on, None when nothing changed since `known`.

        Raises `NothingThere`, `BadData` (this symbol cannot be had), `ConfigError` (none can)
        and `SourceUnreachable`.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Symbols and days to fetch. Raises `ConfigError` for what cannot be asked.

    `today` is the day in New York: only days that are over are asked for, since the bar of a day
    that still trades is a wrong bar.
    """

    symbols: tuple[str, ...]
    period: Period
    today: date = field(repr=False)

    def __post_init__(self) -> None:
        if not self.symbols:
            raise ConfigError(
                "no symbols to download: give --symbols, --symbols-file or downloads.symbols"
            )
        for symbol in self.symbols:
            if not _SYMBOL.fullmatch(symbol):
                raise ConfigError(f"--symbols: {symbol!r} is no symbol such as AAPL or BRK-B")
        if self.period.first > self.period.last:
            raise ConfigError(f"--from {self.period.first} is after --to {self.period.last}")
        if self.period.last >= self.today:
            raise ConfigError(
                f"--to {self.period.last}: that day is not over in New York; the last whole day "
                f"is {self.today - timedelta(days=1)}"
            )


def with_day(bars: pl.DataFrame) -> pl.DataFrame:
    """Add the day to bars with a `date` or a `timestamp` in UTC."""
    if "date" in bars.columns:
        return bars.with_columns(day=pl.col("date"))
    return bars.with_columns(day=pl.col("timestamp").dt.convert_time_zone(str(NEW_YORK)).dt.date())


def symbols_of(text: str) -> tuple[str, ...]:
    """Return the symbols of a text, each once: separated by commas, blanks or lines; the rest of a
    line after # is a remark.
    """
    lines = (line.partition("#")[0] for line in text.splitlines())
    names = (name.upper() for line in lines for name in line.replace(",", " ").split())
    return tuple(dict.fromkeys(names))


def as_text(at: datetime) -> str:
    """Return a UTC time as RFC 3339 with Z."""
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
