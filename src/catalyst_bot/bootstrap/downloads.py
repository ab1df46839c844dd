"""`data download`: the source that a person names, with its settings, keys and clock."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from catalyst_bot.alpaca.access import access_of
from catalyst_bot.alpaca.client import AlpacaClient
from catalyst_bot.bootstrap.at_once import at_once
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.downloads.alpaca_bars import AlpacaBars
from catalyst_bot.downloads.csv_bars import KEY_ENV, CsvBars
from catalyst_bot.downloads.download import DownloadReport, Into, download
from catalyst_bot.downloads.edgar_filings import EdgarFilings
from catalyst_bot.downloads.edgar_texts import FilingTexts
from catalyst_bot.downloads.names import Interval, SourceName
from catalyst_bot.downloads.pages import Pages
from catalyst_bot.downloads.patience import Patience
from catalyst_bot.downloads.shelf import FOLDER
from catalyst_bot.downloads.wanted import NEW_YORK, Period, Source, Wanted, symbols_of
from catalyst_bot.downloads.yahoo_bars import YahooBars
from catalyst_bot.feeds.choice import contact_agent
from catalyst_bot.feeds.fetch import make_client
from catalyst_bot.feeds.sources import ELSEWHERE, SOURCES
from catalyst_bot.feeds.tickers import load_companies
from catalyst_bot.feeds.turns import Turns
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.runtime.clock import SystemClock
from catalyst_bot.settings import Settings
from catalyst_bot.settings_sources import secret

_EDGAR = "edgar-submissions"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadRequest:
    """The flags of `data download`; None for what was not given."""

    source: SourceName
    catalog: Path
    first: date
    last: date | None = None
    symbols: str = ""
    symbols_file: Path | None = None
    interval: Interval | None = None
    has_texts: bool = False


def run_download(
    settings: Settings, request: DownloadRequest, *, tell: Callable[[str], None]
) -> DownloadReport:
    """Download and import. Raises `ConfigError` and `SourceUnreachable`."""
    clock = SystemClock()
    today = clock.now().astimezone(NEW_YORK).date()
    wanted = Wanted(
        symbols=_symbols(settings, request),
        period=Period(first=request.first, last=request.last or today - timedelta(days=1)),
        today=today,
    )
    into = Into(catalog=request.catalog, calendar=load_calendar(), now=clock.now)
    return at_once(_download(settings, request, wanted, into, tell))


async def _download(
    settings: Settings,
    request: DownloadRequest,
    wanted: Wanted,
    into: Into,
    tell: Callable[[str], None],
) -> DownloadReport:
    if request.source is SourceName.EDGAR:
        return await _from_edgar(settings, request, wanted, into, tell)
    if request.has_texts:
        raise ConfigError("--texts belongs to filings: leave it out without --source edgar")
    async with _opened(settings, request, Patience(tell)) as source:
        return await download(source, wanted, into, tell=tell)


async def _from_edgar(
    settings: Settings,
    request: DownloadRequest,
    wanted: Wanted,
    into: Into,
    tell: Callable[[str], None],
) -> DownloadReport:
    """Raises `ConfigError` without a contact address, which the SEC asks for."""
    if request.interval:
        raise ConfigError("--interval belongs to bars: leave it out with --source edgar")
    row = SOURCES[_EDGAR]
    if settings.downloads.edgar:
        url = _address(settings.downloads.edgar)
        at = urlsplit(url)
        row = replace(row, url=url, limits=ELSEWHERE, documents_at=f"{at.scheme}://{at.netloc}")
    headers = {"User-Agent": contact_agent(settings.feeds.edgar_contact, row)}
    async with make_client() as client:
        pages = Pages(client, Patience(tell), Turns(row.limits))
        texts = FilingTexts(
            pages,
            row=row,
            headers=headers,
            folder=request.catalog / FOLDER / "edgar-texts",
            is_asking=request.has_texts,
            tell=tell,
        )
        source = EdgarFilings(
            pages, row=row, headers=headers, ciks=_ciks(settings), now=SystemClock().now
        )
        return await download(source, wanted, replace(into, finish=texts.add_to), tell=tell)


@asynccontextmanager
async def _opened(
    settings: Settings, request: DownloadRequest, patience: Patience
) -> AsyncIterator[Source]:
    """Open a source of bars."""
    interval = request.interval or Interval.DAY
    match request.source:
        case SourceName.ALPACA:
            async with _alpaca(settings) as client:
                yield AlpacaBars(client, patience, feed=settings.alpaca.feed, interval=interval)
        case SourceName.CSV:
            if not settings.downloads.csv:
                raise ConfigError(
                    "--source csv: set downloads.csv to an address or path with {symbol} in it"
                )
            async with make_client() as client:
                yield CsvBars(
                    client,
                    patience,
                    template=settings.downloads.csv,
                    key=(secret(KEY_ENV) or "").strip(),
                    interval=interval,
                    adjustment=settings.downloads.csv_adjustment,
                    terms=settings.downloads.csv_terms,
                )
        case _:
            cache = request.catalog / FOLDER / ".yfinance"
            yield YahooBars(patience, interval=interval, cache=cache)


def _alpaca(settings: Settings) -> AlpacaClient:
    """Prices come from the data host; which account the keys are of does not matter there."""
    alpaca = settings.alpaca
    access = access_of(base_url=alpaca.base_url, data_url=alpaca.data_url, environ=os.environ)
    return AlpacaClient(access, per_min=alpaca.requests_per_min)


def _symbols(settings: Settings, request: DownloadRequest) -> tuple[str, ...]:
    if request.symbols and request.symbols_file:
        raise ConfigError("--symbols and --symbols-file: give one of them")
    if request.symbols_file is None:
        return symbols_of(request.symbols or ",".join(settings.downloads.symbols))
    try:
        return symbols_of(request.symbols_file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{request.symbols_file}: is no text of symbols ({error})") from error


def _ciks(settings: Settings) -> Mapping[str, int]:
    file = settings.detection.tickers_file
    listed = load_companies(file).symbols_by_cik if file else {}
    return {symbol: cik for cik, symbols in listed.items() for symbol in symbols}


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigError(f"downloads.edgar: is no address: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or "{cik}" not in parts.path:
        raise ConfigError(f"downloads.edgar = {url!r}: is no address with {{cik}} in its path")
    return url
