"""Orders and positions of an account in a step: what opens fill, what ranges and closes take.

An order that was decided at a close is at the venue `latency_s` later, so what fills of it at the
open of that moment is known after the stops and targets that meet the same open.
"""

from __future__ import annotations

from math import inf

from catalyst_bot.ml.kernels.books import (
    ACTIVE,
    CASH,
    ENTERED_S,
    EXIT_AT_S,
    HALTED,
    HIGHEST,
    IS_TRAILING,
    LEAVES_UNTIL_S,
    LIVE_S,
    NOT_HALTED,
    ORDER_LIVE_S,
    ORDER_PRICE,
    ORDER_UNTIL_S,
    ORDERED,
    ORDERS,
    PRICE,
    REASON,
    SHARES,
    STOP,
    TARGET,
    Books,
    entry_price,
    ordered_usd,
    tidy,
    value,
)
from catalyst_bot.ml.kernels.fills import (
    Meeting,
    buy,
    sell,
)
from catalyst_bot.ml.kernels.play import Closes, Play
from catalyst_bot.ml.kernels.records import (
    mark,
)
from catalyst_bot.ml.kernels.trading import (
    STAYS,
    STOP_LOSS,
    TAKE_PROFIT,
    TIME_EXIT,
    TRAILING_STOP,
    affordable_shares,
    buy_price,
    left_at_open,
    left_in_range,
    most_shares,
    trailed_stop,
)

BORROWS = True  # it only looks at its arrays

MINUTE_S = 60.0
DELISTED = 6  # the recording ends while the symbol is held: sold at its last price


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


def works_until(closes: Closes, step: int, at_s: float, timeout_s: float) -> float:
    """When an order that was decided after a step's opens is given up; one that waits for the next
    session is not late before its open.
    """
    following = closes.first_step[closes.session[step] + 1]
    if at_s < closes.closes_s[following - 1]:
        return at_s + timeout_s
    return closes.opens_s[following] + timeout_s if following < len(closes.opens_s) else inf


def open_bars(books: Books, play: Play, step: int) -> None:
    """Let what waits meet the opens of a step."""
    closes, has_late = play.closes, False
    is_first = closes.first_step[closes.session[step]] == step
    for place in range(books.counts[ACTIVE]):
        symbol = books.active[place]
        row = closes.row_of[step, symbol]
        if row > closes.first_row[symbol]:
            if _is_late(books, play, symbol, row):
                has_late = True
            else:
                _meet_open(books, play, step, symbol, row)
        elif is_first and row < 0 and _is_gone(books, play, step, symbol):
            _write_off(books, play, step, symbol)
    if has_late:
        for place in range(books.counts[ACTIVE]):
            symbol = books.active[place]
            row = closes.row_of[step, symbol]
            if row > closes.first_row[symbol] and _is_late(books, play, symbol, row):
                _meet_open(books, play, step, symbol, row)
    if books.counts[HALTED] != NOT_HALTED:
        _drop_entries(books)
    tidy(books)


def _is_late(books: Books, play: Play, symbol: int, row: int) -> bool:
    """Whether what is on its way reaches the venue a moment after the open that it meets."""
    held, opened_s = books.held, play.bars.opened_s[row]
    if held[symbol, ORDERED] > 0.0 and held[symbol, ORDER_LIVE_S] > opened_s:
        return True
    return bool(held[symbol, REASON] != STAYS and held[symbol, LIVE_S] > opened_s)


def _meet_open(books: Books, play: Play, step: int, symbol: int, row: int) -> None:
    """Nobody knows yet what this bar will trade: the volume of the one before bounds a fill.

    What an entry on its way buys here has its stop and target from then on only.
    """
    held, bar_open, volume = books.held, play.bars.open[row], play.bars.volume[row - 1]
    session = play.closes.session[step]
    if held[symbol, ORDERED] > 0.0 and _enter(books, play, symbol, row, session):
        return
    if held[symbol, SHARES] > 0.0:
        reason, reference = held[symbol, REASON], bar_open
        if reason == STAYS:
            reason, reference = left_at_open(bar_open, held[symbol, STOP], held[symbol, TARGET])
        if reason != STAYS:
            at_s = max(play.bars.opened_s[row], held[symbol, LIVE_S])
            meeting = Meeting(reference, bar_open, volume, at_s, session)
            is_target = reason == TAKE_PROFIT and held[symbol, REASON] == STAYS
            sell(books, symbol, _named(books, symbol, reason), meeting, play.terms)
            if is_target:
                held[symbol, LIVE_S] = play.bars.closed_s[row]  # once a bar: it sold at the open


def _enter(books: Books, play: Play, symbol: int, row: int, session: int) -> bool:
    """Buy of the entry on its way what volume and cash allow; return whether that was anything.

    What the cash does not pay for is given up.
    """
    held, terms = books.held, play.terms
    bar_open, volume = play.bars.open[row], play.bars.volume[row - 1]
    price = buy_price(bar_open, bar_open, volume, terms)
    others = ordered_usd(books) - held[symbol, ORDERED] * held[symbol, ORDER_PRICE]
    cash = books.money[CASH] - others * (1.0 + terms.commission_fraction)
    wanted = min(held[symbol, ORDERED], most_shares(volume, terms))
    shares = min(wanted, affordable_shares(price, cash, terms))
    held[symbol, ORDERED] = held[symbol, ORDERED] - shares if shares == wanted else 0.0
    if not shares > 0.0:
        return False
    at_s = max(play.bars.opened_s[row], held[symbol, ORDER_LIVE_S])
    buy(books, symbol, shares, price, Meeting(bar_open, bar_open, volume, at_s, session), terms)
    return True


def _is_gone(books: Books, play: Play, step: int, symbol: int) -> bool:
    """Whether the recording of a symbol that is held ended before a step."""
    ended_s: float = play.bars.closed_s[play.closes.last_row[symbol]]
    opens_s: float = play.closes.opens_s[step]
    return books.held[symbol, SHARES] > 0.0 and ended_s < opens_s


def _write_off(books: Books, play: Play, step: int, symbol: int) -> None:
    """The recording of a symbol ended while it was held: all of it goes at the last price."""
    price = books.held[symbol, PRICE]
    enough = books.held[symbol, SHARES] / play.terms.participation_fraction + 1.0 / (
        play.terms.participation_fraction
    )
    closes = play.closes
    meeting = Meeting(price, price, enough, closes.opens_s[step], closes.session[step])
    sell(books, symbol, DELISTED, meeting, play.terms)


def _named(books: Books, symbol: int, reason: int) -> int:
    """A stop that was raised is a trailing one."""
    return TRAILING_STOP if reason == STOP_LOSS and books.held[symbol, IS_TRAILING] != 0 else reason


def close_bars(books: Books, play: Play, step: int) -> None:
    """Give up the orders whose time is over, let stops and targets meet the ranges, value what is
    held and follow it with its stop. At the last close of a session what was sent in it ends.
    """
    closes, held = play.closes, books.held
    at_s, session = closes.closes_s[step], closes.session[step]
    is_last = closes.first_step[session + 1] == step + 1
    for place in range(books.counts[ACTIVE]):
        symbol = books.active[place]
        if is_last or held[symbol, ORDER_UNTIL_S] <= at_s:
            held[symbol, ORDERED] = 0.0
        if held[symbol, LEAVES_UNTIL_S] < at_s and _is_order(books, symbol):
            _protect_again(books, play, step, symbol, held[symbol, LEAVES_UNTIL_S])
        row = closes.row_of[step, symbol]
        if row >= 0 and held[symbol, SHARES] > 0.0 and held[symbol, REASON] == STAYS:
            _meet_range(books, play, step, symbol, row)
    tidy(books)
    for place in range(books.counts[ACTIVE]):
        symbol = books.active[place]
        row = closes.row_of[step, symbol]
        if row >= 0 and held[symbol, SHARES] > 0.0:
            value(books, symbol, play.bars.close[row])
            mark(books, session, play.terms)
            _follow(books, play, step, symbol, row)
        is_over = is_last or held[symbol, LEAVES_UNTIL_S] <= at_s
        if is_over and _is_order(books, symbol) and held[symbol, LIVE_S] <= at_s:
            _protect_again(books, play, step, symbol, at_s)
    if books.counts[HALTED] != NOT_HALTED:
        _drop_entries(books)
        tidy(books)


def _meet_range(books: Books, play: Play, step: int, symbol: int, row: int) -> None:
    """Let a stop and a target that are at work since the open meet the prices after it."""
    bars, held = play.bars, books.held
    bar_open = bars.open[row]
    if held[symbol, LIVE_S] > bars.opened_s[row] + play.terms.latency_s:
        return
    stop, target = held[symbol, STOP], held[symbol, TARGET]
    reason, reference = left_in_range(bar_open, bars.high[row], bars.low[row], stop, target)
    if reason != STAYS:
        at_s, session = play.closes.closes_s[step], play.closes.session[step]
        meeting = Meeting(reference, bar_open, bars.volume[row], at_s, session)
        sell(books, symbol, _named(books, symbol, reason), meeting, play.terms)


def _is_order(books: Books, symbol: int) -> bool:
    """Whether an order leaves a symbol; a stop that was met has no time by which it is given up."""
    return bool(books.held[symbol, REASON] != STAYS and books.held[symbol, LEAVES_UNTIL_S] < inf)


def _drop_entries(books: Books) -> None:
    """Trading is halted: what is not bought yet is not bought any more."""
    for place in range(books.counts[ACTIVE]):
        books.held[books.active[place], ORDERED] = 0.0


def _follow(books: Books, play: Play, step: int, symbol: int, row: int) -> None:
    """Leave at the next open when the time is over or a raised stop is passed, or raise the stop.

    Of a bar that began before the entry only its close counts. Where the raised stop would lie
    above the target, the target sells.
    """
    held, bars = books.held, play.bars
    close, at_s = bars.close[row], play.closes.closes_s[step]
    is_ours = bars.opened_s[row] >= held[symbol, ENTERED_S]
    held[symbol, HIGHEST] = max(held[symbol, HIGHEST], bars.high[row] if is_ours else close)
    if held[symbol, REASON] != STAYS:
        return
    stop = held[symbol, STOP]
    raised = trailed_stop(entry_price(books, symbol), held[symbol, HIGHEST], stop, play.terms)
    if close <= raised and raised > stop:
        leave(books, play, step, symbol, TRAILING_STOP, at_s)
    elif at_s >= held[symbol, EXIT_AT_S]:
        leave(books, play, step, symbol, TIME_EXIT, at_s)
    elif stop < raised < held[symbol, TARGET]:
        held[symbol, STOP] = raised
        held[symbol, IS_TRAILING] = 1


def leave(books: Books, play: Play, step: int, symbol: int, reason: int, at_s: float) -> None:
    """Send an order that sells all of a symbol at the next open; nothing more of it is bought."""
    held, terms = books.held, play.terms
    held[symbol, REASON], held[symbol, ORDERED] = reason, 0.0
    held[symbol, LIVE_S] = at_s + terms.latency_s
    held[symbol, LEAVES_UNTIL_S] = works_until(play.closes, step, at_s, terms.exit_timeout_s)
    note_order(books, at_s)


def _protect_again(books: Books, play: Play, step: int, symbol: int, at_s: float) -> None:
    """An order that left was given up before it sold all: what is still held gets its stop and
    target back, or is left anew when the price is beyond one of them.
    """
    held = books.held
    price, held[symbol, REASON] = held[symbol, PRICE], STAYS
    if price <= held[symbol, STOP]:
        leave(books, play, step, symbol, _named(books, symbol, STOP_LOSS), at_s)
    elif price >= held[symbol, TARGET]:
        leave(books, play, step, symbol, TAKE_PROFIT, at_s)
    else:
        held[symbol, LIVE_S] = at_s + play.terms.latency_s
        note_order(books, at_s)
