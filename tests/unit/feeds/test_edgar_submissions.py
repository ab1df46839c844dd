"""The filings of one company: which time their "Z" stands for is decided for each answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.readers.edgar_atom import parse_edgar_atom
from catalyst_bot.feeds.readers.edgar_submissions import parse_edgar_submissions, zone_of
from catalyst_bot.feeds.sources import EDGAR
from tests.builders import NOON
from tests.feed_samples import EDGAR_ENTRY, SUBMISSION, edgar_page, submissions

NEW_YORK = ZoneInfo("America/New_York")
LATER = datetime(2026, 9, 1, tzinfo=UTC)


def parse(content: bytes, received_at: datetime = NOON) -> Page:
    return parse_edgar_submissions(content, source=EDGAR, received_at=received_at)


def test_a_filing_is_the_same_as_in_the_feed_of_all_companies():
    (told,) = parse(submissions(SUBMISSION)).headlines
    (current,) = parse_edgar_atom(edgar_page(EDGAR_ENTRY), source=EDGAR, received_at=NOON).headlines
    assert told.item_id == current.item_id
    assert told.published_at == current.published_at
    assert (told.title, told.url, told.cik) == (current.title, current.url, current.cik)
    assert told.symbols == ("ACME", "ACMEW")
    assert (told.form, told.items) == ("8-K", ("2.02", "9.01"))


@pytest.mark.parametrize(
    ("form", "file_number", "role"),
    [
        ("8-K", "001-1", "Filer"),
        ("424B5", "333-1", "Filer"),
        ("4", "", "Issuer"),
        ("SC 13G/A", "005-1", "Subject"),
        ("SCHEDULE 13D", "005-1", "Subject"),
        ("SCHEDULE 13D", "", "Filed by"),
        ("SC TO-T", "005-1", "Subject"),
    ],
)
def test_the_role_is_that_of_the_feed_of_all_companies(form: str, file_number: str, role: str):
    row = {**SUBMISSION, "form": form, "fileNumber": file_number}
    (told,) = parse(submissions(row)).headlines
    assert told.title == f"{form} - ACME CORP (0000000101) ({role})"


WEEKDAYS = st.integers(0, 4).map(lambda n: datetime(2025, 9, 1, tzinfo=NEW_YORK) + timedelta(n))
MORNINGS = st.builds(
    lambda day, minute: day + timedelta(minutes=minute), WEEKDAYS, st.integers(6 * 60, 17 * 60 + 29)
)


@given(st.lists(MORNINGS, min_size=1, max_size=30), st.booleans())
def test_filings_late_in_the_day_tell_the_zone(accepted: list[datetime], is_utc: bool):
    """After 16:00 in New York it is after EDGAR's hours, or another day, in the wrong reading."""
    late = [at.replace(hour=16, minute=5) for at in accepted] + accepted
    written = [at.astimezone(UTC) if is_utc else at for at in late]
    rows = [
        (f"{text:%Y-%m-%dT%H:%M:%S}.000Z", f"{at:%Y-%m-%d}")
        for text, at in zip(written, late, strict=True)
    ]
    early = [at for at in late if at.hour < 10]
    decided = zone_of(rows)
    if is_utc or early:  # without a filing before 10:00 both readings fit, and Z is believed
        assert decided == (UTC if is_utc else NEW_YORK)


def test_what_is_accepted_in_the_evening_is_filed_on_the_next_business_day():
    friday_evening = [("2025-10-03T21:19:18.000Z", "2025-10-06")]
    assert zone_of(friday_evening) == NEW_YORK  # in the other reading it is 17:19, and that day's
    assert zone_of([("2025-10-03T18:30:00.000Z", "2025-10-03")]) == UTC  # both fit


def test_real_answers_hold_either_time(shared_data: Path):
    folder = shared_data / "fixtures" / "edgar_submissions"
    pages = {file.name: parse(file.read_bytes(), LATER) for file in folder.glob("*.json")}
    assert all(len(page.headlines) == 60 and not page.problems for page in pages.values())
    eastern, utc = (
        {item.accession: item.published_at for item in pages[name].headlines}
        for name in sorted(pages)
        if name.startswith("AAPL")
    )
    assert eastern == utc


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cik": "x"}, "cik and filings.recent are missing"),
        ({"filings": None}, "cik and filings.recent are missing"),
        ({"filings": {"recent": {"form": ["8-K"]}}}, "has no accessionNumber, filingDate"),
    ],
)
def test_an_answer_that_is_none_is_refused(change: dict[str, Any], reason: str):
    told = json.loads(submissions(SUBMISSION)) | change
    with pytest.raises(BadData, match=reason):
        parse(json.dumps(told).encode())


def test_columns_of_different_length_are_refused():
    told = json.loads(submissions(SUBMISSION, SUBMISSION))
    told["filings"]["recent"]["items"].pop()
    with pytest.raises(BadData, match="differ in length"):
        parse(json.dumps(told).encode())


def test_a_broken_row_costs_nothing_but_itself():
    rows = [SUBMISSION | {"acceptanceDateTime": "soon"}, SUBMISSION | {"form": ""}, SUBMISSION]
    page = parse(submissions(*rows))
    assert len(page.headlines) == 1
    assert [problem.place for problem in page.problems] == [f"{EDGAR} filing {n}" for n in (1, 2)]
