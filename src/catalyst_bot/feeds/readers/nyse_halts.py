"""The NYSE's list of trading halts, of all exchanges: CSV with wall times of New York."""

from __future__ import annotations

import csv
from datetime import datetime

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.entries import refuse_flood
from catalyst_bot.feeds.page import (
    MAX_ENTRIES,
    Halt,
    Page,
    Problem,
    one_line,
    refuse_html,
    undamaged,
)
from catalyst_bot.feeds.times import NEW_YORK, iso

_COLUMNS = ("Halt Date", "Halt Time", "Symbol", "Name", "Reason")
# The words of this list for the codes of NASDAQ's.
_CODES = {"News Pending": "T1", "News Dissemination": "T2", "LULD Pause": "LUDP"}


def parse_nyse_halts(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read the list; its halts are in `Page.halts`. Raises `BadData` when it is none."""
    del received_at  # a list of halts says itself when they were
    refuse_html(content, source)
    refuse_flood(content, source, (b",",))
    rows = csv.DictReader(content.decode("utf-8-sig", "replace").splitlines())
    halts: list[Halt] = []
    problems: list[Problem] = []
    try:
        missing = [name for name in _COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise BadData(f"{source}: no list of halts: no column {', '.join(missing)}")
        for number, row in enumerate(rows, start=1):
            if number > MAX_ENTRIES:
                break
            try:
                halts.append(_halt(row))
            except ValueError as error:
                problems.append(Problem(f"{source} row {number}", str(error)))
    except csv.Error as error:
        raise BadData(f"{source}: not readable as CSV: {error}") from error
    return Page((), tuple(problems), tuple(halts))


def _halt(row: dict[str, str]) -> Halt:
    symbol = undamaged(_text(row, "Symbol"), "symbol")
    if not symbol:
        raise ValueError("has no symbol")
    reason = _text(row, "Reason")
    day, trades_at = _text(row, "Resume Date"), _text(row, "NYSE Resume Time")
    return Halt(
        symbol=symbol.upper().replace(".", "-"),
        company=_text(row, "Name"),
        code=_CODES.get(reason, reason),
        halted_at=iso(f"{_text(row, 'Halt Date')}T{_text(row, 'Halt Time')}", NEW_YORK),
        resumes_at=iso(f"{day}T{trades_at}", NEW_YORK) if day and trades_at else None,
    )


def _text(row: dict[str, str], name: str) -> str:
    """A cell, of which names come with their quotes."""
    return one_line((row.get(name) or "").strip(' "'))
