"""How alike two symbols move, as `risk/correlation.py` says: returns between their common bars."""

from __future__ import annotations

from math import sqrt

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.kernels.books import ACTIVE, Books
from catalyst_bot.ml.kernels.play import Closes, Play
from catalyst_bot.ml.tape import Bars
from catalyst_bot.risk.correlation import MIN_COMMON_BARS
from catalyst_bot.risk.evolve import MAX_CLOSES

BORROWS = True  # it only looks at its arrays

UNKNOWN = -2.0  # a correlation of too few bars


def most_alike(books: Books, play: Play, ask: int, symbol: int, row: int) -> float:
    """The highest correlation with anything held or on its way; 0 when nothing is known."""
    closes, step = play.closes, play.closes.known[ask]
    highest = UNKNOWN
    for place in range(books.counts[ACTIVE]):
        other = books.active[place]
        if other != symbol and len(closes.likeness) > 0:
            highest = max(highest, closes.likeness[closes.likeness_row[ask], other])
        elif other != symbol:
            at = last_row_at(closes, step, other)
            highest = max(highest, likeness(play.bars, closes, row, at))
    return highest if highest > UNKNOWN else 0.0


def last_row_at(closes: Closes, step: int, symbol: int) -> int:
    """The symbol's last bar of this step or before it; -1 where there is none."""
    while step > 0 and closes.row_of[step, symbol] < 0:
        step -= 1
    row: int = closes.row_of[step, symbol]
    return row


def likeness(bars: Bars, closes: Closes, one: int, other: int) -> float:
    """Pearson correlation of returns between common bars among the last of each, or `UNKNOWN`."""
    if one < 0 or other < 0:
        return UNKNOWN
    first = max(closes.first_row[bars.symbol[one]], one - MAX_CLOSES + 1)
    other_first = max(closes.first_row[bars.symbol[other]], other - MAX_CLOSES + 1)
    common, later, other_later = 0, 0.0, 0.0
    sx, sy, sxx, syy, sxy = 0.0, 0.0, 0.0, 0.0, 0.0
    while one >= first and other >= other_first:
        if bars.closed_s[one] != bars.closed_s[other]:
            is_later = bars.closed_s[one] > bars.closed_s[other]
            one, other = (one - 1, other) if is_later else (one, other - 1)
            continue
        close, other_close = bars.close[one], bars.close[other]
        if common > 0:
            x, y = later / close - 1.0, other_later / other_close - 1.0
            sx, sy, sxx, syy, sxy = sx + x, sy + y, sxx + x * x, syy + y * y, sxy + x * y
        common, later, other_later = common + 1, close, other_close
        one, other = one - 1, other - 1
    if common < MIN_COMMON_BARS:
        return UNKNOWN
    n = common - 1.0
    spread = sqrt(max(sxx - sx * sx / n, 0.0)) * sqrt(max(syy - sy * sy / n, 0.0))
    return max(-1.0, min(1.0, (sxy - sx * sy / n) / spread)) if spread > 0.0 else UNKNOWN


def write_likeness(play: Play, asked: Integers, table: Floats) -> None:
    """Write the correlation of each ask's symbol with every other at its time, a row an ask."""
    for place in range(len(asked)):
        ask = asked[place]
        for other in range(table.shape[1]):
            at = last_row_at(play.closes, play.closes.known[ask], other)
            table[place, other] = likeness(play.bars, play.closes, play.asks.seen[ask], at)
