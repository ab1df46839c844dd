"""JSON lines feeds: recorded rows over HTTP, read like the recording itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.feeds.page import MAX_ENTRIES
from catalyst_bot.feeds.readers.json_lines import parse_json_lines
from catalyst_bot.feeds.recorded import read_news
from catalyst_bot.market_data.calendar_table import load_calendar
from tests.builders import NOON

ROW = {
    "published_at": "2025-10-06T15:00:00Z",
    "title": "Acme Wins FDA Approval",
    "source": "Wire",
    "symbols": ["ACME"],
    "form": "8-K",
    "items": ["8.01"],
    "cik": 7,
    "accession": "0000000007-25-000001",
    "label_sentiment": "positive",
}


def lines(*rows: object) -> bytes:
    return b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)


def test_a_row_reads_as_in_a_recording(tmp_path: Path) -> None:
    file = tmp_path / "news.jsonl"
    file.write_bytes(lines(ROW))
    start = NOON.replace(year=2025, month=10, day=1)
    (fact,) = read_news([file], calendar=load_calendar(), start=start, end=start.replace(month=11))
    assert isinstance(fact, HeadlineReceived)
    page = parse_json_lines(lines(ROW), source="JSON lines", received_at=fact.at)
    assert page.headlines == (fact.headline,)


def test_a_broken_line_costs_only_itself() -> None:
    page = parse_json_lines(lines(b"{", ROW, b"[]", b""), source="JSON lines", received_at=NOON)
    assert [problem.place for problem in page.problems] == [
        "JSON lines line 1",
        "JSON lines line 3",
    ]
    assert len(page.headlines) == 1


def test_the_newest_lines_are_kept() -> None:
    rows = [{**ROW, "title": f"News {n}", "accession": ""} for n in range(MAX_ENTRIES + 1)]
    page = parse_json_lines(lines(*rows), source="JSON lines", received_at=NOON)
    assert page.headlines[0].title == "News 1"
    assert page.headlines[-1].title == f"News {MAX_ENTRIES}"


@pytest.mark.parametrize("content", [b"<html><title>busy</title>", b"no JSON", b"{}"])
def test_a_page_without_news_is_refused(content: bytes) -> None:
    with pytest.raises(BadData, match="JSON lines"):
        parse_json_lines(content, source="JSON lines", received_at=NOON)


def test_an_empty_page_is_no_news() -> None:
    assert parse_json_lines(b"", source="JSON lines", received_at=NOON).headlines == ()


@pytest.mark.parametrize("key", ["title", "url", "symbols", "cik", "form"])
@pytest.mark.parametrize("value", ["[" * 900 + "]" * 900, '["' + "x" * 100_000 + '", 5]', "[NaN]"])
def test_a_strange_value_is_told_in_short(key: str, value: str) -> None:
    line = f'{{"published_at": "2025-10-06T15:00:00Z", "title": "a", "{key}": {value}}}'
    good = b'{"published_at": "2025-10-06T15:00:00Z", "title": "Acme"}'
    page = parse_json_lines(line.encode() + b"\n" + good, source="x", received_at=NOON)
    (problem,) = page.problems
    assert len(problem.reason) < 100


def test_what_cannot_be_stored_is_replaced() -> None:
    line = (
        b'{"published_at": "2025-10-06T15:00:00Z", "title": "a", "accession": "1", '
        b'"url": "\\ud800\\u0000", "symbols": ["\\ud800"]}'
    )
    (headline,) = parse_json_lines(line, source="x", received_at=NOON).headlines
    assert (headline.url, headline.symbols) == ("?", ("?",))
