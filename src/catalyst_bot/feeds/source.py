"""A row of the table of sources, and the requests it makes.

A key comes from the environment and goes into a request, never into a name, a message or a journal:
`Request` does not show itself, and an address is written anywhere else through `redacted`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.feeds.fetch import BLOT, MAX_BYTES, Request
from catalyst_bot.feeds.page import MAX_ENTRIES, one_line

COURTESY = ((1, 60),)  # where nobody documents a limit
PAGE_ENTRIES = 100
_SHOWN_PARAMETERS = frozenset(  # others may be keys, however they are called
    {
        "action", "category", "count", "from", "function", "gl", "hl", "limit", "output", "page",
        "q", "region", "rss", "s", "sort", "start", "symbol", "symbols", "t", "tickers", "to",
        "type", "v",
    }
)  # fmt: skip
_MAX_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One address of a source.

    `kind` names the reader (`readers.table.READERS`), `source` who is told to have said an item
    that names nobody. In `url` and `header`, `{key}`, `{symbol}`, `{cik}` (ten digits), `{start}`
    (of a page of 100), `{since}` and `{today}` are filled in; the days are YYYY-MM-DD. `key_env`
    names the environment variable of the key, empty where none is needed. `limits` are requests per
    seconds of the smallest plan, all of one key together, and `documented` says where, empty where
    nowhere.

    `wants_contact`: the user agent must say how we are reached. After `stale_after_s` of session
    without anything new the source counts as stale (0: never). `newest` is the most that one look
    brings, `pages` how many pages it may turn, and of filings of the forms `follows` the text is
    fetched, too, from `documents_at`.
    """

    name: str
    source: str
    kind: str
    url: str
    header: str = ""
    key_env: str = ""
    limits: tuple[tuple[int, int], ...] = COURTESY
    documented: str = ""
    at_least_s: float = 0.0
    wants_contact: bool = False
    stale_after_s: float = 0.0
    newest: int = MAX_ENTRIES
    pages: int = 1
    follows: tuple[str, ...] = ()
    documents_at: str = ""

    @property
    def needs_key(self) -> bool:
        """True when nothing comes without a key."""
        return bool(self.key_env)

    @property
    def is_by_company(self) -> bool:
        """True for an address that is asked once for each company."""
        return "{symbol}" in self.url or "{cik}" in self.url

    @property
    def pause_s(self) -> float:
        """The shortest pause between two looks that its limits and its row allow."""
        return max(self.at_least_s, *(seconds / count for count, seconds in self.limits))


def request_of(
    source: Source,
    *,
    today: date,
    agent: str,
    key: str = "",
    symbol: str = "",
    cik: int = 0,
    page: int = 0,
) -> Request:
    """Return the request with everything filled in. Raises `ConfigError` without key or symbol.

    A day of news is asked for, because `since` is yesterday.
    """
    trimmed = key.strip()
    if source.needs_key and not (trimmed.isascii() and trimmed.isprintable() and trimmed):
        raise ConfigError(
            f"feeds.sources: {source.name} needs a key: set {source.key_env} (or "
            f"{source.key_env}_FILE) to the one it gave you"
        )
    if source.is_by_company and not symbol:
        raise ConfigError(
            f"feeds.sources: {source.name} is asked about companies: set feeds.symbols"
        )
    url = _filled(
        source.url,
        key=quote(trimmed, safe=""),
        symbol=quote(symbol, safe=""),
        cik=f"{cik:010d}",
        start=str(page * PAGE_ENTRIES),
        since=(today - timedelta(days=1)).isoformat(),
        today=today.isoformat(),
    )
    headers = {"User-Agent": agent}
    name, _, value = source.header.partition(": ")
    if name:
        headers[name] = _filled(value, key=trimmed)
    return Request(url=url, headers=headers, secret=trimmed, max_bytes=MAX_BYTES)


def redacted(url: str) -> str:
    """Return an address fit for a log or a name: without user, fragment and unknown parameters.

    Never raises: what is no web address is hidden whole.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return BLOT
        place = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
        query = urlencode(
            [
                (name, value) if name in _SHOWN_PARAMETERS else (BLOT, BLOT)
                for name, value in parse_qsl(parts.query, keep_blank_values=True)
            ],
            safe="*:",
        )
    except ValueError:
        return BLOT
    return one_line(f"{place}{parts.path}{'?' if query else ''}{query}")[:_MAX_SHOWN_CHARACTERS]


def _filled(template: str, **values: str) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template
