"""The tested quarters in a row: one account, whose model changes at every fold.

A model that was trained again is another strategy: account, positions and breakers go on, the
record that sizes and pauses is its own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from catalyst_bot.domain.errors import InvariantViolated
from catalyst_bot.features.catalyst import Edges
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.history.edges import with_edges
from catalyst_bot.history.panel import Panel
from catalyst_bot.ml.portfolio.run import PortfolioRun, RowsPolicy, run_portfolio
from catalyst_bot.ml.tape import Singles, Tape, tape_of
from catalyst_bot.ml.terms import Terms
from catalyst_bot.ml.training.judging import REVIEW_AFTER, weighed
from catalyst_bot.ml.validation.metrics import Floats
from catalyst_bot.ml.walk_forward.fold import Fold
from catalyst_bot.policies.ensemble import EnsemblePolicy
from catalyst_bot.policies.model_files import Agent, Model

_PROBES = 2_000  # questions that two models are asked to be compared
_HOLDS_NOTHING = tuple(each.neutral for each in FEATURES if each.group == "account")


@dataclass(frozen=True)
class ByFold:
    """Who decides in a session: the model of the newest fold whose quarter has begun."""

    starts: tuple[int, ...]
    policies: tuple[RowsPolicy, ...]

    def at(self, session: int) -> RowsPolicy:
        """Return the policy of a session from the first tested one on."""
        return self.policies[max(bisect_right(self.starts, session) - 1, 0)]


def tested(folds: Sequence[Fold]) -> range:
    """Return the sessions from the first quarter to the last."""
    return range(folds[0].test.start, folds[-1].test.stop)


def chain_tape(panel: Panel, folds: Sequence[Fold], terms: Terms) -> Tape:
    """Return the tape of a history where each quarter knows the worth of categories that its own
    fold learned, and none that was learned later.
    """
    session = panel.sessions()[panel.ask_row]
    values = np.array(panel.ask_values)
    for fold in folds:
        own = (session >= fold.test.start) & (session < fold.test.stop)
        values[own] = with_edges(panel, _edges_of(fold)).ask_values[own]
    return tape_of(replace(panel, ask_values=values), atr_length=terms.atr_length)


def _edges_of(fold: Fold) -> Edges:
    if fold.model.edges is None:
        raise InvariantViolated(f"fold {fold.number} learned without the worth of news")
    return fold.model.edges


def policy_of(folds: Sequence[Fold], chosen: Callable[[Agent], bool] = lambda _: True) -> ByFold:
    """Return the policy of the ensembles, or of those of the chosen agents alone."""
    return ByFold(
        starts=tuple(fold.test.start for fold in folds),
        policies=tuple(EnsemblePolicy(_only(fold.model, chosen)).act_rows for fold in folds),
    )


def in_turn(folds: Sequence[Fold], policy: RowsPolicy) -> ByFold:
    """Return one policy as the ensembles are: another strategy, with a new record, at each fold."""
    starts = tuple(fold.test.start for fold in folds)
    return ByFold(starts=starts, policies=tuple(partial(policy) for _ in folds))


def play(tape: Tape, terms: Terms, folds: Sequence[Fold], policy: ByFold) -> PortfolioRun:
    """Trade all tested quarters with one account."""
    return run_portfolio(
        tape, terms, sessions=tested(folds), policy=policy, review_after=REVIEW_AFTER
    )


def likeness(tape: Tape, folds: Sequence[Fold], *, seed: int = 1) -> Floats:
    """Return how alike neighbouring folds answer: the correlation of their actions on questions.

    The questions are drawn from all tested quarters, asked of an account that holds nothing. Models
    that always say the same agree fully when it is the same, and not at all when it is not.
    """
    questions = _questions(tape, tested(folds), seed)
    answers = [EnsemblePolicy(fold.model).act_rows(questions)[0] for fold in folds]
    return np.array([_alike(one, other) for one, other in pairwise(answers)])


def _questions(tape: Tape, sessions: range, seed: int) -> Singles:
    session = tape.bars.session[tape.asks.row]
    inside = np.flatnonzero((session >= sessions.start) & (session < sessions.stop))
    random = np.random.default_rng(seed)
    if len(inside) > _PROBES:
        inside = np.sort(random.choice(inside, _PROBES, replace=False))
    rows = tape.asks.row[inside]
    account = np.tile(_HOLDS_NOTHING, (len(inside), 1))
    return np.hstack([account, tape.bars.market[rows], tape.asks.values[inside]]).astype(np.float32)


def _alike(one: Floats, other: Floats) -> float:
    if not (one.std() > 1e-9 and other.std() > 1e-9):
        return float(np.allclose(one, other))
    return float(np.corrcoef(one, other)[0, 1])


def _only(model: Model, chosen: Callable[[Agent], bool]) -> Model:
    return replace(model, agents=weighed([agent for agent in model.agents if chosen(agent)]))
