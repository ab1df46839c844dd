"""The words of `data download`; loads nothing, so that `--help` is quick."""

from __future__ import annotations

from enum import StrEnum


class SourceName(StrEnum):
    """Who has recordings."""

    ALPACA = "alpaca"
    EDGAR = "edgar"
    CSV = "csv"
    YFINANCE = "yfinance"


class Interval(StrEnum):
    """How long a bar is."""

    DAY = "1d"
    FIVE_MINUTES = "5m"
    MINUTE = "1m"

    @property
    def seconds(self) -> int:
        """Return it as the number that the catalog keeps."""
        return {Interval.DAY: 86_400, Interval.FIVE_MINUTES: 300, Interval.MINUTE: 60}[self]
