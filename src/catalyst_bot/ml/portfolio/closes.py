"""A tape by the instants at which its bars close: who has a bar, and who is asked."""

from __future__ import annotations

from functools import reduce

import numpy as np

from catalyst_bot.history.panel import Integers
from catalyst_bot.market_data.session_times import DAY_S
from catalyst_bot.ml.kernels.play import Closes
from catalyst_bot.ml.tape import Tape

FIRST_LOOK, REVIEW, AT_ONCE = 0, 1, 2  # the turns at one close


def closes_of(tape: Tape) -> Closes:
    """Lay a tape out by the closes of all its symbols within its sessions."""
    bars, asks, rows_of = tape.bars, tape.asks, _rows_inside(tape)
    closes_s = reduce(np.union1d, (bars.closed_s[rows] for rows in rows_of))
    steps = len(closes_s)
    opens_s, session = np.empty(steps), np.empty(steps, dtype=np.int64)
    row_of = np.full((steps, len(tape.symbols)), -1, dtype=np.int64)
    for symbol, rows in enumerate(rows_of):
        taken = np.searchsorted(closes_s, bars.closed_s[rows])
        opens_s[taken], session[taken] = bars.opened_s[rows], bars.session[rows]
        row_of[taken, symbol] = np.arange(rows.start, rows.stop)
    # A question at a close stands behind that close, any other before the close that follows it.
    step = np.searchsorted(closes_s, asks.at_s)
    at_close = step < steps
    at_close[at_close] = closes_s[step[at_close]] == asks.at_s[at_close]
    place = 2 * step + at_close
    order = _turns(tape, place)
    return Closes(
        opens_s=opens_s,
        closes_s=closes_s,
        session=session,
        first_step=np.searchsorted(session, np.arange(len(tape.days) + 1)).astype(np.int64),
        row_of=row_of,
        first_row=tape.first_row,
        last_row=tape.end_row - 1,
        ask_start=np.searchsorted(place[order], np.arange(2 * steps + 1)).astype(np.int64),
        ask=order,
        known=step - 1 + at_close,
        likeness=np.empty((0, len(tape.symbols))),
        likeness_row=np.zeros(len(asks.row), dtype=np.int64),
        waits_overnight=tape.interval_s >= DAY_S,
    )


def _rows_inside(tape: Tape) -> list[slice]:
    """The rows of each symbol within the sessions of the tape."""
    session, count = tape.bars.session, len(tape.days)
    return [
        slice(first, first + int(np.searchsorted(session[first:end], count)))
        for first, end in zip(tape.first_row.tolist(), tape.end_row.tolist(), strict=True)
    ]


def _turns(tape: Tape, place: Integers) -> Integers:
    """Asks by time, and at one instant as the running bot takes them.

    First looks that waited for it come by the ids of their catalysts, then reviews by symbol, then
    what was told at the instant itself, in the order it was told.
    """
    asks, bars = tape.asks, tape.bars
    is_at_once = asks.received_s >= asks.at_s
    turn = np.where(~asks.is_first, REVIEW, np.where(is_at_once, AT_ONCE, FIRST_LOOK))
    within = np.select(
        [turn == FIRST_LOOK, turn == REVIEW], [asks.catalyst, bars.symbol[asks.row]], asks.event
    )
    order: Integers = np.lexsort((within, turn, asks.at_s, place)).astype(np.int64)
    return order
