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
        ("SC 13G", (), "passive_stake", 0),
        ("SCHEDULE 13G", (), "passive_stake", 0),
        ("SC TO-T", (), "tender_offer", 1),
        ("S-3", (), "shelf_registration", -1),
        ("25", (), "delisting", -1),
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


# Form 8-K, general instructions (SEC): every item with its title, and what we read it as. None is
# an item that says nothing about the share.
ITEMS = [
    ("1.01", "Entry into a Material Definitive Agreement", "material_agreement"),
    ("1.02", "Termination of a Material Definitive Agreement", "agreement_ended"),
    ("1.03", "Bankruptcy or Receivership", "bankruptcy"),
    ("1.04", "Mine Safety: Reporting of Shutdowns and Patterns of Violations", None),
    ("1.05", "Material Cybersecurity Incidents", "cyber_or_outage"),
    ("2.01", "Completion of Acquisition or Disposition of Assets", "acquisition_announced"),
    ("2.02", "Results of Operations and Financial Condition", "earnings_results"),
    ("2.03", "Creation of a Direct Financial Obligation", "debt_financing"),
    ("2.04", "Triggering Events That Accelerate a Direct Financial Obligation", "debt_default"),
    ("2.05", "Costs Associated with Exit or Disposal Activities", "layoffs"),
    ("2.06", "Material Impairments", "impairment"),
    ("3.01", "Notice of Delisting or Failure to Satisfy a Listing Rule", "listing_deficiency"),
    ("3.02", "Unregistered Sales of Equity Securities", "private_placement"),
    ("3.03", "Material Modification to Rights of Security Holders", "holder_rights_change"),
    ("4.01", "Changes in Registrant's Certifying Accountant", "auditor_change"),
    ("4.02", "Non-Reliance on Previously Issued Financial Statements", "restatement"),
    ("5.01", "Changes in Control of Registrant", "control_change"),
    ("5.02", "Departure of Directors or Certain Officers", "management_change"),
    ("5.03", "Amendments to Articles of Incorporation or Bylaws; Fiscal Year", None),
    ("5.04", "Temporary Suspension of Trading Under Employee Benefit Plans", None),
    ("5.05", "Amendments to the Code of Ethics", None),
    ("5.06", "Change in Shell Company Status", None),
    ("5.07", "Submission of Matters to a Vote of Security Holders", None),
    ("5.08", "Shareholder Director Nominations", None),
    ("6.01", "ABS Informational and Computational Material", None),
    ("6.02", "Change of Servicer or Trustee", None),
    ("6.03", "Change in Credit Enhancement or Other External Support", None),
    ("6.04", "Failure to Make a Required Distribution", None),
    ("6.05", "Securities Act Updating Disclosure", None),
    ("6.06", "Static Pool", None),
    ("7.01", "Regulation FD Disclosure", "regulation_fd"),
    ("8.01", "Other Events", "other_event"),
    ("9.01", "Financial Statements and Exhibits", None),
]


@pytest.mark.parametrize(("item", "title", "category"), ITEMS)
def test_every_item_of_form_8_k_is_mapped(item: str, title: str, category: str | None):
    filings = rules().filings
    assert (item in filings.items) != (item in filings.ignored_items), title
    reading = read_filing("8-K", (item, "9.01"), filings)
    assert (reading.category.name if isinstance(reading, FilingReading) else None) == category
