"""News services with keys that answer in JSON: Finnhub, Alpha Vantage, Marketaux, Tiingo, FMP."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from catalyst_bot.feeds.entries import Draft
from catalyst_bot.feeds.page import Page
from catalyst_bot.feeds.readers.answers import Item, number, objects, read_answer, text
from catalyst_bot.feeds.times import NEW_YORK, epoch, iso

_UTC = ZoneInfo("UTC")
_NOTHING_FOUND = b"No articles found"
_SHORT_BYTES = 1_000


def parse_finnhub(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read market or company news of Finnhub, a list."""
    return read_answer(content, _finnhub, under=(), source=source, received_at=received_at)


def parse_alpha_vantage(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read NEWS_SENTIMENT of Alpha Vantage.

    Its limits come with status 200 as a "Note" or "Information"; so does that nothing was found.
    """
    if len(content) < _SHORT_BYTES and _NOTHING_FOUND in content:
        return Page(())
    return read_answer(
        content, _alpha_vantage, under=("feed",), source=source, received_at=received_at
    )


def parse_marketaux(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read `news/all` of Marketaux."""
    return read_answer(content, _marketaux, under=("data",), source=source, received_at=received_at)


def parse_tiingo(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read `tiingo/news`, a list."""
    return read_answer(content, _tiingo, under=(), source=source, received_at=received_at)


def parse_fmp(content: bytes, *, source: str, received_at: datetime) -> Page:
    """Read stock news or press releases of Financial Modeling Prep, a list.

    Its times are New York's where they name no zone.
    """
    return read_answer(content, _fmp, under=(), source=source, received_at=received_at)


def _finnhub(item: Item) -> Draft:
    related = text(item, "related")  # one story comes once for each company asked about
    return Draft(
        key=f"{number(item, 'id') or text(item, 'url')} {related}",
        title=text(item, "headline"),
        published_at=epoch(item.get("datetime")),
        outlet=text(item, "source"),
        body=text(item, "summary"),
        url=text(item, "url"),
        symbols=related.split(","),
    )


def _alpha_vantage(item: Item) -> Draft:
    return Draft(
        key=text(item, "url"),
        title=text(item, "title"),
        published_at=iso(text(item, "time_published"), _UTC),
        outlet=text(item, "source"),
        body=text(item, "summary"),
        url=text(item, "url"),
        symbols=[text(part, "ticker") for part in objects(item, "ticker_sentiment")],
    )


def _marketaux(item: Item) -> Draft:
    return Draft(
        key=text(item, "uuid") or text(item, "url"),
        title=text(item, "title"),
        published_at=iso(text(item, "published_at"), _UTC),
        outlet=text(item, "source"),
        body=text(item, "description", "snippet"),
        url=text(item, "url"),
        symbols=[
            text(entity, "symbol")
            for entity in objects(item, "entities")
            if text(entity, "type") in {"", "equity"} and text(entity, "country") in {"", "us"}
        ],
    )


def _tiingo(item: Item) -> Draft:
    tickers = item.get("tickers")
    return Draft(
        key=number(item, "id") or text(item, "url"),
        title=text(item, "title"),
        published_at=iso(text(item, "publishedDate"), _UTC),
        outlet=text(item, "source"),
        body=text(item, "description"),
        url=text(item, "url"),
        symbols=[ticker for ticker in tickers if isinstance(ticker, str)]
        if isinstance(tickers, list)
        else (),
    )


def _fmp(item: Item) -> Draft:
    symbol, url = text(item, "symbol"), text(item, "url")
    written = text(item, "publishedDate", "date")
    return Draft(
        key=f"{url} {symbol}" if url else f"{symbol} {written} {text(item, 'title')}",
        title=text(item, "title"),
        published_at=iso(written, NEW_YORK),
        outlet=text(item, "publisher", "site"),
        body=text(item, "text"),
        url=url,
        symbols=(symbol,),
    )
