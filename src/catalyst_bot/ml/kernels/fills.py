"""What a fill does to an account over many symbols: cash, position, fees, the finished trade."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from catalyst_bot.ml.kernels.books import (
    BOUGHT,
    BOUGHT_BY,
    BOUGHT_USD,
    BY_STREAK,
    CASH,
    CLOSED,
    ENTERED,
    ENTERED_S,
    EVENT,
    EXIT_AT_S,
    EXPOSURE,
    FEES_USD,
    HIGHEST,
    IS_TRAILING,
    LEAVES_UNTIL_S,
    LIVE_S,
    LOST,
    ORDER_EVENT,
    ORDER_HORIZON_S,
    ORDER_STOP,
    ORDER_TARGET,
    ORDERED,
    PRICE,
    REASON,
    SHARES,
    SOLD_USD,
    STOP,
    STRATEGY,
    STREAK,
    TARGET,
    WON,
    WON_TRADES,
    Books,
    value,
)
from catalyst_bot.ml.kernels.records import (
    add_to_record,
    halt,
    losses_since,
    mark,
    pause,
)
from catalyst_bot.ml.kernels.trading import (
    STAYS,
    TAKE_PROFIT,
    exact_usd,
    fee_usd,
    most_shares,
    sell_price,
)
from catalyst_bot.ml.terms import Terms
from catalyst_bot.risk.records import MAX_STREAK

BORROWS = True  # it only looks at its arrays

# columns of a finished trade
TRADE_COLUMNS = (
    *("symbol", "event", "entered", "left", "reason", "shares", "entry_price", "exit_price"),
    *("fees_usd", "pnl_usd", "pnl_fraction", "entered_s", "left_s"),
)


class Meeting(NamedTuple):
    """Where a sale meets the market: the last trade, the open and volume that set its costs."""

    reference: float
    bar_open: float
    volume: float
    at_s: float
    day: int


def buy(
    books: Books, symbol: int, shares: float, price: float, meeting: Meeting, terms: Terms
) -> None:
    """Book a fill of the entry on its way: the first opens the trade, others add to it."""
    held, amount = books.held, exact_usd(shares * price)
    fee = fee_usd(amount, terms)
    books.money[CASH] = exact_usd(books.money[CASH] - amount - fee)
    if not held[symbol, SHARES] > 0.0:
        held[symbol, BOUGHT] = held[symbol, BOUGHT_USD] = held[symbol, SOLD_USD] = 0.0
        held[symbol, FEES_USD] = 0.0
        held[symbol, PRICE] = held[symbol, HIGHEST] = price
        held[symbol, STOP], held[symbol, TARGET] = (
            held[symbol, ORDER_STOP],
            held[symbol, ORDER_TARGET],
        )
        held[symbol, EVENT] = held[symbol, ORDER_EVENT]
        held[symbol, EXIT_AT_S] = meeting.at_s + held[symbol, ORDER_HORIZON_S]
        held[symbol, ENTERED], held[symbol, ENTERED_S] = meeting.day, meeting.at_s
        held[symbol, REASON] = STAYS
        held[symbol, LIVE_S] = held[symbol, IS_TRAILING] = 0.0
    value(books, symbol, price)
    held[symbol, SHARES] += shares
    held[symbol, BOUGHT] += shares
    held[symbol, BOUGHT_USD] = exact_usd(held[symbol, BOUGHT_USD] + amount)
    held[symbol, FEES_USD] = exact_usd(held[symbol, FEES_USD] + fee)
    books.money[EXPOSURE] += amount
    mark(books, meeting.day, terms)


def sell(books: Books, symbol: int, reason: int, meeting: Meeting, terms: Terms) -> None:
    """Sell what a bar takes of a position; what is left of a stop is sold at the next open.

    A target that waits at the venue gives its price or better, and keeps what it did not sell.
    """
    price = sell_price(meeting.reference, meeting.bar_open, meeting.volume, terms)
    is_leg = books.held[symbol, REASON] == STAYS
    if reason == TAKE_PROFIT and is_leg:
        price = max(price, books.held[symbol, TARGET])
    shares = min(books.held[symbol, SHARES], most_shares(meeting.volume, terms))
    if not shares > 0.0:
        return
    amount = exact_usd(shares * price)
    fee = fee_usd(amount, terms)
    books.money[CASH] = exact_usd(books.money[CASH] + amount - fee)
    books.held[symbol, SOLD_USD] = exact_usd(books.held[symbol, SOLD_USD] + amount)
    books.held[symbol, FEES_USD] = exact_usd(books.held[symbol, FEES_USD] + fee)
    value(books, symbol, price)
    books.money[EXPOSURE] -= amount
    books.held[symbol, SHARES] -= shares
    books.held[symbol, ORDERED] = 0.0  # who begins to leave buys no more
    if not books.held[symbol, SHARES] > 0.0:
        close_trade(books, symbol, reason, meeting, terms)
    elif is_leg and reason != TAKE_PROFIT:
        books.held[symbol, REASON], books.held[symbol, LEAVES_UNTIL_S] = reason, inf
    mark(books, meeting.day, terms)


def close_trade(books: Books, symbol: int, reason: int, meeting: Meeting, terms: Terms) -> None:
    """Record a trade that is flat; pause or halt when it was one loss too many."""
    at_s, day = meeting.at_s, meeting.day
    cost = books.held[symbol, BOUGHT_USD]
    pnl = exact_usd(books.held[symbol, SOLD_USD] - cost - books.held[symbol, FEES_USD])
    fraction = pnl / cost
    _log(books, symbol, reason, meeting, pnl, fraction)
    books.held[symbol, REASON] = STAYS
    counts, money, is_loss = books.counts, books.money, pnl < 0.0
    money[CLOSED] += 1.0
    if is_loss:
        money[LOST] = exact_usd(money[LOST] - pnl)
        books.streak_s[counts[STREAK] % MAX_STREAK] = at_s
        counts[STREAK] += 1
    else:
        money[WON_TRADES] += 1.0 if pnl > 0.0 else 0.0
        money[WON] = exact_usd(money[WON] + pnl)
        counts[STREAK] = 0
    if books.held[symbol, BOUGHT_BY] == counts[STRATEGY]:
        add_to_record(books, fraction, is_loss)
        pause(books, day, terms)
    if is_loss and losses_since(books, at_s - terms.halt_loss_window_s) >= terms.halt_after_losses:
        halt(books, BY_STREAK, day)


def _log(
    books: Books, symbol: int, reason: int, meeting: Meeting, pnl: float, fraction: float
) -> None:
    number = int(books.money[CLOSED])
    if number >= len(books.trades):
        return
    row, shares = books.trades[number], books.held[symbol, BOUGHT]
    row[0], row[1] = symbol, books.held[symbol, EVENT]
    row[2], row[3], row[4] = books.held[symbol, ENTERED], meeting.day, reason
    row[5] = shares
    row[6] = books.held[symbol, BOUGHT_USD] / shares
    row[7] = books.held[symbol, SOLD_USD] / shares
    row[8], row[9], row[10] = books.held[symbol, FEES_USD], pnl, fraction
    row[11], row[12] = books.held[symbol, ENTERED_S], meeting.at_s
