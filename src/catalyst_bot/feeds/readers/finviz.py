"""Finviz: the news table of a quote page, and the news export as CSV. Times are New York's.

The table writes the day once, "Today 05:25AM" or "Apr-03-26 03:56PM"; the rows below it have a
bare time. A row whose day cannot be read leaves those below it without one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.entries import Draft, read_page, refuse_flood
from catalyst_bot.feeds.page import MAX_ENTRIES, Page, plain_text
from catalyst_bot.feeds.times import MONTHS, NEW_YORK, iso

_TABLE_ID = 'id="news-table"'
_TICKER = re.compile(r'data-ticker="([^"]{1,12})"')
_HREF = re.compile(r'href="([^"]{1,2000})"')
_DAY = re.compile(r"([a-z]{3})-(\d{2})-(\d{2})", re.IGNORECASE | re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))? ?([AP]M)?", re.ASCII)
_SLASHES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (.+)", re.ASCII)
_RELATIVE = {"Today": timedelta(0), "Yesterday": timedelta(days=1)}
_COLUMNS = {"title", "date", "url"}
_MAX_ROW_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the table: its first cell, the day that holds for it, and its second cell."""

    written: str
    day: date | None
    cell: str


def parse_finviz(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read a table or an export. Raises `BadData` for a page with neither."""
    refuse_flood(content, source, ())
    text = content.decode("utf-8-sig", "replace").strip()
    if not text.startswith("<"):
        return _read_export(text, source, received_at)
    begin = text.find(_TABLE_ID)
    if begin < 0:
        raise BadData(f"{source}: a page without the table of news")
    table = text[begin : text.find("</table", begin)]
    ticker = _TICKER.search(table.partition(">")[0])
    return read_page(
        _rows(table, received_at.astimezone(NEW_YORK).date()),
        lambda row: _of_row(row, (ticker[1],) if ticker else ()),
        source=source,
        received_at=received_at,
    )


def _rows(table: str, today: date) -> Iterator[_Row]:
    day = None
    for row in table.split("<tr", MAX_ENTRIES + 1)[1:]:
        _, *cells = row[:_MAX_ROW_CHARACTERS].split("<td", 2)
        written = plain_text(f"<td{cells[0]}") if cells else ""
        named, _, time = written.rpartition(" ")
        if named or not _TIME.fullmatch(time):
            day = _day(named, today)
        yield _Row(written, day, cells[1] if len(cells) > 1 else "")


def _of_row(row: _Row, symbols: tuple[str, ...]) -> Draft:
    _, _, link = row.cell.partition("<a ")
    tag, _, rest = link.partition(">")
    title, _, behind = rest.partition("</a")
    href = _HREF.search(tag)
    url = plain_text(href[1]) if href else ""
    return Draft(
        key=f"{url} {','.join(symbols)}" if url else "",
        title=title,
        published_at=_moment(row.day, row.written.rpartition(" ")[2]),
        outlet=plain_text(f"<a{behind}").strip("() "),
        url=url,
        symbols=symbols,
    )


def _read_export(text: str, source: str, received_at: datetime) -> Page:
    try:
        lines = list(islice(csv.reader(io.StringIO(text, newline="")), MAX_ENTRIES + 2))
    except csv.Error as error:
        raise BadData(f"{source}: not readable as CSV: {error}") from error
    columns = [name.strip().lower() for name in lines[0]] if lines else []
    if not _COLUMNS.issubset(columns):
        wanted = ", ".join(sorted(_COLUMNS))
        raise BadData(f"{source}: neither a table of news nor an export with {wanted}")
    rows = [dict(zip(columns, line, strict=False)) for line in lines[1:]]
    return read_page(rows, _of_line, source=source, received_at=received_at)


def _of_line(row: Mapping[str, str]) -> Draft:
    url, ticker = row.get("url", ""), row.get("ticker", "")
    return Draft(
        key=f"{url} {ticker}" if url else "",
        title=row.get("title", ""),
        published_at=_written_in_export(row.get("date", "")),
        outlet=row.get("source", ""),
        url=url,
        symbols=ticker.split(","),
    )


def _written_in_export(text: str) -> datetime:
    """Read "2026-04-11 08:20:00", or "4/11/2026 8:20" as spreadsheets write it."""
    found = _SLASHES.fullmatch(text.strip())
    if found is None:
        return iso(text, NEW_YORK)
    return _moment(_date(int(found[3]), int(found[1]), int(found[2])), found[4])


def _day(named: str, today: date) -> date | None:
    if named in _RELATIVE:
        return today - _RELATIVE[named]
    found = _DAY.fullmatch(named)
    if found is None or found[1].lower() not in MONTHS:
        return None
    return _date(2000 + int(found[3]), MONTHS.index(found[1].lower()) + 1, int(found[2]))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _moment(day: date | None, written: str) -> datetime:
    """Return a New York day and time as UTC. Raises `ValueError` when either is missing."""
    found = _TIME.fullmatch(written)
    if day is None or found is None:
        raise ValueError(f"has no readable time: {written[:40]!r}")
    hour, minute, second, half = found.groups()
    shown = int(hour) % 12 + (12 if half == "PM" else 0) if half else int(hour)
    return iso(f"{day.isoformat()}T{shown:02}:{minute}:{second or '00'}", NEW_YORK)
