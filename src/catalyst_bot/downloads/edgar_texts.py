"""The texts of downloaded filings, as a live feed would have read them: each asked for once.

They lie beside the lists of filings, a file a filing, empty where there is none to be had. So a
longer period, another symbol or a stopped download asks for no text again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from catalyst_bot.domain.errors import BadData
from catalyst_bot.downloads.pages import Pages
from catalyst_bot.feeds.documents import MAX_BYTES, text_in, whole_filing_at
from catalyst_bot.feeds.fetch import Request
from catalyst_bot.feeds.source import Source as Row
from catalyst_bot.market_data.catalog import write_whole

TELL_EVERY = 200


class FilingTexts:
    """Adds texts to filings of the forms that `row` follows; asks for those that are missing only
    where `is_asking`.
    """

    def __init__(
        self,
        pages: Pages,
        *,
        row: Row,
        headers: Mapping[str, str],
        folder: Path,
        is_asking: bool,
        tell: Callable[[str], None],
    ) -> None:
        self._pages = pages
        self._row = row
        self._headers = headers
        self._folder = folder
        self._is_asking = is_asking
        self._tell = tell
        self._asked = 0

    async def add_to(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of a shelf, their lines with the texts as bodies.

        Raises `SourceUnreachable`; the texts that came until then are kept.
        """
        lines = [await self._told(line) for line in rows["line"]]
        return rows.with_columns(line=pl.Series(lines, dtype=pl.String))

    async def _told(self, line: str) -> str:
        filing: dict[str, Any] = json.loads(line)
        path = whole_filing_at(filing["url"])
        if filing["form"] not in self._row.follows or path is None:
            return line
        file = self._folder / f"{Path(path).stem}.txt"
        if not file.is_file():
            if not self._is_asking:
                return line
            text = await self._asked_for(path)
            write_whole(file, lambda part: part.write_text(text, encoding="utf-8"))
        body = file.read_text(encoding="utf-8") or filing["body"]
        return json.dumps({**filing, "body": body}, ensure_ascii=False)

    async def _asked_for(self, path: str) -> str:
        """Return the text of a filing, empty when there is none to be had."""
        request = Request(
            url=f"{self._row.documents_at}{path}",
            headers=self._headers,
            max_bytes=MAX_BYTES,
            cuts=True,
        )
        self._asked += 1
        if self._asked % TELL_EVERY == 0:
            self._tell(f"{self._asked:,} texts of filings were asked for")
        try:
            answer = await self._pages.get(request, None)
            assert answer is not None, "asked without validators"
            return await asyncio.to_thread(text_in, answer.content)
        except BadData:  # nothing there, or nothing to read in it: so it stays
            return ""
