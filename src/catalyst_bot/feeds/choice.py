"""The feeds a configuration asks for: rows of the source table with addresses and keys put in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from urllib.parse import urlsplit

from catalyst_bot.alpaca.access import is_loopback
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.feeds.fetch import Request
from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.readers.table import READERS
from catalyst_bot.feeds.source import Source, redacted, request_of
from catalyst_bot.feeds.sources import ELSEWHERE, HERE, RECORDED, SOURCES
from catalyst_bot.feeds.turns import domain_of

AGENT = "catalyst-bot"
_A_DAY = date(2000, 1, 1)  # any one, to see whether a request can be made


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One thing to ask again and again: a row of the table, about all companies or one.

    `request(today, page)` is what to send for a page, the newest entries on the first; `read` reads
    the answer (content, received_at).
    """

    name: str
    source: Source
    poll_s: float
    agent: str
    request: Callable[[date, int], Request] = field(repr=False)
    read: Callable[[bytes, datetime], Page] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the settings say about feeds. `asked` are NAME or NAME=ADDRESS, `symbols` the companies
    that sources are asked about by company.
    """

    asked: Sequence[str]
    contact: str = ""
    symbols: Sequence[str] = ()
    poll_s: float = 60.0


def chosen_feeds(
    wanted: Wanted, *, ciks: Mapping[str, int], secret: Callable[[str], str | None]
) -> tuple[Feed, ...]:
    """Return the feeds to poll; recordings are left out. Raises `ConfigError` naming the remedy.

    `ciks` are the SEC's numbers by symbol; `secret` gives the content of an environment variable.
    """
    given = (asked.partition("=") for asked in wanted.asked)
    rows = [_source(name, address) for name, _, address in given if name != RECORDED]
    return tuple(
        _feed(row, symbol, wanted, ciks=ciks, secret=secret)
        for row in rows
        for symbol in (row.is_by_company and wanted.symbols) or ("",)
    )


def recordings(asked: Iterable[str]) -> tuple[str, ...]:
    """Return the files that are asked for as `recorded=PATH`."""
    given = (entry.partition("=") for entry in asked)
    return tuple(address for name, _, address in given if name == RECORDED)


def contact_agent(contact: str, source: Source) -> str:
    """Return the user agent that says how we are reached: the SEC blocks who does not.

    Raises `ConfigError` for what is no address of mail.
    """
    trimmed = contact.strip()
    name, at, domain = trimmed.partition("@")
    if not (name and at and "." in domain) or any(part.isspace() for part in trimmed):
        raise ConfigError(
            f"feeds.edgar_contact = {contact!r}: {source.name} asks for a contact address in the "
            "user agent; set your e-mail address"
        )
    return f"{AGENT} {trimmed}"


def _source(name: str, address: str) -> Source:
    """Return a row of the table, with the address that was given instead of its own."""
    row = SOURCES.get(name)
    if row is None:
        known = ", ".join((*SOURCES, RECORDED))
        raise ConfigError(f"feeds.sources: no source {name!r}; there are {known}")
    if not (row.url or address):
        raise ConfigError(f"feeds.sources: {name} needs an address: write {name}=ADDRESS")
    if not address:
        return row
    host, origin = _place(address, name)
    is_mirror = bool(row.url) and domain_of(address) != domain_of(row.url)
    elsewhere = ELSEWHERE if is_mirror else row.limits
    return replace(
        row,
        url=address,
        source=row.source or _publisher(host),
        limits=HERE if is_loopback(host) else elsewhere,
        pages=row.pages if "{start}" in address else 1,
        documents_at=origin if row.documents_at and is_mirror else row.documents_at,
    )


def _feed(
    source: Source,
    symbol: str,
    wanted: Wanted,
    *,
    ciks: Mapping[str, int],
    secret: Callable[[str], str | None],
) -> Feed:
    agent = contact_agent(wanted.contact, source) if source.wants_contact else AGENT
    key = (secret(source.key_env) or "") if source.needs_key else ""
    if "{cik}" in source.url and symbol and symbol not in ciks:
        raise ConfigError(
            f"feeds.symbols: no CIK of {symbol} is known, which {source.name} needs: set "
            "detection.tickers_file to the SEC's company_tickers.json"
        )
    made = partial(request_of, source, agent=agent, key=key, symbol=symbol, cik=ciks.get(symbol, 0))
    made(today=_A_DAY)
    read = partial(READERS[source.kind], source=source.source)
    return Feed(
        name=_name(source, symbol),
        source=source,
        poll_s=wanted.poll_s,
        agent=agent,
        request=lambda today, page: made(today=today, page=page),
        read=lambda content, received_at: read(content, received_at=received_at),
    )


def _name(source: Source, symbol: str) -> str:
    """What facts call the feed; of an address that was given no part that may be a key."""
    if symbol:
        return f"{source.name}:{symbol}"
    if SOURCES[source.name].url:
        return source.name
    return f"{source.kind.partition('-')[0]}:{redacted(source.url).partition('://')[2]}"


def _publisher(host: str) -> str:
    """The second-level name of a host."""
    labels = host.split(".")
    return host if len(labels) == 1 or labels[-1].isdigit() else labels[-2]


def _place(address: str, name: str) -> tuple[str, str]:
    """Return host and origin of an address."""
    try:
        parts = urlsplit(address)
        if parts.password is not None:  # the journal keeps the settings
            raise ConfigError(
                f"feeds.sources: the address of {name} holds a password: leave it out"
            )
        if parts.scheme in {"http", "https"} and parts.hostname:
            return parts.hostname, f"{parts.scheme}://{parts.netloc}"
    except ValueError:
        pass
    raise ConfigError(f"feeds.sources: {name}={address!r} is no http or https address")
