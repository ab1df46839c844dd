"""The text of filings whose title says little: fetched once, its words become the headline's body.

Bounded on all sides: so many filings a look, so many at a time, so much of each. A filing whose
text cannot be had is told without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

import httpx2

from catalyst_bot.domain.errors import BadData
from catalyst_bot.domain.news import Headline
from catalyst_bot.feeds.choice import Feed
from catalyst_bot.feeds.fetch import Request, Unanswered, fetch
from catalyst_bot.feeds.health import Health
from catalyst_bot.feeds.readers.edgar_document import read_documents, text_of
from catalyst_bot.feeds.turns import Turns

MAX_FILINGS = 40  # a look; what is older is told without its text
MAX_AT_A_TIME = 4
MAX_BYTES = 2 << 20  # the main document and its releases come first
PATIENCE_S = 5.0  # news that waits for its text longer is older than it is clearer
NOT_FOUND = 404  # a filing that is not there yet is nobody's failure
_INDEX, _WHOLE = "-index.htm", ".txt"
_ARCHIVE = "/Archives/"


class Documents:
    """Adds texts to the filings of one feed."""

    def __init__(
        self, feed: Feed, *, client: httpx2.AsyncClient, turns: Turns, health: Health
    ) -> None:
        self._feed = feed
        self._client = client
        self._turns = turns
        self._health = health
        self._free = asyncio.Semaphore(MAX_AT_A_TIME)

    def wants(self, headline: Headline) -> bool:
        """Tell whether the text of a filing is worth a request, and where it lies is known."""
        is_one = headline.form in self._feed.source.follows
        return is_one and whole_filing_at(headline.url) is not None

    async def add_to(self, headlines: Sequence[Headline]) -> list[Headline]:
        """Return the headlines, the first of them with their text. One filing is fetched once,
        however many parties it is listed for.
        """
        first = {headline.accession: headline for headline in reversed(headlines)}
        asked = list(dict.fromkeys(headline.accession for headline in headlines))[:MAX_FILINGS]
        texts = await asyncio.gather(*(self._text(first[accession]) for accession in asked))
        text_by_accession = dict(zip(asked, texts, strict=True))
        return [
            replace(headline, body=text_by_accession.get(headline.accession) or headline.body)
            for headline in headlines
        ]

    async def _text(self, filing: Headline) -> str:
        """Return the text of a filing, empty when it cannot be had."""
        request = Request(
            url=f"{self._feed.source.documents_at}{whole_filing_at(filing.url)}",
            headers={"User-Agent": self._feed.agent},
            max_bytes=MAX_BYTES,
            cuts=True,
        )
        try:
            async with self._free, asyncio.timeout(PATIENCE_S):
                await self._turns.take()
                answer = await fetch(self._client, request)
            text = await asyncio.to_thread(text_in, answer.content if answer else b"")
        except TimeoutError:
            self._health.failed(f"no text of a filing within {PATIENCE_S:g} s")
        except (Unanswered, BadData) as error:
            if not (isinstance(error, Unanswered) and error.status == NOT_FOUND):
                self._health.failed(str(error))
        else:
            self._health.worked(brought=True, is_open=False)
            return text
        return ""


def whole_filing_at(url: str) -> str | None:
    """Return where the whole filing of an index page lies in one file; None for no such page.

    Only the path is taken from what a feed says: the host is the one we were told to ask.
    """
    path = urlsplit(url).path
    is_index = path.startswith(_ARCHIVE) and path.endswith(_INDEX)
    return f"{path.removesuffix(_INDEX)}{_WHOLE}" if is_index else None


def text_in(content: bytes) -> str:
    """Return the text of a whole filing. Raises `BadData` when there is none in it."""
    return text_of(read_documents(content, "document"))
