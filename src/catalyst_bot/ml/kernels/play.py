"""What a portfolio is played on: a tape by sessions, its asks, the terms."""

from __future__ import annotations

from typing import NamedTuple

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.tape import Asks, Bars
from catalyst_bot.ml.terms import Terms


class Days(NamedTuple):
    """Sessions of a tape: opens and closes, the row of each symbol's bar (-1: none), and the asks
    of each close in their order, `ask[ask_start[day]:ask_start[day + 1]]`.

    `likeness` is the correlation of the symbol of an ask with every other at that close, a row an
    ask, where a sweep computed it before; with no rows it is computed when needed.
    """

    opens_s: Floats
    closes_s: Floats
    row_of: Integers
    first_row: Integers
    last_row: Integers
    ask_start: Integers
    ask: Integers
    likeness: Floats


class Play(NamedTuple):
    """What is traded, by which terms. After `review_after` sessions (0: never) a person looks at a
    halt, or a pause that waits for one, and resumes. With `reviews` every ask of the case on watch
    is put to the policy, not only its first.
    """

    bars: Bars
    asks: Asks
    days: Days
    terms: Terms
    review_after: int
    reviews: bool
