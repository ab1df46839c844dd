"""A limit order follows the quote: so often, and never beyond the price that risk allowed.

From its acceptance, and from each move on, an order has so long to fill at its price. When that
time is over it goes to where the quote is; while the quote asks for nothing better it waits for
the next one. Where there are no quotes, closing prices of bars stand in for them.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from catalyst_bot.domain.enums import OrderKind, OrderRole, Side
from catalyst_bot.domain.limit_price import buy_limit, sell_limit
from catalyst_bot.domain.market import Bar, Quote, middle_of
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


def is_followed(ticket: OrderTicket) -> bool:
    """True for an order whose limit may be moved."""
    return ticket.role in WORKED and ticket.kind in LIMITS and ticket.worst_price is not None


def on_accepted(ticket: OrderTicket, desk: Desk, rules: Rules) -> list[Message]:
    """From its acceptance on a limit order has so long to fill at its price."""
    if not is_followed(ticket) or ticket.status not in UNANSWERED:
        return []
    return [_look_again(ticket, desk, rules)] if rules.working.max_reprices > 0 else []


def on_timer(state: State, ticket: OrderTicket, desk: Desk, rules: Rules) -> list[Message]:
    """The time is over: follow the quote that is known, or wait for the next one."""
    quote = state.quotes.get(ticket.symbol)
    if quote is None or desk.now - quote.at > timedelta(seconds=rules.working.reprice_after_s):
        return []
    return _follow(state, ticket, quote, desk, rules)


def on_quote(state: State, quote: Quote, desk: Desk, rules: Rules) -> list[Message]:
    """Orders whose time is over follow the new quote."""
    wait = timedelta(seconds=rules.working.reprice_after_s)
    return [
        message
        for ticket in state.open_tickets.values()
        if ticket.symbol == quote.symbol and is_followed(ticket)
        if (since := state.priced_since.get(ticket.client_order_id)) is not None
        if desk.now - since >= wait
        for message in _follow(state, ticket, quote, desk, rules)
    ]


def quote_of(bar: Bar) -> Quote:
    """A bar's close as a quote, where there is no other."""
    price = bar.close
    return Quote(symbol=bar.symbol, at=bar.closed_at, bid=price, ask=price)


def _follow(
    state: State, ticket: OrderTicket, quote: Quote, desk: Desk, rules: Rules
) -> list[Message]:
    order_id = ticket.client_order_id
    is_spent = state.reprices.get(order_id, 0) >= rules.working.max_reprices
    if order_id in state.cancelling or is_spent:
        return []
    price = _better_price(ticket, quote, rules)
    if price is None:
        return []
    return [
        ReplaceOrder(client_order_id=order_id, catalyst_id=ticket.catalyst_id, limit_price=price),
        _look_again(ticket, desk, rules),
    ]


def _look_again(ticket: OrderTicket, desk: Desk, rules: Rules) -> SetTimer:
    due_at = desk.now + timedelta(seconds=rules.working.reprice_after_s)
    return SetTimer(timer_id=f"{REPRICE}{ticket.client_order_id}", due_at=due_at)


def _better_price(ticket: OrderTicket, quote: Quote, rules: Rules) -> Decimal | None:
    """Return the limit the quote asks for when it is nearer to a fill than ours."""
    worst, ours = ticket.worst_price, ticket.limit_price
    if worst is None or ours is None or middle_of(quote) is None:
        return None
    if ticket.side is Side.BUY:
        price = buy_limit(quote.ask, ticks=rules.working.limit_offset_ticks, worst_price=worst)
        return price if price > ours else None
    price = sell_limit(quote.bid, collar_bps=rules.working.exit_collar_bps, worst_price=worst)
    return price if price < ours else None
