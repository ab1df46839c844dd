"""One account over many symbols: its state as arrays, what a sale and a mark do to it.

The money, records and breakers of `portfolio/` and `risk/` in numbers; see `portfolio.py` for when
they are asked. `money`, `counts` and `held` are addressed by the constants below.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import NamedTuple

from catalyst_bot.features.kernels import Floats
from catalyst_bot.ml.kernels.trading import (
    STAYS,
    TAKE_PROFIT,
    exact_usd,
    fee_usd,
    most_shares,
    sell_price,
)
from catalyst_bot.ml.terms import Terms
from catalyst_bot.risk.gauges import SESSIONS_PER_YEAR
from catalyst_bot.risk.records import MAX_RETURNS, MAX_STREAK
from catalyst_bot.study.statistics import Integers

BORROWS = True  # it only looks at its arrays

# money: dollars, and the record of trades as fractions of what each cost; RETURN_SUM and
# RETURN_SQUARES are of the returns that the Sharpe ratio judges; EVEN are those WINS that won
# nothing: Kelly counts them as no loss, a win rate as no win
CASH, EXPOSURE, DAY_OPEN, PEAK, REVIEWED_PEAK, WON, LOST, TRADES, WINS, WON_SUM = range(10)
LOST_SUM, RETURN_SUM, RETURN_SQUARES, EVEN = range(10, 14)
MONEY = 14
# counts and states
ACTIVE, ENTRIES, ORDERS, IN_A_ROW, PAUSED, PAUSED_UNTIL, STREAK, RETURNS, HALTED, STOPPED_ON = (
    range(10)
)
COUNTS = 10
NOT_HALTED, BY_DAY, BY_DRAWDOWN, BY_STREAK = 0, 1, 2, 3
MINUTE_S = 60.0
UNTIL_REVIEW = -1  # a pause that waits for a person
# held: columns of a symbol. REASON is why it waits to be sold at the next open, LIVE_S since when
# the order that sells is at the venue, LEAVES_UNTIL_S when it is given up (never: a stop that was
# met). ORDERED are shares of an entry that waits, ORDER_* what that was sized at and is protected
# with, and when. WATCH is the case that is reviewed, -1 for none.
SHARES, BOUGHT, BOUGHT_USD, SOLD_USD, FEES_USD, PRICE, HIGHEST, STOP, TARGET, EXIT_AT_S = range(10)
ENTERED, EVENT, REASON, IS_TRAILING, ORDERED, ORDER_PRICE, ORDER_STOP, ORDER_TARGET = range(10, 18)
ORDER_HORIZON_S, ORDER_EVENT, WATCH, ENTERED_S, LIVE_S, LEAVES_UNTIL_S = range(18, 24)
ORDER_LIVE_S, ORDER_UNTIL_S = 24, 25
HELD = 26
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


class Books(NamedTuple):
    """Cash, positions by symbol, orders on their way, records; all of it changes in place.

    `active` lists the symbols that are held or ordered, rising, the first `counts[ACTIVE]` of it.
    `held` has a row a symbol. `orders_s` are when the last of the `counts[ORDERS]` orders were
    approved, the newest over the oldest. A trade's row is written when it is flat, as long as there
    is room.
    """

    money: Floats
    counts: Integers
    returns: Floats
    streak_s: Floats
    orders_s: Floats
    active: Integers
    held: Floats
    trades: Floats
    outcomes: Integers


def equity_usd(books: Books) -> float:
    """Cash and what is held at the last prices."""
    return exact_usd(books.money[CASH] + books.money[EXPOSURE])


def exposure_usd(books: Books) -> float:
    """What is held at the last prices."""
    return exact_usd(books.money[EXPOSURE])


def value(books: Books, symbol: int, price: float) -> None:
    """Value what is held of a symbol at a price."""
    books.money[EXPOSURE] += books.held[symbol, SHARES] * (price - books.held[symbol, PRICE])
    books.held[symbol, PRICE] = price


def ordered_usd(books: Books) -> float:
    """What entries on their way were sized at."""
    total = 0.0
    for place in range(books.counts[ACTIVE]):
        symbol = books.active[place]
        total += books.held[symbol, ORDERED] * books.held[symbol, ORDER_PRICE]
    return exact_usd(total)


def activate(books: Books, symbol: int) -> None:
    """List a symbol in its place."""
    count = books.counts[ACTIVE]
    place = count
    while place > 0 and books.active[place - 1] >= symbol:
        if books.active[place - 1] == symbol:
            return
        place -= 1
    for later in range(count, place, -1):
        books.active[later] = books.active[later - 1]
    books.active[place] = symbol
    books.counts[ACTIVE] = count + 1


def tidy(books: Books) -> None:
    """Strike the symbols from the list that are neither held nor ordered."""
    kept = 0
    for place in range(books.counts[ACTIVE]):
        symbol = books.active[place]
        if books.held[symbol, SHARES] > 0.0 or books.held[symbol, ORDERED] > 0.0:
            books.active[kept] = symbol
            kept += 1
    books.counts[ACTIVE] = kept
    if kept == 0:
        books.money[EXPOSURE] = 0.0  # without what sums of binary fractions leave


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
    money[TRADES] += 1.0
    _add_return(books, fraction)
    if is_loss:
        money[LOST_SUM] -= fraction
        money[LOST] = exact_usd(money[LOST] - pnl)
        counts[IN_A_ROW] += 1
        books.streak_s[counts[STREAK] % MAX_STREAK] = at_s
        counts[STREAK] += 1
    else:
        money[WINS] += 1.0
        money[EVEN] += 1.0 if pnl == 0.0 else 0.0
        money[WON_SUM] += fraction
        money[WON] = exact_usd(money[WON] + pnl)
        counts[IN_A_ROW] = 0
        counts[STREAK] = 0
    if counts[PAUSED] == 0:
        if counts[IN_A_ROW] >= terms.pause_after_losses:
            counts[PAUSED], counts[PAUSED_UNTIL] = 1, day + 1
        elif is_poor(books, terms):
            counts[PAUSED], counts[PAUSED_UNTIL] = 1, UNTIL_REVIEW
            counts[STOPPED_ON] = day
    if is_loss and losses_since(books, at_s - terms.halt_loss_window_s) >= terms.halt_after_losses:
        halt(books, BY_STREAK, day)


def _add_return(books: Books, fraction: float) -> None:
    """Keep the sums of the last returns; one that is too old leaves them."""
    money, count = books.money, books.counts[RETURNS]
    place = count % MAX_RETURNS
    if count >= MAX_RETURNS:
        money[RETURN_SUM] -= books.returns[place]
        money[RETURN_SQUARES] -= books.returns[place] ** 2
    books.returns[place] = fraction
    money[RETURN_SUM] += fraction
    money[RETURN_SQUARES] += fraction**2
    books.counts[RETURNS] = count + 1


def losses_since(books: Books, since_s: float) -> int:
    """How many of the losses in a row were made at or after a time."""
    count, found = books.counts[STREAK], 0
    for back in range(min(count, MAX_STREAK)):
        if books.streak_s[(count - 1 - back) % MAX_STREAK] < since_s:
            break
        found += 1
    return found


def is_poor(books: Books, terms: Terms) -> bool:
    """Whether enough trades are known and their Sharpe ratio lies below the limit."""
    count = min(books.counts[RETURNS], MAX_RETURNS)
    if count < max(terms.min_trades_for_sharpe, 2):
        return False
    mean = books.money[RETURN_SUM] / count
    squares = max(books.money[RETURN_SQUARES] - count * mean * mean, 0.0)
    deviation = sqrt(squares / (count - 1))
    return deviation > 0.0 and mean / deviation * sqrt(SESSIONS_PER_YEAR) < terms.min_sharpe


def mark(books: Books, day: int, terms: Terms) -> None:
    """Value the account; halt at a limit."""
    money, equity = books.money, equity_usd(books)
    money[PEAK] = max(money[PEAK], equity)
    if day_loss(books, equity) >= terms.max_daily_loss_fraction:
        halt(books, BY_DAY, day)
    elif drawdown(books, equity) >= terms.max_drawdown_fraction:
        halt(books, BY_DRAWDOWN, day)
    if money[REVIEWED_PEAK] > 0.0:
        money[REVIEWED_PEAK] = max(money[REVIEWED_PEAK], equity)


def day_loss(books: Books, equity: float) -> float:
    """The loss since the open as a fraction."""
    loss: float = max(0.0, 1.0 - equity / books.money[DAY_OPEN])
    return loss


def drawdown(books: Books, equity: float) -> float:
    """The loss from the peak, or from the highest since a person looked at one."""
    peak, reviewed = books.money[PEAK], books.money[REVIEWED_PEAK]
    loss: float = max(0.0, 1.0 - equity / (min(peak, reviewed) if reviewed > 0.0 else peak))
    return loss


def halt(books: Books, cause: int, day: int) -> None:
    """No entry until a person resumes; positions and their stops stay."""
    if books.counts[HALTED] == NOT_HALTED:
        books.counts[HALTED] = cause
        books.counts[STOPPED_ON] = day


def resume(books: Books) -> None:
    """A person looked at it: counting begins anew, from a drawdown at the equity of now."""
    counts = books.counts
    if counts[HALTED] == BY_DRAWDOWN:
        books.money[REVIEWED_PEAK] = equity_usd(books)
    counts[HALTED] = NOT_HALTED
    counts[PAUSED] = 0
    counts[IN_A_ROW] = 0
    counts[RETURNS] = 0
    counts[STREAK] = 0
    books.money[RETURN_SUM] = books.money[RETURN_SQUARES] = 0.0


def note_order(books: Books, at_s: float) -> None:
    """Remember when an order was approved."""
    books.orders_s[books.counts[ORDERS] % len(books.orders_s)] = at_s
    books.counts[ORDERS] += 1


def is_crowded(books: Books, at_s: float, most: int) -> bool:
    """Whether so many orders were approved within the minute before a time."""
    count = books.counts[ORDERS]
    if count < most:
        return False
    return bool(books.orders_s[(count - most) % len(books.orders_s)] > at_s - MINUTE_S)


def entry_price(books: Books, symbol: int) -> float:
    """What a share of a symbol that is held cost on average, without fees."""
    price: float = books.held[symbol, BOUGHT_USD] / books.held[symbol, BOUGHT]
    return price


def _log(
    books: Books, symbol: int, reason: int, meeting: Meeting, pnl: float, fraction: float
) -> None:
    number = int(books.money[TRADES])
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
