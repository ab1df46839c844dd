"""A feed of JSON lines: what a collector of one's own, or the exchange server, hands out.

The same rows as in recorded files, so that what was recorded can be served and read unchanged.
"""

from __future__ import annotations

from datetime import datetime

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.entries import refuse_flood
from catalyst_bot.feeds.page import MAX_ENTRIES, Page, Problem, refuse_html
from catalyst_bot.feeds.rows import headline_of, row_of


def parse_json_lines(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read a page, oldest line first. Raises `BadData` when no line of it is a news item."""
    refuse_html(content, source)
    refuse_flood(content, source, (b"{", b"[", b","))
    headlines: list[Headline] = []
    problems: list[Problem] = []
    lines = [line for line in content.split(b"\n") if line.strip()]
    for number, line in enumerate(lines[-MAX_ENTRIES:], start=1):
        try:
            headlines.append(headline_of(row_of(line), received_at))
        except ValueError as error:
            problems.append(Problem(f"{source} line {number}", str(error)))
    if problems and not headlines:
        raise BadData(
            f"{source}: {problems[0].reason}; no line is a news item: expected one JSON object a "
            "line with published_at and title"
        )
    return Page(tuple(headlines), tuple(problems))
