"""The log of round trips: chosen by day, symbol and strategy, with what their execution cost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Connection, Select, select

from catalyst_bot.domain.enums import OrderRole, Side
from catalyst_bot.storage import schema
from catalyst_bot.storage.views import LoggedTrade, TradeView

_BPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFilter:
    """Which trades: entered in [start, end), of a symbol, of a strategy; the newest `limit`."""

    start: datetime | None = None
    end: datetime | None = None
    symbol: str | None = None
    strategy_id: str | None = None
    limit: int | None = None


def trades_query() -> Select[Any]:
    """Trades with their entry order, catalyst and headline, the last opened or closed first."""
    trades, entry = schema.trades, schema.orders
    catalysts, headlines = schema.catalysts, schema.headline_progress
    decisions = schema.decisions
    return (
        select(
            trades,
            catalysts.c.item_id.label("headline_id"),
            headlines.c.title.label("headline_title"),
            headlines.c.received_at.label("headline_received_at"),
            decisions.c.decided_at,
            entry.c.submitted_at,
            decisions.c.votes,
        )
        .outerjoin(
            entry, (entry.c.trade_id == trades.c.trade_id) & (entry.c.role == OrderRole.ENTRY.value)
        )
        .outerjoin(catalysts, catalysts.c.catalyst_id == trades.c.catalyst_id)
        .outerjoin(decisions, decisions.c.trade_id == trades.c.trade_id)
        .outerjoin(headlines, headlines.c.item_id == catalysts.c.item_id)
        .order_by(trades.c.seq.desc())
    )


def trade_view(row: dict[str, Any]) -> TradeView:
    """A row of `trades_query` as it is shown."""
    del row["seq"]
    return cast("TradeView", row | {"votes": json.loads(row["votes"] or "[]")})


def find_trades(connection: Connection, chosen: TradeFilter) -> list[LoggedTrade]:
    """Return the trades chosen, in the order of their entry."""
    trades, entry, catalysts = schema.trades, schema.orders, schema.catalysts
    query = trades_query().add_columns(
        entry.c.reference_price.label("decision_price"),
        entry.c.quantity.label("ordered_quantity"),
        catalysts.c.category,
    )
    if chosen.symbol is not None:
        query = query.where(trades.c.symbol == chosen.symbol)
    if chosen.strategy_id is not None:
        query = query.where(trades.c.strategy_id == chosen.strategy_id)
    rows = [dict(row) for row in connection.execute(query).mappings()]
    rows = [row for row in rows if _is_within(row["entry_at"], chosen)][: chosen.limit]
    slippages = _slippages(connection, {row["trade_id"] for row in rows})
    found = [_logged(row, slippages.get(row["trade_id"], {})) for row in rows]
    return sorted(found, key=lambda t: (datetime.fromisoformat(t["entry_at"]), t["trade_id"]))


def _is_within(entry_at: str, chosen: TradeFilter) -> bool:
    """By the time itself: as text, "…:00.5Z" would come before "…:00Z"."""
    at = datetime.fromisoformat(entry_at)
    is_after = chosen.start is None or at >= chosen.start
    return is_after and (chosen.end is None or at < chosen.end)


def _logged(row: dict[str, Any], slippages: dict[bool, float]) -> LoggedTrade:
    held_s = None
    if row["exit_at"] is not None:
        took = datetime.fromisoformat(row["exit_at"]) - datetime.fromisoformat(row["entry_at"])
        held_s = took.total_seconds()
    more = {
        "entry_slippage_bps": slippages.get(True),
        "exit_slippage_bps": slippages.get(False),
        "holding_s": held_s,
    }
    return cast("LoggedTrade", {**trade_view(row), **more})


def _slippages(connection: Connection, trade_ids: set[str]) -> dict[str, dict[bool, float]]:
    """Slippage in bps of the decision price by trade, of its entry (True) and its exits (False)."""
    orders, fills = schema.orders, schema.fills
    query = select(
        orders.c.trade_id,
        orders.c.role,
        orders.c.reference_price,
        fills.c.side,
        fills.c.quantity,
        fills.c.price,
    ).join_from(fills, orders, orders.c.client_order_id == fills.c.client_order_id)
    sums: dict[tuple[str, bool], list[Decimal]] = {}
    for trade_id, role, reference, side, quantity, price in connection.execute(query):
        if trade_id in trade_ids:
            lost, planned = _cost(reference, side, quantity, price)
            held = sums.setdefault((trade_id, role == OrderRole.ENTRY.value), [Decimal(0)] * 2)
            held[0] += lost
            held[1] += planned
    found: dict[str, dict[bool, float]] = {}
    for (trade_id, is_entry), (lost, planned) in sums.items():
        if planned > 0:
            found.setdefault(trade_id, {})[is_entry] = float(lost / planned * _BPS)
    return found


def _cost(reference: str, side: str, quantity: str, price: str) -> tuple[Decimal, Decimal]:
    """Dollars that a fill lost to its reference price, and dollars planned."""
    planned_price, shares = Decimal(reference), Decimal(quantity)
    worse = Decimal(price) - planned_price
    return (worse if side == Side.BUY.value else -worse) * shares, planned_price * shares
