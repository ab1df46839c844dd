"""One account over many symbols, a close of bars at a time: what the bot and its venue do.

A step is what lies between two closes; of daily bars it is a session. At its opens what waited is
filled and stops and targets meet the first price; then the policy is asked what does not wait for
the close; in the range of the bars stops and targets of the rest; at the close positions are
valued, stops follow, what is over will be left; then it is asked at the close, in the order of the
running bot. What it wants is held against the table of checks. Orders meet the next open. Symbols
go in their order.
"""

from __future__ import annotations

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.kernels.asks import decide, is_asked, observe
from catalyst_bot.ml.kernels.books import (
    ACTIVE,
    DAY_OPEN,
    ENTRIES,
    HALTED,
    IN_A_ROW,
    NOT_HALTED,
    PAUSED,
    PAUSED_UNTIL,
    STOPPED_ON,
    UNTIL_REVIEW,
    Books,
    equity_usd,
    exposure_usd,
)
from catalyst_bot.ml.kernels.orders import close_bars, open_bars
from catalyst_bot.ml.kernels.play import Play
from catalyst_bot.ml.kernels.records import (
    resume,
)
from catalyst_bot.ml.kernels.shown import (
    CONFIDENCE,
    DIRECTION,
    EDGE,
    EDGE_HIGH,
    REACTION,
    REGIME,
    RVOL,
)
from catalyst_bot.ml.tape import Asks, Bars, Singles
from catalyst_bot.policies.rule_action import RuleTerms, rule_action

BORROWS = True  # it only looks at its arrays


def open_session(books: Books, play: Play, session: int) -> None:
    """Begin a session: its counters, and what a person looked at by now."""
    counts = books.counts
    counts[ENTRIES] = 0
    if counts[HALTED] != NOT_HALTED or counts[PAUSED] != 0:
        _go_on(books, play, session)
    books.money[DAY_OPEN] = equity_usd(books)


def _go_on(books: Books, play: Play, session: int) -> None:
    """A pause for the rest of a day is over; others wait for a person, if one ever comes."""
    counts = books.counts
    is_for_a_day = counts[HALTED] == NOT_HALTED and counts[PAUSED_UNTIL] != UNTIL_REVIEW
    if is_for_a_day:
        if session >= counts[PAUSED_UNTIL]:
            counts[PAUSED] = 0
            counts[IN_A_ROW] = 0
    elif 0 < play.review_after <= session - counts[STOPPED_ON]:
        resume(books)


def live_to(books: Books, play: Play, place: int) -> None:
    """Live up to the moment of a place in the order of asks: within a step, or at its close."""
    step = place // 2
    if place % 2 == 1:
        if books.counts[ACTIVE] > 0:
            close_bars(books, play, step)
        return
    session = play.closes.session[step]
    if play.closes.first_step[session] == step:
        open_session(books, play, session)
    if books.counts[ACTIVE] > 0:
        open_bars(books, play, step)


def to_question(
    books: Books, play: Play, place: int, end: int, found: Integers, seen: Singles, worth: Floats
) -> tuple[int, int]:
    """Live on from a place until somebody is asked, at most to the place `end`.

    Writes who is asked, in turn, and the observations, and into `worth` the equity (USD) and the
    invested share at the close of each session. Returns the place to go on from, and how many are
    asked before it.
    """
    closes, count = play.closes, 0
    while place < end and count == 0:
        live_to(books, play, place)
        for turn in range(closes.ask_start[place], closes.ask_start[place + 1]):
            ask = closes.ask[turn]
            if is_asked(books, play, ask):
                found[count] = ask
                observe(books, play, ask, seen[count])
                count += 1
        if place % 2 == 1:
            _write_worth(books, play, place // 2, worth)
        place += 1
    return place, count


def _write_worth(books: Books, play: Play, step: int, worth: Floats) -> None:
    """What an account is worth at the last close of a session: nothing decided there changes it."""
    session = play.closes.session[step]
    if play.closes.first_step[session + 1] == step + 1:
        equity = equity_usd(books)
        worth[session, 0], worth[session, 1] = equity, exposure_usd(books) / equity


def decide_all(
    books: Books, play: Play, found: Integers, actions: Floats, agreements: Floats
) -> None:
    """Decide on the asks of a moment, one after the other."""
    for place in range(len(actions)):
        decide(books, play, found[place], actions[place], agreements[place])


def run_rule(
    books: Books, play: Play, place: int, end: int, rule: RuleTerms, worth: Floats
) -> None:
    """Trade from a place to another by the rule; see `to_question` for `worth`."""
    closes = play.closes
    for now in range(place, end):
        live_to(books, play, now)
        for turn in range(closes.ask_start[now], closes.ask_start[now + 1]):
            ask = closes.ask[turn]
            if is_asked(books, play, ask):
                decide(books, play, ask, rule_at(play.bars, play.asks, ask, rule), 1.0)
        if now % 2 == 1:
            _write_worth(books, play, now // 2, worth)


def rule_at(bars: Bars, asks: Asks, ask: int, rule: RuleTerms) -> float:
    """What the rule baseline wants at an ask."""
    told, regime = asks.values[ask], bars.market[asks.seen[ask], REGIME]
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
