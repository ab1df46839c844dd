"""Compare our books with the broker's: every difference is told, none is smoothed over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from catalyst_bot.domain.account import BrokerSnapshot, Position
from catalyst_bot.domain.enums import OrderStatus
from catalyst_bot.domain.messages.decisions import MismatchFound
from catalyst_bot.domain.trading import OrderTicket

_CONFIRMED = frozenset({OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED})


def mismatches(
    snapshot: BrokerSnapshot,
    *,
    positions: Mapping[str, Position],
    open_tickets: Mapping[str, OrderTicket],
) -> list[MismatchFound]:
    """Return one mismatch per symbol or order on which the books differ, in sorted order."""
    return [
        *_position_mismatches(snapshot, positions),
        *_order_mismatches((o.client_order_id for o in snapshot.open_orders), open_tickets),
    ]


def _position_mismatches(
    snapshot: BrokerSnapshot, positions: Mapping[str, Position]
) -> list[MismatchFound]:
    theirs = {p.symbol: p.quantity for p in snapshot.positions if p.quantity != 0}
    ours = {symbol: position.quantity for symbol, position in positions.items()}
    nothing = Decimal(0)
    return [
        MismatchFound(
            subject=f"position {symbol}",
            ours=str(ours.get(symbol, nothing)),
            theirs=str(theirs.get(symbol, nothing)),
        )
        for symbol in sorted(ours.keys() | theirs.keys())
        if ours.get(symbol, nothing) != theirs.get(symbol, nothing)
    ]


def _order_mismatches(
    their_ids: Iterable[str], open_tickets: Mapping[str, OrderTicket]
) -> list[MismatchFound]:
    """Only confirmed orders must be theirs too: others are on their way, or held back by them."""
    theirs = set(their_ids)
    confirmed = {i for i, ticket in open_tickets.items() if ticket.status in _CONFIRMED}
    missing = [
        MismatchFound(subject=f"order {i}", ours=open_tickets[i].status.value, theirs="not open")
        for i in sorted(confirmed - theirs)
    ]
    surplus = [
        MismatchFound(subject=f"order {i}", ours="not open", theirs="open")
        for i in sorted(theirs - open_tickets.keys())
    ]
    return missing + surplus
