"""What votes come to: one action, and how far the voters agree. The one place that says so."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.trading import Vote

Floats = NDArray[np.float64]


def combine_rows(actions: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return action[n] and agreement[n] of actions[n, voters] with weights[voters] >= 0.

    The action is the mean by weight. The agreement is |sum of w·a| / sum of w·|a|: 1 when all who
    want something want the same direction, 0 when they cancel out; sizes may differ, because the
    mean already heeds them. A voter without a finite action is mute, and its weight is the others'.
    Where nobody with weight is left the action is 0.
    """
    force, pull = np.zeros(len(actions)), np.zeros(len(actions))
    total = np.zeros(len(actions))
    for column, weight in zip(actions.T, weights, strict=True):  # in order: equal bits, one or many
        is_heard = np.isfinite(column)
        pulls = np.where(is_heard, column, 0.0) * weight
        pull += pulls
        force += np.abs(pulls)
        total += np.where(is_heard, weight, 0.0)
    action = np.divide(pull, total, out=np.zeros(len(actions)), where=total > 0)
    agreement = np.divide(np.abs(pull), force, out=np.ones(len(actions)), where=force > 0)
    return action, agreement


def combine(actions: Sequence[float], weights: Sequence[float]) -> tuple[float, float]:
    """Return the action and the agreement of one vote each, to the bit as `combine_rows` does."""
    force = pull = total = 0.0
    for action, weight in zip(actions, weights, strict=True):
        if isfinite(action):
            pull += action * weight
            force += abs(action * weight)
            total += weight
    return pull / total if total > 0 else 0.0, abs(pull) / force if force > 0 else 1.0


def tally(votes: Sequence[Vote]) -> tuple[float, float]:
    """Return the action and the agreement of a policy's votes."""
    return combine([vote.action for vote in votes], [vote.weight for vote in votes])


def is_anybody_heard(votes: Sequence[Vote]) -> bool:
    """True when some vote has weight: without any there is no decision."""
    return any(vote.weight > 0 for vote in votes)
