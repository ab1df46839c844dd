from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from backports import zstd

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.messages.facts import HeadlineReceived, HeadlineUnreadable
from catalyst_bot.feeds import lines
from catalyst_bot.feeds.recorded import NewsFact, read_news
from tests.builders import OPEN, calendar

START = datetime(2025, 10, 1, tzinfo=UTC)
END = datetime(2025, 11, 1, tzinfo=UTC)
ROW: dict[str, Any] = {
    "published_at": "2025-10-06T15:59:00Z",
    "symbols": ["ACME"],
    "title": "Acme  beats estimates",
    "body": None,
    "source": "Example Wire",
    "url": "https://example.com/1",
    "label_sentiment": "Positive",
    "topics": "['Earnings']",
    "labels": ["earnings"],
}


def write(folder: Path, *rows: object, name: str = "news.jsonl") -> Path:
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    data = "\n".join(texts).encode() + b"\n"
    path = folder / name
    path.write_bytes(zstd.compress(data) if name.endswith(".zst") else data)
    return path


def read(*paths: Path, start: datetime = START, end: datetime = END) -> list[NewsFact]:
    return list(read_news(paths, calendar=calendar(), start=start, end=end))


def only(*paths: Path) -> HeadlineReceived:
    (fact,) = read(*paths)
    assert isinstance(fact, HeadlineReceived)
    return fact


@pytest.mark.parametrize("name", ["news.jsonl", "news.jsonl.zst"])
def test_a_line_is_received_a_minute_after_its_publication(tmp_path: Path, name: str):
    fact = only(write(tmp_path, ROW, name=name))
    item = fact.headline
    assert item.title == "Acme beats estimates"
    assert (item.symbols, item.body, item.source) == (("ACME",), "", "Example Wire")
    assert item.published_at == datetime(2025, 10, 6, 15, 59, tzinfo=UTC)
    assert fact.at == item.received_at == item.published_at + timedelta(seconds=60)


def test_vendor_labels_stay_outside(tmp_path: Path):
    unlabelled = {key: value for key, value in ROW.items() if "label" not in key}
    unlabelled.pop("topics")
    assert only(write(tmp_path, ROW)) == only(write(tmp_path, unlabelled, name="b.jsonl"))


@pytest.mark.parametrize(
    ("published", "more"),
    [("2025-10-03", {}), ("2025-10-03T04:00:00Z", {"time_known": False}), ("2025-10-05", {})],
)
def test_a_date_without_time_waits_for_the_first_open_after_that_day(
    tmp_path: Path, published: str, more: dict[str, Any]
):
    fact = only(write(tmp_path, ROW | {"published_at": published} | more))
    assert fact.at == OPEN  # Monday; the third is a Friday, the fifth a Sunday
    assert fact.headline.published_at == fact.headline.received_at


def test_filings_keep_form_items_and_number(tmp_path: Path):
    filing = {"form": "8-K", "items": ["2.02"], "cik": 101, "accession": "0000000101-25-000001"}
    item = only(write(tmp_path, ROW | filing)).headline
    assert (item.form, item.items, item.cik) == ("8-K", ("2.02",), 101)
    assert item.accession == "0000000101-25-000001"


def test_several_files_are_merged_by_time_of_receipt(tmp_path: Path):
    late = write(tmp_path, ROW | {"published_at": "2025-10-07T10:00:00Z"}, ROW, name="a.jsonl")
    early = write(tmp_path, ROW | {"published_at": "2025-10-02T10:00:00+02:00"}, name="b.jsonl")
    times = [fact.at for fact in read(late, early)]
    assert times == sorted(times)
    assert len(times) == 3


def test_the_window_is_half_open_in_time_of_receipt(tmp_path: Path):
    path = write(tmp_path, ROW)
    at = datetime(2025, 10, 6, 16, 0, tzinfo=UTC)
    assert len(read(path, start=at)) == 1
    assert not read(path, start=at + timedelta(seconds=1))
    assert not read(path, end=at)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ("[" * 100_000, "is not JSON"),
        (ROW | {"title": " "}, "has no title"),
        (ROW | {"title": 7}, "has a title that is no text"),
        (ROW | {"published_at": None}, "has no published_at"),
        (ROW | {"published_at": "today"}, "has no readable published_at: 'today'"),
        (ROW | {"published_at": "2025-13-01"}, "has no readable published_at"),
        (ROW | {"published_at": "2025-13-01T10:00:00Z"}, "has no readable published_at"),
        (ROW | {"published_at": "0001-01-01T00:00:00+14:00"}, "outside all calendars"),
        (ROW | {"symbols": "ACME"}, "has symbols that are no list"),
        (ROW | {"cik": "101"}, "has a cik that is no whole number"),
    ],
)
def test_a_bad_line_is_recorded_with_file_line_and_reason(tmp_path: Path, bad: object, reason: str):
    facts = read(write(tmp_path, ROW, bad, ROW))
    (problem,) = [fact for fact in facts if isinstance(fact, HeadlineUnreadable)]
    assert problem.place == "news.jsonl:2"
    assert reason in problem.reason
    assert len(facts) == 3


def test_a_file_without_any_news_item_is_refused(tmp_path: Path):
    with pytest.raises(BadData, match=r"news\.jsonl:1: is not JSON.*expected one JSON object"):
        read(write(tmp_path, "<html>", "</html>"))


def test_an_empty_file_is_empty_news(tmp_path: Path):
    path = tmp_path / "news.jsonl"
    path.write_bytes(b"\n\n")
    assert read(path) == []


def test_a_truncated_archive_is_refused_with_the_line_reached(tmp_path: Path):
    path = write(
        tmp_path, *[ROW | {"title": f"Acme {n}"} for n in range(5_000)], name="n.jsonl.zst"
    )
    whole = path.read_bytes()
    for size in (len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(BadData, match=r"jsonl\.zst:\d+: .*ended before the end.*again"):
            read(path)


def test_the_last_line_needs_no_line_break_and_no_line_is_endless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "news.jsonl"
    path.write_text(json.dumps(ROW))
    assert len(read(path)) == 1
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 10)
    with pytest.raises(BadData, match=r"news\.jsonl:1: a line of more than 10 bytes"):
        read(path)


def test_an_archive_of_two_frames_is_read_to_its_end(tmp_path: Path):
    path = tmp_path / "two.jsonl.zst"
    line = json.dumps(ROW).encode() + b"\n"
    path.write_bytes(zstd.compress(line) + zstd.compress(line))
    assert len(read(path)) == 2


def test_a_file_that_is_no_archive_and_one_that_is_missing_are_named(tmp_path: Path):
    fake = tmp_path / "fake.jsonl.zst"
    fake.write_text(json.dumps(ROW))
    with pytest.raises(BadData, match=r"fake\.jsonl\.zst:1: not readable as zstd"):
        read(fake)
    with pytest.raises(BadData, match=r"gone\.jsonl:1: cannot be read"):
        read(tmp_path / "gone.jsonl")


def test_the_real_month_is_read_whole(shared_data: Path):
    news = shared_data / "news"
    facts = read(news / "stocknewsapi_2025-10.jsonl.zst", news / "sec_filings_2025-10.jsonl.zst")
    assert all(isinstance(fact, HeadlineReceived) for fact in facts)
    assert len(facts) > 1_500


@pytest.mark.parametrize("published", ["1990-01-01", "2025-09-01", "2025-11-02"])
def test_a_date_far_from_the_window_is_not_looked_up(tmp_path: Path, published: str):
    assert read(write(tmp_path, ROW | {"published_at": published})) == []
