"""The scanner as a source of news: hits in bars become headlines of the source "scanner".

They go through detection, the gates and risk like any other headline, and stand in the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np

from catalyst_bot.domain.ids import item_id
from catalyst_bot.domain.limits import ScannerRules
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.domain.news import SCAN_FORM, SCAN_SOURCE, Headline
from catalyst_bot.features.scanner import Hit, scan
from catalyst_bot.features.window import BarWindow
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from catalyst_bot.market_data.session_times import SessionTimes, to_datetime

_WORDS = {
    "gap_up": "opened far above the last close",
    "gap_down": "opened far below the last close",
    "surge": "rose unusually",
    "plunge": "fell unusually",
    "year_high": "closed a bar above the range of 52 weeks",
    "year_low": "closed a bar below the range of 52 weeks",
    "squeeze_up": "left narrow bands upwards",
    "squeeze_down": "left narrow bands downwards",
    "breakout": "closed a bar above the range of a month",
    "breakdown": "closed a bar below the range of a month",
}


def history_before(rules: ScannerRules) -> timedelta:
    """Return how far back the rules look, in days of the calendar with room for holidays."""
    sessions = max(
        rules.year_sessions,
        rules.squeeze_sessions + rules.break_sessions,
        rules.volume_sessions,
        rules.atr_sessions + 1,
    )
    return timedelta(days=sessions * 1.5 + 10)


def scan_store(
    store: BarStore,
    sessions: SessionTimes,
    rules: ScannerRules,
    *,
    benchmark: str,
    start: datetime,
    end: datetime,
) -> list[HeadlineReceived]:
    """Return the hits of every symbol but the benchmark that are known in [start, end), in order.

    Bars before `start` are the past that hits are held against. Bars outside sessions are left
    out.
    """
    found = [
        headline
        for symbol in store.symbols
        if symbol != benchmark
        for headline in scan_symbol(
            symbol, store.columns(symbol), sessions, rules, interval_s=store.interval_s
        )
        if start <= headline.received_at < end
    ]
    return [HeadlineReceived(at=each.received_at, headline=each) for each in _in_order(found)]


def scan_symbol(
    symbol: str,
    bars: BarColumns,
    sessions: SessionTimes,
    rules: ScannerRules,
    *,
    interval_s: int,
) -> list[Headline]:
    """Return the hits in one symbol's bars as headlines, each received when its bar had closed."""
    session = sessions.index_at(bars.opened_s)
    inside = session >= 0
    session = session[inside]
    slot = (bars.opened_s[inside] - sessions.opens_s[session]) // interval_s
    window = BarWindow(*(column[inside].astype(np.float64) for column in bars.arrays()))
    return [_headline(symbol, hit, sessions) for hit in scan(window, session, slot, rules)]


def _headline(symbol: str, hit: Hit, sessions: SessionTimes) -> Headline:
    """The day is part of the id: a live look and a replay name the same hit alike."""
    at = to_datetime(hit.closed_s)
    day = to_datetime(int(sessions.opens_s[hit.session])).date()
    key = f"{symbol} {hit.kinds[0]} {day}"
    return Headline(
        item_id=item_id(SCAN_SOURCE, key),
        source=SCAN_SOURCE,
        title=(
            f"{symbol} {_WORDS[hit.kinds[0]]}: {hit.moved:+.1%} since the last close on "
            f"{hit.rvol:.1f} times its usual volume"
        ),
        symbols=(symbol,),
        published_at=at,
        received_at=at,
        form=SCAN_FORM,
        items=hit.kinds,
        accession=key,
    )


def _in_order(headlines: Iterable[Headline]) -> list[Headline]:
    return sorted(headlines, key=lambda each: (each.received_at, each.item_id))
