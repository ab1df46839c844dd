"""The table of sources: what can be named in `feeds.sources`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from catalyst_bot.feeds.source import Source
from catalyst_bot.feeds.vendors import VENDORS

EDGAR = "SEC EDGAR"
RSS, JSON_LINES, RECORDED = "rss", "json-lines", "recorded"
ELSEWHERE = ((20, 1),)  # an address that the user gave: a mirror, or a server of their own
HERE = ((1_000, 1),)  # an address on this machine: nobody else's patience is to be spared
_SEC = "https://www.sec.gov"
_SEC_LIMITS = ((8, 1),)  # of ten
_SEC_LIMITS_AT = "https://www.sec.gov/search-filings/edgar-search-assistance/accessing-edgar-data"
_READ_WHOLE = ("8-K", "424B5")

OURS: tuple[Source, ...] = (
    # All forms at once: EDGAR's own filter is a prefix (4 is 424B5, too), and who asks for one form
    # after the other is slower and misses those that were renamed.
    Source(
        name="edgar",
        source=EDGAR,
        kind="edgar-atom",
        url=f"{_SEC}/cgi-bin/browse-edgar?action=getcurrent&type=&owner=include&start={{start}}"
        "&count=100&output=atom",
        limits=_SEC_LIMITS,
        documented=_SEC_LIMITS_AT,
        wants_contact=True,
        stale_after_s=1_800.0,
        pages=10,
        follows=_READ_WHOLE,
        documents_at=_SEC,
    ),
    Source(
        name="edgar-submissions",
        source=EDGAR,
        kind="edgar-submissions",
        url="https://data.sec.gov/submissions/CIK{cik}.json",
        limits=_SEC_LIMITS,
        documented=_SEC_LIMITS_AT,
        at_least_s=300.0,
        wants_contact=True,
        newest=20,
        follows=_READ_WHOLE,
        documents_at=_SEC,
    ),
    Source(
        name="nasdaq-halts",
        source="NASDAQ halts",
        kind="nasdaq-halts",
        url="https://www.nasdaqtrader.com/rss.aspx?feed=tradehalts",
        documented="https://www.nasdaqtrader.com/Trader.aspx?id=TradeHaltRSS",
    ),
    Source(
        name="nyse-halts",
        source="NYSE halts",
        kind="nyse-halts",
        url="https://www.nyse.com/api/trade-halts/current/download",
    ),
)
# These have no address of their own: NAME=ADDRESS gives it.
_BY_ADDRESS = (
    Source(name=RSS, source="", kind=RSS, url="", limits=ELSEWHERE),
    Source(name=JSON_LINES, source="JSON lines", kind=JSON_LINES, url="", limits=((1_000, 1),)),
)

SOURCES: Mapping[str, Source] = MappingProxyType(
    {source.name: source for source in (*OURS, *VENDORS, *_BY_ADDRESS)}
)
