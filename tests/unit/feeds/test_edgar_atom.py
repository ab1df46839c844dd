from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.readers.edgar_atom import parse_edgar_atom
from tests.builders import NOON

ENTRY = """<entry>
<title>8-K - ACME CORP (0000000101) (Filer)</title>
<link rel="alternate" type="text/html" href="https://example.com/101-index.htm"/>
<summary type="html">
 &lt;b&gt;Filed:&lt;/b&gt; 2025-10-06 &lt;b&gt;AccNo:&lt;/b&gt; 0000000101-25-000001
&lt;br&gt;Item 2.02: Results of Operations and Financial Condition
&lt;br&gt;Item 9.01: Financial Statements and Exhibits
</summary>
<updated>2025-10-06T11:59:00-04:00</updated>
<category scheme="https://www.sec.gov/" label="form type" term="8-K"/>
<id>urn:tag:sec.gov,2008:accession-number=0000000101-25-000001</id>
</entry>"""

LATER = datetime(2026, 9, 1, tzinfo=UTC)  # than every capture


def page(*entries: str) -> bytes:
    head = '<?xml version="1.0" encoding="ISO-8859-1" ?><feed xmlns="http://www.w3.org/2005/Atom">'
    return f"{head}{''.join(entries)}</feed>".encode("latin-1")


def parse(content: bytes) -> Page:
    return parse_edgar_atom(content, source="SEC EDGAR", received_at=NOON)


def test_an_entry_becomes_a_headline():
    (item,) = parse(page(ENTRY)).headlines
    assert item.title == "8-K - ACME CORP (0000000101) (Filer)"
    assert (item.form, item.items, item.cik) == ("8-K", ("2.02", "9.01"), 101)
    assert item.accession == "0000000101-25-000001"
    assert item.published_at == datetime(2025, 10, 6, 15, 59, tzinfo=UTC)
    assert item.received_at == NOON
    assert "<" not in item.body
    assert item.url == "https://example.com/101-index.htm"


def test_parties_of_one_filing_have_ids_of_their_own():
    other = ENTRY.replace("(0000000101) (Filer)", "(0000000102) (Filer)")
    first, second = parse(page(ENTRY, other)).headlines
    assert first.accession == second.accession
    assert first.item_id != second.item_id
    assert parse(page(ENTRY)).headlines[0].item_id == first.item_id


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("2025-10-06T11:59:00-04:00", "yesterday"), "no readable time: 'yesterday'"),
        (("2025-10-06T11:59:00-04:00", "2025-10-06T11:59:00"), "a time without its zone"),
        (("2025-10-06T11:59:00-04:00", "1970-01-01T00:00:00Z"), "before there were feeds"),
        (("2025-10-06T11:59:00-04:00", "2525-10-06T11:59:00-04:00"), "still to come"),
        (("accession-number=", "x="), "no title or no accession"),
        (('term="8-K"', ""), "no form type"),
    ],
)
def test_a_broken_entry_is_a_problem_and_the_others_stay(change: tuple[str, str], reason: str):
    result = parse(page(ENTRY.replace(*change), ENTRY))
    assert len(result.headlines) == 1
    (problem,) = result.problems
    assert problem.place == "SEC EDGAR entry 1"
    assert reason in problem.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not readable as XML"),
        (b"\x00\x01", "not readable as XML"),
        (page(ENTRY)[:-20], "not readable as XML"),
        (b"<rss/>", "not an Atom feed, the document is a <rss>"),
        (b"<!DOCTYPE html><title>Busy</title>", "an HTML page instead of XML: 'Busy'"),
        (b"  <html>", "an HTML page instead of XML: 'without a title'"),
        (b'<?xml version="1.0" encoding="no-such"?><feed/>', "not readable as XML"),
        (b'<!DOCTYPE f [<!ENTITY a "b">]><feed>&a;</feed>', "not readable as XML"),
    ],
)
def test_a_broken_page_is_refused_with_the_reason(content: bytes, reason: str):
    with pytest.raises(BadData, match="SEC EDGAR: ") as refusal:
        parse(content)
    assert reason in str(refusal.value)


def test_the_feed_of_one_company_has_its_cik_at_the_top():
    company = (
        "<company-info><cik>0000000101</cik><conformed-name>Acme  Corp</conformed-name>"
        "</company-info>"
    )
    entry = ENTRY.replace("8-K - ACME CORP (0000000101) (Filer)", "8-K  - Current report")
    entry = entry.replace("Item ", "").replace(
        "<updated>", "<content><items-desc>items 1.01 and 9.01</items-desc></content><updated>"
    )
    (item,) = parse(page(company, entry)).headlines
    assert item.title == "8-K - Acme Corp (0000000101) (Filer)"
    assert (item.cik, item.items) == (101, ("1.01", "9.01"))


def test_real_captures_are_read_whole(shared_data: Path):
    folder = shared_data / "fixtures" / "edgar_atom"
    counts = {}
    for file in sorted(folder.glob("*.xml")):
        result = parse_edgar_atom(file.read_bytes(), source="SEC EDGAR", received_at=LATER)
        assert not result.problems
        counts[file.name] = len(result.headlines)
    assert counts["getcurrent_rich8k_0.xml"] == counts["getcurrent_start0_0.xml"] == 100
    with pytest.raises(BadData, match="File Unavailable"):
        parse((folder / "getcurrent_503.html").read_bytes())
