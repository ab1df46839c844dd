from __future__ import annotations

import pytest

from catalyst_bot.detection.filings import FilingReading, is_by_another_party, read_filing
from tests.builders import headline
from tests.detection_rules import rules


@pytest.mark.parametrize(
    ("form", "items", "category", "polarity"),
    [
        ("8-K", ("2.02", "9.01"), "earnings_results", 0),
        ("8-K", ("7.01",), "regulation_fd", 0),
        ("8-K", ("1.03",), "bankruptcy", -1),
        ("8-K", ("4.02",), "restatement", -1),
        ("8-K", ("1.05",), "cyber_or_outage", -1),
        ("8-K", ("2.02", "3.01"), "listing_deficiency", -1),
        ("8-K", ("1.01", "3.02", "1.03"), "bankruptcy", -1),
        ("8-K", ("5.02", "2.02"), "earnings_results", 0),
        ("SC 13D", (), "large_stake", 0),
        ("SCHEDULE 13D", (), "large_stake", 0),
        ("424B5", (), "prospectus", 0),
        ("NT 10-K", (), "late_filing", -1),
    ],
)
def test_form_and_items_tell_the_category(
    form: str, items: tuple[str, ...], category: str, polarity: int
):
    reading = read_filing(form, items, rules().filings)
    assert isinstance(reading, FilingReading)
    assert (reading.category.name, reading.category.polarity) == (category, polarity)


@pytest.mark.parametrize(
    ("form", "items", "reason"),
    [
        ("4", (), "routine_filing"),
        ("10-K", (), "routine_filing"),
        ("10-Q", (), "routine_filing"),
        ("8-K", ("9.01",), "routine_filing"),
        ("8-K", ("5.03", "5.07"), "routine_filing"),
        ("8-K", (), "routine_filing"),
        ("8-K", ("99.99",), "routine_filing"),
        ("SC 13G", (), "routine_filing"),
        ("424B2", (), "structured_note"),
        ("FWP", (), "structured_note"),
        ("8-K/A", ("2.02",), "amended_filing"),
        ("SCHEDULE 13D/A", (), "amended_filing"),
    ],
)
def test_filings_that_are_no_catalysts(form: str, items: tuple[str, ...], reason: str):
    assert read_filing(form, items, rules().filings) == reason


def test_results_are_certain_enough_to_wait_for_the_reaction():
    reading = read_filing("8-K", ("2.02",), rules().filings)
    assert isinstance(reading, FilingReading)
    assert reading.precision >= 0.9


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("4 - Roe Jane (0000000009) (Reporting)", True),
        ("425 - Zeta (0000000009) (Filed by)", True),
        ("425 - Acme (0000000009) (Subject)", False),
        ("4 - Acme (0000000009) (Issuer)", False),
        ("8-K - Acme (0000000009) (Filer)", False),
    ],
)
def test_the_party_that_reports_is_not_the_subject(title: str, expected: bool):
    assert is_by_another_party(headline(title=title, form="4")) is expected
    assert not is_by_another_party(headline(title=title, form=""))
