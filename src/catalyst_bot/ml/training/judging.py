"""How a policy does on sessions it did not learn from: what agents are compared by.

One account trades all symbols, as the bot would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalyst_bot.features.normalisation import Normalisation
from catalyst_bot.ml.portfolio.run import run_portfolio
from catalyst_bot.ml.tape import Tape
from catalyst_bot.ml.terms import Terms
from catalyst_bot.ml.validation.metrics import Floats, Metrics, equity_of, measure, returns_of
from catalyst_bot.policies.model_files import Agent

# Normalised observations, a row each -> actions, and how far agents agree.
Decide = Callable[[Floats], tuple[Floats, Floats]]
REVIEW_AFTER = 5  # sessions until a person resumes from a halt, else one bad day ends a year
FULL_TRADES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Return and invested share of each session, the result of each trade in dollars."""

    returns: Floats
    pnl_usd: Floats
    exposure: Floats

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
        """The Sharpe ratio; a good one in proportion below `FULL_TRADES`: one trade may be luck."""
        share = min(len(self.pnl_usd) / FULL_TRADES, 1.0)
        return self.sharpe * share if self.sharpe > 0 else self.sharpe


def judged(
    decide: Decide, tape: Tape, terms: Terms, sessions: range, normalisation: Normalisation
) -> Judged:
    """Let a policy trade the sessions; the same policy gives the same result.

    Raises `BadData` for sessions that the tape does not have.
    """

    def policy(raw: Any) -> tuple[Floats, Floats]:
        return decide(normalisation.apply_rows(raw.astype(np.float64)))

    run = run_portfolio(tape, terms, sessions=sessions, policy=policy, review_after=REVIEW_AFTER)
    return Judged(
        returns=returns_of(run.equity),
        pnl_usd=run.trades["pnl_usd"],
        exposure=run.exposure,
    )


def weighed(agents: Sequence[Agent]) -> tuple[Agent, ...]:
    """Return the agents with their weights in the vote.

    Where none has any, nothing speaks for one of them, and all count the same.
    """
    if any(agent.weight > 0 for agent in agents):
        return tuple(agents)
    return tuple(replace(agent, weight=1.0) for agent in agents)
