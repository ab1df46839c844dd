"""Fetch what is missing, symbol by symbol, and hand all to the import that files go through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from catalyst_bot.domain.calendar import TradingCalendar
from catalyst_bot.domain.errors import BadData, SourceUnreachable
from catalyst_bot.downloads.names import Interval
from catalyst_bot.downloads.shelf import FOLDER, Shelf
from catalyst_bot.downloads.wanted import NothingThere, Source, Wanted
from catalyst_bot.market_data.catalog import ImportReport, import_paths
from catalyst_bot.market_data.origin import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolOutcome:
    """What became of one symbol: `here` needed no question, `nothing` there is of it."""

    symbol: str
    outcome: Literal["fetched", "unchanged", "here", "nothing", "refused"]
    rows: int = 0
    reason: str = ""

    def render(self) -> str:
        """Return one line for a person."""
        if self.outcome in {"nothing", "refused"}:
            return f"{self.outcome}: {self.reason}"  # which names the symbol or its file
        rows = f", {self.rows:,} rows" if self.outcome == "fetched" else ""
        return f"{self.symbol}: {self.outcome}{rows}{f'; {self.reason}' if self.reason else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadReport:
    """What became of every symbol, and of the file that all of them make."""

    source: str
    symbols: tuple[SymbolOutcome, ...]
    imported: ImportReport

    @property
    def is_complete(self) -> bool:
        """Whether no symbol and no file was refused, and there was something of each."""
        has_all = all(each.outcome not in {"nothing", "refused"} for each in self.symbols)
        return has_all and self.imported.is_complete

    def to_json(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        symbols = [asdict(each) for each in self.symbols]
        return {"source": self.source, "symbols": symbols, **self.imported.to_json()}

    def render(self) -> str:
        """Return the report as text for a person; what was fetched was told on the way."""
        wrong = [each.render() for each in self.symbols if each.reason]
        counts = ", ".join(
            f"{count} {outcome}"
            for outcome in ("fetched", "unchanged", "here", "nothing", "refused")
            if (count := sum(each.outcome == outcome for each in self.symbols))
        )
        return "\n".join([f"{self.source}: {counts}", *wrong, self.imported.render()]).rstrip()


@dataclass(frozen=True, kw_only=True)
class Into:
    """Where downloads go, and what judges them; `finish` adds what is asked for besides to the rows
    of all symbols.
    """

    catalog: Path
    calendar: TradingCalendar
    now: Callable[[], datetime]
    finish: Callable[[pl.DataFrame], Awaitable[pl.DataFrame]] | None = None


async def download(
    source: Source, wanted: Wanted, into: Into, *, tell: Callable[[str], None]
) -> DownloadReport:
    """Fetch the symbols that are not here and import them, with those that were here before.

    A symbol that cannot be had stops no other. Raises `ConfigError` and `SourceUnreachable`: what
    was fetched until then is kept.
    """
    shelf = Shelf(into.catalog / FOLDER / _label(source))
    outcomes: list[SymbolOutcome] = []
    for symbol in wanted.symbols:
        try:
            outcome = await _one(source, symbol, wanted, shelf, into)
        except SourceUnreachable as error:
            done = f"{len(outcomes)} of {len(wanted.symbols)} symbols"
            raise SourceUnreachable(
                f"{error}; {done} are done, the same command goes on with the others"
            ) from error
        tell(outcome.render())
        outcomes.append(outcome)
    return DownloadReport(
        source=source.name, symbols=tuple(outcomes), imported=await _import(source, shelf, into)
    )


async def _one(
    source: Source, symbol: str, wanted: Wanted, shelf: Shelf, into: Into
) -> SymbolOutcome:
    receipt = shelf.receipt(symbol)
    known = receipt.known if receipt else None
    if known and known.period.covers(wanted.period):
        return SymbolOutcome(symbol=symbol, outcome="here")
    # Asked for anew as a whole: a vendor that adjusts prices changes the earlier ones, too.
    period = known.period.hull(wanted.period) if known else wanted.period
    asked_at = into.now()
    try:
        fetched = await source.fetch(symbol, period, known)
        if fetched is None:
            shelf.still_holds(symbol, period, at=asked_at)
            return SymbolOutcome(symbol=symbol, outcome="unchanged")
        _check_interval(symbol, fetched.rows, source.interval)
        shelf.put(symbol, fetched, period, at=asked_at)
        wrong = fetched.unreadable
    except NothingThere as error:
        return SymbolOutcome(symbol=symbol, outcome="nothing", reason=str(error))
    except BadData as error:
        return SymbolOutcome(symbol=symbol, outcome="refused", reason=str(error))
    return SymbolOutcome(
        symbol=symbol,
        outcome="fetched",
        rows=fetched.rows.height,
        reason=f"{len(wrong)} unreadable, such as {wrong[0]}" if wrong else "",
    )


def _check_interval(symbol: str, rows: pl.DataFrame, interval: Interval | None) -> None:
    """Refuse a table of shorter bars here, where it is known whose it is."""
    if interval is None or "timestamp" not in rows.columns:
        return
    odd = rows.filter(pl.col("timestamp").dt.epoch("s") % interval.seconds != 0)
    if odd.height:
        raise BadData(
            f"{symbol}: {odd.height:,} of {rows.height:,} bars do not begin at a multiple of "
            f"{interval}, such as that of {odd['timestamp'][0]}: ask for another --interval"
        )


async def _import(source: Source, shelf: Shelf, into: Into) -> ImportReport:
    """Import the rows of all symbols as one file, which is named by source and interval."""
    rows, asked_at = shelf.all_rows()
    if rows.is_empty():
        return ImportReport(files=())
    if into.finish is not None:
        rows = await into.finish(rows)
    origin = Origin(
        vendor=source.vendor,
        place=source.place,
        asked_at=asked_at,
        adjustment=source.adjustment,
        terms=source.terms,
    )
    is_news = source.interval is None
    file = shelf.folder.with_name(f"{_label(source)}.{'jsonl' if is_news else 'parquet'}")
    try:
        if is_news:
            text = "".join(f"{line}\n" for line in rows["line"])
            file.write_text(text, encoding="utf-8")
        else:
            rows.write_parquet(file)
        return import_paths(
            [file], into.catalog, calendar=into.calendar, now=into.now(), origin=origin
        )
    finally:
        file.unlink(missing_ok=True)


def _label(source: Source) -> str:
    return f"{source.name}-{source.interval}" if source.interval else source.name
