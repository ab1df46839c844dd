"""From settings to feeds: names, addresses, companies, keys, and what is refused with a remedy."""

from __future__ import annotations

from typing import Any

import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.feeds.choice import Feed, Wanted, chosen_feeds, recordings
from catalyst_bot.feeds.fetch import Request
from catalyst_bot.feeds.sources import ELSEWHERE, HERE, SOURCES
from catalyst_bot.settings import load
from tests.builders import NOON
from tests.feed_desk import KEY
from tests.unit.feeds.test_rss import ITEM, feed


def chosen(*asked: str, secret: str | None = KEY, **given: Any) -> tuple[Feed, ...]:
    wanted = Wanted(**({"asked": asked, "contact": "jane@example.com"} | given))
    return chosen_feeds(wanted, ciks={"ACME": 101, "BETA": 102}, secret=lambda _: secret)


def request(of: Feed, page: int = 0) -> Request:
    return of.request(NOON.date(), page)


def test_every_row_of_the_table_can_be_asked():
    for source in SOURCES.values():
        asked = source.name if source.url else f"{source.name}=https://example.com/x"
        (made,) = chosen(asked, symbols=["ACME"])
        assert "{" not in request(made).url
        assert made.source.pause_s > 0


def test_the_pages_of_edgar_and_its_documents():
    (edgar,) = chosen("edgar")
    assert "start=0&" in request(edgar).url
    assert "start=900&" in request(edgar, 9).url
    assert edgar.source.documents_at == "https://www.sec.gov"
    assert request(edgar).headers["User-Agent"] == "catalyst-bot jane@example.com"
    assert all(count / seconds <= 10 for count, seconds in edgar.source.limits)


def test_a_mirror_is_asked_for_documents_too_and_at_another_pace():
    (mirror,) = chosen("edgar=http://127.0.0.1:9/current?a=b")
    assert request(mirror).url == "http://127.0.0.1:9/current?a=b"
    assert mirror.source.pages == 1
    assert mirror.source.documents_at == "http://127.0.0.1:9"
    assert mirror.source.stale_after_s == SOURCES["edgar"].stale_after_s
    (wire,) = chosen("globenewswire=http://127.0.0.1:9/g")
    assert wire.source.pause_s < SOURCES["globenewswire"].pause_s


def test_another_address_of_the_same_host_keeps_its_limits():
    (own,) = chosen("edgar=https://www.sec.gov/cgi-bin/browse-edgar?action=getcurrent&output=atom")
    assert own.source.limits == SOURCES["edgar"].limits
    assert own.source.documents_at == "https://www.sec.gov"


@pytest.mark.parametrize(
    ("address", "limits"),
    [
        ("http://127.0.0.1:9/x", HERE),
        ("http://localhost/x", HERE),
        ("http://[::1]:9/x", HERE),
        ("http://localhost.example.com/x", ELSEWHERE),
        ("https://127.0.0.1.example.com/x", ELSEWHERE),
    ],
)
def test_only_what_this_machine_serves_may_be_asked_at_any_pace(address: str, limits: object):
    for name in ("rss", "globenewswire", "edgar"):
        (made,) = chosen(f"{name}={address}")
        assert made.source.limits == limits


def test_a_source_by_company_is_asked_about_each():
    made = chosen("edgar-submissions", symbols=["ACME", "BETA"])
    assert [of.name for of in made] == ["edgar-submissions:ACME", "edgar-submissions:BETA"]
    assert request(made[1]).url == "https://data.sec.gov/submissions/CIK0000000102.json"


def test_names_of_feeds_do_not_show_keys():
    (made,) = chosen("rss=https://www.globewire.example.com/r?token=abc")
    assert made.name == "rss:www.globewire.example.com/r?***=***"
    assert made.read(feed(ITEM), NOON).headlines[0].source == "example"


@pytest.mark.parametrize("contact", ["", "jane", "jane@", "@example.com", "jane doe@example.com"])
def test_edgar_refuses_to_start_without_a_contact(contact: str):
    for asked in ("edgar", "edgar-submissions"):
        with pytest.raises(ConfigError, match=r"feeds\.edgar_contact"):
            chosen(asked, contact=contact, symbols=["ACME"])


@pytest.mark.parametrize(
    ("asked", "given", "words"),
    [
        ("nobody", {}, "no source 'nobody'; there are edgar,"),
        ("rss", {}, "write rss=ADDRESS"),
        ("rss=ftp://example.com/x", {}, "no http or https address"),
        ("rss=example.com", {}, "no http or https address"),
        ("rss=https://me:hunter2@example.com/x", {}, "address of rss holds a password"),
        ("rss=file:///etc/passwd", {}, "no http or https address"),
        ("rss=http://[::1", {}, "no http or https address"),
        ("edgar-submissions", {}, r"set feeds\.symbols"),
        ("edgar-submissions", {"symbols": ["NOPE"]}, r"no CIK of NOPE.*tickers_file"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_remedy(
    asked: str, given: dict[str, Any], words: str
):
    with pytest.raises(ConfigError, match=words):
        chosen(asked, **given)


def test_a_key_goes_to_its_vendor_and_nowhere_else():
    for name in ("finnhub", "marketaux"):
        (made,) = chosen(name)
        asked = request(made)
        assert KEY in asked.url + "".join(asked.headers.values())
        assert KEY not in repr((made, asked))
        assert asked.blotted(f"no route to {asked.url}").count(KEY) == 0
        with pytest.raises(ConfigError, match=f"needs a key: set {made.source.key_env}"):
            chosen(name, secret=None)


def test_settings_name_sources_in_one_list_and_by_the_older_keys():
    overrides = {
        "feeds.sources": ["nasdaq-halts", "recorded=news.jsonl"],
        "feeds.edgar_url": "https://example.com/e",
        "feeds.rss_urls": ["https://example.com/r"],
        "feeds.json_lines_urls": ["https://example.com/j"],
    }
    asked = load(environ={}, overrides=overrides).settings.feeds.asked
    assert asked == (
        "nasdaq-halts",
        "recorded=news.jsonl",
        "edgar=https://example.com/e",
        "rss=https://example.com/r",
        "json-lines=https://example.com/j",
    )
    names = ["nasdaq-halts", "edgar", "rss:example.com/r", "json:example.com/j"]
    assert [of.name for of in chosen(*asked)] == names
    assert recordings(asked) == ("news.jsonl",)
