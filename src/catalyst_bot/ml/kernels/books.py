"""One account over many symbols: its state as arrays, and how they are read and listed.

The money of `portfolio/` in numbers; what fills do to it stands in `fills.py`, what losses do in
`records.py`. `money`, `counts` and `held` are addressed by the constants below.
"""

from __future__ import annotations

from typing import NamedTuple

from catalyst_bot.features.kernels import Floats
from catalyst_bot.ml.kernels.trading import exact_usd
from catalyst_bot.study.statistics import Integers

BORROWS = True  # it only looks at its arrays

# money: dollars and counts of the account's trades, of which WON_TRADES made more than nothing;
# from TRADES on the record of the strategy that decides: its trades as fractions of what each cost.
# RETURN_SUM and RETURN_SQUARES are of the returns that the Sharpe ratio judges; some WINS are 0
CASH, EXPOSURE, DAY_OPEN, PEAK, REVIEWED_PEAK, WON, LOST, CLOSED, WON_TRADES = range(9)
TRADES, WINS, WON_SUM, LOST_SUM, RETURN_SUM, RETURN_SQUARES = range(9, 15)
MONEY = 15
# counts and states; STRATEGY is the number of the one that decides, and the next three are its own
ACTIVE, ENTRIES, ORDERS, STREAK, HALTED, STOPPED_ON, STRATEGY = range(7)
IN_A_ROW, PAUSED, PAUSED_UNTIL, RETURNS = range(7, 11)
COUNTS = 11
NOT_HALTED, BY_DAY, BY_DRAWDOWN, BY_STREAK = 0, 1, 2, 3
UNTIL_REVIEW = -1  # a pause that waits for a person
# held: columns of a symbol. REASON is why it waits to be sold at the next open, LIVE_S since when
# the order that sells is at the venue, LEAVES_UNTIL_S when it is given up (never: a stop that was
# met). ORDERED are shares of an entry that waits, ORDER_* what that was sized at and is protected
# with, and when. WATCH is the case that is reviewed, -1 for none; BOUGHT_BY is the strategy that
# wanted what is held or ordered.
SHARES, BOUGHT, BOUGHT_USD, SOLD_USD, FEES_USD, PRICE, HIGHEST, STOP, TARGET, EXIT_AT_S = range(10)
ENTERED, EVENT, REASON, IS_TRAILING, ORDERED, ORDER_PRICE, ORDER_STOP, ORDER_TARGET = range(10, 18)
ORDER_HORIZON_S, ORDER_EVENT, WATCH, ENTERED_S, LIVE_S, LEAVES_UNTIL_S = range(18, 24)
ORDER_LIVE_S, ORDER_UNTIL_S, BOUGHT_BY = 24, 25, 26
HELD = 27


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


def entry_price(books: Books, symbol: int) -> float:
    """What a share of a symbol that is held cost on average, without fees."""
    price: float = books.held[symbol, BOUGHT_USD] / books.held[symbol, BOUGHT]
    return price


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
