"""How alike two symbols move, as `risk/correlation.py` says: returns between their common bars."""

from __future__ import annotations

from math import sqrt

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.kernels.books import ACTIVE, Books
from catalyst_bot.ml.kernels.play import Days, Play
from catalyst_bot.ml.tape import Bars
from catalyst_bot.risk.correlation import MIN_COMMON_BARS
from catalyst_bot.risk.evolve import MAX_CLOSES

BORROWS = True  # it only looks at its arrays

UNKNOWN = -2.0  # a correlation of too few bars


def most_alike(books: Books, play: Play, ask: int, symbol: int, row: int) -> float:
    """The highest correlation with anything held or on its way; 0 when nothing is known."""
    days, day = play.days, play.bars.session[row]
    highest = UNKNOWN
    for place in range(books.counts[ACTIVE]):
        other = books.active[place]
        if other != symbol and len(days.likeness) > 0:
            highest = max(highest, days.likeness[ask, other])
        elif other != symbol:
            highest = max(highest, likeness(play.bars, days, row, last_row_at(days, day, other)))
    return highest if highest > UNKNOWN else 0.0


def last_row_at(days: Days, day: int, symbol: int) -> int:
    """The symbol's last bar of this session or before it; -1 where there is none."""
    while day > 0 and days.row_of[day, symbol] < 0:
        day -= 1
    row: int = days.row_of[day, symbol]
    return row


def likeness(bars: Bars, days: Days, one: int, other: int) -> float:
    """Pearson correlation of returns between common bars among the last of each, or `UNKNOWN`."""
    if one < 0 or other < 0:
        return UNKNOWN
    first = max(days.first_row[bars.symbol[one]], one - MAX_CLOSES + 1)
    other_first = max(days.first_row[bars.symbol[other]], other - MAX_CLOSES + 1)
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
    """Write the correlation of each ask's symbol with every other at its close, a row an ask."""
    for place in range(len(asked)):
        row = play.asks.row[asked[place]]
        for other in range(table.shape[1]):
            at = last_row_at(play.days, play.bars.session[row], other)
            table[asked[place], other] = likeness(play.bars, play.days, row, at)
