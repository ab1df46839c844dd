"""One account over many symbols, a session at a time: what the bot and its venue do on daily bars.

In a session, in this order: at its open what waited is filled and stops and targets meet the first
price; in its range stops and targets of the rest; at its close positions are valued, stops follow,
what is over will be left; then the policy is asked in the order of the running bot, and what it
wants is held against the table of checks. Orders meet the next open. Symbols go in their order.
"""

from __future__ import annotations

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.kernels.asks import decide, is_asked, observe
from catalyst_bot.ml.kernels.books import (
    ACTIVE,
    BOUGHT,
    BOUGHT_USD,
    CASH,
    DAY_OPEN,
    ENTRIES,
    EXIT_AT_S,
    HALTED,
    HIGHEST,
    IN_A_ROW,
    IS_TRAILING,
    NOT_HALTED,
    ORDER_PRICE,
    ORDERED,
    ORDERS,
    PAUSED,
    PAUSED_UNTIL,
    PRICE,
    REASON,
    SHARES,
    STOP,
    STOPPED_ON,
    TARGET,
    UNTIL_REVIEW,
    Books,
    Meeting,
    buy,
    equity_usd,
    exposure_usd,
    mark,
    ordered_usd,
    resume,
    sell,
    tidy,
    value,
)
from catalyst_bot.ml.kernels.play import Play
from catalyst_bot.ml.kernels.shown import (
    CONFIDENCE,
    DIRECTION,
    EDGE,
    EDGE_HIGH,
    REACTION,
    REGIME,
    RVOL,
)
from catalyst_bot.ml.kernels.trading import (
    STAYS,
    STOP_LOSS,
    TIME_EXIT,
    TRAILING_STOP,
    affordable_shares,
    buy_price,
    left_at_open,
    left_in_range,
    most_shares,
    trailed_stop,
)
from catalyst_bot.ml.tape import Asks, Bars, Singles
from catalyst_bot.ml.terms import Terms
from catalyst_bot.policies.rule_action import RuleTerms, rule_action

BORROWS = True  # it only looks at its arrays

DELISTED = 6  # the recording ends while the symbol is held: sold at its last price


def open_session(books: Books, play: Play, day: int) -> None:
    """Begin a session and let what waited meet its open."""
    counts, days = books.counts, play.days
    counts[ENTRIES] = 0
    counts[ORDERS] = 0
    if counts[HALTED] != NOT_HALTED or counts[PAUSED] != 0:
        _go_on(books, play, day)
    books.money[DAY_OPEN] = equity_usd(books)
    for place in range(counts[ACTIVE]):
        symbol = books.active[place]
        row = days.row_of[day, symbol]
        if row > days.first_row[symbol]:
            _meet_open(books, play, day, symbol, row)
        elif row < 0 and books.held[symbol, SHARES] > 0.0 and _is_gone(play, day, symbol):
            _write_off(books, play, day, symbol)
    tidy(books)


def _go_on(books: Books, play: Play, day: int) -> None:
    """A pause for the rest of a day is over; others wait for a person, if one ever comes."""
    counts = books.counts
    is_for_a_day = counts[HALTED] == NOT_HALTED and counts[PAUSED_UNTIL] != UNTIL_REVIEW
    if is_for_a_day:
        if day >= counts[PAUSED_UNTIL]:
            counts[PAUSED] = 0
            counts[IN_A_ROW] = 0
    elif 0 < play.review_after <= day - counts[STOPPED_ON]:
        resume(books)


def _meet_open(books: Books, play: Play, day: int, symbol: int, row: int) -> None:
    """Nobody knows yet what this bar will trade: the volume of the one before bounds a fill."""
    bar_open, volume, terms = play.bars.open[row], play.bars.volume[row - 1], play.terms
    at_s = play.days.opens_s[day]
    if books.held[symbol, SHARES] > 0.0:
        reason, reference = books.held[symbol, REASON], bar_open
        if reason == STAYS:
            reason, reference = left_at_open(
                bar_open, books.held[symbol, STOP], books.held[symbol, TARGET]
            )
        if reason != STAYS:
            meeting = Meeting(reference, bar_open, volume, at_s, day)
            sell(books, symbol, _named(books, symbol, reason), meeting, terms)
        return
    price = buy_price(bar_open, bar_open, volume, terms)
    others = ordered_usd(books) - books.held[symbol, ORDERED] * books.held[symbol, ORDER_PRICE]
    cash = books.money[CASH] - others * (1.0 + terms.commission_fraction)
    shares = min(books.held[symbol, ORDERED], most_shares(volume, terms))
    shares = min(shares, affordable_shares(price, cash, terms))
    books.held[symbol, ORDERED] = 0.0
    if shares > 0.0:
        meeting = Meeting(bar_open, bar_open, volume, at_s, day)
        buy(books, symbol, shares, price, meeting, terms)


def _is_gone(play: Play, day: int, symbol: int) -> bool:
    """Whether the recording of a symbol ended before a session."""
    ended_s: float = play.bars.closed_s[play.days.last_row[symbol]]
    opens_s: float = play.days.opens_s[day]
    return ended_s < opens_s


def _write_off(books: Books, play: Play, day: int, symbol: int) -> None:
    """The recording of a symbol ended while it was held: all of it goes at the last price."""
    price = books.held[symbol, PRICE]
    enough = books.held[symbol, SHARES] / play.terms.participation_fraction + 1.0 / (
        play.terms.participation_fraction
    )
    meeting = Meeting(price, price, enough, play.days.opens_s[day], day)
    sell(books, symbol, DELISTED, meeting, play.terms)


def _named(books: Books, symbol: int, reason: int) -> int:
    """A stop that was raised is a trailing one."""
    return TRAILING_STOP if reason == STOP_LOSS and books.held[symbol, IS_TRAILING] != 0 else reason


def close_session(books: Books, play: Play, day: int) -> None:
    """Let stops and targets meet the range, value what is held, follow it with its stop."""
    bars, days, terms = play.bars, play.days, play.terms
    at_s = days.closes_s[day]
    for place in range(books.counts[ACTIVE]):
        symbol = books.active[place]
        row = days.row_of[day, symbol]
        books.held[symbol, ORDERED] = 0.0  # a day order that met no open
        if row < 0 or not books.held[symbol, SHARES] > 0.0 or books.held[symbol, REASON] != STAYS:
            continue
        bar_open = bars.open[row]
        stop, target = books.held[symbol, STOP], books.held[symbol, TARGET]
        reason, reference = left_in_range(bar_open, bars.high[row], bars.low[row], stop, target)
        if reason != STAYS:
            meeting = Meeting(reference, bar_open, bars.volume[row], at_s, day)
            sell(books, symbol, _named(books, symbol, reason), meeting, terms)
    tidy(books)
    for place in range(books.counts[ACTIVE]):
        symbol = books.active[place]
        row = days.row_of[day, symbol]
        if row >= 0:
            value(books, symbol, bars.close[row])
            mark(books, day, terms)
            _follow(books, symbol, bars.high[row], bars.close[row], at_s, terms)


def _follow(
    books: Books, symbol: int, high: float, close: float, at_s: float, terms: Terms
) -> None:
    """Leave at the next open when the time is over or a raised stop is passed, or raise the stop.

    Where the raised stop would lie above the target, the target sells.
    """
    books.held[symbol, HIGHEST] = max(books.held[symbol, HIGHEST], high)
    if books.held[symbol, REASON] != STAYS:
        return
    entry = books.held[symbol, BOUGHT_USD] / books.held[symbol, BOUGHT]
    stop = books.held[symbol, STOP]
    raised = trailed_stop(entry, books.held[symbol, HIGHEST], stop, terms)
    if close <= raised and raised > stop:
        books.held[symbol, REASON] = TRAILING_STOP
    elif at_s >= books.held[symbol, EXIT_AT_S]:
        books.held[symbol, REASON] = TIME_EXIT
    elif stop < raised < books.held[symbol, TARGET]:
        books.held[symbol, STOP] = raised
        books.held[symbol, IS_TRAILING] = 1
    if books.held[symbol, REASON] != STAYS:
        books.counts[ORDERS] += 1


def to_close(books: Books, play: Play, day: int, found: Integers, seen: Singles) -> int:
    """Live to the close of a session; write who is asked there, in turn, and the observations.

    Returns how many.
    """
    open_session(books, play, day)
    close_session(books, play, day)
    count = 0
    for place in range(play.days.ask_start[day], play.days.ask_start[day + 1]):
        ask = play.days.ask[place]
        if is_asked(books, play, ask):
            found[count] = ask
            observe(books, play, ask, seen[count])
            count += 1
    return count


def decide_all(
    books: Books, play: Play, found: Integers, actions: Floats, agreements: Floats
) -> None:
    """Decide on the asks of a close, one after the other."""
    for place in range(len(actions)):
        decide(books, play, found[place], actions[place], agreements[place])


def worth(books: Books) -> tuple[float, float]:
    """What the account is worth in dollars, and which share of it is invested."""
    equity = equity_usd(books)
    return equity, exposure_usd(books) / equity


def run_rule(
    books: Books, play: Play, first: int, rule: RuleTerms, equity: Floats, exposure: Floats
) -> None:
    """Trade as many sessions from `first` on as there is room for their worth, by the rule."""
    asks, days = play.asks, play.days
    for place in range(len(equity)):
        day = first + place
        open_session(books, play, day)
        close_session(books, play, day)
        for turn in range(days.ask_start[day], days.ask_start[day + 1]):
            ask = days.ask[turn]
            if is_asked(books, play, ask):
                decide(books, play, ask, rule_at(play.bars, asks, ask, rule), 1.0)
        equity[place], exposure[place] = worth(books)


def rule_at(bars: Bars, asks: Asks, ask: int, rule: RuleTerms) -> float:
    """What the rule baseline wants at an ask."""
    told, regime = asks.values[ask], bars.market[asks.row[ask], REGIME]
    action, _found = rule_action(
        told[DIRECTION],
        told[CONFIDENCE],
        told[EDGE],
        told[EDGE_HIGH],
        told[REACTION],
        told[RVOL],
        regime,
        rule,
    )
    return action
