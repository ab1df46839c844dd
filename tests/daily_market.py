"""An invented market of daily bars on disk, with news about some of its companies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from catalyst_bot.domain.calendar import Session
from catalyst_bot.market_data.calendar_table import load_calendar

SYMBOLS = ("SPY", "ACME", "BOLT", "CRUX")
FIRST, LAST = "2023-01-03", "2025-10-31"
REPLAYED = ("2025-09-02", "2025-10-31")
NEWS_EVERY = 7  # sessions between two headlines of one company
# Bars of a day make no news within it: looks at the broker's books would be two thirds of a run.
FEW_LOOKS = {"CATALYST_EXECUTION__RECONCILE_EVERY_S": "3600"}


@dataclass(frozen=True)
class DailyMarket:
    """Paths of its files."""

    bars: Path
    news: Path

    def flags(self) -> list[str]:
        """What a command is told to replay it."""
        first, last = REPLAYED
        files = ["--bars", str(self.bars), "--news", str(self.news)]
        return ["--from", first, "--to", last, *files]


def sessions(first: str = FIRST, last: str = LAST) -> list[Session]:
    """Sessions of the exchange between two days, both included."""
    return [s for s in load_calendar().sessions if first <= s.day.isoformat() <= last]


def write_daily_market(folder: Path, *, seed: int = 1) -> DailyMarket:
    """Write bars of `SYMBOLS` that wander upwards, and good news about all but SPY."""
    draw = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for symbol in SYMBOLS:
        days = sessions()
        closes = 50.0 * np.exp(np.cumsum(draw.normal(0.0006, 0.012, len(days))))
        opens = np.concatenate([closes[:1], closes[:-1]]) * np.exp(draw.normal(0, 0.003, len(days)))
        wiggle = 1 + np.abs(draw.normal(0, 0.004, (2, len(days))))
        rows += [
            {
                "timestamp": datetime.fromisoformat(session.day.isoformat()),
                "symbol": symbol,
                "open": round(float(opens[n]), 4),
                "high": round(float(max(opens[n], closes[n]) * wiggle[0, n]), 4),
                "low": round(float(min(opens[n], closes[n]) / wiggle[1, n]), 4),
                "close": round(float(closes[n]), 4),
                "volume": float(draw.integers(1_000_000, 3_000_000)),
            }
            for n, session in enumerate(days)
        ]
    bars, news = folder / "daily.parquet", folder / "news.jsonl"
    pl.DataFrame(rows).write_parquet(bars)
    lines = [
        news_about(symbol, session.opens_at + timedelta(hours=1 + place), number)
        for place, symbol in enumerate(SYMBOLS[1:])
        for number, session in enumerate(sessions(*REPLAYED)[place::NEWS_EVERY])
    ]
    news.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return DailyMarket(bars=bars, news=news)


def news_about(symbol: str, at: datetime, number: int) -> dict[str, Any]:
    """Good news about a company, of two kinds in turn."""
    name = symbol.title()
    titles = (
        f"{name} Receives FDA Approval For Its Pump Number {number}",
        f"{name} Wins $900 Million Contract Number {number} From Navy",
    )
    return {
        "published_at": at.isoformat(),
        "title": titles[number % 2],
        "symbols": [symbol],
        "source": "Wire",
    }
