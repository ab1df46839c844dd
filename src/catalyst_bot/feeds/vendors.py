"""The sources there is a reader for: where to ask, with which key, and how often they allow it.

A key comes from the environment and goes into a request, never into a name, a message or a journal:
`Request` does not show itself, and an address is written anywhere else through `redacted`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.feeds.page import one_line

DAY_S = 86_400
HOUR_S = 3_600
COURTESY = ((1, 60),)  # where a vendor documents no limit
HIDDEN = "***"
_SHOWN_PARAMETERS = frozenset(  # others may be keys, however they are called
    {
        "action", "category", "count", "from", "function", "gl", "hl", "limit", "output", "page",
        "q", "region", "rss", "s", "sort", "start", "symbol", "symbols", "t", "tickers", "to",
        "type", "v",
    }
)  # fmt: skip
_MAX_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One address of a source.

    `kind` names the reader (`readers.table.READERS`), `source` who is told to have said an item
    that names nobody. In `url` and `header`, `{key}`, `{symbol}`, `{since}` and `{today}` are
    filled in; the days are a vendor's YYYY-MM-DD. `key_env` names the environment variable of the
    key, empty where none is needed. `limits` are requests per seconds of the smallest plan, all
    of one key together, and `documented` says where, empty where nowhere.
    """

    name: str
    source: str
    kind: str
    url: str
    header: str = ""
    key_env: str = ""
    limits: tuple[tuple[int, int], ...] = COURTESY
    documented: str = ""

    @property
    def needs_key(self) -> bool:
        """True when nothing comes without a key."""
        return bool(self.key_env)

    @property
    def needs_symbol(self) -> bool:
        """True for an address that is asked once for each symbol."""
        return "{symbol}" in self.url


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. Neither part is shown when the request is: each may hold the key."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


_GOOGLE = "https://news.google.com/rss/search?hl=en-US&gl=US&ceid=US:en&q="
_FINNHUB_LIMITS = ((60, 60), (30, 1))
_ALPHA_VANTAGE_LIMITS = ((25, DAY_S), (1, 1))
_FMP_LIMITS = ((250, DAY_S),)

VENDORS: tuple[Vendor, ...] = (
    Vendor(
        name="globenewswire",
        source="GlobeNewswire",
        kind="globenewswire",
        url="https://www.globenewswire.com/RssFeed/orgclass/1/feedTitle/"
        "GlobeNewswire%20-%20News%20about%20Public%20Companies",
    ),
    Vendor(
        name="prnewswire",
        source="PR Newswire",
        kind="prnewswire",
        url="https://www.prnewswire.com/rss/news-releases-list.rss",
    ),
    # Business Wire's feeds are opaque codes of subjects, which most lists of them mislabel.
    Vendor(
        name="businesswire-mergers",
        source="Business Wire",
        kind="businesswire",
        url="https://feed.businesswire.com/rss/home/?rss=G1QFDERJXkJeEFtRWA==",
    ),
    Vendor(
        name="businesswire-pharma",
        source="Business Wire",
        kind="businesswire",
        url="https://feed.businesswire.com/rss/home/?rss=G1QFDERJXkJeGFNWWg==",
    ),
    # ACCESS Newswire, once Accesswire, publishes no feed of releases; Google's index lists them.
    # The "accesswire" reader is for the feed a subscriber has.
    Vendor(
        name="accesswire",
        source="ACCESS Newswire",
        kind="google",
        url=f"{_GOOGLE}site:accessnewswire.com+when:1d",
    ),
    Vendor(
        name="yahoo",
        source="Yahoo Finance",
        kind="yahoo",
        url="https://finance.yahoo.com/news/rssindex",
    ),
    Vendor(
        name="yahoo-symbol",
        source="Yahoo Finance",
        kind="yahoo",
        url="https://feeds.finance.yahoo.com/rss/2.0/headline?s={symbol}&region=US&lang=en-US",
    ),
    Vendor(
        name="google-symbol",
        source="Google News",
        kind="google",
        url=f"{_GOOGLE}{{symbol}}+stock+when:1d",
    ),
    Vendor(
        name="finviz-symbol",
        source="Finviz",
        kind="finviz",
        url="https://finviz.com/quote.ashx?t={symbol}",
    ),
    Vendor(
        name="finviz-elite",
        source="Finviz",
        kind="finviz",
        url="https://elite.finviz.com/news_export.ashx?v=3&auth={key}",
        key_env="FINVIZ_AUTH",
    ),
    Vendor(
        name="stocktwits-symbol",
        source="StockTwits",
        kind="stocktwits",
        url="https://api.stocktwits.com/api/2/streams/symbol/{symbol}.json",
        limits=((200, HOUR_S),),
        documented="https://api.stocktwits.com/developers/docs/rate_limiting",
    ),
    Vendor(
        name="reddit",
        source="Reddit",
        kind="reddit",
        url="https://oauth.reddit.com/r/wallstreetbets+stocks+pennystocks+StockMarket/new"
        "?limit=100&raw_json=1",
        header="Authorization: Bearer {key}",
        key_env="REDDIT_TOKEN",
        limits=((100, 60),),
        documented="https://support.reddithelp.com/hc/en-us/articles/16160319875092",
    ),
    Vendor(
        name="finnhub",
        source="Finnhub",
        kind="finnhub",
        url="https://finnhub.io/api/v1/news?category=general",
        header="X-Finnhub-Token: {key}",
        key_env="FINNHUB_API_KEY",
        limits=_FINNHUB_LIMITS,
        documented="https://finnhub.io/docs/api/rate-limit",
    ),
    Vendor(
        name="finnhub-symbol",
        source="Finnhub",
        kind="finnhub",
        url="https://finnhub.io/api/v1/company-news?symbol={symbol}&from={since}&to={today}",
        header="X-Finnhub-Token: {key}",
        key_env="FINNHUB_API_KEY",
        limits=_FINNHUB_LIMITS,
        documented="https://finnhub.io/docs/api/rate-limit",
    ),
    Vendor(
        name="alpha-vantage",
        source="Alpha Vantage",
        kind="alpha-vantage",
        url="https://www.alphavantage.co/query?function=NEWS_SENTIMENT&sort=LATEST&limit=200"
        "&apikey={key}",
        key_env="ALPHA_VANTAGE_API_KEY",
        limits=_ALPHA_VANTAGE_LIMITS,
        documented="https://www.alphavantage.co/support/",
    ),
    Vendor(
        name="alpha-vantage-symbol",
        source="Alpha Vantage",
        kind="alpha-vantage",
        url="https://www.alphavantage.co/query?function=NEWS_SENTIMENT&sort=LATEST&limit=50"
        "&tickers={symbol}&apikey={key}",
        key_env="ALPHA_VANTAGE_API_KEY",
        limits=_ALPHA_VANTAGE_LIMITS,
        documented="https://www.alphavantage.co/support/",
    ),
    Vendor(
        name="marketaux",
        source="Marketaux",
        kind="marketaux",
        url="https://api.marketaux.com/v1/news/all?countries=us&filter_entities=true&language=en"
        "&api_token={key}",
        key_env="MARKETAUX_API_KEY",
        limits=((100, DAY_S),),
        documented="https://www.marketaux.com/pricing",
    ),
    Vendor(
        name="tiingo",
        source="Tiingo",
        kind="tiingo",
        url="https://api.tiingo.com/tiingo/news?limit=100",
        header="Authorization: Token {key}",
        key_env="TIINGO_API_KEY",
        limits=((50, HOUR_S), (1_000, DAY_S)),
        documented="https://www.tiingo.com/about/pricing",
    ),
    Vendor(
        name="fmp-news",
        source="Financial Modeling Prep",
        kind="fmp",
        url="https://financialmodelingprep.com/stable/news/stock-latest?page=0&limit=100"
        "&apikey={key}",
        key_env="FMP_API_KEY",
        limits=_FMP_LIMITS,
        documented="https://site.financialmodelingprep.com/developer/docs/pricing",
    ),
    Vendor(
        name="fmp-releases",
        source="Financial Modeling Prep",
        kind="fmp",
        url="https://financialmodelingprep.com/stable/news/press-releases-latest?page=0&limit=100"
        "&apikey={key}",
        key_env="FMP_API_KEY",
        limits=_FMP_LIMITS,
        documented="https://site.financialmodelingprep.com/developer/docs/pricing",
    ),
)


def request_of(vendor: Vendor, *, today: date, key: str = "", symbol: str = "") -> Request:
    """Return the request with everything filled in. Raises `ConfigError` without key or symbol.

    A day of news is asked for, because `since` is yesterday.
    """
    trimmed = key.strip()
    if vendor.needs_key and not (trimmed.isascii() and trimmed.isprintable() and trimmed):
        raise ConfigError(f"{vendor.name} needs a key: set {vendor.key_env} to the one it gave you")
    if vendor.needs_symbol and not symbol:
        raise ConfigError(f"{vendor.name} is asked for a symbol and none was given")
    url = vendor.url.format(
        key=quote(trimmed, safe=""),
        symbol=quote(symbol, safe=""),
        since=(today - timedelta(days=1)).isoformat(),
        today=today.isoformat(),
    )
    name, _, value = vendor.header.partition(": ")
    return Request(url, {name: value.format(key=trimmed)} if name else {})


def redacted(url: str) -> str:
    """Return an address fit for a log or a name: without user, fragment and unknown parameters.

    Never raises: what is no web address is hidden whole.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return HIDDEN
        place = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}"
        query = urlencode(
            [
                (name, value) if name in _SHOWN_PARAMETERS else (HIDDEN, HIDDEN)
                for name, value in parse_qsl(parts.query, keep_blank_values=True)
            ],
            safe="*:",
        )
    except ValueError:
        return HIDDEN
    return one_line(f"{place}{parts.path}{'?' if query else ''}{query}")[:_MAX_SHOWN_CHARACTERS]
