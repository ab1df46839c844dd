"""A tape by sessions: which bar each symbol has in each, and who is asked at its close."""

from __future__ import annotations

import numpy as np

from catalyst_bot.domain.errors import BadData
from catalyst_bot.history.panel import Integers
from catalyst_bot.market_data.session_times import DAY_S
from catalyst_bot.ml.kernels.play import Days
from catalyst_bot.ml.tape import Tape

FIRST_LOOK, REVIEW, AT_ONCE = 0, 1, 2  # the turns at one close


def days_of(tape: Tape) -> Days:
    """Lay a tape of daily bars out by sessions.

    Raises `BadData` for bars that are no sessions.
    """
    if tape.interval_s != DAY_S:
        raise BadData(f"one account over many symbols needs daily bars, not {tape.interval_s} s")
    bars, sessions = tape.bars, len(tape.days)
    benchmark = slice(*_ends(tape.rows_of(tape.benchmark)))
    inside = bars.session < sessions
    row_of = np.full((sessions, len(tape.symbols)), -1, dtype=np.int64)
    row_of[bars.session[inside], bars.symbol[inside]] = np.flatnonzero(inside)
    asked_in = bars.session[tape.asks.row]
    order = _turns(tape, asked_in)
    return Days(
        opens_s=np.asarray(bars.opened_s[benchmark]),
        closes_s=np.asarray(bars.closed_s[benchmark]),
        row_of=row_of,
        first_row=tape.first_row,
        last_row=tape.end_row - 1,
        ask_start=np.searchsorted(asked_in[order], np.arange(sessions + 1)).astype(np.int64),
        ask=order,
        likeness=np.empty((0, len(tape.symbols))),
    )


def _ends(rows: range) -> tuple[int, int]:
    return rows.start, rows.stop


def _turns(tape: Tape, asked_in: Integers) -> Integers:
    """Asks by session, and at one close as the running bot takes them.

    First looks that waited for it come by the ids of their catalysts, then reviews by symbol, then
    what was told at the close itself, in the order it was told.
    """
    asks, bars = tape.asks, tape.bars
    is_at_once = asks.received_s >= bars.closed_s[asks.row]
    turn = np.where(~asks.is_first, REVIEW, np.where(is_at_once, AT_ONCE, FIRST_LOOK))
    within = np.select(
        [turn == FIRST_LOOK, turn == REVIEW], [asks.catalyst, bars.symbol[asks.row]], asks.event
    )
    order: Integers = np.lexsort((within, turn, asked_in)).astype(np.int64)
    return order
