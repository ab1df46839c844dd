from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.feeds.page import MAX_ENTRIES, Page, plain_text
from catalyst_bot.feeds.readers.rss import parse_rss
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
    (item,) = parse(feed(ITEM), source="globenewswire").headlines
    assert item.title == "Acme & Zeta sign deal"
    assert item.body == "BOSTON -- Acme (Nasdaq: ACME) said yes ."
    assert item.symbols == ("ACME",)
    assert item.published_at == datetime(2025, 10, 6, 15, 59, tzinfo=UTC)
    assert item.source == "globenewswire"


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
        ("<item></item>", "no readable time"),
        (ITEM.replace("Acme &amp;amp; Zeta   sign deal", " <b/> "), "has no title"),
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
        (b"<rss", "not readable as XML"),
        (b"<shtml/>", "not a feed, the document is a <shtml>"),
        (feed(ITEM)[:-30], "not readable as XML"),
        (b'<?xml version="1.0" encoding="no-such"?><rss/>', "not readable as XML"),
        (b"<a>" * 40_000, "not readable as XML"),
        (b"<rss>" + b"<a>" * 200_000, "at most 150,000 are read"),
        (b"<rss/>" + b" " * (5 << 20), "at most 5,242,880 are read"),
        (b'<!DOCTYPE r [<!ENTITY a "b">]><rss>&a;</rss>', "declares entities"),
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


def test_entities_hidden_in_another_charset_are_not_followed(tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    evil = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}">]>' + feed(ITEM).decode()
    page = parse(evil.replace("sign deal", "sign &x;").encode("utf-16-le"))
    assert len(page.headlines) == 1
    assert "hunter2" not in repr(page)


def test_a_declaration_without_entities_is_no_harm():
    old = b'<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://localhost/rss.dtd">'
    assert len(parse(old + feed(ITEM)).headlines) == 1


@pytest.mark.parametrize(
    ("written", "title"),
    [
        (b"sign\x0b deal", "Acme & Zeta sign deal"),
        (b"sign R&D deal", "Acme & Zeta sign R&D deal"),
        (b"sign&nbsp;deal", "Acme & Zeta sign deal"),
    ],
)
def test_what_senders_break_is_mended(written: bytes, title: str):
    assert parse(feed(ITEM).replace(b"sign deal", written)).headlines[0].title == title


def test_a_title_in_another_character_set_is_refused_and_counted():
    latin = ITEM.replace("sign deal", "sign caf\xe9 deal").encode("latin-1")
    other = ITEM.replace("com/1", "com/2")
    content = feed(other, ITEM).replace(ITEM.encode(), latin)
    result = parse(content)
    assert [headline.title for headline in result.headlines] == ["Acme & Zeta sign deal"]
    (problem,) = result.problems
    assert "has a title in another character set than its page says" in problem.reason
    declared = b'<?xml version="1.0" encoding="iso-8859-1"?>' + feed(ITEM).replace(
        ITEM.encode(), latin
    )
    assert parse(declared).headlines[0].title == "Acme & Zeta sign caf\xe9 deal"


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


def test_only_globenewswire_names_symbols_in_categories():
    assert parse(feed(ITEM), source="prnewswire").headlines[0].symbols == ()


@pytest.mark.parametrize(
    ("title", "source", "told"),
    [
        ("Acme wins - a lot - Example Wire", "", ("Acme wins - a lot", "Example Wire")),
        ("Acme wins - The E - Wire", "The E - Wire", ("Acme wins", "The E - Wire")),
        ("Acme wins", "Example Wire", ("Acme wins", "Example Wire")),
        ("Acme wins", "", ("Acme wins", "google")),
    ],
)
def test_an_aggregator_names_the_outlet(title: str, source: str, told: tuple[str, str]):
    text = ITEM.replace("Acme &amp;amp; Zeta   sign deal", title)
    text = text.replace("</item>", f"<source>{source}</source></item>")
    (item,) = parse(feed(text), source="google").headlines
    assert (item.title, item.source) == told


def test_the_words_of_other_vocabularies_are_not_the_items():
    media = '<m:title xmlns:m="http://search.yahoo.com/mrss/">A picture</m:title>'
    assert parse(feed(ITEM.replace("<guid>", f"{media}<guid>"))).headlines[0].title.startswith("Ac")


def test_an_atom_entry_is_read_too():
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id><title>Acme wins</title>
    <link rel="self" href="https://example.com/x"/><link href="https://example.com/1"/>
    <updated>2025-10-06T15:59:00Z</updated><summary>Yes</summary></entry></feed>"""
    (item,) = parse(atom).headlines
    assert (item.title, item.url, item.body) == ("Acme wins", "https://example.com/1", "Yes")


def test_links_that_a_browser_would_run_are_left_out():
    text = ITEM.replace("<link>https://example.com/1", "<link>javascript:alert(1)")
    assert parse(feed(text)).headlines[0].url == ""


def test_real_shapes_are_read_whole(shared_data: Path):
    folder = shared_data / "fixtures" / "wire_rss"
    sources = {"globenewswire": 3, "google_news": 1, "prnewswire": 1}
    sources |= {"yahoo_general": 1, "yahoo_symbol": 1}
    seen = {}
    for name, count in sources.items():
        result = parse_rss(
            (folder / f"{name}_shape.xml").read_bytes(),
            source=name.partition("_")[0],
            received_at=datetime(2026, 7, 17, tzinfo=UTC),
        )
        assert not result.problems
        assert len(result.headlines) == count
        seen[name] = result.headlines
    assert [item.symbols for item in seen["globenewswire"]] == [("ZZTA",), (), ()]
    assert seen["globenewswire"][0].published_at == datetime(2026, 7, 16, 11, 30, tzinfo=UTC)
    assert seen["prnewswire"][0].symbols == ()
    assert seen["google_news"][0].source == "Example Wire"
    assert seen["google_news"][0].title == "S&P 500 falls as chip stocks weaken"
    assert seen["yahoo_general"][0].source == "Example Street"
    assert seen["yahoo_general"][0].published_at == datetime(2026, 7, 16, 15, 35, 19, tzinfo=UTC)
    assert seen["yahoo_symbol"][0].published_at == datetime(2026, 7, 16, 15, 5, tzinfo=UTC)
