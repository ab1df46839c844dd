"""What an account is held against: doing nothing clever, and entering by chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from catalyst_bot.features.kernels import Floats
from catalyst_bot.history.panel import Panel
from catalyst_bot.ml.portfolio.run import PortfolioRun, run_portfolio
from catalyst_bot.ml.tape import Singles, Tape
from catalyst_bot.ml.terms import Terms

_CUT_PERCENT = 5  # of entries
_LEAST, _STEPS = 1e-4, 9  # of the search for the chance to enter: within a hundredth of its size


def held(panel: Panel, symbol: str, sessions: range) -> Floats:
    """Return the return of each session of holding a symbol, with dividends, without costs.

    From close to close; 0 where it did not trade.
    """
    session, close = panel.session_closes(symbol)
    returns = np.zeros(len(panel.days()))
    inside = session[1:] < len(returns)
    returns[session[1:][inside]] = (close[1:] / close[:-1] - 1)[inside]
    chosen: Floats = returns[sessions.start : sessions.stop]
    return chosen


def equal_weight(panel: Panel, sessions: range) -> Floats:
    """Return the return of each session of holding all symbols but the benchmark in equal parts.

    Put equal again every day and without costs, so it flatters; a symbol counts where it traded.
    """
    count = len(panel.days())
    total, traded = np.zeros(count), np.zeros(count)
    for symbol in panel.symbols:
        if symbol == panel.card.benchmark:
            continue
        sessions_traded, close = panel.session_closes(symbol)
        session = sessions_traded[1:]
        inside = session < count
        np.add.at(total, session[inside], (close[1:] / close[:-1] - 1)[inside])
        np.add.at(traded, session[inside], 1.0)
    mean: Floats = np.divide(total, traded, out=np.zeros(count), where=traded > 0)
    return mean[sessions.start : sessions.stop]


@dataclass
class RandomEntries:
    """Buys at a drawn size with a chance at every question, and leaves to the bot's own stops."""

    chance: float
    random: np.random.Generator

    def act_rows(self, rows: Singles) -> tuple[Floats, Floats]:
        """Return drawn actions, in full agreement."""
        buys = self.random.random(len(rows)) < self.chance
        return np.where(buys, self.random.random(len(rows)), 0.0), np.ones(len(rows))


def random_runs(
    tape: Tape,
    terms: Terms,
    *,
    sessions: range,
    exposure: float,
    count: int,
    seed: int,
    review_after: int = 0,
) -> Iterator[PortfolioRun]:
    """Yield accounts that enter by chance at the same questions, as exposed as asked on average.

    The chance is searched for with draws of its own. When even entering always is not enough, that
    is what is yielded.
    """

    def run(chance: float, number: int) -> PortfolioRun:
        policy = RandomEntries(chance, np.random.default_rng([seed, number])).act_rows
        return run_portfolio(
            tape, terms, sessions=sessions, policy=policy, review_after=review_after
        )

    chance = _searched(lambda chance: float(run(chance, 0).exposure.mean()), exposure)
    for number in range(1, count + 1):
        yield run(chance, number)


def _searched(exposure_of: Callable[[float], float], wanted: float) -> float:
    """The chance at which the exposure is as wanted; it grows with the chance."""
    low, high = np.log(_LEAST), 0.0
    if exposure_of(1.0) <= wanted:
        return 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if exposure_of(float(np.exp(middle))) < wanted:
            low = middle
        else:
            high = middle
    return float(np.exp((low + high) / 2))


def capacity_usd(run: PortfolioRun, tape: Tape, terms: Terms) -> float | None:
    """Return `capacity_of` the entries of a run, by the volume of the bar before each.

    That is what the bot knows when it enters at an open, and what the venue gives there. None
    without trades.
    """
    numbers = {symbol: number for number, symbol in enumerate(tape.symbols)}
    opened_s, volume = tape.bars.opened_s, tape.bars.volume
    room = list[float]()
    for trade in run.trades:
        number = numbers[str(trade["symbol"])]
        first, end = int(tape.first_row[number]), int(tape.end_row[number])
        row = first - 1 + int(np.searchsorted(opened_s[first:end], trade["entered_s"], "right"))
        worth = float(run.equity[int(trade["entry_session"]) - run.sessions.start])
        given = float(volume[row - 1]) * terms.participation_fraction
        room.append(worth * given / float(trade["shares"]))
    return capacity_of(room)


def capacity_of(rooms: Sequence[float]) -> float | None:
    """Return the account at which one entry in twenty would be cut by volume; None without entries.

    `rooms` are, an entry each, the account (USD) at which it alone would be: sizes grow with the
    account, and a bar gives `participation_fraction` of its volume.
    """
    return float(np.percentile(rooms, _CUT_PERCENT)) if rooms else None
