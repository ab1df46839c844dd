"""EDGAR's filings of one company: the submissions JSON of data.sec.gov.

`acceptanceDateTime` always ends in Z, but not every answer means it: some hold New York time under
it. Which one an answer holds is decided for the whole of it, by which reading makes its filings fit
the hours of EDGAR. Reading it wrong moves every eighth 8-K across the close or the date.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from typing import Any

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.ids import item_id
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.entries import refuse_flood
from catalyst_bot.feeds.lines import json_of
from catalyst_bot.feeds.page import (
    MAX_BODY_CHARACTERS,
    MAX_ENTRIES,
    MAX_TITLE_CHARACTERS,
    Page,
    Problem,
    one_line,
    refuse_html,
)
from catalyst_bot.feeds.times import NEW_YORK, believable

ARCHIVE = "https://www.sec.gov"
_COLUMNS = ("accessionNumber", "filingDate", "acceptanceDateTime", "form")
_OPENS, _CLOSES = time(6), time(22)
_SAME_DAY_UNTIL = time(17, 30)  # what is accepted later is filed on the next business day
_SATURDAY = 5
_OWNERSHIP = frozenset({"3", "4", "5", "144"})
_OLDER_NAME = re.compile(r"CIK\d{10}-submissions-\d{3,5}\.json")
_STAKE = ("SC 13", "SCHEDULE 13", "SC TO")


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """A file of earlier filings beside an answer: its name and its last filing day."""

    name: str
    last_day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submissions:
    """A whole answer: the company's own fields, its recent filings, where earlier ones are."""

    company: Mapping[str, Any]
    page: Page
    older: tuple[Older, ...]


def parse_edgar_submissions(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read an answer, newest filing first. Raises `BadData` when it as a whole is none.

    Ids are those of the Atom feeds, so that a filing that came there first is not told again: its
    time has an explicit offset.
    """
    refuse_html(content, source)
    refuse_flood(content, source, (b"{", b"[", b","))
    company, recent = _answer(content, source)
    return _page(recent, company, source=source, received_at=received_at, most=MAX_ENTRIES)


def read_submissions(content: bytes, *, source: str, received_at: datetime) -> Submissions:
    """Read an answer with all it says, however much. Raises `BadData`."""
    company, recent = _answer(content, source)
    page = _page(recent, company, source=source, received_at=received_at)
    return Submissions(company=company, page=page, older=_older(company["filings"], source))


def read_older_submissions(
    content: bytes, company: Mapping[str, Any], *, source: str, received_at: datetime
) -> Page:
    """Read a file of earlier filings of a company that an answer named. Raises `BadData`."""
    told = _decoded(content, source)
    if not isinstance(told, dict):
        raise BadData(f"{source}: no filings of a company")
    return _page(told, company, source=source, received_at=received_at)


def _answer(content: bytes, source: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the company with all its fields, and its recent filings."""
    told = _decoded(content, source)
    filings = told.get("filings") if isinstance(told, dict) else None
    if not isinstance(filings, dict):
        filings = {}
    recent = filings.get("recent")
    if not isinstance(recent, dict) or not str(told.get("cik", "")).isdecimal():
        raise BadData(f"{source}: no submissions of a company: cik and filings.recent are missing")
    return told, recent


def zone_of(filings: Sequence[tuple[Any, Any]]) -> tzinfo:
    """Return the zone in which (accepted, filing day) of an answer make sense: UTC or New York.

    A filing makes sense on a weekday from 06:00 to 22:00 in New York; before 17:30 also only on its
    filing day, and later not after it.
    """
    zones: tuple[tzinfo, ...] = (UTC, NEW_YORK)  # in doubt as it is written
    return max(zones, key=lambda zone: sum(_makes_sense(*filing, zone) for filing in filings))


def _makes_sense(accepted: Any, filing_day: Any, zone: tzinfo) -> bool:
    try:
        at = _accepted_at(accepted, zone).astimezone(NEW_YORK)
    except ValueError:
        return False
    day = at.date().isoformat()
    in_hours = at.weekday() < _SATURDAY and _OPENS <= at.time() < _CLOSES
    on_day = day == filing_day if at.time() < _SAME_DAY_UNTIL else day <= str(filing_day)
    return in_hours and on_day


def _accepted_at(text: Any, zone: tzinfo) -> datetime:
    try:
        at = datetime.fromisoformat(str(text))
        return at.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"has no readable time: {text!r}") from error


def _decoded(content: bytes, source: str) -> Any:
    refuse_html(content, source)
    try:
        return json_of(content)
    except ValueError as error:
        raise BadData(f"{source}: {error}") from error


def _columns(table: Mapping[str, Any], source: str) -> dict[str, list[Any]]:
    """Return the columns of filings, all of one length."""
    columns = {name: values for name, values in table.items() if isinstance(values, list)}
    missing = [name for name in _COLUMNS if name not in columns]
    if missing:
        raise BadData(f"{source}: the table of filings has no {', '.join(missing)}")
    if len({len(values) for values in columns.values()}) != 1:
        raise BadData(f"{source}: the columns of the filings differ in length")
    return columns


def _older(filings: Mapping[str, Any], source: str) -> tuple[Older, ...]:
    """Where earlier filings are; a name that could lead elsewhere is refused."""
    files = filings.get("files")
    found = []
    for row in files if isinstance(files, list) else ():
        told = row if isinstance(row, dict) else {}
        name, *days = (_text(told, key) for key in ("name", "filingFrom", "filingTo"))
        if not (_OLDER_NAME.fullmatch(name) and all(days)):
            raise BadData(f"{source}: filings.files holds {row!r}, which is no file of EDGAR's")
        found.append(Older(name=name, last_day=days[1]))
    return tuple(found)


def _page(
    table: Mapping[str, Any],
    company: Mapping[str, Any],
    *,
    source: str,
    received_at: datetime,
    most: int | None = None,
) -> Page:
    columns = _columns(table, source)
    zone = zone_of(list(zip(columns["acceptanceDateTime"], columns["filingDate"], strict=True)))
    headlines: list[Headline] = []
    problems: list[Problem] = []
    for number in range(len(columns["form"]))[:most]:
        row = {name: values[number] for name, values in columns.items()}
        try:
            headlines.append(_headline(row, company, zone, source, received_at))
        except ValueError as error:
            problems.append(Problem(f"{source} filing {number + 1}", str(error)))
    return Page(tuple(headlines), tuple(problems))


def _headline(
    row: Mapping[str, Any],
    company: Mapping[str, Any],
    zone: tzinfo,
    source: str,
    received_at: datetime,
) -> Headline:
    accession, form = _text(row, "accessionNumber"), _text(row, "form")
    if not accession or not form:
        raise ValueError("has no accession number or no form type")
    cik, name = int(str(company["cik"])), one_line(str(company.get("name") or ""))
    items = [item.strip() for item in _text(row, "items").split(",") if item.strip()]
    title = f"{form} - {name} ({cik:010d}) ({_role(form, row)})"
    described = (_text(row, "primaryDocDescription"), *(f"Item {item}" for item in items))
    tickers = company.get("tickers")
    folder = f"{ARCHIVE}/Archives/edgar/data/{cik}/{accession.replace('-', '')}"
    return Headline(
        item_id=item_id(source, f"{accession}/{cik}"),
        source=source,
        title=title[:MAX_TITLE_CHARACTERS],
        body=one_line(" ".join(described))[:MAX_BODY_CHARACTERS],
        url=f"{folder}/{accession}-index.htm",
        symbols=tuple(map(str, tickers)) if isinstance(tickers, list) else (),
        published_at=believable(_accepted_at(_text(row, "acceptanceDateTime"), zone), received_at),
        received_at=received_at,
        form=form,
        items=tuple(dict.fromkeys(items)),
        cik=cik,
        accession=accession,
    )


def _role(form: str, row: Mapping[str, Any]) -> str:
    """As what the company stands in a filing, in the words of the Atom feeds.

    A stake has a file number in the list of the company it is held in, and none in the holder's.
    """
    if form.removesuffix("/A") in _OWNERSHIP:
        return "Issuer"
    if form.startswith(_STAKE):
        return "Subject" if _text(row, "fileNumber") else "Filed by"
    return "Filer"


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""
