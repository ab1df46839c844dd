"""Downloaded symbols, each in a file of its own until and after all are here.

So a download that was stopped goes on where it stopped, a symbol that is added later is asked for
alone, and nothing is half-written: rows and then the receipt appear by a rename each, and rows
without a receipt are not there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from catalyst_bot.downloads.wanted import Fetched, Known, Period, as_text
from catalyst_bot.market_data.catalog import write_whole

FOLDER = "downloads"  # in the catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What is on the shelf of one symbol."""

    known: Known
    asked_at: str


class Shelf:
    """The downloads of one source and bar interval."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def receipt(self, symbol: str) -> Receipt | None:
        """Return what is here of a symbol; None for nothing, or nothing readable."""
        if not self._rows_file(symbol).is_file():
            return None
        try:
            return _receipt(json.loads(self._receipt_file(symbol).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def put(self, symbol: str, fetched: Fetched, period: Period, *, at: datetime) -> Receipt:
        """Keep the rows of a symbol in the place of what was there."""
        known = Known(
            period=period,
            asked=fetched.asked,
            etag=fetched.etag,
            last_modified=fetched.last_modified,
        )
        write_whole(self._rows_file(symbol), fetched.rows.write_parquet)
        return self._note(symbol, Receipt(known=known, asked_at=as_text(at)))

    def still_holds(self, symbol: str, period: Period, *, at: datetime) -> Receipt:
        """Note that what is here is all there is up to the end of a longer period."""
        old = self.receipt(symbol)
        assert old is not None, symbol
        known = replace(old.known, period=period)
        return self._note(symbol, replace(old, known=known, asked_at=as_text(at)))

    def all_rows(self) -> tuple[pl.DataFrame, str]:
        """Return the rows of all symbols, by name, and when the last of them was asked for.

        Empty when there are none.
        """
        symbols = sorted(path.stem for path in self.folder.glob("*.parquet"))
        receipts = {symbol: self.receipt(symbol) for symbol in symbols}
        here = {symbol: found for symbol, found in receipts.items() if found is not None}
        frames = [
            pl.read_parquet(self._rows_file(symbol))
            .filter(pl.col("day").is_between(found.known.period.first, found.known.period.last))
            .drop("day")
            for symbol, found in here.items()
        ]
        if not any(frame.height for frame in frames):
            return pl.DataFrame(), ""
        return pl.concat(frames, how="diagonal"), max(found.asked_at for found in here.values())

    def _note(self, symbol: str, receipt: Receipt) -> Receipt:
        known = receipt.known
        content = {
            "first": known.period.first.isoformat(),
            "last": known.period.last.isoformat(),
            "asked": known.asked,
            "etag": known.etag,
            "last_modified": known.last_modified,
            "asked_at": receipt.asked_at,
        }
        text = json.dumps(content, indent=1) + "\n"
        write_whole(
            self._receipt_file(symbol), lambda part: part.write_text(text, encoding="utf-8")
        )
        return receipt

    def _rows_file(self, symbol: str) -> Path:
        return self.folder / f"{symbol}.parquet"

    def _receipt_file(self, symbol: str) -> Path:
        return self.folder / f"{symbol}.json"


def _receipt(content: dict[str, Any]) -> Receipt:
    period = Period(
        first=date.fromisoformat(content["first"]), last=date.fromisoformat(content["last"])
    )
    return Receipt(
        known=Known(
            period=period,
            asked=str(content["asked"]),
            etag=str(content["etag"]),
            last_modified=str(content["last_modified"]),
        ),
        asked_at=str(content["asked_at"]),
    )
