"""A limit order follows the quote: so often, and never beyond the price that risk allowed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from catalyst_bot.domain.enums import OrderKind, OrderRole, Side
from catalyst_bot.domain.limit_price import buy_limit, sell_limit
from catalyst_bot.domain.market import middle_of
from catalyst_bot.domain.messages.commands import ReplaceOrder, SetTimer
from catalyst_bot.domain.messages.registry import Message
from catalyst_bot.domain.trading import OrderTicket
from catalyst_bot.execution.order_states import UNANSWERED
from catalyst_bot.execution.rules import Rules
from catalyst_bot.execution.state import State
from catalyst_bot.ports.desk import Desk

REPRICE = "reprice:"
LIMITS = frozenset({OrderKind.LIMIT})
WORKED = frozenset({OrderRole.ENTRY, OrderRole.EXIT})


def on_accepted(state: State, ticket: OrderTicket, desk: Desk, rules: Rules) -> list[Message]:
    """From its acceptance on a limit order has so long to fill at its price."""
    is_ours_to_move = ticket.role in WORKED and ticket.kind in LIMITS
    if not is_ours_to_move or ticket.worst_price is None or ticket.status not in UNANSWERED:
        return []
    return [] if _is_spent(state, ticket, rules) else [_again(ticket, desk, rules)]


def on_timer(state: State, ticket: OrderTicket, desk: Desk, rules: Rules) -> list[Message]:
    """Move the limit to where the quote is now; without a quote, or a better price, only wait."""
    order_id = ticket.client_order_id
    if order_id in state.cancelling or _is_spent(state, ticket, rules):
        return []
    price = _price_now(state, ticket, desk, rules)
    if price is None:
        return [_again(ticket, desk, rules)]
    return [
        ReplaceOrder(client_order_id=order_id, catalyst_id=ticket.catalyst_id, limit_price=price),
        _again(ticket, desk, rules),
    ]


def _is_spent(state: State, ticket: OrderTicket, rules: Rules) -> bool:
    return state.reprices.get(ticket.client_order_id, 0) >= rules.working.max_reprices


def _again(ticket: OrderTicket, desk: Desk, rules: Rules) -> SetTimer:
    due_at = desk.now + timedelta(seconds=rules.working.reprice_after_s)
    return SetTimer(timer_id=f"{REPRICE}{ticket.client_order_id}", due_at=due_at)


def _price_now(state: State, ticket: OrderTicket, desk: Desk, rules: Rules) -> Decimal | None:
    """Return the limit the quote asks for, when it is fresh and nearer to a fill than ours."""
    quote = state.quotes.get(ticket.symbol)
    worst, now_at = ticket.worst_price, ticket.limit_price
    if quote is None or worst is None or now_at is None or middle_of(quote) is None:
        return None
    if desk.now - quote.at > timedelta(seconds=rules.working.reprice_after_s):
        return None
    if ticket.side is Side.BUY:
        price = buy_limit(quote.ask, ticks=rules.working.limit_offset_ticks, worst_price=worst)
        return price if price > now_at else None
    price = sell_limit(quote.bid, collar_bps=rules.working.exit_collar_bps, worst_price=worst)
    return price if price < now_at else None
