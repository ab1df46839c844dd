"""One small page of invented news for each kind of reader, as its source lays it out.

Each holds one story of 2025-10-06 11:59 in New York, except where a source has no such thing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

TITLE = "Acme & Zeta sign deal"
URL = "https://example.com/1"


def rss(*, before: str = "", date: str = "Mon, 06 Oct 2025 15:59 GMT", title: str = "") -> bytes:
    """Return a page of one item; `before` stands in front of its title."""
    shown = title or TITLE.replace("&", "&amp;")
    return f"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Invented wire</title><item>
<guid
  isPermaLink="true">{URL}</guid><link>{URL}</link>{before}<title>{shown}</title>
<description><![CDATA[<p>BOSTON -- Acme said <b>yes</b>&hellip;</p>]]></description>
<pubDate>{date}</pubDate></item></channel></rss>""".encode()


STOCK = '<category\n  domain="https://www.globenewswire.com/rss/stock">Nasdaq:ACME</category>'
FINNHUB: dict[str, Any] = {
    "category": "company",
    "datetime": 1_759_766_340,
    "headline": TITLE,
    "id": 25_286,
    "image": "",
    "related": "ACME",
    "source": "Example Wire",
    "summary": "Acme said yes.",
    "url": URL,
}
ALPHA_VANTAGE: dict[str, Any] = {
    "title": TITLE,
    "url": URL,
    "time_published": "20251006T155900",
    "summary": "Acme said yes.",
    "source": "Example Wire",
    "overall_sentiment_score": 0.91,
    "overall_sentiment_label": "Bullish",
    "ticker_sentiment": [
        {"ticker": "ACME", "relevance_score": "0.9", "ticker_sentiment_score": "0.77"},
        {"ticker": "CRYPTO:BTC", "relevance_score": "0.1", "ticker_sentiment_score": "0.1"},
    ],
}
MARKETAUX: dict[str, Any] = {
    "uuid": "6f1b3d0e",
    "title": TITLE,
    "description": "Acme said yes.",
    "url": URL,
    "published_at": "2025-10-06T15:59:00.000000Z",
    "source": "example.com",
    "entities": [
        {"symbol": "ACME", "type": "equity", "country": "us", "sentiment_score": 0.77},
        {"symbol": "ACME.L", "type": "equity", "country": "gb", "sentiment_score": 0.77},
        {"symbol": "EURUSD", "type": "currency", "country": "us", "sentiment_score": 0.77},
    ],
}
TIINGO: dict[str, Any] = {
    "id": 77,
    "title": TITLE,
    "url": URL,
    "description": "Acme said yes.",
    "publishedDate": "2025-10-06T15:59:00Z",
    "crawlDate": "2025-10-06T16:00:00.123456Z",
    "source": "example.com",
    "tickers": ["acme"],
    "tags": ["Deals"],
}
FMP: dict[str, Any] = {
    "symbol": "ACME",
    "publishedDate": "2025-10-06 11:59:00",
    "publisher": "Example Wire",
    "title": TITLE,
    "image": "",
    "site": "example.com",
    "text": "Acme said yes.",
    "url": URL,
}
STOCKTWITS: dict[str, Any] = {
    "id": 500_001,
    "body": "Acme &amp; Zeta sign deal",
    "created_at": "2025-10-06T15:59:00Z",
    "user": {"id": 1, "username": "somebody"},
    "symbols": [{"id": 1, "symbol": "ACME"}, {"id": 2, "symbol": "BTC.X"}],
    "entities": {"sentiment": {"basic": "Bullish"}},
}
REDDIT: dict[str, Any] = {
    "name": "t3_abc123",
    "title": TITLE,
    "selftext": "Acme said **yes**.",
    "created_utc": 1_759_766_340.0,
    "permalink": "/r/stocks/comments/abc123/acme/",
}
FINVIZ_ROW = (
    '<tr><td width="130" align="right">{when}</td><td><a class="tab-link-news" '
    f'href="{URL}">{TITLE.replace("&", "&amp;")}</a><span>(Example Wire)</span></td></tr>'
)
EXPORT_HEAD = "Title,Source,Date,Url,Category,Ticker"


def finviz(*times: str) -> bytes:
    """Return a quote page whose table has a row for each of the times."""
    rows = "".join(FINVIZ_ROW.format(when=when) for when in times)
    return f'<html><table id="news-table" data-ticker="ACME">{rows}</table></html>'.encode()


def export(*lines: str) -> bytes:
    """Return an export of news as CSV."""
    return "\r\n".join((EXPORT_HEAD, *lines)).encode()


def answer(kind: str, *items: Mapping[str, Any]) -> bytes:
    """Return the JSON a service wraps these items in."""
    wrapped: Any = list(items)
    if kind == "alpha-vantage":
        wrapped = {"items": "1", "feed": wrapped}
    elif kind == "marketaux":
        wrapped = {"meta": {"found": 1}, "data": wrapped}
    elif kind == "stocktwits":
        wrapped = {"response": {"status": 200}, "messages": wrapped}
    elif kind == "reddit":
        children = [{"kind": "t3", "data": item} for item in items]
        wrapped = {"kind": "Listing", "data": {"children": children}}
    return json.dumps(wrapped).encode()


ITEMS: Mapping[str, Mapping[str, Any]] = {
    "finnhub": FINNHUB,
    "alpha-vantage": ALPHA_VANTAGE,
    "marketaux": MARKETAUX,
    "tiingo": TIINGO,
    "fmp": FMP,
    "stocktwits": STOCKTWITS,
    "reddit": REDDIT,
}
PAGES: Mapping[str, bytes] = {
    "rss": rss(),
    "globenewswire": rss(before=STOCK),
    "prnewswire": rss(before="<category>ERN</category>", date="Mon, 06 Oct 2025 15:59:00 +0000"),
    "businesswire": rss(date="Mon, 06 Oct 2025 15:59:00 UT"),
    "accesswire": rss(date="Mon, 06 Oct 2025 11:59:00 EDT"),
    "yahoo": rss(before="<source>Example Wire</source>", date="2025-10-06T15:59:00Z"),
    "google": rss(title="Acme &amp; Zeta sign deal - Example Wire"),
    "finviz": finviz("Today 11:59AM"),
    **{kind: answer(kind, item) for kind, item in ITEMS.items()},
}
