from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.page import MAX_ENTRIES, Page, plain_text
from catalyst_bot.feeds.rss import parse_rss
from tests.builders import NOON

ITEM = """<item><guid>https://example.com/1</guid><link>https://example.com/1</link>
<category domain="https://example.com/rss/stock">Nasdaq:acme</category>
<category domain="https://example.com/rss/stock">Paris:ZZB</category>
<category>ERN</category>
<title>Acme &amp;amp; Zeta   sign deal</title>
<description><![CDATA[<p>BOSTON -- Acme (Nasdaq: ACME)&nbsp;said <b>yes</b>.</p>]]></description>
<pubDate>Mon, 06 Oct 2025 15:59 GMT</pubDate></item>"""


def feed(*items: str) -> bytes:
    return f'<rss version="2.0"><channel><title>t</title>{"".join(items)}</channel></rss>'.encode()


def parse(content: bytes, source: str = "wire") -> Page:
    return parse_rss(content, source=source, received_at=NOON)


def test_an_item_becomes_a_headline_in_plain_text():
    (item,) = parse(feed(ITEM)).headlines
    assert item.title == "Acme & Zeta sign deal"
    assert item.body == "BOSTON -- Acme (Nasdaq: ACME) said yes ."
    assert item.symbols == ("ACME",)
    assert item.published_at == datetime(2025, 10, 6, 15, 59, tzinfo=UTC)
    assert item.source == "wire"


@pytest.mark.parametrize(
    "written",
    [
        "Mon, 06 Oct 2025 15:59:00 GMT",
        "Mon, 06 Oct 2025 11:59:00 -0400",
        "2025-10-06T15:59:00Z",
        "2025-10-06T11:59:00-04:00",
    ],
)
def test_dates_come_in_many_spellings(written: str):
    text = ITEM.replace("Mon, 06 Oct 2025 15:59 GMT", written)
    assert parse(feed(text)).headlines[0].published_at == datetime(2025, 10, 6, 15, 59, tzinfo=UTC)


def test_an_aggregator_names_the_outlet_in_the_title():
    text = ITEM.replace("sign deal", "sign deal - Example Wire")
    (item,) = parse(feed(text), source="google").headlines
    assert (item.title, item.source) == ("Acme & Zeta sign deal", "Example Wire")


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (ITEM.replace("Mon, 06 Oct 2025 15:59 GMT", "soon"), "no readable time"),
        ("<item><title>No date</title></item>", "no readable time"),
        ("<item></item>", "has no title"),
    ],
)
def test_a_broken_item_is_a_problem_and_the_others_stay(item: str, reason: str):
    result = parse(feed(item, ITEM))
    assert len(result.headlines) == 1
    assert reason in result.problems[0].reason
    assert result.problems[0].place == "wire entry 1"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not XML"),
        (b"<!doctype HTML><title>Sorry</title>", "HTML page instead of XML: 'Sorry'"),
        (b"https://example.com/feed", "not XML"),
        (b"<rss", "not readable as a feed"),
        (b"\x00\x01\x02", "not XML"),
        (b'{"a": 1}', "not XML"),
    ],
)
def test_a_broken_page_is_refused_with_the_reason(content: bytes, reason: str):
    with pytest.raises(BadData, match="wire: ") as refusal:
        parse(content)
    assert reason in str(refusal.value)


def test_a_flood_of_items_is_cut():
    assert len(parse(feed(*[ITEM] * (MAX_ENTRIES + 50))).headlines) == MAX_ENTRIES


def test_entities_that_name_files_are_not_followed(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    evil = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    result = parse(evil.encode() + feed(ITEM.replace("Acme &amp;amp;", "Acme &x;")))
    assert [item.title.split()[0] for item in result.headlines] == ["Acme"]
    assert "hunter2" not in repr(result)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain\n text", "plain text"),
        ("<p>a</p><p>b</p>", "a b"),
        ("a &lt; b &amp; c", "a < b & c"),
        ("<script>alert(1)</script>x<style>y</style>", "x"),
        ("<<<>>> &#xFFFFFFF;", None),
        ("a\x00b", "a b"),
        ("a<!-- b > c -->d", "a d"),
        ("margin <expected", "margin <expected"),
        ("x<SCRIPT>1<2</SCRIPT >y", "x y"),
        ("<\u017fcript>x", "<\u017fcript>x"),
        ("\u0130<style>a</style>b", "\u0130 b"),
        ("half a pair: \ud800 \u00e9", "half a pair: ? \u00e9"),
        ("<a " * 100_000, None),
        ("<!--" * 100_000, ""),
        ("&#" + "9" * 10_000, None),
    ],
)
def test_markup_is_stripped(markup: str, text: str | None):
    stripped = plain_text(markup)
    assert text is None or stripped == text


def test_real_shapes_are_read_whole(shared_data: Path):
    for file in sorted((shared_data / "fixtures" / "wire_rss").glob("*.xml")):
        result = parse(file.read_bytes())
        assert result.headlines
        assert not result.problems
