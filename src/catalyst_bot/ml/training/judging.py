"""How a policy does on sessions it did not learn from: what agents are compared by.

On daily bars one account trades all symbols, as the bot would. Within days, where that has no
kernel, every case is traded by an account of its own, and the return of a session is the mean of
the accounts that lived through it; what the agents disagree on is then not held back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from catalyst_bot.features.normalisation import Normalisation
from catalyst_bot.market_data.session_times import DAY_S
from catalyst_bot.ml.env.catalyst_env import CatalystTradingEnv
from catalyst_bot.ml.env.world import COST_PENALTY, MOST_QUESTIONS, world_of
from catalyst_bot.ml.kernels.episode import Rules
from catalyst_bot.ml.portfolio.run import run_portfolio
from catalyst_bot.ml.tape import Tape
from catalyst_bot.ml.terms import Terms
from catalyst_bot.ml.validation.metrics import Floats, Metrics, equity_of, measure, returns_of

# Normalised observations, a row each -> actions, and how far agents agree.
Decide = Callable[[Floats], tuple[Floats, Floats]]
BY_ACCOUNT, BY_CASES = "one account over all symbols", "an account for each case"
REVIEW_AFTER = 5  # sessions until a person resumes from a halt, else one bad day ends a year
FULL_TRADES = 30
MOST_CASES = 200  # evenly spaced: enough to tell agents apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Return of each session, the result of each trade in dollars, and how it was found."""

    returns: Floats
    pnl_usd: Floats
    exposure: Floats
    by: str

    @property
    def metrics(self) -> Metrics:
        """The roadmap's table."""
        return measure(equity_of(self.returns), self.pnl_usd, self.exposure)

    @property
    def sharpe(self) -> float:
        """The annual Sharpe ratio, 0 for who never traded."""
        return self.metrics.sharpe or 0.0

    @property
    def score(self) -> float:
        """The Sharpe ratio; in proportion below `FULL_TRADES`: one lucky trade says nothing."""
        return self.sharpe * min(len(self.pnl_usd) / FULL_TRADES, 1.0)


def judged(
    decide: Decide, tape: Tape, terms: Terms, sessions: range, normalisation: Normalisation
) -> Judged:
    """Let a policy trade the sessions; the same policy gives the same result.

    Raises `BadData` for sessions that the tape does not have, or without a case within days.
    """
    if tape.interval_s != DAY_S:
        return _by_cases(decide, tape, terms, sessions, normalisation)

    def policy(raw: Any) -> tuple[Floats, Floats]:
        return decide(normalisation.apply_rows(raw.astype(np.float64)))

    run = run_portfolio(tape, terms, sessions=sessions, policy=policy, review_after=REVIEW_AFTER)
    return Judged(
        returns=returns_of(run.equity),
        pnl_usd=run.trades["pnl_usd"],
        exposure=run.exposure,
        by=BY_ACCOUNT,
    )


def _by_cases(
    decide: Decide, tape: Tape, terms: Terms, sessions: range, normalisation: Normalisation
) -> Judged:
    rules = Rules(0.0, MOST_QUESTIONS, COST_PENALTY)
    starts = world_of(
        tape, terms, sessions=sessions, normalisation=normalisation, rules=rules
    ).case_starts
    env = CatalystTradingEnv(
        tape, terms, sessions=sessions, normalisation=normalisation, quiet_fraction=0.0
    )
    session_of = {day: number for number, day in enumerate(tape.days)}
    added = np.zeros(len(sessions))
    lived: list[set[int]] = [set() for _ in sessions]
    pnl_usd = list[float]()
    for place in np.unique(np.linspace(0, len(starts) - 1, MOST_CASES).astype(int)):
        seen, info = env.reset(options={"ask": starts[place]})
        has_ended = False
        while not has_ended:
            before_usd = info["equity_usd"]
            action = decide(seen.astype(np.float64)[np.newaxis])[0]
            seen, _, is_terminated, is_truncated, info = env.step(action)
            day = datetime.fromtimestamp(info["at_s"], UTC).date()
            session = session_of[day] - sessions.start
            added[session] += info["equity_usd"] / before_usd - 1.0
            lived[session].add(int(place))
            pnl_usd += [info["trade"]["pnl_usd"]] if "trade" in info else []
            has_ended = is_terminated or is_truncated
    return Judged(
        returns=added / np.maximum([len(accounts) for accounts in lived], 1),
        pnl_usd=np.array(pnl_usd),
        exposure=np.zeros(0),
        by=BY_CASES,
    )
