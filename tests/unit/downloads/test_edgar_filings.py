"""Filings of a company: recent and older files, the time zone of each, politeness, the contact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.downloads.download import DownloadReport
from catalyst_bot.downloads.edgar_filings import EdgarFilings
from catalyst_bot.downloads.pages import Pages
from catalyst_bot.downloads.patience import Patience
from catalyst_bot.downloads.wanted import Period
from catalyst_bot.feeds.choice import contact_agent
from catalyst_bot.feeds.fetch import make_client
from catalyst_bot.feeds.lines import read_lines
from catalyst_bot.feeds.rows import headline_of, row_of
from catalyst_bot.feeds.sources import SOURCES
from catalyst_bot.feeds.turns import Turns
from catalyst_bot.market_data.catalog import news_files, read_catalog
from tests.feed_samples import SUBMISSION, submissions
from tests.feed_server import Reply, Server, serving
from tests.unit.downloads.desk import NOW, ask, outcomes, period

PATH = "/submissions/CIK0000000101.json"
OLDER = "CIK0000000101-submissions-001.json"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def make(server: Server, contact: str = "me@example.org") -> EdgarFilings:
    row = replace(SOURCES["edgar-submissions"], url=f"{server.origin}/submissions/CIK{{cik}}.json")
    return EdgarFilings(
        pages_of(),
        row=row,
        headers={"User-Agent": contact_agent(contact, row)},
        ciks={"ACME": 101},
        now=lambda: NOW,
    )


def pages_of() -> Pages:
    return Pages(make_client(), Patience(lambda _: None), Turns(((1_000, 1),)))


def download(server: Server, catalog: Path, days: Period | None = None) -> DownloadReport:
    return ask(make(server), catalog, "ACME", days=days)


def rows_of(catalog: Path) -> list[dict[str, Any]]:
    (file,) = news_files(catalog)
    return [row_of(line) for _, line in read_lines(file)]


def filing(number: int, at: str) -> dict[str, str]:
    accession = f"0000000101-25-{number:06d}"
    return {
        **SUBMISSION,
        "accessionNumber": accession,
        "filingDate": at[:10],
        "acceptanceDateTime": at,
    }


def test_filings_of_the_period_become_recorded_news(server: Server, tmp_path: Path) -> None:
    early, late = filing(2, "2025-09-01T15:00:00.000Z"), filing(3, "2025-10-20T15:00:00.000Z")
    server.replies[PATH] = Reply(body=submissions(late, SUBMISSION, early))
    report = download(server, tmp_path)
    assert report.is_complete, report.render()
    (row,) = rows_of(tmp_path)
    told = headline_of(row, NOW)
    assert (told.form, told.items, told.cik) == ("8-K", ("2.02", "9.01"), 101)
    assert (row["published_at"], told.accession) == ("2025-10-06T15:59:00Z", "0000000101-25-000001")
    assert told.symbols == ("ACME", "ACMEW")
    assert "me@example.org" in server.asked[0]["User-Agent"]
    (dataset,) = read_catalog(tmp_path)
    assert dataset.origin is not None
    assert dataset.origin.vendor == "SEC EDGAR"


def test_older_files_are_asked_for_only_where_they_reach_the_period(
    server: Server, tmp_path: Path
) -> None:
    told = json.loads(submissions(SUBMISSION))
    told["filings"]["files"] = [
        {"name": OLDER, "filingFrom": "2025-08-01", "filingTo": "2025-09-30"},
        {
            "name": OLDER.replace("1.json", "2.json"),
            "filingFrom": "2001-01-01",
            "filingTo": "2024-12-31",
        },
    ]
    server.replies[PATH] = Reply(body=json.dumps(told).encode())
    old = json.loads(submissions(filing(2, "2025-09-01T15:00:00.000Z")))["filings"]["recent"]
    server.replies[f"/submissions/{OLDER}"] = Reply(body=json.dumps(old).encode())
    assert download(server, tmp_path, period("2025-08-15", "2025-10-10")).is_complete
    assert server.paths() == [PATH, f"/submissions/{OLDER}"]
    assert [row["published_at"][:10] for row in rows_of(tmp_path)] == ["2025-09-01", "2025-10-06"]


def test_what_lies_after_a_period_is_there_when_a_longer_one_is_not_changed(
    server: Server, tmp_path: Path
) -> None:
    told = json.loads(submissions(SUBMISSION))
    told["filings"]["files"] = [
        {"name": OLDER, "filingFrom": "2025-08-01", "filingTo": "2025-09-30"}
    ]
    old = json.loads(submissions(filing(2, "2025-09-01T15:00:00.000Z")))["filings"]["recent"]
    server.replies[f"/submissions/{OLDER}"] = Reply(body=json.dumps(old).encode())
    server.replies[PATH] = Reply(body=json.dumps(told).encode())
    assert download(server, tmp_path, period("2025-03-01", "2025-04-01")).is_complete
    server.replies[PATH] = Reply(status=304)
    assert download(server, tmp_path, period("2025-03-01", "2025-10-10")).is_complete
    assert [row["published_at"][:10] for row in rows_of(tmp_path)] == ["2025-09-01", "2025-10-06"]


@pytest.mark.parametrize(
    "files",
    [
        [{"name": "../../etc/passwd", "filingFrom": "2025-01-01", "filingTo": "2025-12-31"}],
        [{"name": "https://other.example/x.json", "filingFrom": "2025", "filingTo": "2025"}],
        [{"name": OLDER}],
        ["x"],
        [None],
    ],
)
def test_an_answer_leads_nowhere_else(files: list[Any], server: Server, tmp_path: Path) -> None:
    told = json.loads(submissions(SUBMISSION))
    told["filings"]["files"] = files
    server.replies[PATH] = Reply(body=json.dumps(told).encode())
    report = download(server, tmp_path)
    assert outcomes(report) == ["refused"]
    assert server.paths() == [PATH]


def test_new_york_times_under_a_z_are_recognised(server: Server, tmp_path: Path) -> None:
    """After 17:30 in New York a filing is of the next day; read as UTC none of these would fit."""
    rows = [filing(n, f"2025-10-{6 + n:02d}T16:30:00.000Z") for n in range(3)]
    rows += [filing(8, "2025-10-06T21:45:00.000Z") | {"filingDate": "2025-10-07"}]
    rows += [filing(9, "2025-10-07T06:01:00.000Z")]
    server.replies[PATH] = Reply(body=submissions(*rows))
    assert download(server, tmp_path).is_complete
    times = [row["published_at"] for row in rows_of(tmp_path)]
    assert times[0] == "2025-10-06T20:30:00Z"


def test_what_did_not_change_is_not_sent_again_and_keeps_what_was_cut(
    server: Server, tmp_path: Path
) -> None:
    late = filing(3, "2025-10-20T15:00:00.000Z")
    server.replies[PATH] = Reply(body=submissions(late, SUBMISSION), headers={"ETag": '"1"'})
    download(server, tmp_path)
    server.replies[PATH] = Reply(status=304)
    report = download(server, tmp_path, period("2025-10-06", "2025-10-31"))
    assert outcomes(report) == ["unchanged"]
    assert len(rows_of(tmp_path)) == 2


def test_a_filing_that_cannot_be_read_is_told(server: Server, tmp_path: Path) -> None:
    broken = filing(2, "2025-10-07T15:00:00.000Z") | {"acceptanceDateTime": "soon"}
    server.replies[PATH] = Reply(body=submissions(SUBMISSION, broken))
    report = download(server, tmp_path)
    assert len(rows_of(tmp_path)) == 1
    assert "1 unreadable, such as SEC EDGAR filing 2: has no readable time" in report.render()


def test_a_quiet_company_is_no_failure(server: Server, tmp_path: Path) -> None:
    server.replies[PATH] = Reply(body=submissions(filing(2, "2025-09-01T15:00:00.000Z")))
    report = download(server, tmp_path)
    assert (report.is_complete, outcomes(report)) == (True, ["fetched"])
    assert read_catalog(tmp_path) == ()


def test_without_a_contact_nothing_is_asked(server: Server) -> None:
    with pytest.raises(ConfigError, match=r"feeds\.edgar_contact"):
        make(server, contact="nobody")
    assert server.asked == []


def test_a_company_without_a_number_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no CIK of ZZZ is known"):
        ask(make(server), tmp_path, "ZZZ")
