"""What finished trades and the worth of an account lead to: its record, pauses and halts.

The rules of `portfolio/` and `risk/` in numbers; see `portfolio.py` for when they are asked.
"""

from __future__ import annotations

from math import sqrt

from catalyst_bot.ml.kernels.books import (
    BY_DAY,
    BY_DRAWDOWN,
    COUNTS,
    DAY_OPEN,
    HALTED,
    IN_A_ROW,
    LOST_SUM,
    MONEY,
    NOT_HALTED,
    PAUSED,
    PAUSED_UNTIL,
    PEAK,
    RETURN_SQUARES,
    RETURN_SUM,
    RETURNS,
    REVIEWED_PEAK,
    STOPPED_ON,
    STRATEGY,
    STREAK,
    TRADES,
    UNTIL_REVIEW,
    WINS,
    WON_SUM,
    Books,
    equity_usd,
)
from catalyst_bot.ml.terms import Terms
from catalyst_bot.risk.gauges import SESSIONS_PER_YEAR
from catalyst_bot.risk.records import MAX_RETURNS, MAX_STREAK

BORROWS = True  # it only looks at its arrays


def begin_record(books: Books, strategy: int) -> None:
    """Another strategy decides from now on: account and positions go on, its own record is empty.

    What the one before still holds is no merit and no fault of the new one.
    """
    for column in range(TRADES, MONEY):
        books.money[column] = 0.0
    for column in range(IN_A_ROW, COUNTS):
        books.counts[column] = 0
    books.counts[STRATEGY] = strategy


def add_to_record(books: Books, fraction: float, is_loss: bool) -> None:  # noqa: FBT001
    """A trade of the strategy that decides, as a fraction of what it cost."""
    counts, money = books.counts, books.money
    money[TRADES] += 1.0
    _add_return(books, fraction)
    if is_loss:
        money[LOST_SUM] -= fraction
        counts[IN_A_ROW] += 1
    else:
        money[WINS] += 1.0
        money[WON_SUM] += fraction
        counts[IN_A_ROW] = 0


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


def pause(books: Books, day: int, terms: Terms) -> None:
    """Losses in a row rest until the next session; a poor Sharpe ratio waits for a person."""
    counts = books.counts
    if counts[PAUSED] != 0:
        return
    if counts[IN_A_ROW] >= terms.pause_after_losses:
        counts[PAUSED], counts[PAUSED_UNTIL] = 1, day + 1
    elif is_poor(books, terms):
        counts[PAUSED], counts[PAUSED_UNTIL] = 1, UNTIL_REVIEW
        counts[STOPPED_ON] = day


def is_poor(books: Books, terms: Terms) -> bool:
    """Whether enough trades are known and their Sharpe ratio lies below the limit."""
    count = min(books.counts[RETURNS], MAX_RETURNS)
    if count < max(terms.min_trades_for_sharpe, 2):
        return False
    mean = books.money[RETURN_SUM] / count
    squares = max(books.money[RETURN_SQUARES] - count * mean * mean, 0.0)
    deviation = sqrt(squares / (count - 1))
    return deviation > 0.0 and mean / deviation * sqrt(SESSIONS_PER_YEAR) < terms.min_sharpe


def losses_since(books: Books, since_s: float) -> int:
    """How many of the losses in a row were made at or after a time."""
    count, found = books.counts[STREAK], 0
    for back in range(min(count, MAX_STREAK)):
        if books.streak_s[(count - 1 - back) % MAX_STREAK] < since_s:
            break
        found += 1
    return found


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
