"""Compare our books with the broker's: what differs, and what a person's trades explain.

Pure questions; what follows from the answers is decided in `books`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from catalyst_bot.domain import ids
from catalyst_bot.domain.account import (
    BookDifference,
    BrokerOrder,
    BrokerPosition,
    BrokerSnapshot,
    Position,
)
from catalyst_bot.domain.enums import OrderStatus, Side
from catalyst_bot.domain.money import ZERO
from catalyst_bot.domain.trading import Fill
from catalyst_bot.execution.state import CASH, ORDER, POSITION, Reconciliation, State

_CONFIRMED = frozenset({OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED})
_NOTHING: Mapping[str, BrokerPosition] = {}


def subject_of(kind: str, name: str) -> str:
    """Name what differs: `position ACME`, `order cb-…`."""
    return f"{kind} {name}"


def named(subject: str) -> tuple[str, str]:
    """Undo `subject_of`."""
    kind, _, name = subject.partition(" ")
    return kind, name


def differences(
    state: State, snapshot: BrokerSnapshot, *, positions: Mapping[str, Position], cash_usd: Decimal
) -> list[BookDifference]:
    """Return what differs, in sorted order; of cash only while all else agrees."""
    found = [
        *_position_differences(state.books, snapshot, positions),
        *_order_differences(state, snapshot),
    ]
    return found or _cash_difference(state.books, snapshot, cash_usd)


def is_confirmed(books: Reconciliation, difference: BookDifference) -> bool:
    """True when the look before found the same difference."""
    return books.doubts.get(difference.subject) == (difference.ours, difference.theirs)


def _position_differences(
    books: Reconciliation, snapshot: BrokerSnapshot, positions: Mapping[str, Position]
) -> list[BookDifference]:
    theirs = {p.symbol: p.quantity for p in snapshot.positions if p.quantity != 0}
    ours = dict(books.foreign_shares)
    for symbol, position in positions.items():
        ours[symbol] = ours.get(symbol, ZERO) + position.quantity
    return [
        BookDifference(
            subject=subject_of(POSITION, symbol),
            ours=f"{ours.get(symbol, ZERO):f}",
            theirs=f"{theirs.get(symbol, ZERO):f}",
        )
        for symbol in sorted(ours.keys() | theirs.keys())
        if ours.get(symbol, ZERO) != theirs.get(symbol, ZERO)
    ]


def _order_differences(state: State, snapshot: BrokerSnapshot) -> list[BookDifference]:
    """Only confirmed orders must be theirs too: others are on their way, or held back by them.

    An open order of theirs that we hold for finished, or forgot, differs; a person's does not.
    """
    theirs = {order.client_order_id: order for order in snapshot.open_orders}
    found: list[BookDifference] = []
    for order_id, ticket in state.open_tickets.items():
        at_theirs = theirs.get(order_id)
        if ticket.status in _CONFIRMED and at_theirs is None:
            found.append(_order(order_id, ticket.status.value, "not open"))
        elif at_theirs is not None and at_theirs.filled_quantity > ticket.filled_quantity:
            found.append(
                _order(
                    order_id,
                    f"{ticket.filled_quantity:f} filled",
                    f"{at_theirs.filled_quantity:f} filled",
                )
            )
    for order_id in theirs.keys() - state.open_tickets.keys():
        if is_ours(state, order_id):
            done = state.finished_tickets.get(order_id)
            found.append(_order(order_id, done.status.value if done else "forgotten", "open"))
    return sorted(found, key=lambda difference: difference.subject)


def _order(order_id: str, ours: str, theirs: str) -> BookDifference:
    return BookDifference(subject=subject_of(ORDER, order_id), ours=ours, theirs=theirs)


def is_ours(state: State, order_id: str) -> bool:
    """True for an order the bot sent: it knows it, or it has the bot's name.

    One that the journal lost is a person's once a person resumed.
    """
    if state.ticket(order_id) is not None:
        return True
    is_given_up = state.books.trusts_broker or order_id in state.books.foreign_orders
    return order_id.startswith(ids.OUR_PREFIX) and not is_given_up


def foreign_orders(state: State, snapshot: BrokerSnapshot) -> tuple[BrokerOrder, ...]:
    """Return the open orders that are a person's, by id."""
    found = (o for o in snapshot.open_orders if not is_ours(state, o.client_order_id))
    return tuple(sorted(found, key=lambda order: order.client_order_id))


def _cash_difference(
    books: Reconciliation, snapshot: BrokerSnapshot, cash_usd: Decimal
) -> list[BookDifference]:
    ours = cash_usd + books.foreign_cash_usd
    if ours == snapshot.cash_usd:
        return []
    return [BookDifference(subject=CASH, ours=f"{ours:f}", theirs=f"{snapshot.cash_usd:f}")]


def was_in_first_look(books: Reconciliation, fill: Fill) -> bool:
    """True for a purchase since our books began that the first look at the broker's held already.

    The news of it came later than the shares: the look is taken over as if held before. A purchase
    of more shares than are left of that look was made after it, and by another clock than ours.
    """
    began_at, looked_at = books.began_at, books.first_look_at
    if began_at is None or looked_at is None or fill.side is not Side.BUY:
        return False
    is_between = began_at <= fill.filled_at <= looked_at
    return is_between and fill.quantity <= books.first_held.get(fill.symbol, ZERO)


def adopted_part(fill: Fill, *, held: Decimal, foreign: Decimal, adopts_purchases: bool) -> Decimal:
    """Return how many shares of a foreign trade are ours to book.

    A person's own shares (or short) come first: a sale takes those before ours, a purchase covers
    the short. Of a purchase the rest is ours when purchases are adopted, or when the bot made it
    and its journal lost the order; of a sale, what we held.
    """
    if fill.side is Side.BUY:
        covers = min(fill.quantity, max(-foreign, ZERO))
        is_lost = fill.client_order_id.startswith(ids.OUR_PREFIX)
        return fill.quantity - covers if adopts_purchases or is_lost else ZERO
    rest = fill.quantity - min(fill.quantity, max(foreign, ZERO))
    return min(rest, held)
