"""The screener: which symbols trade most today, and which have moved most."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from catalyst_bot.exchange.market import Market
from catalyst_bot.exchange.replies import rfc3339
from catalyst_bot.exchange.ticks import TradedBar

Row = dict[str, Any]


def most_actives_body(market: Market, at: datetime, *, by_trades: bool, top: int) -> Row:
    """Return the symbols with the highest volume (or most trades) of the last session."""
    days = _days(market, at)
    rows: list[Row] = [
        {"symbol": symbol, "trade_count": day.trade_count, "volume": day.volume}
        for symbol, day, _ in days
    ]
    key = "trade_count" if by_trades else "volume"
    rows.sort(key=lambda row: (-row[key], row["symbol"]))
    return {"last_updated": rfc3339(at), "most_actives": rows[:top]}


def movers_body(market: Market, at: datetime, *, top: int) -> Row:
    """Return the greatest gainers and losers of the last session against the close before it."""
    rows: list[Row] = []
    for symbol, day, before in _days(market, at):
        if before is None:
            continue
        base = before.close * market.world.split_factor(symbol, before.at, day.at)
        change = day.close - base
        rows.append(
            {
                "change": round(change, 4),
                "percent_change": round(100.0 * change / base, 4),
                "price": day.close,
                "symbol": symbol,
            }
        )
    rows.sort(key=lambda row: (-row["percent_change"], row["symbol"]))
    return {
        "gainers": [row for row in rows if row["percent_change"] > 0][:top],
        "last_updated": rfc3339(at),
        "losers": [row for row in reversed(rows) if row["percent_change"] < 0][:top],
        "market_type": "stocks",
    }


def no_movers_body(at: datetime) -> Row:
    """Return the movers of a market there is none of here: crypto."""
    return {"gainers": [], "last_updated": rfc3339(at), "losers": [], "market_type": "crypto"}


def _days(market: Market, at: datetime) -> list[tuple[str, TradedBar, TradedBar | None]]:
    """Each symbol that traded in the last session, with that day and the one before."""
    session = market.hours.last_session(at).day
    found = []
    for symbol in market.symbols(at):
        day, before = market.day_bars(symbol, at)
        if day is not None:
            hours = market.hours.day_at(day.at)
            if hours is not None and hours.day == session:
                found.append((symbol, day, before))
    return found
