"""Whatever bytes come, every reader answers with a page or with `BadData`, and invents no time."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.entries import MAX_PAGE_BYTES
from catalyst_bot.feeds.page import (
    MAX_BODY_CHARACTERS,
    MAX_ENTRIES,
    MAX_TITLE_CHARACTERS,
    Page,
)
from catalyst_bot.feeds.readers.table import READERS
from catalyst_bot.feeds.times import EARLIEST, MAX_AHEAD
from tests.builders import NOON
from tests.feed_samples import ITEMS, OTHER_PAGES, PAGES, STOCK, TITLE, URL, answer, rss

KINDS = sorted(PAGES)
ALL_KINDS = sorted(READERS)
SOURCE = "Somewhere"
AT = datetime(2025, 10, 6, 15, 59, tzinfo=UTC)
BOMB = (
    b"<!DOCTYPE r [<!ENTITY a '"
    + b"a" * 1000
    + b"'>"
    + b"".join(
        b"<!ENTITY %c '%s'>" % (b"bcdefghij"[i], b"&%c;" % b"abcdefghi"[i] * 10) for i in range(9)
    )
)
HOSTILE = {
    "nothing": b"",
    "an HTML page": b"<!DOCTYPE html><html><title>Busy</title><body>503</body></html>",
    "an HTML page below blanks": b"\n\n  <html><p>sorry</p></html>",
    "a word": b"Too Many Requests",
    "null": b"null",
    "a number": b"5",
    "an entity bomb": BOMB + b"]><rss a='&j;'>&j;</rss>",
    "an entity bomb in UTF-16": (BOMB.decode() + "]><rss a='&j;'>&j;</rss>").encode("utf-16-le"),
    "a file by entity": b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>',
    "a file by parameter": b'<!DOCTYPE r [<!ENTITY % x SYSTEM "file:///etc/passwd">%x;]><rss/>',
    "deep XML": b"<rss>" + b"<item>" * 200_000,
    "less deep XML": b"<rss>" + b"<item>" * 40_000 + b"</item>" * 40_000 + b"</rss>",
    "deep JSON": b"[" * 200_000,
    "less deep JSON": b"[" * 50_000 + b"]" * 50_000,
    "deep objects": b'{"data":' * 60_000,
    "a flood of elements": b"<rss>" + b"<item><title>a</title></item>" * 100_000 + b"</rss>",
    "a flood of attributes": b"<rss " + b" ".join(b"a%d='1'" % i for i in range(300_000)) + b"/>",
    "a flood of objects": b"[" + b",".join([b'{"a":1}'] * 100_000) + b"]",
    "a flood of numbers": b"[" + b"1," * 1_000_000 + b"1]",
    "a flood of bytes": b" " * (MAX_PAGE_BYTES + 1),
    "a long number": b"[" + b"9" * 10_000 + b"]",
    "a gzip header": b"\x1f\x8b\x08\x00" + b"\x00" * 100,
    "open tags": b"<a " * 100_000,
    "open rows": b'<table id="news-table">' + b"<tr><td" * 100_000,
    "open quotes": b'"' * 400_000,
    "UTF-16": "<rss/>".encode("utf-16"),
    "half a byte order mark": b"\xef\xbb",
}
JSON_KINDS = sorted(ITEMS)
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["\ud800", "1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "soon", "<b>"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "title", "ticker", "symbol", "data"]), inner)
    ),
    max_leaves=5,
)


def read(kind: str, content: bytes) -> Page | None:
    """Return the page, or None when it is refused; anything else is the failure we look for."""
    try:
        page = READERS[kind](content, source=SOURCE, received_at=NOON)
    except BadData as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert refusal.startswith(SOURCE)
        assert len(refusal) < 500
        return None
    for headline in page.headlines:
        check(headline)
    assert len(page.headlines) + len(page.problems) <= MAX_ENTRIES + 1
    assert all(len(problem.reason) < 500 for problem in page.problems)
    return page


def check(headline: Headline) -> None:
    """A headline that leaves a reader can be stored, shown and believed."""
    assert 0 < len(headline.title) <= MAX_TITLE_CHARACTERS
    assert len(headline.body) <= MAX_BODY_CHARACTERS
    assert headline.source
    for text in (headline.title, headline.body, headline.source, headline.url, *headline.symbols):
        assert "\x00" not in text
        text.encode()
    assert headline.url == "" or headline.url.startswith(("https://", "http://"))
    assert headline.received_at == NOON
    assert EARLIEST <= headline.published_at <= NOON + MAX_AHEAD
    assert headline.published_at.tzinfo is UTC


def test_every_kind_has_a_sample():
    assert {*PAGES, *OTHER_PAGES} == set(READERS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_its_own_is_read_whole(kind: str):
    page = read(kind, PAGES[kind])
    assert page is not None
    assert not page.problems
    (headline,) = page.headlines
    assert headline.title == TITLE
    assert headline.published_at == AT
    assert headline.url.startswith("https://")
    again = read(kind, PAGES[kind])
    assert again == page


@pytest.mark.parametrize("kind", ALL_KINDS)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_give_no_headline(kind: str, name: str):
    page = read(kind, HOSTILE[name])
    assert page is None or not page.headlines


@pytest.mark.parametrize("kind", ALL_KINDS)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(kind: str, content: bytes):
    read(kind, content)


@pytest.mark.parametrize("kind", ALL_KINDS)
@given(data=st.data())
def test_a_page_with_any_hole_or_any_insert_is_read_or_refused(kind: str, data: st.DataObject):
    sample = {**PAGES, **OTHER_PAGES}[kind]
    begin = data.draw(st.integers(0, len(sample)))
    end = data.draw(st.integers(begin, min(len(sample), begin + 40)))
    insert = data.draw(
        st.one_of(
            st.binary(max_size=10),
            st.sampled_from([b"", b"<", b"&", b'"', b"\x00", b"\xff", b"NaN", b"null", b"1e999"]),
        )
    )
    read(kind, sample[:begin] + insert + sample[end:])


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_page_cut_off_anywhere_is_read_or_refused(kind: str):
    sample = {**PAGES, **OTHER_PAGES}[kind]
    for length in range(len(sample)):
        read(kind, sample[:length])


@pytest.mark.parametrize("kind", sorted(OTHER_PAGES))
def test_a_page_of_filings_or_halts_is_read_whole(kind: str):
    page = read(kind, OTHER_PAGES[kind])
    assert page is not None
    assert not page.problems
    assert [item.published_at for item in page.headlines] in ([], [AT])
    halts = page.halts or ()
    assert [item.halted_at for item in halts] in ([], [AT])
    assert len(page.headlines) + len(halts) == 1


@pytest.mark.parametrize("kind", JSON_KINDS)
@given(data=st.data())
def test_any_value_in_any_field_costs_at_most_its_item(kind: str, data: st.DataObject):
    field = data.draw(st.sampled_from(sorted(ITEMS[kind])))
    changed = {**ITEMS[kind], field: data.draw(ANYTHING)}
    page = read(kind, answer(kind, changed, ITEMS[kind]))
    assert page is not None
    assert page.headlines
    assert page.headlines[-1].title == TITLE


@pytest.mark.parametrize("kind", JSON_KINDS)
def test_a_missing_field_never_becomes_a_time(kind: str):
    for field in ITEMS[kind]:
        page = read(
            kind, answer(kind, {key: ITEMS[kind][key] for key in ITEMS[kind] if key != field})
        )
        assert page is not None
        assert all(headline.published_at == AT for headline in page.headlines)
        assert len(page.headlines) + len(page.problems) == 1


@pytest.mark.parametrize("kind", JSON_KINDS)
def test_an_item_that_is_no_object_is_a_problem(kind: str):
    page = read(kind, answer(kind, ITEMS[kind]).replace(b"[{", b'[5, "x", null, [], {', 1))
    assert page is not None
    assert len(page.headlines) == 1
    assert len(page.problems) == 4


@pytest.mark.parametrize("kind", JSON_KINDS)
def test_a_flood_of_items_is_cut_and_told(kind: str):
    page = read(kind, answer(kind, *[ITEMS[kind]] * (MAX_ENTRIES + 1)))
    assert page is not None
    assert len(page.headlines) == MAX_ENTRIES
    (problem,) = page.problems
    assert "more than 500 entries" in problem.reason


@pytest.mark.parametrize("kind", JSON_KINDS)
def test_what_a_vendor_thinks_of_an_item_is_kept_nowhere(kind: str):
    page = read(kind, PAGES[kind])
    assert page is not None
    for opinion in ("Bullish", "0.77", "0.91"):
        assert opinion not in repr(page)


@pytest.mark.parametrize("kind", JSON_KINDS)
@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ({"Note": "our standard API call frequency is 5 calls per minute"}, "limit of requests"),
        (
            {"Information": "We have detected your API key as S3CRETKEY and our limit is 25"},
            "limit of requests",
        ),
        ({"Error Message": "Invalid API KEY: S3CRETKEY"}, "key is not accepted"),
        ({"error": {"code": "x", "message": "Premium only, S3CRETKEY"}}, "plan does not hold"),
        ({"detail": "S3CRETKEY"}, "no list of items"),
        ({"response": {"status": 429}, "errors": [{"message": "Rate limit"}]}, "limit of requests"),
    ],
)
def test_the_vendors_own_word_is_told_without_its_key(kind: str, said: object, meaning: str):
    with pytest.raises(BadData, match=meaning) as refusal:
        READERS[kind](json.dumps(said).encode(), source=SOURCE, received_at=NOON)
    assert "S3CRETKEY" not in str(refusal.value)


def test_alpha_vantage_says_nothing_found_in_the_place_of_an_error():
    said = b'{"Information": "No articles found. Please adjust the time range."}'
    assert READERS["alpha-vantage"](said, source=SOURCE, received_at=NOON) == Page(())


@pytest.mark.parametrize(
    ("kind", "outlet", "symbols"),
    [
        ("globenewswire", SOURCE, ("ACME",)),
        ("prnewswire", SOURCE, ()),
        ("businesswire", SOURCE, ()),
        ("accesswire", SOURCE, ()),
        ("yahoo", "Example Wire", ()),
        ("google", "Example Wire", ()),
        ("finviz", "Example Wire", ("ACME",)),
        ("stocktwits", SOURCE, ("ACME",)),
        ("reddit", SOURCE, ()),
        ("finnhub", "Example Wire", ("ACME",)),
        ("alpha-vantage", "Example Wire", ("ACME",)),
        ("marketaux", "example.com", ("ACME",)),
        ("tiingo", "example.com", ("ACME",)),
        ("fmp", "Example Wire", ("ACME",)),
    ],
)
def test_who_said_it_and_of_whom(kind: str, outlet: str, symbols: tuple[str, ...]):
    page = read(kind, PAGES[kind])
    assert page is not None
    assert (page.headlines[0].source, page.headlines[0].symbols) == (outlet, symbols)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(JSON_KINDS) - {"finviz"}))
def test_listings_abroad_and_subjects_are_no_symbols(kind: str):
    abroad = STOCK.replace("Nasdaq:", "Paris:")
    page = read(kind, rss(before=f"{abroad}<category>ERN</category><category>NYSE:ERN</category>"))
    assert page is not None
    assert page.headlines[0].symbols == ()
    assert page.headlines[0].url == URL
