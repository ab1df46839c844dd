"""What the scanner would have told on each day of a history."""

from __future__ import annotations

import numpy as np

from catalyst_bot.domain.limits import ScannerRules
from catalyst_bot.domain.messages.facts import HeadlineReceived
from catalyst_bot.history.panel import Panel
from catalyst_bot.market_data.bar_store import BarColumns
from catalyst_bot.market_data.scanner import scan_symbol
from catalyst_bot.market_data.session_times import SessionTimes


def scan_panel(panel: Panel, sessions: SessionTimes, rules: ScannerRules) -> list[HeadlineReceived]:
    """Return the hits of every symbol but the benchmark, in order of time.

    On adjusted prices: a dividend or a split is no gap.
    """
    found = [
        headline
        for symbol in panel.symbols
        if symbol != panel.card.benchmark
        for headline in scan_symbol(
            symbol, _columns(panel, symbol), sessions, rules, interval_s=panel.card.interval_s
        )
    ]
    found.sort(key=lambda each: (each.received_at, each.item_id))
    return [HeadlineReceived(at=each.received_at, headline=each) for each in found]


def _columns(panel: Panel, symbol: str) -> BarColumns:
    window = panel.adjusted(symbol)
    return BarColumns(
        opened_s=window.opened_at.astype(np.int64),
        closed_s=window.closed_at.astype(np.int64),
        open=window.open,
        high=window.high,
        low=window.low,
        close=window.close,
        volume=window.volume,
    )
