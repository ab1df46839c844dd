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

# What is no news item in itself, or has a title of its own making.
EDGAR_ENTRY = """<entry>
<title>8-K - ACME CORP (0000000101) (Filer)</title>
<link rel="alternate" type="text/html" href="https://www.sec.gov/Archives/edgar/data/101/\
000000010125000001/0000000101-25-000001-index.htm"/>
<summary type="html">
 &lt;b&gt;Filed:&lt;/b&gt; 2025-10-06 &lt;b&gt;AccNo:&lt;/b&gt; 0000000101-25-000001
&lt;br&gt;Item 2.02: Results of Operations and Financial Condition
</summary>
<updated>2025-10-06T11:59:00-04:00</updated>
<category scheme="https://www.sec.gov/" label="form type" term="8-K"/>
<id>urn:tag:sec.gov,2008:accession-number=0000000101-25-000001</id>
</entry>"""


def edgar_page(*entries: str) -> bytes:
    """Return a page of EDGAR's current filings."""
    head = '<?xml version="1.0" encoding="ISO-8859-1" ?><feed xmlns="http://www.w3.org/2005/Atom">'
    return f"{head}{''.join(entries)}</feed>".encode("latin-1")


SUBMISSION: Mapping[str, str] = {
    "accessionNumber": "0000000101-25-000001",
    "filingDate": "2025-10-06",
    "acceptanceDateTime": "2025-10-06T15:59:00.000Z",
    "form": "8-K",
    "items": "2.02,9.01",
    "fileNumber": "001-00101",
    "primaryDocDescription": "CURRENT REPORT",
}


def submissions(*rows: Mapping[str, str]) -> bytes:
    """Return the SEC's JSON of one company's filings, a column a field."""
    columns = {name: [row[name] for row in rows] for name in SUBMISSION}
    company = {"cik": "101", "name": "ACME CORP", "tickers": ["ACME", "ACMEW"]}
    return json.dumps({**company, "filings": {"recent": columns, "files": []}}).encode()


def nasdaq_halt(
    symbol: str = "ACME", code: str = "T1", begins: str = "11:59:00.000", ends: str = ""
) -> str:
    """Return an item of NASDAQ's list, of 2025-10-06."""
    fields = {
        "HaltDate": "10/06/2025",
        "HaltTime": begins,
        "IssueSymbol": symbol,
        "IssueName": "Acme Corp Cmn Stk",
        "Market": "NASDAQ",
        "ReasonCode": code,
        "ResumptionDate": "10/06/2025" if ends else "",
        "ResumptionQuoteTime": "",
        "ResumptionTradeTime": ends,
    }
    written = "".join(f"<ndaq:{name}>{value}</ndaq:{name}>" for name, value in fields.items())
    return f"<item><title>{symbol}</title>{written}</item>"


def nasdaq_halts(*items: str) -> bytes:
    """Return NASDAQ's list of halts."""
    head = '<rss version="2.0" xmlns:ndaq="http://www.nasdaqtrader.com/"><channel>'
    return f"{head}{''.join(items)}</channel></rss>".encode()


NYSE_HEAD = "Halt Date,Halt Time,Symbol,Name,Exchange,Reason,Resume Date,NYSE Resume Time"


def nyse_halts(*lines: str) -> bytes:
    """Return the NYSE's list of halts."""
    return "\n".join((NYSE_HEAD, *lines)).encode()


JSON_LINE = {"published_at": "2025-10-06T15:59:00Z", "title": TITLE, "source": "Example Wire"}
OTHER_PAGES: Mapping[str, bytes] = {
    "edgar-atom": edgar_page(EDGAR_ENTRY),
    "edgar-submissions": submissions(SUBMISSION),
    "nasdaq-halts": nasdaq_halts(nasdaq_halt()),
    "nyse-halts": nyse_halts('2025-10-06,11:59:00,ACME,"""Acme, Inc.""",NYSE,News Pending,,'),
    "json-lines": json.dumps(JSON_LINE).encode(),
}
