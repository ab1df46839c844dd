"""Episodes of many single-symbol accounts: where they begin, what is asked, what an answer brings.

A step is one question. From the answer on the account lives bar by bar until the policy is asked
again: at the next close of a symbol on watch or, in quiet time, at every close. While nothing is
held nothing can happen, so the time to the next question is skipped.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import NamedTuple

import numpy as np

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Integers
from catalyst_bot.ml.kernels.account import (
    ASKED,
    CASH,
    COSTS,
    EQUITY,
    IS_QUIET,
    LEAVING,
    LIMIT,
    MEAN_RETURN,
    MEAN_SQUARE,
    NEXT_ASK,
    QUESTIONS,
    RANDOM,
    ROW,
    SHARES,
    WATCHED,
    enter,
    enter_session,
    is_flat,
    open_account,
    play_bar,
    wants_to_leave,
)
from catalyst_bot.ml.kernels.shown import (
    ACCOUNT,
    CATALYST,
    MARKET,
    write_account,
)
from catalyst_bot.ml.kernels.trading import NEGATIVE_NEWS, POLICY, STAYS
from catalyst_bot.ml.tape import Asks, Bars, Flags, Singles
from catalyst_bot.ml.terms import Terms

BORROWS = True  # see `history.compiled`
NOBODY, NOTHING = -1, -1  # no event on watch, no ask to answer
GOES_ON, TERMINATED, TRUNCATED = 0, 1, 2
USUAL_RETURN = 0.002  # deviation of a bar's return of the account, before anything was seen
LEAST_VARIANCE = (USUAL_RETURN / 4.0) ** 2  # holding next to nothing earns no great ratio
MEMORY = 0.01  # weight of the newest return
MOST_REWARD = 10.0
MODULUS, MULTIPLIER = 2_147_483_647, 48_271  # minimal standard generator of Park and Miller


class Rules(NamedTuple):
    """How episodes are drawn and paid.

    `quiet_fraction` of them lie between cases, each ends after `most_questions`. A dollar of
    trading costs counts `cost_penalty` dollars more than it takes.
    """

    quiet_fraction: float
    most_questions: int
    cost_penalty: float


class World(NamedTuple):
    """Everything that episodes are played in; nothing here changes.

    `case_starts` are the asks with which a case may begin, `quiet_starts` rows between cases. Of
    each symbol only the rows before `row_limit` are played. What is shown is normalised: the market
    features of `bars`, `shown` for each ask, `neutral` where there is none.
    """

    bars: Bars
    asks: Asks
    terms: Terms
    rules: Rules
    case_starts: Integers
    quiet_starts: Integers
    row_limit: Integers
    is_sure: Flags
    shown: Singles
    neutral: Singles


def differential_sharpe(mean: float, square: float, value: float) -> float:
    """How much a return raises the Sharpe ratio of all returns so far, a new one weighing `MEMORY`.

    Moody and Saffell (1998): (B dA - A dB / 2) / (B - A^2)^(3/2) with A and B the moving averages
    of returns and of their squares, dA = R - A, dB = R^2 - B.
    """
    from_mean, from_square = value - mean, value * value - square
    variance = max(square - mean * mean, LEAST_VARIANCE)
    return (square * from_mean - 0.5 * mean * from_square) / (variance * sqrt(variance))


def draw(place: Integers, count: int) -> int:
    """The next random number from 0 to `count` - 1 of an account's own generator."""
    place[RANDOM] = place[RANDOM] * MULTIPLIER % MODULUS
    return int(place[RANDOM] * count // MODULUS)


def begin(world: World, money: Floats, place: Integers) -> None:
    """Draw a case or a quiet time, open the account there and ask the first question."""
    cases, quiet = world.case_starts, world.quiet_starts
    is_quiet = draw(place, 1_000_000) < world.rules.quiet_fraction * 1_000_000.0
    if len(quiet) > 0 and (is_quiet or len(cases) == 0):
        begin_quiet(world, money, place, quiet[draw(place, len(quiet))])
    else:
        begin_case(world, money, place, cases[draw(place, len(cases))])


def begin_case(world: World, money: Floats, place: Integers, ask: int) -> None:
    """Open the account at an event's first look."""
    _open(world, money, place, world.asks.row[ask])
    place[NEXT_ASK], place[ASKED] = ask + 1, ask
    place[WATCHED] = world.asks.event[ask]


def begin_quiet(world: World, money: Floats, place: Integers, row: int) -> None:
    """Open the account at a bar without news; the episode ends with the next news."""
    _open(world, money, place, row)
    place[IS_QUIET], place[ASKED], place[WATCHED] = 1, NOTHING, NOBODY
    following = np.searchsorted(world.asks.row, row)
    if following < len(world.asks.row):
        place[LIMIT] = min(place[LIMIT], world.asks.row[following])


def _open(world: World, money: Floats, place: Integers, row: int) -> None:
    open_account(money, place, row, world.terms)
    money[MEAN_SQUARE] = USUAL_RETURN * USUAL_RETURN
    place[LIMIT] = min(world.bars.stretch_end[row], world.row_limit[world.bars.symbol[row]])


def answer(world: World, money: Floats, place: Integers, action: float) -> tuple[float, int]:
    """Do what the action asks for and live until the next question; return reward and what ended.

    The reward adds up, bar by bar, the differential Sharpe ratio of the account's return less the
    penalty of costs in the same unit, within `MOST_REWARD`. A breaker terminates the episode; its
    last question, the end of the data or of the stretch truncate it.
    """
    _decide(world, money, place, action)
    reward = 0.0
    while not _is_skipped(world, money, place):
        if place[ROW] + 1 >= place[LIMIT]:
            return reward, TRUNCATED
        is_idle, before, money[COSTS] = is_flat(money), money[EQUITY], 0.0
        is_halted = play_bar(money, place, world.bars, world.terms)
        if not is_idle:
            reward += _pay(world, money, before)
        if is_halted:
            return reward, TERMINATED
        if place[IS_QUIET] or _is_asked(world, money, place):
            break
    place[QUESTIONS] += 1
    is_last = place[QUESTIONS] >= world.rules.most_questions
    return reward, TRUNCATED if is_last else GOES_ON


def _decide(world: World, money: Floats, place: Integers, action: float) -> None:
    """An answer about news that was not read with enough certainty buys nothing."""
    ask, horizon_s, is_sure, is_first = place[ASKED], inf, True, False
    row = place[ROW]
    if ask != NOTHING:
        row = world.asks.seen[ask]
        horizon_s, is_first = world.asks.horizon_s[ask], world.asks.is_first[ask]
        is_sure = world.is_sure[ask]
    if wants_to_leave(money, action, world.terms):
        place[LEAVING] = NEGATIVE_NEWS if is_first else POLICY
    elif is_sure:
        enter(money, place, world.bars, row, action, horizon_s, world.terms)


def _is_skipped(world: World, money: Floats, place: Integers) -> bool:
    """Go to the next question at once if nothing can happen before it."""
    if place[IS_QUIET] or not is_flat(money):
        return False
    asks, ask = world.asks, place[NEXT_ASK]
    while ask < len(asks.row) and asks.row[ask] < place[LIMIT]:
        opens = asks.is_first[ask] and not asks.is_bad[ask]
        if opens or (asks.event[ask] == place[WATCHED] and not asks.is_first[ask]):
            row = asks.row[ask]
            if world.bars.session[row] != world.bars.session[place[ROW]]:
                enter_session(money, place)
            place[ROW], place[NEXT_ASK] = row, ask
            return _is_asked(world, money, place)
        ask += 1
    place[NEXT_ASK], place[ROW] = ask, place[LIMIT] - 1
    place[ASKED] = NOTHING
    return False


def _is_asked(world: World, money: Floats, place: Integers) -> bool:
    """Look for a question at this close: a new event takes the watch from the one before.

    While the position is being left there is nothing to ask.
    """
    asks, row = world.asks, place[ROW]
    ask, question = place[NEXT_ASK], NOTHING
    while ask < len(asks.row) and asks.row[ask] <= row:
        if asks.row[ask] == row:
            if asks.is_first[ask] and (money[SHARES] > 0.0 or not asks.is_bad[ask]):
                place[WATCHED] = asks.event[ask]
            if asks.event[ask] == place[WATCHED]:
                question = ask
        ask += 1
    place[NEXT_ASK], place[ASKED] = ask, question
    return bool(question != NOTHING and place[LEAVING] == STAYS)


def _pay(world: World, money: Floats, before: float) -> float:
    """What a bar adds to the reward; its return is remembered."""
    value = money[EQUITY] / before - 1.0
    mean, square = money[MEAN_RETURN], money[MEAN_SQUARE]
    penalty = world.rules.cost_penalty * money[COSTS] / before / USUAL_RETURN
    reward = differential_sharpe(mean, square, value) - penalty
    money[MEAN_RETURN] = mean + MEMORY * (value - mean)
    money[MEAN_SQUARE] = square + MEMORY * (value * value - square)
    return float(min(max(reward, -MOST_REWARD), MOST_REWARD))


def observe(world: World, money: Floats, place: Integers, seen: Singles) -> None:
    """Write what the policy is shown: as `features.observation` builds it, normalised."""
    row, ask = place[ROW], place[ASKED]
    held = money[SHARES] * world.bars.close[row]
    known = row if ask == NOTHING else world.asks.seen[ask]
    write_account(money[CASH], held, held, money[EQUITY], seen)
    for k in range(MARKET):
        seen[ACCOUNT + k] = world.bars.market[known, k]
    for k in range(CATALYST):
        shown = world.neutral[k] if ask == NOTHING else world.shown[ask, k]
        seen[ACCOUNT + MARKET + k] = shown
