"""Small markets for tests: a few symbols, a few days, every price known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st

from catalyst_bot.domain.news import Headline
from catalyst_bot.exchange.market.book_prices import QuoteRule
from catalyst_bot.exchange.market.market import Market
from catalyst_bot.exchange.market.news import NewsItem
from catalyst_bot.exchange.market.world import MarketSource, World
from catalyst_bot.market_data.bar_store import BarColumns, BarStore
from catalyst_bot.market_data.calendar_table import load_calendar
from catalyst_bot.market_data.session_times import SessionTimes, to_seconds

OPEN = datetime(2025, 10, 22, 13, 30, tzinfo=UTC)  # a Wednesday, 09:30 in New York
CLOSE = OPEN + timedelta(hours=6, minutes=30)
NEXT_OPEN = OPEN + timedelta(days=1)
MINUTE = timedelta(minutes=1)
SESSIONS = SessionTimes.of(load_calendar())

Row = tuple[datetime, float, float, float, float, float]  # start, open, high, low, close, volume


def columns(rows: Sequence[Row], interval_s: int = 300) -> BarColumns:
    """Return bars as columns."""
    opened = np.array([to_seconds(row[0]) for row in rows], dtype=np.int64)
    values = np.array([row[1:] for row in rows], dtype=np.float64).reshape(len(rows), 5)
    return BarColumns(
        opened_s=opened,
        closed_s=SESSIONS.bar_closes(opened, interval_s),
        open=values[:, 0],
        high=values[:, 1],
        low=values[:, 2],
        close=values[:, 3],
        volume=values[:, 4],
    )


def walk(
    seed: int, *, starts: Sequence[datetime] = (OPEN, NEXT_OPEN), bars: int = 78, step_s: int = 300
) -> list[Row]:
    """Return bars of a random walk in cents, from each of `starts`."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    price = float(rng.integers(500, 20_000)) / 100
    for start in starts:
        for index in range(bars):
            moves = rng.integers(-20, 21, 4) / 100
            close = max(0.05, round(price + float(moves[0]), 2))
            high = round(max(price, close) + abs(float(moves[1])), 2)
            low = round(max(0.01, min(price, close) - abs(float(moves[2]))), 2)
            volume = float(rng.integers(0, 50_000))
            rows.append(
                (start + timedelta(seconds=step_s * index), price, high, low, close, volume)
            )
            price = close
    return rows


def market_of(
    bars: dict[str, Sequence[Row]],
    *,
    interval_s: int = 300,
    quote_rule: QuoteRule = QuoteRule.TRADES,
    daily: dict[str, Sequence[Row]] | None = None,
    seed: int = 0,
    **source: Any,
) -> Market:
    """Return a market of such bars."""
    stores = [
        BarStore({s: columns(rows, interval_s) for s, rows in bars.items()}, interval_s=interval_s)
    ]
    if daily:
        stores.append(
            BarStore({s: columns(rows, 86_400) for s, rows in daily.items()}, interval_s=86_400)
        )
    made = MarketSource(stores=tuple(stores), default_start=OPEN, **source)
    return Market(World(made, seed=seed), quote_rule=quote_rule)


def news(number: int, at: datetime, *symbols: str, content: str = "Text.") -> NewsItem:
    """Return an item that is published at a time and shown a minute later."""
    return NewsItem(
        news_id=number,
        headline=f"Headline {number}",
        author="desk",
        summary=f"Summary {number}",
        content=content,
        url=None,
        symbols=symbols,
        source="desk",
        created_at=at,
        shown_at=at + MINUTE,
        origin=Headline(
            item_id=f"news-{number}",
            source="desk",
            title=f"Headline {number}",
            body=content,
            symbols=symbols,
            published_at=at,
            received_at=at + MINUTE,
            form="8-K",
            items=("8.01",),
        ),
    )


@st.composite
def bar_rows(draw: st.DrawFn, count: int = 6, step_s: int = 300) -> list[Row]:
    """Bars with any shape: flat, empty, below a dollar, with more digits than a cent."""
    digits = draw(st.sampled_from([2, 4]))
    scale = 10**digits
    rows: list[Row] = []
    for index in range(count):
        low = draw(st.integers(1, 300 * scale))
        high = low + draw(st.one_of(st.just(0), st.integers(0, 5 * scale)))
        open_, close = draw(st.integers(low, high)), draw(st.integers(low, high))
        volume = draw(st.one_of(st.integers(0, 20), st.integers(0, 5_000_000)))
        prices = [value / scale for value in (open_, high, low, close)]
        rows.append((OPEN + timedelta(seconds=index * step_s), *prices, float(volume)))
    return rows
