"""`data import` with today's calendar and clock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.catalog import ImportReport, import_paths
from catalyst_bot.runtime.clock import SystemClock


def import_data(paths: Sequence[Path], catalog: Path) -> ImportReport:
    """Take files into the catalog; rows from the future are refused by the wall clock."""
    return import_paths(paths, catalog, calendar=load_calendar(), now=SystemClock().now())
