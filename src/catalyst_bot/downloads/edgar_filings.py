"""Filings of companies from EDGAR's submissions, as recorded news.

What a filing says on its company's list is its form, its items and its time, which is read by the
rule of `feeds.readers.edgar_submissions`, for each answer anew. Texts: `edgar_texts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime

import polars as pl

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.news import Headline
from catalyst_bot.downloads.names import Interval
from catalyst_bot.downloads.pages import Pages, asked_of
from catalyst_bot.downloads.wanted import NEW_YORK, Fetched, Known, Period, as_text
from catalyst_bot.feeds.fetch import Request
from catalyst_bot.feeds.readers.edgar_submissions import (
    Older,
    read_older_submissions,
    read_submissions,
)
from catalyst_bot.feeds.source import Source as Row
from catalyst_bot.feeds.source import redacted

MAX_BYTES = 64 << 20  # decoded; who files thousands of notes a year has answers of many MiB


class EdgarFilings:
    """All filings of companies: a `Source`. `row` is EDGAR's in the table of feeds."""

    name = "edgar"
    vendor = "SEC EDGAR"
    interval: Interval | None = None
    adjustment = "times by the hours of EDGAR, texts as far as they were asked for"
    terms = "public domain, under the SEC's rules of fair access"

    def __init__(
        self,
        pages: Pages,
        *,
        row: Row,
        headers: Mapping[str, str],
        ciks: Mapping[str, int],
        now: Callable[[], datetime],
    ) -> None:
        self._pages = pages
        self._row = row
        self._headers = headers
        self._ciks = ciks
        self._now = now
        self.place = redacted(row.url)

    async def fetch(self, symbol: str, period: Period, known: Known | None) -> Fetched | None:
        """See `Source`."""
        url = self._row.url.replace("{cik}", f"{self._cik(symbol):010d}")
        # Filings from before what is known are not in it, changed or not.
        is_later = known is not None and known.period.first <= period.first
        answer = await self._pages.get(self._request(url), known if is_later else None)
        if answer is None:
            return None
        told = read_submissions(answer.content, source=self._row.source, received_at=self._now())
        pages = [told.page]
        for older in told.older:
            if _reaches(older, period):
                beside = f"{url.rpartition('/')[0]}/{older.name}"
                more = await self._pages.get(self._request(beside), None)
                assert more is not None, "asked without validators"
                pages.append(
                    read_older_submissions(
                        more.content,
                        told.company,
                        source=self._row.source,
                        received_at=self._now(),
                    )
                )
        problems = [problem for page in pages for problem in page.problems]
        return Fetched(
            rows=_rows([told for page in pages for told in page.headlines], period.first),
            unreadable=tuple(f"{problem.place}: {problem.reason}" for problem in problems),
            asked=asked_of(url),
            etag=answer.validators.etag,
            last_modified=answer.validators.last_modified,
        )

    def _request(self, url: str) -> Request:
        return Request(url=url, headers=self._headers, max_bytes=MAX_BYTES)

    def _cik(self, symbol: str) -> int:
        if symbol not in self._ciks:
            raise ConfigError(
                f"no CIK of {symbol} is known: set detection.tickers_file to the SEC's "
                "company_tickers.json"
            )
        return self._ciks[symbol]


def _reaches(older: Older, period: Period) -> bool:
    """Whatever is newer than the period comes too: so "not changed" holds for a longer one.

    Compared as text: days are ISO, and what is none of them is asked for rather than left out.
    """
    return period.first.isoformat() <= older.last_day


def _rows(headlines: list[Headline], first: date) -> pl.DataFrame:
    """Return the filings since a day as `feeds.rows` reads them, oldest first, each once."""
    found = {
        (headline.published_at, headline.accession): headline
        for headline in headlines
        if _day(headline) >= first
    }
    in_order = [found[key] for key in sorted(found)]
    return pl.DataFrame(
        {
            "line": [json.dumps(_row(each), ensure_ascii=False) for each in in_order],
            "day": [_day(each) for each in in_order],
        },
        schema={"line": pl.String, "day": pl.Date},
    )


def _day(headline: Headline) -> date:
    return headline.published_at.astimezone(NEW_YORK).date()


def _row(headline: Headline) -> dict[str, object]:
    return {
        "published_at": as_text(headline.published_at),
        "title": headline.title,
        "source": headline.source,
        "symbols": list(headline.symbols),
        "body": headline.body,
        "url": headline.url,
        "form": headline.form,
        "items": list(headline.items),
        "cik": headline.cik,
        "accession": headline.accession,
    }
