"""The live feeds a configuration asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.feeds.edgar_atom import parse_edgar_atom
from catalyst_bot.feeds.json_lines import parse_json_lines
from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.rss import parse_rss

EDGAR = "SEC EDGAR"
_AGENT = "catalyst-bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Where to ask, as whom, how often, and how to read the answer (content, received_at)."""

    name: str
    url: str
    user_agent: str
    poll_s: float
    parse: Callable[[bytes, datetime], Page]


def live_feeds(
    *,
    edgar_url: str,
    edgar_contact: str,
    rss_urls: Sequence[str],
    json_lines_urls: Sequence[str],
    poll_s: float,
) -> tuple[Feed, ...]:
    """Return the feeds that are switched on. Raises `ConfigError` naming key and remedy."""
    edgar = [edgar_feed(edgar_url, contact=edgar_contact, poll_s=poll_s)] if edgar_url else []
    return (
        *edgar,
        *(rss_feed(url, poll_s=poll_s) for url in rss_urls),
        *(json_lines_feed(url, poll_s=poll_s) for url in json_lines_urls),
    )


def edgar_feed(url: str, *, contact: str, poll_s: float) -> Feed:
    """EDGAR's current filings. The SEC blocks who does not say how to be reached."""
    _host(url, "feeds.edgar_url")
    name, at, domain = contact.strip().partition("@")
    if not (name and at and "." in domain) or any(part.isspace() for part in contact.strip()):
        raise ConfigError(
            f"feeds.edgar_contact = {contact!r}: EDGAR asks for a contact address in the user "
            "agent; set your e-mail address"
        )
    return Feed(
        name="edgar",
        url=url,
        user_agent=f"{_AGENT} {contact.strip()}",
        poll_s=poll_s,
        parse=_reader(parse_edgar_atom, EDGAR),
    )


def rss_feed(url: str, *, poll_s: float) -> Feed:
    """An RSS or Atom feed; the source is the second-level name of its host."""
    host = _host(url, "feeds.rss_urls")
    labels = host.split(".")
    source = host if len(labels) == 1 or labels[-1].isdigit() else labels[-2]
    return Feed(
        name=f"rss:{url.partition('://')[2]}",
        url=url,
        user_agent=_AGENT,
        poll_s=poll_s,
        parse=_reader(parse_rss, source),
    )


def json_lines_feed(url: str, *, poll_s: float) -> Feed:
    """A feed of JSON lines; every line names its source."""
    _host(url, "feeds.json_lines_urls")
    return Feed(
        name=f"json:{url.partition('://')[2]}",
        url=url,
        user_agent=_AGENT,
        poll_s=poll_s,
        parse=_reader(parse_json_lines, "JSON lines"),
    )


def _reader(parse: Callable[..., Page], source: str) -> Callable[[bytes, datetime], Page]:
    bound = partial(parse, source=source)
    return lambda content, received_at: bound(content, received_at=received_at)


def _host(url: str, key: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"{key}: {url!r} is no http or https address")
    return parts.hostname
