"""NASDAQ's list of trading halts: RSS with fields of its own.

When a halt began is in two fields, as a wall time of New York; `pubDate` is only its day.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from defusedxml import ElementTree

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.entries import refuse_flood
from catalyst_bot.feeds.page import MAX_ENTRIES, Halt, Page, Problem, one_line, refuse_html
from catalyst_bot.feeds.times import NEW_YORK, iso

_NDAQ = "{http://www.nasdaqtrader.com/}"


def parse_nasdaq_halts(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read the list; its halts are in `Page.halts`. Raises `BadData` when it is none."""
    del received_at  # a list of halts says itself when they were
    refuse_html(content, source)
    refuse_flood(content, source, (b"<", b"&", b"="))
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise BadData(f"{source}: not readable as XML: {error}") from error
    if root.tag != "rss":
        raise BadData(f"{source}: not an RSS feed, the document is a <{root.tag}>")
    halts: list[Halt] = []
    problems: list[Problem] = []
    for number, item in enumerate(root.findall("channel/item")[:MAX_ENTRIES], start=1):
        try:
            halts.append(_halt(item))
        except ValueError as error:
            problems.append(Problem(f"{source} entry {number}", str(error)))
    return Page((), tuple(problems), tuple(halts))


def _halt(item: Any) -> Halt:
    symbol = _text(item, "IssueSymbol")
    if not symbol:
        raise ValueError("has no symbol")
    day, trades_at = _text(item, "ResumptionDate"), _text(item, "ResumptionTradeTime")
    return Halt(
        symbol=symbol.upper().replace(".", "-"),
        company=_text(item, "IssueName"),
        code=_text(item, "ReasonCode"),
        halted_at=_moment(_text(item, "HaltDate"), _text(item, "HaltTime")),
        resumes_at=_moment(day, trades_at) if day and trades_at else None,
    )


def _moment(day: str, time_of_day: str) -> datetime:
    """Read "08/07/2026" and "15:42:38", with or without milliseconds, and blanks before them."""
    month, _, rest = day.partition("/")
    number, _, year = rest.partition("/")
    return iso(f"{year}-{month}-{number}T{''.join(time_of_day.split())}", NEW_YORK)


def _text(item: Any, name: str) -> str:
    return one_line(item.findtext(f"{_NDAQ}{name}") or "")
