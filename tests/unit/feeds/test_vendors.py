from __future__ import annotations

import string
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.feeds.fetch import BLOT as HIDDEN
from catalyst_bot.feeds.fetch import Request
from catalyst_bot.feeds.readers.table import READERS
from catalyst_bot.feeds.source import Source, redacted
from catalyst_bot.feeds.source import request_of as filled
from catalyst_bot.feeds.sources import OURS
from catalyst_bot.feeds.vendors import VENDORS

TODAY = date(2025, 10, 6)
KEYS = st.text(string.ascii_letters + string.digits + "-_+/=", min_size=8, max_size=40)
BY_NAME = {vendor.name: vendor for vendor in VENDORS}


def request_of(vendor: Source, **given: Any) -> Request:
    return filled(vendor, agent="somebody", **given)


def test_names_are_names_and_kinds_have_a_reader():
    assert len(BY_NAME) == len(VENDORS)
    assert {vendor.kind for vendor in VENDORS} <= set(READERS)
    assert set(READERS) - {row.kind for row in (*OURS, *VENDORS)} == {
        "rss",
        "accesswire",
        "json-lines",
    }


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_every_row_makes_a_request(vendor: Source):
    request = request_of(vendor, today=TODAY, key="k3y", symbol="BRK-B")
    parts = urlsplit(request.url)
    assert parts.scheme == "https"
    assert parts.hostname
    assert "{" not in request.url + "".join(request.headers.values())
    assert vendor.needs_key == ("k3y" in request.url + "".join(request.headers.values()))
    assert vendor.is_by_company == ("BRK-B" in request.url)
    assert all(requests > 0 and seconds > 0 for requests, seconds in vendor.limits)
    assert vendor.needs_key == bool(vendor.key_env)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
@given(key=KEYS)
def test_a_key_is_shown_nowhere(vendor: Source, key: str):
    request = request_of(vendor, today=TODAY, key=key, symbol="ACME")
    shown = redacted(request.url)
    if vendor.needs_key:
        assert key not in shown
        assert key not in repr(request)
    assert (urlsplit(shown).hostname, urlsplit(shown).path) == (
        urlsplit(request.url).hostname,
        urlsplit(request.url).path,
    )


@pytest.mark.parametrize("key", ["", "  ", "a\nb", "a\x00b", "schl\u00fcssel"])
def test_a_key_that_cannot_be_sent_is_refused_without_repeating_it(key: str):
    with pytest.raises(ConfigError, match="TIINGO_API_KEY") as refusal:
        request_of(BY_NAME["tiingo"], today=TODAY, key=key)
    assert not key.strip() or key not in str(refusal.value)


def test_a_symbol_is_needed_and_cannot_leave_its_place():
    vendor = BY_NAME["stocktwits-symbol"]
    with pytest.raises(ConfigError, match="symbol"):
        request_of(vendor, today=TODAY)
    assert request_of(vendor, today=TODAY, symbol="../x?a=b").url.endswith(
        "/symbol/..%2Fx%3Fa%3Db.json"
    )


def test_a_day_of_company_news_is_asked_for():
    url = request_of(BY_NAME["finnhub-symbol"], today=TODAY, key="k", symbol="ACME").url
    assert url.endswith("?symbol=ACME&from=2025-10-05&to=2025-10-06")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://e.com/a?symbol=ACME&token=s3cret", "https://e.com/a?symbol=ACME&***=***"),
        ("https://me:s3cret@e.com:8443/a#s3cret", "https://e.com:8443/a"),
        ("https://e.com/a?s3cret", "https://e.com/a?***=***"),
        ("https://e.com/a", "https://e.com/a"),
        ("https://[s3cret", HIDDEN),
        ("https://e.com:s3cret/", HIDDEN),
        ("postgres://me:s3cret@e.com/", HIDDEN),
        ("s3cret", HIDDEN),
        ("", HIDDEN),
        ("https://e.com/?q=\ud800", HIDDEN),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_key(url: str, shown: str):
    assert redacted(url) == shown


@given(st.text(max_size=60))
def test_any_text_is_shown_on_one_line(url: str):
    for text in (url, f"https://{url}", f"https://e.com/?{url}"):
        assert "\n" not in redacted(text)
