"""One account that trades one symbol, bar by bar: orders, fills, stops, record and breakers.

An account is a row of two tables: `money` in dollars and fractions, `place` in whole numbers; the
names below are their columns. What happens in a bar stands in docs/concepts/environment.md.
"""

from __future__ import annotations

from math import sqrt

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.kernels.trading import (
    STAYS,
    STOP_LOSS,
    TAKE_PROFIT,
    TIME_EXIT,
    TRAILING_STOP,
    Means,
    Wish,
    affordable_shares,
    ask_price,
    buy_price,
    entry_shares,
    exact_usd,
    fee_usd,
    is_payable,
    kelly_fraction,
    left_at_open,
    left_in_range,
    most_shares,
    sell_price,
    stop_price,
    target_price,
    trailed_stop,
)
from catalyst_bot.ml.tape import Bars
from catalyst_bot.ml.terms import Terms
from catalyst_bot.risk.gauges import SESSIONS_PER_YEAR

BORROWS = True  # see `history.compiled`
# Columns of `money`. ORDER_* is the entry that waits for the next open, TRADE_* sums of the
# position, LAST_* the trade that ended last. WON and LOST add up results of trades as fractions of
# their cost, COSTS what a bar took in fees, spread and slippage.
CASH, SHARES, ENTRY_PRICE, STOP, TARGET, HIGHEST, EXIT_AT_S = 0, 1, 2, 3, 4, 5, 6
ORDER_SHARES, ORDER_STOP, ORDER_TARGET, ORDER_HORIZON_S = 7, 8, 9, 10
TRADE_SHARES, TRADE_BOUGHT, TRADE_SOLD, TRADE_FEES = 11, 12, 13, 14
EQUITY, DAY_OPEN, PEAK, WON, LOST, COSTS = 15, 16, 17, 18, 19, 20
LAST_SHARES, LAST_BOUGHT, LAST_SOLD, LAST_PNL = 21, 22, 23, 24
KELLY, SQUARES = 25, 26  # what the record allows of equity; squares of results added up
MEAN_RETURN, MEAN_SQUARE = 27, 28  # what the reward remembers
MONEY_COLUMNS = 29
# Columns of `place`. LEAVING is why the position is sold at the next open (0: it is not). From
# LIMIT on they are the episode's.
ROW, ENTRY_ROW, LEAVING, IS_TRAILING, TRADES, WINS, LOSSES, PAUSE = 0, 1, 2, 3, 4, 5, 6, 7
LAST_ENTRY_ROW, LAST_EXIT_ROW, LAST_REASON = 8, 9, 10
LIMIT, IS_QUIET, NEXT_ASK, WATCHED, ASKED, QUESTIONS, RANDOM = 11, 12, 13, 14, 15, 16, 17
PLACE_COLUMNS = 18
STOPS = (STOP_LOSS, TRAILING_STOP)
NO_PAUSE, UNTIL_OPEN, FOR_REVIEW = 0, 1, 2  # values of PAUSE


def open_account(money: Floats, place: Integers, row: int, terms: Terms) -> None:
    """Begin with cash and an empty record at the close of a bar."""
    random = place[RANDOM]
    money[:], place[:] = 0.0, 0
    place[ROW], place[RANDOM] = row, random
    for column in (CASH, EQUITY, DAY_OPEN, PEAK):
        money[column] = terms.starting_cash_usd
    money[KELLY] = kelly_fraction(0.0, 0.0, 0.0, 0.0, terms)


def enter_session(money: Floats, place: Integers) -> None:
    """A session opens: its loss counts from here, and a pause is over."""
    money[DAY_OPEN] = money[EQUITY]
    if place[PAUSE] == UNTIL_OPEN:
        place[PAUSE], place[LOSSES] = NO_PAUSE, 0


def mark(money: Floats, price: float) -> None:
    """Value the account at a price of its shares."""
    money[EQUITY] = money[CASH] + money[SHARES] * price
    money[PEAK] = max(money[PEAK], money[EQUITY])


def is_halted(money: Floats, terms: Terms) -> bool:
    """Whether the loss of the day or from the peak halts trading (`risk.breakers`)."""
    least = money[DAY_OPEN] * (1.0 - terms.max_daily_loss_fraction)
    least = max(least, money[PEAK] * (1.0 - terms.max_drawdown_fraction))
    return bool(money[EQUITY] <= least)


def is_flat(money: Floats) -> bool:
    """Whether nothing is held and nothing on its way."""
    return bool(money[SHARES] == 0.0 and money[ORDER_SHARES] == 0.0)


def wants_to_leave(money: Floats, action: float, terms: Terms) -> bool:
    """Whether a policy's action is an exit of what is held."""
    return bool(money[SHARES] > 0.0 and action < -terms.min_action)


def enter(
    money: Floats,
    place: Integers,
    bars: Bars,
    row: int,
    action: float,
    horizon_s: float,
    terms: Terms,
) -> None:
    """Send what a policy's action buys that knows a row; it is filled at the next open.

    Above `min_action` that is its share of the largest position; NaN buys nothing, and nothing is
    added to what is held.
    """
    if money[SHARES] > 0.0 or not action > terms.min_action or place[PAUSE] != NO_PAUSE:
        return
    close, atr = bars.close[row], bars.atr[row]
    price = ask_price(close, bars.volume[row], terms)
    stop = stop_price(price, atr, terms)
    wish = Wish(price, stop, action, atr, bars.atr_average[row], 0.0)
    shares = entry_shares(wish, Means(money[EQUITY], 0.0, money[CASH], money[KELLY]), terms)
    is_good = close >= terms.min_price_usd and shares * price >= terms.min_trade_usd
    if is_good and is_payable(shares, price, money[CASH], terms):
        money[ORDER_SHARES], money[ORDER_STOP] = shares, stop
        money[ORDER_TARGET] = target_price(price, atr, terms)
        money[ORDER_HORIZON_S] = horizon_s


def play_bar(money: Floats, place: Integers, bars: Bars, terms: Terms) -> bool:
    """Live through the next bar, from its open to its close; return whether trading was halted."""
    place[ROW] += 1
    row = place[ROW]
    if bars.session[row] != bars.session[row - 1]:
        enter_session(money, place)
    halted = _trade(money, place, bars, terms)
    if money[SHARES] > 0.0:
        mark(money, bars.close[row])
        halted = is_halted(money, terms) or halted
        _look_at_close(money, place, bars, terms)
    return halted


def _trade(money: Floats, place: Integers, bars: Bars, terms: Terms) -> bool:
    """Fill what waited for the open, then what the prices of the bar meet.

    At the open the volume of the bar before says how much can be had, for nobody knows the new one
    yet. While the whole position is being sold it has no stop at the venue.
    """
    row = place[ROW]
    bar_open, before, halted = bars.open[row], bars.volume[row - 1], False
    if place[LEAVING] != STAYS:
        return _sell(money, place, bars, place[LEAVING], bar_open, before, terms)
    if money[SHARES] > 0.0:
        reason, reference = left_at_open(bar_open, money[STOP], money[TARGET])
        if reason != STAYS:
            known = before if before > 0.0 else bars.volume[row]  # it waits at the venue
            return _sell(money, place, bars, reason, reference, known, terms)
    elif money[ORDER_SHARES] > 0.0:
        halted = _buy(money, place, bars, terms)
    if money[SHARES] > 0.0:
        reason, reference = left_in_range(
            bar_open, bars.high[row], bars.low[row], money[STOP], money[TARGET]
        )
        if reason != STAYS:
            volume = bars.volume[row]
            halted = _sell(money, place, bars, reason, reference, volume, terms) or halted
    return halted


def _buy(money: Floats, place: Integers, bars: Bars, terms: Terms) -> bool:
    """Fill the entry at the open, as far as volume and cash go; the rest is not bought."""
    row = place[ROW]
    bar_open, volume = bars.open[row], bars.volume[row - 1]
    price = buy_price(bar_open, bar_open, volume, terms)
    shares = min(money[ORDER_SHARES], most_shares(volume, terms))
    if not is_payable(shares, price, money[CASH] - 0.01, terms):  # a cent: the fee is rounded
        shares = min(shares, affordable_shares(price, money[CASH], terms))
    money[ORDER_SHARES] = 0.0
    if shares == 0.0:
        return False
    amount = exact_usd(shares * price)
    fee = fee_usd(amount, terms)
    money[CASH] = exact_usd(money[CASH] - amount - fee)
    money[SHARES], money[ENTRY_PRICE], money[HIGHEST] = shares, price, price
    money[STOP], money[TARGET] = money[ORDER_STOP], money[ORDER_TARGET]
    money[EXIT_AT_S] = bars.opened_s[row] + money[ORDER_HORIZON_S]
    money[TRADE_SHARES], money[TRADE_BOUGHT] = shares, amount
    money[TRADE_SOLD], money[TRADE_FEES] = 0.0, fee
    money[COSTS] += fee + shares * (price - bar_open)
    place[ENTRY_ROW], place[IS_TRAILING] = row, 0
    mark(money, price)
    return is_halted(money, terms)


def _sell(
    money: Floats,
    place: Integers,
    bars: Bars,
    reason: int,
    reference: float,
    volume: float,
    terms: Terms,
) -> bool:
    """Sell at what the reference comes to, as far as the volume goes.

    What a stop could not sell goes at the next open; the rest of any other exit is held on to.
    """
    if reason == STOP_LOSS and place[IS_TRAILING]:
        reason = TRAILING_STOP
    is_stop = reason in STOPS
    if not is_stop:
        place[LEAVING] = STAYS
    shares = min(money[SHARES], most_shares(volume, terms))
    if shares == 0.0:
        return False
    price = sell_price(reference, bars.open[place[ROW]], volume, terms)
    if reason == TAKE_PROFIT:
        price = max(price, money[TARGET])
    amount = exact_usd(shares * price)
    fee = fee_usd(amount, terms)
    money[CASH] = exact_usd(money[CASH] + amount - fee)
    money[SHARES] -= shares
    money[TRADE_SOLD] = exact_usd(money[TRADE_SOLD] + amount)
    money[TRADE_FEES] = exact_usd(money[TRADE_FEES] + fee)
    money[COSTS] += fee + shares * (reference - price)
    place[LEAVING] = reason if is_stop and money[SHARES] > 0.0 else STAYS
    mark(money, price)
    if money[SHARES] == 0.0:
        _close_trade(money, place, reason, terms)
    return is_halted(money, terms)


def _close_trade(money: Floats, place: Integers, reason: int, terms: Terms) -> None:
    """Add the finished trade to the record that sizes the next, and pause after losses in a row."""
    bought, sold = money[TRADE_BOUGHT], money[TRADE_SOLD]
    pnl = exact_usd(sold - bought - money[TRADE_FEES])
    place[TRADES] += 1
    result = pnl / bought
    money[SQUARES] += result * result
    if result < 0.0:
        place[LOSSES] += 1
        money[LOST] -= result
    else:
        place[WINS] += 1
        place[LOSSES] = 0
        money[WON] += result
    if place[PAUSE] == NO_PAUSE:
        place[PAUSE] = _pause(money, place, terms)
    money[KELLY] = kelly_fraction(place[TRADES], place[WINS], money[WON], money[LOST], terms)
    money[LAST_SHARES], money[LAST_BOUGHT] = money[TRADE_SHARES], bought
    money[LAST_SOLD], money[LAST_PNL] = sold, pnl
    place[LAST_ENTRY_ROW], place[LAST_EXIT_ROW] = place[ENTRY_ROW], place[ROW]
    place[LAST_REASON] = reason


def _pause(money: Floats, place: Integers, terms: Terms) -> int:
    """Losses in a row rest until the next open; a poor Sharpe ratio waits for a person."""
    if place[LOSSES] >= terms.pause_after_losses:
        return UNTIL_OPEN
    trades, total = place[TRADES], money[WON] - money[LOST]
    if trades < max(terms.min_trades_for_sharpe, 2):
        return NO_PAUSE
    mean = total / trades
    variance = (money[SQUARES] - mean * total) / (trades - 1)
    is_poor = variance > 0.0 and mean * sqrt(SESSIONS_PER_YEAR) < terms.min_sharpe * sqrt(variance)
    return FOR_REVIEW if is_poor else NO_PAUSE


def _look_at_close(money: Floats, place: Integers, bars: Bars, terms: Terms) -> None:
    """Raise the stop behind the price, or leave at the next open what is over (`risk.stops`).

    A stop that would be raised through the price is an exit, one raised to the target stays.
    """
    row = place[ROW]
    money[HIGHEST] = max(money[HIGHEST], bars.high[row])
    raised = trailed_stop(money[ENTRY_PRICE], money[HIGHEST], money[STOP], terms)
    if place[LEAVING] != STAYS:
        return
    if raised > money[STOP] and bars.close[row] <= raised:
        place[LEAVING] = TRAILING_STOP
    elif bars.closed_s[row] >= money[EXIT_AT_S]:
        place[LEAVING] = TIME_EXIT
    elif money[STOP] < raised < money[TARGET]:
        money[STOP] = raised
        place[IS_TRAILING] = 1
