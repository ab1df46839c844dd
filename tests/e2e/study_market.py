"""An invented market on disk: what happens to whom is known, so what a study must find is too."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from catalyst_bot.market_data.calendar_table import load_calendar

INTERVAL = timedelta(minutes=5)
BARS_A_DAY = 78
FIRST, LAST = "2025-08-01", "2025-10-31"
GAP_DAY = "2025-10-14"


@dataclass(frozen=True)
class Market:
    """Paths of its files."""

    bars: Path
    news: Path


def write_market(folder: Path, *, gain_bps: float = 200.0, seed: int = 1) -> Market:
    """Write five-minute bars of SPY, GOOD, GAPS and DULL, and news about GOOD.

    Every second day GOOD is upgraded at 10:00 and drifts up by `gain_bps` in the hour after. GAPS
    opens ten percent higher on `GAP_DAY`, on six times its volume. SPY and DULL wander.
    """
    sessions = [
        session
        for session in load_calendar().sessions
        if FIRST <= session.day.isoformat() <= LAST
        and session.closes_at - session.opens_at == BARS_A_DAY * INTERVAL
    ]
    rng = np.random.default_rng(seed)
    told = sessions[20::2]
    rows: list[dict[str, Any]] = []
    for symbol in ("SPY", "GOOD", "GAPS", "DULL"):
        price = 100.0
        for session in sessions:
            moves = rng.normal(0, 0.0002, BARS_A_DAY)
            volume = np.full(BARS_A_DAY, 20_000.0)
            if symbol == "GOOD" and session in told:
                moves[7:19] += gain_bps / 10_000 / 12
            if symbol == "GAPS" and session.day.isoformat() == GAP_DAY:
                moves[0] += 0.10
                volume *= 6
            closes = price * np.exp(np.cumsum(moves))
            opens = np.concatenate([[closes[0] if abs(moves[0]) > 0.05 else price], closes[:-1]])
            rows += bars_of(symbol, session.opens_at, opens, closes, volume)
            price = float(closes[-1])
    bars = folder / "bars.parquet"
    pl.DataFrame(rows).write_parquet(bars)
    news = write_news(folder / "news.jsonl", (headline(session.opens_at) for session in told))
    return Market(bars=bars, news=news)


def bars_of(
    symbol: str, opens_at: datetime, opens: np.ndarray, closes: np.ndarray, volume: np.ndarray
) -> list[dict[str, Any]]:
    """The rows of one session."""
    return [
        {
            "timestamp": opens_at + number * INTERVAL,
            "symbol": symbol,
            "open": float(opens[number]),
            "high": float(max(opens[number], closes[number]) * 1.0005),
            "low": float(min(opens[number], closes[number]) * 0.9995),
            "close": float(closes[number]),
            "volume": float(volume[number]),
        }
        for number in range(len(closes))
    ]


def headline(opens_at: datetime) -> dict[str, Any]:
    """Half an hour after the open; each day another broker speaks, so that none is a duplicate."""
    at = opens_at + timedelta(minutes=30)
    return {
        "published_at": at.isoformat(),
        "title": f"Good Corp upgraded to buy at Broker Number {at:%d%B}",
        "source": "Reuters",
        "symbols": ["GOOD"],
    }


def write_news(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """One object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
