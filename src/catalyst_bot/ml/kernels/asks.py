"""Who is asked at a close, and what becomes of the answer: the table of checks in numbers.

The checks are those of `risk/check_table.py` that bars can fail, in its order.
"""

from __future__ import annotations

from catalyst_bot.ml.kernels.books import (
    BOUGHT_BY,
    CASH,
    ENTERED_S,
    ENTRIES,
    HALTED,
    IN_A_ROW,
    LOST_SUM,
    NOT_HALTED,
    ORDER_EVENT,
    ORDER_HORIZON_S,
    ORDER_LIVE_S,
    ORDER_PRICE,
    ORDER_STOP,
    ORDER_TARGET,
    ORDER_UNTIL_S,
    ORDERED,
    PAUSED,
    PRICE,
    REASON,
    SHARES,
    STRATEGY,
    TRADES,
    WATCH,
    WINS,
    WON_SUM,
    Books,
    activate,
    equity_usd,
    exposure_usd,
    ordered_usd,
)
from catalyst_bot.ml.kernels.likeness import most_alike
from catalyst_bot.ml.kernels.orders import is_crowded, leave, note_order, works_until
from catalyst_bot.ml.kernels.play import Play
from catalyst_bot.ml.kernels.records import (
    day_loss,
    drawdown,
    is_poor,
    losses_since,
)
from catalyst_bot.ml.kernels.shown import (
    ACCOUNT,
    CATALYST,
    CONFIDENCE,
    DIRECTION,
    MARKET,
    write_account,
)
from catalyst_bot.ml.kernels.trading import (
    NEGATIVE_NEWS,
    POLICY,
    STAYS,
    Means,
    Wish,
    ask_price,
    entry_shares,
    is_payable,
    kelly_fraction,
    stop_price,
    target_price,
)
from catalyst_bot.ml.tape import Singles
from catalyst_bot.ml.terms import Terms

BORROWS = True  # it only looks at its arrays

# What became of an ask, in the order in which the bot names refusals; see `portfolio/run.py`.
BUYS, LEAVES, DECLINED, EXIT_WORKING = 0, 1, 2, 3
HALT, NO_SESSION, OPEN_ENTRY, DUPLICATE, ORDERS_PER_MINUTE, UNSURE, RESTS, LOSSES = range(4, 12)
POOR, NO_EDGE, DAILY_TRADES, CORRELATED, LOSSES_PER_HOUR, DAY_LOSS, DRAWDOWN = range(12, 19)
NO_STOP, TOO_SMALL, NO_MONEY = 19, 20, 21
OUTCOMES = 22


def is_asked(books: Books, play: Play, ask: int) -> bool:
    """Whether the policy is asked; a first look puts its event on watch.

    Bad news is looked at only for what was held when it came, and is.
    """
    asks = play.asks
    event, symbol = asks.event[ask], play.bars.symbol[asks.row[ask]]
    if not asks.is_first[ask]:
        return play.reviews and books.held[symbol, WATCH] == event
    is_held = books.held[symbol, SHARES] > 0.0
    if asks.is_bad[ask]:
        if not (is_held and books.held[symbol, ENTERED_S] < asks.received_s[ask]):
            return False
    elif asks.values[ask, DIRECTION] < 0.0 and not is_held:
        return False
    books.held[symbol, WATCH] = event
    return True


def observe(books: Books, play: Play, ask: int, seen: Singles) -> None:
    """Write the raw observation of an ask, clipped to the ranges of the features."""
    row = play.asks.seen[ask]
    symbol = play.bars.symbol[row]
    held = books.held[symbol, SHARES] * books.held[symbol, PRICE]
    write_account(books.money[CASH], exposure_usd(books), held, equity_usd(books), seen)
    for column in range(MARKET):
        seen[ACCOUNT + column] = play.bars.market[row, column]
    for column in range(CATALYST):
        seen[ACCOUNT + MARKET + column] = play.asks.values[ask, column]


def decide(books: Books, play: Play, ask: int, action: float, agreement: float) -> int:
    """Turn an action into an order for the next open, or refuse; return what became of it."""
    terms, asks = play.terms, play.asks
    symbol = play.bars.symbol[asks.seen[ask]]
    is_review = not asks.is_first[ask]
    outcome = DECLINED
    if action < -terms.min_action:
        if books.held[symbol, SHARES] > 0.0:
            outcome = LEAVES if books.held[symbol, REASON] == STAYS else EXIT_WORKING
    elif action > terms.min_action and not (is_review and books.held[symbol, SHARES] > 0.0):
        confidence = asks.values[ask, CONFIDENCE] * agreement
        outcome = _refused(books, play, ask, symbol, confidence)
        if outcome == BUYS:
            outcome = _enter(books, play, ask, action)
    if outcome == LEAVES:
        reason = POLICY if is_review else NEGATIVE_NEWS
        leave(books, play, _step_of(play, ask), symbol, reason, asks.at_s[ask])
    books.outcomes[outcome] += 1
    return outcome


def _step_of(play: Play, ask: int) -> int:
    """The step in which an ask comes, or at whose close."""
    step: int = play.closes.known[ask]
    return step if play.closes.closes_s[step] == play.asks.at_s[ask] else step + 1


def _is_overnight(play: Play, ask: int) -> bool:
    """Whether an ask comes when its session is over."""
    closes, step = play.closes, _step_of(play, ask)
    at_s: float = play.asks.at_s[ask]
    end_s: float = closes.closes_s[closes.first_step[closes.session[step] + 1] - 1]
    return at_s >= end_s


def _refused(books: Books, play: Play, ask: int, symbol: int, confidence: float) -> int:
    """The first check of the table that an entry fails before it is sized, or `BUYS`."""
    counts, terms = books.counts, play.terms
    outcome = BUYS
    if counts[HALTED] != NOT_HALTED:
        outcome = HALT
    elif not play.closes.waits_overnight and _is_overnight(play, ask):
        outcome = NO_SESSION
    elif books.held[symbol, ORDERED] > 0.0:
        outcome = OPEN_ENTRY
    elif books.held[symbol, SHARES] > 0.0:
        outcome = DUPLICATE
    elif is_crowded(books, play.asks.at_s[ask], terms.max_orders_per_minute):
        outcome = ORDERS_PER_MINUTE
    elif not confidence >= terms.min_confidence:
        outcome = UNSURE
    elif counts[PAUSED] != 0:
        outcome = RESTS
    elif counts[IN_A_ROW] >= terms.pause_after_losses:
        outcome = LOSSES
    elif is_poor(books, terms):
        outcome = POOR
    elif not kelly_of_record(books, terms) > 0.0:
        outcome = NO_EDGE
    elif counts[ENTRIES] + 1 > terms.max_daily_trades:
        outcome = DAILY_TRADES
    return outcome


def kelly_of_record(books: Books, terms: Terms) -> float:
    """The share of equity that the record of the strategy which decides allows."""
    money = books.money
    return kelly_fraction(money[TRADES], money[WINS], money[WON_SUM], money[LOST_SUM], terms)


def _enter(books: Books, play: Play, ask: int, action: float) -> int:
    """Size and protect an entry; put it on its way when the remaining checks pass."""
    bars, asks, terms = play.bars, play.asks, play.terms
    row, at_s = asks.seen[ask], asks.at_s[ask]
    symbol, atr = bars.symbol[row], bars.atr[row]
    likeness = most_alike(books, play, ask, symbol, row)
    equity, ordered = equity_usd(books), ordered_usd(books)
    price = ask_price(bars.close[row], bars.volume[row], terms)
    stop = stop_price(price, atr, terms)
    if likeness > terms.max_correlation:
        return CORRELATED
    if losses_since(books, at_s - terms.halt_loss_window_s) >= terms.halt_after_losses:
        return LOSSES_PER_HOUR
    if day_loss(books, equity) >= terms.max_daily_loss_fraction:
        return DAY_LOSS
    if drawdown(books, equity) >= terms.max_drawdown_fraction:
        return DRAWDOWN
    if not stop > 0.0:
        return NO_STOP
    kelly = kelly_of_record(books, terms)
    cash = books.money[CASH] - ordered
    shares = entry_shares(
        Wish(price, stop, action, atr, bars.atr_average[row], likeness),
        Means(equity, exposure_usd(books) + ordered, cash, kelly),
        terms,
    )
    if not shares * price >= terms.min_trade_usd:
        return TOO_SMALL
    note_order(books, at_s)
    books.counts[ENTRIES] += 1
    left = books.money[CASH] - ordered * (1.0 + terms.commission_fraction)
    if not is_payable(shares, price, left, terms):
        return NO_MONEY
    books.held[symbol, ORDERED], books.held[symbol, ORDER_PRICE] = shares, price
    books.held[symbol, ORDER_LIVE_S] = at_s + terms.latency_s
    books.held[symbol, ORDER_UNTIL_S] = works_until(
        play.closes, _step_of(play, ask), at_s, terms.entry_timeout_s
    )
    books.held[symbol, ORDER_STOP] = stop
    books.held[symbol, BOUGHT_BY] = books.counts[STRATEGY]
    books.held[symbol, ORDER_TARGET] = target_price(price, atr, terms)
    books.held[symbol, ORDER_EVENT] = asks.event[ask]
    books.held[symbol, ORDER_HORIZON_S] = asks.horizon_s[ask]
    activate(books, symbol)
    return BUYS
