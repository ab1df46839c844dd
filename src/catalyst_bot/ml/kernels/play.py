"""What a portfolio is played on: a tape by the instants at which its bars close, the terms."""

from __future__ import annotations

from typing import NamedTuple

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.tape import Asks, Bars
from catalyst_bot.ml.terms import Terms


class Closes(NamedTuple):
    """The instants at which bars close, each the end of a step; of daily bars one a session.

    `session` is the step's session, `first_step` the first step of each session, with one more at
    the end. `row_of` is the row of each symbol's bar in a step (-1: none). Who is asked between the
    opens of a step and its close stands in `ask[ask_start[2 * step]:ask_start[2 * step + 1]]`, who
    is asked at its close from there to `ask_start[2 * step + 2]`, in the order of the running bot.
    `known` is the last step that was over when an ask came.

    `likeness` is the correlation of the symbol of an ask with every other, in row `likeness_row` of
    the ask, where a sweep computed it before; with no rows it is computed when needed.
    `waits_overnight` says that a decision at the last close of a session is for the next open.
    """

    opens_s: Floats
    closes_s: Floats
    session: Integers
    first_step: Integers
    row_of: Integers
    first_row: Integers
    last_row: Integers
    ask_start: Integers
    ask: Integers
    known: Integers
    likeness: Floats
    likeness_row: Integers
    waits_overnight: bool


class Play(NamedTuple):
    """What is traded, by which terms. After `review_after` sessions (0: never) a person looks at a
    halt, or a pause that waits for one, and resumes. With `reviews` every ask of the case on watch
    is put to the policy, not only its first.
    """

    bars: Bars
    asks: Asks
    closes: Closes
    terms: Terms
    review_after: int
    reviews: bool
