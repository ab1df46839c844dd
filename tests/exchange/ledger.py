"""What must be true of an account whatever happened to it, checked by what its API shows."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from tests.exchange.desk import ADMIN, Desk

TERMINAL = {"filled", "canceled", "expired", "replaced", "rejected"}
ZERO = Decimal(0)


def all_of(desk: Desk, path: str, key: str, **asked: Any) -> list[dict[str, Any]]:
    """Return every row of a list that comes in pages."""
    rows: list[dict[str, Any]] = []
    while page := desk.get(path, **asked):
        rows += page
        asked[key] = page[-1]["id"]
    return rows


def check_books(desk: Desk) -> None:
    """Cash, positions, orders, executions and reservations agree with each other."""
    orders = all_of(desk, "/v2/orders", "after_order_id", status="all", limit=500, direction="asc")
    fills = all_of(desk, "/v2/account/activities/FILL", "page_token", direction="asc")
    (books,) = desk.ask("GET", "/admin/state", headers=ADMIN).json()["accounts"]
    held, cash = _replayed(fills, Decimal(books["cash_at_start"]))
    assert cash == Decimal(books["cash"])
    assert held == {row["symbol"]: Decimal(row["qty"]) for row in desk.get("/v2/positions")}
    _check_orders(orders, fills)
    _check_reservations(desk, orders)
    cost = sum((Decimal(each["cost"]) for each in books["positions"].values()), ZERO)
    start, realised = Decimal(books["cash_at_start"]), Decimal(books["realised"])
    assert cash + cost + Decimal(books["fees"]) == start + realised


def _replayed(fills: list[dict[str, Any]], cash: Decimal) -> tuple[dict[str, Decimal], Decimal]:
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        quantity = Decimal(fill["qty"]) * (1 if fill["side"] == "buy" else -1)
        held[fill["symbol"]] += quantity
        cash -= quantity * Decimal(fill["price"])
    return {symbol: quantity for symbol, quantity in held.items() if quantity}, cash


def _check_orders(orders: list[dict[str, Any]], fills: list[dict[str, Any]]) -> None:
    assert len({order["id"] for order in orders}) == len(orders)
    assert len({fill["id"] for fill in fills}) == len(fills)
    filled: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in fills:
        filled[fill["order_id"]] += Decimal(fill["qty"])
        assert Decimal(fill["cum_qty"]) == filled[fill["order_id"]]
    for order in orders:
        assert Decimal(order["filled_qty"]) == filled.pop(order["id"], ZERO), order
        if order["qty"] is not None:
            assert Decimal(order["filled_qty"]) <= Decimal(order["qty"])
        ended = [
            name
            for name in ("filled_at", "canceled_at", "expired_at", "replaced_at", "failed_at")
            if order[name] is not None
        ]
        assert len(ended) == (1 if order["status"] in TERMINAL else 0), order
    assert not filled


def _check_reservations(desk: Desk, orders: list[dict[str, Any]]) -> None:
    """Each share is held once: of a group only the member that needs most counts."""
    wanted: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for order in orders:
        is_open = order["status"] not in TERMINAL
        if not is_open or not order["position_intent"].endswith("close"):
            continue
        state = desk.account.engine.state.orders[order["id"]]
        if state.is_open:
            group = order.get("group_id") or order["id"]
            of_symbol = wanted[order["symbol"]]
            of_symbol[group] = max(of_symbol[group], _rest(order, state.remaining))
    for row in desk.get("/v2/positions"):
        reserved = abs(Decimal(row["qty"])) - abs(Decimal(row["qty_available"]))
        assert reserved == sum(wanted[row["symbol"]].values(), ZERO), row["symbol"]


def _rest(order: dict[str, Any], estimate: Decimal) -> Decimal:
    """Return what is left to fill; only an estimate where dollars were ordered."""
    if order["qty"] is None:
        return estimate
    return Decimal(order["qty"]) - Decimal(order["filled_qty"])
