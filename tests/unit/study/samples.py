"""Bars of invented symbols over the sessions of `tests.builders.calendar`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from catalyst_bot.market_data.session_times import DAY_S, SessionTimes
from catalyst_bot.study.prices import Prices
from tests.builders import calendar

SESSIONS = SessionTimes.of(calendar())
FIVE_MINUTES = 300


def daily(opens: Sequence[float], closes: Sequence[float], *, first: int = 0) -> BarColumns:
    """One bar a session from session number `first` on."""
    rows = slice(first, first + len(opens))
    return columns(SESSIONS.opens_s[rows], SESSIONS.closes_s[rows], opens, closes)


def intraday(opens: Sequence[float], closes: Sequence[float], *, session: int = 0) -> BarColumns:
    """Five-minute bars from the open of a session on; they must fit into it."""
    opened_s = SESSIONS.opens_s[session] + FIVE_MINUTES * np.arange(len(opens), dtype=np.int64)
    return columns(opened_s, opened_s + FIVE_MINUTES, opens, closes)


def columns(opened_s, closed_s, opens, closes, volume: float = 1_000.0) -> BarColumns:
    """Bars without wicks."""
    first, last = np.array(opens, dtype=float), np.array(closes, dtype=float)
    return BarColumns(
        opened_s=opened_s,
        closed_s=closed_s,
        open=first,
        high=np.maximum(first, last),
        low=np.minimum(first, last),
        close=last,
        volume=np.full(len(first), volume),
    )


def prices(bars: Mapping[str, BarColumns], *, interval_s: int = DAY_S) -> Prices:
    """Prices with the benchmark SPY, which must be among the bars."""
    return Prices(BarStore(dict(bars), interval_s=interval_s), "SPY", SESSIONS)
