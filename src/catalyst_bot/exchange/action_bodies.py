"""Corporate actions as `GET /v1/corporate-actions` shows them."""

from __future__ import annotations

import operator
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

from catalyst_bot.exchange.assets import new_asset
from catalyst_bot.exchange.market import Market
from catalyst_bot.exchange.ticks import ActionKind, CorporateAction

KINDS = {
    "forward_split": ActionKind.SPLIT,
    "reverse_split": ActionKind.REVERSE_SPLIT,
    "name_change": ActionKind.SYMBOL_CHANGE,
}
OTHER_KINDS = frozenset(  # that never happen here
    {
        "capital_gains_distribution",
        "cash_dividend",
        "cash_merger",
        "partial_call",
        "redemption",
        "reorganization",
        "rights_distribution",
        "spin_off",
        "stock_and_cash_merger",
        "stock_dividend",
        "stock_merger",
        "unit_split",
        "worthless_removal",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionQuery:
    """Which actions are wanted: processed from `start` to `end`, of these symbols, kinds, ids.

    An empty collection asks for all. `after` is the last one of the page before.
    """

    start: date
    end: date
    symbols: Collection[str]
    cusips: Collection[str]
    kinds: Collection[str]
    ids: Collection[str]
    limit: int
    is_descending: bool
    after: tuple[str, str] | None


def actions_page(
    market: Market, at: datetime, query: ActionQuery
) -> tuple[dict[str, list[dict[str, Any]]], tuple[str, str] | None]:
    """Return actions that have taken effect, by their plural kind, and the key of the last one when
    there are more.
    """
    found = []
    for action in market.corporate_actions(at):
        kind = next(name for name, value in KINDS.items() if value is action.kind)
        row = _row(action, market.world.effective_at(action))
        if _is_wanted(query, kind, row):
            found.append(((row["process_date"], row["id"]), kind, row))
    found.sort(key=lambda item: item[0], reverse=query.is_descending)
    if query.after is not None:
        sign = operator.lt if query.is_descending else operator.gt
        found = [item for item in found if sign(item[0], query.after)]
    shown: dict[str, list[dict[str, Any]]] = {}
    for _, kind, row in found[: query.limit]:
        shown.setdefault(f"{kind}s", []).append(row)
    has_more = len(found) > query.limit
    return shown, found[query.limit - 1][0] if has_more else None


def _row(action: CorporateAction, effective_at: datetime) -> dict[str, Any]:
    on = effective_at.date().isoformat()
    row: dict[str, Any] = {"id": _action_id(action), "process_date": on}
    cusip = new_asset(action.symbol).cusip
    if action.kind is ActionKind.SYMBOL_CHANGE:
        return row | {
            "new_cusip": cusip,
            "new_symbol": action.new_symbol,
            "old_cusip": cusip,
            "old_symbol": action.symbol,
        }
    row |= {
        "ex_date": on,
        "new_rate": _number(action.new_rate),
        "old_rate": _number(action.old_rate),
        "payable_date": on,
        "record_date": on,
        "symbol": action.symbol,
    }
    if action.kind is ActionKind.SPLIT:
        return row | {"cusip": cusip, "due_bill_redemption_date": on}
    return row | {"new_cusip": new_asset(f"{action.symbol} {on}").cusip, "old_cusip": cusip}


def _is_wanted(query: ActionQuery, kind: str, row: dict[str, Any]) -> bool:
    symbols = {row.get("symbol"), row.get("old_symbol"), row.get("new_symbol")}
    cusips = {row.get("cusip"), row.get("old_cusip"), row.get("new_cusip")}
    return (
        query.start.isoformat() <= row["process_date"] <= query.end.isoformat()
        and (not query.symbols or not symbols.isdisjoint(query.symbols))
        and (not query.cusips or not cusips.isdisjoint(query.cusips))
        and (not query.kinds or kind in query.kinds)
        and (not query.ids or row["id"] in query.ids)
    )


def _action_id(action: CorporateAction) -> str:
    text = f"{action.kind} {action.symbol} {action.new_symbol} {action.on}"
    return str(UUID(bytes=blake2b(text.encode(), digest_size=16).digest(), version=4))


def _number(rate: Decimal) -> int | float:
    return int(rate) if rate == int(rate) else float(rate)
