"""News wires, search engines, places where people write, and services: where to ask, with which
key, and how often they allow it.
"""

from __future__ import annotations

from catalyst_bot.feeds.source import Source

DAY_S = 86_400
HOUR_S = 3_600
_GOOGLE = "https://news.google.com/rss/search?hl=en-US&gl=US&ceid=US:en&q="
_FINNHUB_LIMITS = ((60, 60), (30, 1))
_ALPHA_VANTAGE_LIMITS = ((25, DAY_S), (1, 1))
_FMP_LIMITS = ((250, DAY_S),)

VENDORS: tuple[Source, ...] = (
    Source(
        name="globenewswire",
        source="GlobeNewswire",
        kind="globenewswire",
        url="https://www.globenewswire.com/RssFeed/orgclass/1/feedTitle/"
        "GlobeNewswire%20-%20News%20about%20Public%20Companies",
    ),
    Source(
        name="prnewswire",
        source="PR Newswire",
        kind="prnewswire",
        url="https://www.prnewswire.com/rss/news-releases-list.rss",
    ),
    # Business Wire's feeds are opaque codes of subjects, which most lists of them mislabel.
    Source(
        name="businesswire-mergers",
        source="Business Wire",
        kind="businesswire",
        url="https://feed.businesswire.com/rss/home/?rss=G1QFDERJXkJeEFtRWA==",
    ),
    Source(
        name="businesswire-pharma",
        source="Business Wire",
        kind="businesswire",
        url="https://feed.businesswire.com/rss/home/?rss=G1QFDERJXkJeGFNWWg==",
    ),
    # ACCESS Newswire, once Accesswire, publishes no feed of releases; Google's index lists them.
    # The "accesswire" reader is for the feed a subscriber has.
    Source(
        name="accesswire",
        source="ACCESS Newswire",
        kind="google",
        url=f"{_GOOGLE}site:accessnewswire.com+when:1d",
    ),
    Source(
        name="yahoo",
        source="Yahoo Finance",
        kind="yahoo",
        url="https://finance.yahoo.com/news/rssindex",
    ),
    Source(
        name="yahoo-symbol",
        source="Yahoo Finance",
        kind="yahoo",
        url="https://feeds.finance.yahoo.com/rss/2.0/headline?s={symbol}&region=US&lang=en-US",
    ),
    Source(
        name="google-symbol",
        source="Google News",
        kind="google",
        url=f"{_GOOGLE}{{symbol}}+stock+when:1d",
    ),
    Source(
        name="finviz-symbol",
        source="Finviz",
        kind="finviz",
        url="https://finviz.com/quote.ashx?t={symbol}",
    ),
    Source(
        name="finviz-elite",
        source="Finviz",
        kind="finviz",
        url="https://elite.finviz.com/news_export.ashx?v=3&auth={key}",
        key_env="FINVIZ_AUTH",
    ),
    Source(
        name="stocktwits-symbol",
        source="StockTwits",
        kind="stocktwits",
        url="https://api.stocktwits.com/api/2/streams/symbol/{symbol}.json",
        limits=((200, HOUR_S),),
        documented="https://api.stocktwits.com/developers/docs/rate_limiting",
    ),
    Source(
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
    Source(
        name="finnhub",
        source="Finnhub",
        kind="finnhub",
        url="https://finnhub.io/api/v1/news?category=general",
        header="X-Finnhub-Token: {key}",
        key_env="FINNHUB_API_KEY",
        limits=_FINNHUB_LIMITS,
        documented="https://finnhub.io/docs/api/rate-limit",
    ),
    Source(
        name="finnhub-symbol",
        source="Finnhub",
        kind="finnhub",
        url="https://finnhub.io/api/v1/company-news?symbol={symbol}&from={since}&to={today}",
        header="X-Finnhub-Token: {key}",
        key_env="FINNHUB_API_KEY",
        limits=_FINNHUB_LIMITS,
        documented="https://finnhub.io/docs/api/rate-limit",
    ),
    Source(
        name="alpha-vantage",
        source="Alpha Vantage",
        kind="alpha-vantage",
        url="https://www.alphavantage.co/query?function=NEWS_SENTIMENT&sort=LATEST&limit=200"
        "&apikey={key}",
        key_env="ALPHA_VANTAGE_API_KEY",
        limits=_ALPHA_VANTAGE_LIMITS,
        documented="https://www.alphavantage.co/support/",
    ),
    Source(
        name="alpha-vantage-symbol",
        source="Alpha Vantage",
        kind="alpha-vantage",
        url="https://www.alphavantage.co/query?function=NEWS_SENTIMENT&sort=LATEST&limit=50"
        "&tickers={symbol}&apikey={key}",
        key_env="ALPHA_VANTAGE_API_KEY",
        limits=_ALPHA_VANTAGE_LIMITS,
        documented="https://www.alphavantage.co/support/",
    ),
    Source(
        name="marketaux",
        source="Marketaux",
        kind="marketaux",
        url="https://api.marketaux.com/v1/news/all?countries=us&filter_entities=true&language=en"
        "&api_token={key}",
        key_env="MARKETAUX_API_KEY",
        limits=((100, DAY_S),),
        documented="https://www.marketaux.com/pricing",
    ),
    Source(
        name="tiingo",
        source="Tiingo",
        kind="tiingo",
        url="https://api.tiingo.com/tiingo/news?limit=100",
        header="Authorization: Token {key}",
        key_env="TIINGO_API_KEY",
        limits=((50, HOUR_S), (1_000, DAY_S)),
        documented="https://www.tiingo.com/about/pricing",
    ),
    Source(
        name="fmp-news",
        source="Financial Modeling Prep",
        kind="fmp",
        url="https://financialmodelingprep.com/stable/news/stock-latest?page=0&limit=100"
        "&apikey={key}",
        key_env="FMP_API_KEY",
        limits=_FMP_LIMITS,
        documented="https://site.financialmodelingprep.com/developer/docs/pricing",
    ),
    Source(
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
