from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.readers.finviz import parse_finviz
from tests.builders import NOON
from tests.feed_samples import export, finviz


def parse(content: bytes, received_at: datetime = NOON) -> Page:
    return parse_finviz(content, source="Finviz", received_at=received_at)


def utc(day: int, hour: int, minute: int, *, month: int = 10) -> datetime:
    return datetime(2025, month, day, hour, minute, tzinfo=UTC)


def test_a_bare_time_inherits_the_day_above():
    page = parse(
        finviz("Today 09:30AM", "12:05AM", "Yesterday 11:30PM", "Oct-03-25 03:56PM", "09:00AM")
    )
    assert [item.published_at for item in page.headlines] == [
        utc(6, 13, 30),
        utc(6, 4, 5),
        utc(6, 3, 30),
        utc(3, 19, 56),
        utc(3, 13, 0),
    ]


@pytest.mark.parametrize("broken", ["Soon 10:00AM", "Foo-03-25 10:00AM", "Feb-31-25 10:00AM", ""])
def test_below_an_unreadable_day_no_time_is_invented(broken: str):
    page = parse(finviz("Today 09:30AM", broken, "09:00AM", "Oct-03-25 09:00AM"))
    assert [item.published_at for item in page.headlines] == [utc(6, 13, 30), utc(3, 13, 0)]
    assert [problem.place for problem in page.problems] == ["Finviz entry 2", "Finviz entry 3"]
    assert all("no readable time" in problem.reason for problem in page.problems)


def test_a_first_row_with_a_bare_time_has_none():
    page = parse(finviz("09:30AM"))
    assert not page.headlines
    assert "no readable time: '09:30AM'" in page.problems[0].reason


def test_a_page_kept_over_midnight_is_not_believed():
    page = parse(finviz("Today 11:59PM"), received_at=datetime(2025, 10, 7, 4, 5, tzinfo=UTC))
    assert "still to come" in page.problems[0].reason


def test_winter_is_another_offset():
    page = parse(finviz("Jan-15-25 09:30AM"))
    assert page.headlines[0].published_at == utc(15, 14, 30, month=1)


def test_a_row_without_a_link_is_a_problem():
    row = (
        b'<table id="news-table"><tr><td>Today 09:30AM</td><td>an advertisement</td></tr><tr></tr>'
    )
    page = parse(row)
    assert [problem.reason for problem in page.problems] == [
        "has no title",
        "has no readable time: ''",
    ]


@pytest.mark.parametrize(
    "written", ["2025-10-06 11:59:00", "10/6/2025 11:59", "10/06/2025 11:59:00 AM"]
)
def test_an_export_is_read_in_new_york(written: str):
    page = parse(
        export(f'"Acme, Zeta sign deal",Example Wire,{written},https://e.com,Stock,"ACME,Z"')
    )
    (item,) = page.headlines
    assert item.title == "Acme, Zeta sign deal"
    assert item.published_at == utc(6, 15, 59)
    assert (item.source, item.symbols) == ("Example Wire", ("ACME", "Z"))


@pytest.mark.parametrize(
    "written", ["", "soon", "10/6/2025", "2025-10-06", "13/6/2025 11:59", "1/1/1970 0:00"]
)
def test_an_export_with_an_unreadable_date_is_a_problem(written: str):
    page = parse(export(f"Acme,Wire,{written},https://e.com,Stock,ACME", "short", ""))
    assert not page.headlines
    assert len(page.problems) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html><title>Log in</title></html>", "without the table of news"),
        (b"Ticker,Price\nA,1", "neither a table of news nor an export"),
        (b"Title,Source,Date,Url\n" + b'"' + b"a" * 200_000, "not readable as CSV"),
    ],
)
def test_a_page_that_is_neither_is_refused(content: bytes, reason: str):
    with pytest.raises(BadData, match=reason):
        parse(content)


def test_the_real_shape_is_read_whole(shared_data: Path):
    content = (shared_data / "fixtures" / "finviz" / "news_table_shape.html").read_bytes()
    page = parse(content, received_at=datetime(2026, 4, 5, 2, 0, tzinfo=UTC))
    assert not page.problems
    assert [item.source for item in page.headlines][-2:] == ["Reuters", "PR Newswire"]
    assert page.headlines[-1].published_at == datetime(2026, 4, 3, 13, 0, tzinfo=UTC)
