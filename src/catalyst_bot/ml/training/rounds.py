"""Rounds of a training: learn a part, look at the validation sessions, keep what was best.

The agent that comes out is that of the best round. Which round that is was chosen on the validation
sessions, so their Sharpe ratio flatters it; only later sessions can judge it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from catalyst_bot.ml.export import exported, network_of_learner
from catalyst_bot.ml.training.algorithms import Learner
from catalyst_bot.ml.training.checkpoints import Checkpoint
from catalyst_bot.ml.training.recipes import Recipe
from catalyst_bot.ml.training.snapshots import Arrays, Snapshot
from catalyst_bot.policies.network import Network, network_of

Score = Callable[[Network], float]  # how a network does on the validation sessions; finite
Note = Callable[[str], None]
Report = Callable[[int, float], bool]  # round and its score -> go on?
_BEST, _ENVIRONMENT = "best/", "environment/"
KEEP_EVERY_S, _NOTE_EVERY_S = 20.0, 5.0


class Restorable(Protocol):
    """What an environment must offer so that a training can go on where it was left."""

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Return all that decides what it does next, as plain arrays."""
        ...

    def restore(self, state: Mapping[str, NDArray[Any]]) -> object:
        """Go on where `state` was taken."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """The network of the best round, its score, the score of every round, and the decisions made.

    `is_given_up` when the report said not to go on.
    """

    network: Network
    score: float
    curve: tuple[float, ...]
    steps: int
    is_given_up: bool = False


@dataclass(slots=True)
class _Progress:
    """How far a training is: the best network yet, and the score of every round."""

    best: Network
    curve: list[float]

    @property
    def score(self) -> float:
        return max(self.curve, default=-math.inf)

    def add(self, network: Network, score: float) -> None:
        if score > self.score:
            self.best = network
        self.curve.append(score)

    def is_done(self, recipe: Recipe) -> bool:
        if not self.curve:
            return False
        since_best = len(self.curve) - 1 - self.curve.index(self.score)
        return len(self.curve) >= recipe.rounds or since_best >= recipe.patience


def learn(
    learner: Learner,
    environment: Restorable,
    recipe: Recipe,
    score: Score,
    *,
    checkpoint: Checkpoint | None = None,
    keep_every_s: float = KEEP_EVERY_S,
    note: Note | None = None,
    report: Report | None = None,
) -> Learned:
    """Train in rounds until the steps are made or patience ends; go on from the checkpoint if any.

    The result depends on neither where it was interrupted nor how often it was kept; a training
    that was done is not done again. `note` gets a line with the time left every few seconds.
    Raises `BadData` for a checkpoint of no use and for weights that grew beyond all bounds.
    """
    kept = checkpoint.read() if checkpoint is not None else None
    progress = _Progress(network_of_learner(learner), [])
    if kept is not None:
        progress = _resumed(learner, environment, kept)
    pace, goes_on = _Pace(learner.num_timesteps), True
    kept_at = noted_at = time.monotonic()
    while goes_on and not progress.is_done(recipe):
        goal = recipe.steps * (len(progress.curve) + 1) // recipe.rounds
        missing = max(goal - learner.num_timesteps, 0)
        learner.learn(missing, reset_num_timesteps=False, log_interval=None)  # type: ignore[arg-type]
        network = exported(learner)
        progress.add(network, score(network))
        learner.logger.record("validation/score", progress.curve[-1])
        learner.logger.dump(learner.num_timesteps)
        now = time.monotonic()
        is_due = now - kept_at >= keep_every_s or progress.is_done(recipe)
        if checkpoint is not None and is_due:
            checkpoint.write(_kept(learner, environment, progress))
            kept_at = now
        if note is not None and now - noted_at >= _NOTE_EVERY_S:
            note(f"{pace.line(learner.num_timesteps, recipe.steps)}, best {progress.score:.2f}")
            noted_at = now
        goes_on = report is None or report(len(progress.curve), progress.curve[-1])
    return Learned(
        network=progress.best,
        score=progress.score,
        curve=tuple(progress.curve),
        steps=learner.num_timesteps,
        is_given_up=not goes_on,
    )


class _Pace:
    """How fast it goes since this process began."""

    def __init__(self, steps: int) -> None:
        self._first_steps, self._first_at = steps, time.monotonic()

    def line(self, steps: int, goal: int) -> str:
        seconds = time.monotonic() - self._first_at
        per_s = (steps - self._first_steps) / max(seconds, 1e-9)
        left_s = max(goal - steps, 0) / max(per_s, 1e-9)
        done = f"{min(steps, goal):,} of {goal:,} decisions"
        return f"{done}, {per_s:,.0f}/s, at most {left_s:.0f} s left"


def _kept(learner: Learner, environment: Restorable, progress: _Progress) -> Snapshot:
    """All of a training: the learner, its environment, and how far it is."""
    snapshot = learner.snapshot()
    arrays = dict(snapshot.arrays)
    arrays |= {f"{_ENVIRONMENT}{name}": array for name, array in environment.state().items()}
    for place, (weight, bias) in enumerate(
        zip(progress.best.weights, progress.best.biases, strict=True)
    ):
        arrays |= {f"{_BEST}{place}/weight": weight, f"{_BEST}{place}/bias": bias}
    return Snapshot(arrays, snapshot.facts | {"curve": progress.curve})


def _resumed(learner: Learner, environment: Restorable, kept: Snapshot) -> _Progress:
    curve = [float(value) for value in kept.facts["curve"]]
    environment.restore(_part(kept.arrays, _ENVIRONMENT))
    learner.restore(kept)
    now = network_of_learner(learner)
    best = _part(kept.arrays, _BEST)
    layers = [(best[f"{place}/weight"], best[f"{place}/bias"]) for place in range(len(now.weights))]
    network = network_of(layers, activation=now.activation, squash=now.squash)
    return _Progress(network, curve)


def _part(arrays: Arrays, prefix: str) -> Arrays:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
