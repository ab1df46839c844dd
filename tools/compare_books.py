"""Compare a journal with the account at the exchange, order by order and fill by fill.

What the bot believes is read from its journal, what happened from the exchange's own list of
orders and executions. The way from an order to its name in the journal is worked out here anew, so
that a mistake in the bot's own reading of it shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from catalyst_bot.domain.enums import HaltCause, OrderRole, Side
from catalyst_bot.domain.messages import facts as f
from catalyst_bot.domain.messages.commands import SubmitOrder
from catalyst_bot.domain.messages.decisions import MismatchFound, TradingHalted
from catalyst_bot.domain.trading import stop_leg_id, target_leg_id
from catalyst_bot.storage.read_model import ReadModel

OUR_PREFIX = "cb-"
ORDERS_PAGE, EXECUTIONS_PAGE = 500, 100
AVERAGE_STEP = Decimal("0.000001")  # the exchange rounds averages to this, and the bot reads them
CENT = Decimal("0.01")
FAULTS = frozenset({HaltCause.MISMATCH, HaltCause.POISON_FACT})  # no halt that a market explains
ZERO = Decimal(0)

Ask = Callable[[str], Any]
Row = dict[str, Any]


@dataclass(slots=True)
class Filled:
    """What one order traded."""

    quantity: Decimal = ZERO
    usd: Decimal = ZERO

    def add(self, quantity: Decimal, price: Decimal) -> None:
        """Take in an execution."""
        self.quantity += quantity
        self.usd += quantity * price


@dataclass(slots=True)
class Theirs:
    """The account as the exchange tells it: every order, every execution, shares and cash."""

    orders: list[Row]
    nested: list[Row]
    executions: list[Row]
    positions: dict[str, Decimal]
    cash_usd: Decimal


@dataclass(slots=True)
class Ours:
    """What the journal says."""

    submitted: set[str] = field(default_factory=set)
    entries_of_signal: Counter[str] = field(default_factory=Counter)
    filled: dict[str, Filled] = field(default_factory=dict)
    positions: dict[str, Decimal] = field(default_factory=dict)
    fill_ids: Counter[str] = field(default_factory=Counter)
    cash_usd: Decimal = ZERO
    fills: int = 0
    shares: Decimal = ZERO
    halts: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Counts of a comparison, and every difference in words."""

    orders: int
    fills: int
    executions: int
    lost_fills: int
    duplicate_orders: int
    halts: tuple[str, ...]
    differences: tuple[str, ...]


def read_theirs(ask: Ask) -> Theirs:
    """Ask the exchange for everything, page by page."""
    held = {row["symbol"]: Decimal(row["qty"]) for row in ask("/v2/positions")}
    return Theirs(
        orders=_all_orders(ask, is_nested=False),
        nested=_all_orders(ask, is_nested=True),
        executions=_all_executions(ask),
        positions=held,
        cash_usd=Decimal(ask("/v2/account")["cash"]),
    )


def _all_orders(ask: Ask, *, is_nested: bool) -> list[Row]:
    found: list[Row] = []
    query = f"/v2/orders?status=all&direction=asc&limit={ORDERS_PAGE}"
    if is_nested:
        query += "&nested=true"
    page = ask(query)
    while page:
        found += page
        if len(page) < ORDERS_PAGE:
            break
        page = ask(f"{query}&after_order_id={page[-1]['id']}")
    return found


def _all_executions(ask: Ask) -> list[Row]:
    found: list[Row] = []
    query = f"/v2/account/activities/FILL?direction=asc&page_size={EXECUTIONS_PAGE}"
    page = ask(query)
    while page:
        found += page
        if len(page) < EXECUTIONS_PAGE:
            break
        page = ask(f"{query}&page_token={page[-1]['id']}")
    return found


def read_ours(model: ReadModel) -> Ours:
    """Read the journal from its first record to its last."""
    ours = Ours()
    for record in model.records():
        match record.body:
            case f.RunStarted() if record.body.starting_cash_usd and not ours.cash_usd:
                ours.cash_usd = record.body.starting_cash_usd
            case SubmitOrder():
                sent = record.body.order
                if sent.role is OrderRole.ENTRY and sent.client_order_id not in ours.submitted:
                    ours.entries_of_signal[sent.signal_id] += 1
                ours.submitted.add(sent.client_order_id)
            case f.OrderFilled():
                _take_fill(ours, record.body)
            case f.ForeignFilled():
                ours.odd.append(f"a fill of order {record.body.fill.client_order_id} is foreign")
            case MismatchFound():
                m = record.body
                ours.odd.append(f"mismatch of {m.subject}: {m.ours}, theirs {m.theirs}")
            case TradingHalted():
                halt = record.body
                ours.halts.append(f"{halt.cause}: {halt.detail}")
                if halt.cause in FAULTS or not halt.detail:
                    ours.odd.append(f"halted itself: {halt.cause} {halt.detail}")
    held = {row["symbol"]: Decimal(row["quantity"]) for row in model.positions()}
    ours.positions = {symbol: shares for symbol, shares in held.items() if shares}
    return ours


def _take_fill(ours: Ours, fact: f.OrderFilled) -> None:
    fill = fact.fill
    ours.fills += 1
    ours.fill_ids[fill.fill_id] += 1
    ours.filled.setdefault(fill.client_order_id, Filled()).add(fill.quantity, fill.price)
    ours.shares += fill.quantity
    sign = -1 if fill.side is Side.BUY else 1
    ours.cash_usd += sign * fill.quantity * fill.price - fill.fee_usd


def names_of(theirs: Theirs) -> dict[str, str]:
    """Return by the exchange's id the name that an order has in our journal.

    A replacement stands for the order it replaced. The legs of a bracket, and the stop of a pair,
    are named after their parent.
    """
    by_id = {row["id"]: row for row in theirs.orders}
    parents: dict[str, str] = {}
    for row in theirs.nested:
        for leg in row["legs"] or ():
            by_id.setdefault(leg["id"], leg)
            parents[leg["id"]] = row["id"]

    def root(order_id: str) -> str:
        while (before := by_id[order_id]["replaces"]) in by_id:
            order_id = before
        return order_id

    parent_of = {root(leg): parent for leg, parent in parents.items()}
    named: dict[str, str] = {}
    for order_id, row in by_id.items():
        parent = parent_of.get(root(order_id))
        if parent is None:
            named[order_id] = by_id[root(order_id)]["client_order_id"]
        else:
            of = by_id[root(parent)]["client_order_id"]
            named[order_id] = target_leg_id(of) if row["type"] == "limit" else stop_leg_id(of)
    return named


def compare(ours: Ours, theirs: Theirs) -> Verdict:
    """Return what differs."""
    named = names_of(theirs)
    told: dict[str, Filled] = {}
    for row in theirs.executions:
        name = named.get(row["order_id"], row["order_id"])
        told.setdefault(name, Filled()).add(Decimal(row["qty"]), Decimal(row["price"]))
    duplicates = [*_repeated(theirs.orders), *_sent_twice(ours)]
    lost, wrong = _fills_apart(ours.filled, told)
    differences = [
        *duplicates,
        *_unknown(ours, theirs, named),
        *lost,
        *wrong,
        *(f"fill {name} is told {n} times" for name, n in ours.fill_ids.items() if n > 1),
        *_sums_apart(theirs, named, told),
        *_books_apart(ours, theirs),
        *ours.odd,
    ]
    return Verdict(
        orders=len(theirs.orders),
        fills=ours.fills,
        executions=len(theirs.executions),
        lost_fills=len(lost),
        duplicate_orders=len(duplicates),
        halts=tuple(ours.halts),
        differences=tuple(differences),
    )


def _repeated(orders: Iterable[Row]) -> list[str]:
    ids = Counter(row["client_order_id"] for row in orders)
    return [f"{n} orders are named {name}" for name, n in ids.items() if n > 1]


def _sent_twice(ours: Ours) -> list[str]:
    """An entry that was sent again under another name would be a second one of its signal."""
    entries = ours.entries_of_signal
    return [f"signal {name} has {n} entries" for name, n in entries.items() if n > 1]


def _unknown(ours: Ours, theirs: Theirs, named: Mapping[str, str]) -> list[str]:
    """Every order there must be one that the journal sent, or follow from one."""
    legs = {
        leg for name in ours.submitted for leg in (name, stop_leg_id(name), target_leg_id(name))
    }
    found = [
        f"order {row['client_order_id']} was never sent"
        for row in theirs.orders
        if row["client_order_id"].startswith(OUR_PREFIX)
        and row["client_order_id"] not in ours.submitted
    ]
    found += [f"order {name} belongs to nobody" for name in sorted(set(named.values()) - legs)]
    return found


def _fills_apart(
    ours: Mapping[str, Filled], theirs: Mapping[str, Filled]
) -> tuple[list[str], list[str]]:
    """Return fills the journal lacks, and those it has otherwise or too often."""
    lost, wrong = [], []
    for name in sorted(ours.keys() | theirs.keys()):
        a, b = ours.get(name, Filled()), theirs.get(name, Filled())
        text = f"order {name}: {a.quantity} for {a.usd}, theirs {b.quantity} for {b.usd}"
        if a.quantity < b.quantity:
            lost.append(text)
        elif a.quantity > b.quantity or abs(a.usd - b.usd) > CENT + AVERAGE_STEP * b.quantity:
            wrong.append(text)
    return lost, wrong


def _sums_apart(theirs: Theirs, named: Mapping[str, str], told: Mapping[str, Filled]) -> list[str]:
    """The exchange's own orders must add up to its executions."""
    sums: dict[str, Decimal] = {}
    for row in theirs.orders:
        name = named[row["id"]]
        sums[name] = sums.get(name, ZERO) + Decimal(row["filled_qty"])
    return [
        f"order {name}: filled {total}, executions {told.get(name, Filled()).quantity}"
        for name, total in sums.items()
        if total != told.get(name, Filled()).quantity
    ]


def _books_apart(ours: Ours, theirs: Theirs) -> list[str]:
    found = [
        f"position {symbol}: {ours.positions.get(symbol, ZERO)}, "
        f"theirs {theirs.positions.get(symbol, ZERO)}"
        for symbol in sorted(ours.positions.keys() | theirs.positions.keys())
        if ours.positions.get(symbol, ZERO) != theirs.positions.get(symbol, ZERO)
    ]
    if abs(ours.cash_usd - theirs.cash_usd) > CENT + AVERAGE_STEP * ours.shares:
        found.append(f"cash: {ours.cash_usd}, theirs {theirs.cash_usd}")
    return found
