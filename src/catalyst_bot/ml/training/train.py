"""One training, from a history to an agent: a plain job in, a plain result out.

Normalisation and what categories were worth are fitted on the training sessions. What is compared
while it learns is how it does on the validation sessions.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from stable_baselines3.common.logger import configure

from catalyst_bot.features.catalyst import Edges
from catalyst_bot.features.normalisation import Normalisation
from catalyst_bot.features.spec import SPEC_HASH
from catalyst_bot.history.edges import edges_of, with_edges
from catalyst_bot.history.panel import open_panel
from catalyst_bot.ml.env.fitting import fit_on
from catalyst_bot.ml.env.vec_env import CatalystVecEnv
from catalyst_bot.ml.tape import Tape, tape_of
from catalyst_bot.ml.terms import Terms
from catalyst_bot.ml.training.algorithms import build
from catalyst_bot.ml.training.checkpoints import Checkpoint
from catalyst_bot.ml.training.identity import PROGRAM, libraries
from catalyst_bot.ml.training.judging import Decide, Judged, judged
from catalyst_bot.ml.training.recipes import Recipe, recipe_of
from catalyst_bot.ml.training.rounds import KEEP_EVERY_S, Note, Report, learn
from catalyst_bot.ml.validation.evidence import hash_of_returns
from catalyst_bot.ml.validation.metrics import Floats
from catalyst_bot.policies.model_files import Agent
from catalyst_bot.policies.network import Network
from catalyst_bot.study.event_study import round_trip_bps


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingJob:
    """What decides an agent. `train` and `validation` are sessions of the history, by number.

    `hyperparameters` are changes to the shipped recipe, `steps` one of them that is often wanted
    (0: as the recipe says). In `folder` the checkpoint and the curves for TensorBoard are kept;
    None keeps nothing.
    """

    history: Path
    algorithm: str
    seed: int
    train: range
    validation: range
    terms: Terms
    steps: int = 0
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @property
    def name(self) -> str:
        """Algorithm and seed."""
        return f"{self.algorithm}-{self.seed}"

    @property
    def recipe(self) -> Recipe:
        """The recipe with the changes. Raises `ConfigError` for one that is none."""
        steps = {"steps": self.steps} if self.steps else {}
        return recipe_of(self.algorithm, {**self.hyperparameters, **steps})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedAgent:
    """An agent, and how it came about; `validation_returns` are per session, fractions.

    `curve` is the score of every round (see `Judged`), and the agent's weight in the vote that of
    its best one, at least 0. `seconds` is what this process took.
    """

    agent: Agent
    validation_sharpe: float
    validation_returns: Floats
    validation_trades: int
    seconds: float
    steps: int
    curve: tuple[float, ...]
    training_hash: str
    is_given_up: bool = False

    @property
    def returns_hash(self) -> str:
        """SHA-256 of the validation returns: equal results, equal hash."""
        return hash_of_returns(self.validation_returns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What agents of the same training sessions stand on, all of it fitted on these alone."""

    tape: Tape
    normalisation: Normalisation
    edges: Edges
    data_hash: str


@lru_cache(maxsize=1)
def grounds_of(history: Path, train: range, terms: Terms) -> Grounds:
    """Open a history for training on these sessions by these terms, for all jobs of this process.

    Raises `BadData` for a history that will not do.
    """
    panel = open_panel(history)
    cost_bps = round_trip_bps(terms.commission_fraction, terms.slippage_fraction)
    edges = edges_of(panel, train, cost_bps=cost_bps)
    tape = tape_of(with_edges(panel, edges), atr_length=terms.atr_length)
    digest = sha256(f"{panel.card.data_hash} {panel.card.events_hash}".encode()).hexdigest()
    return Grounds(tape=tape, normalisation=fit_on(tape, train), edges=edges, data_hash=digest)


def train(
    job: TrainingJob,
    *,
    note: Note | None = None,
    report: Report | None = None,
    keep_every_s: float = KEEP_EVERY_S,
) -> TrainedAgent:
    """Train one agent; the same job gives the same agent, also after the process was killed.

    `note` gets a line every few seconds; `report` hears of every round and may end it. Raises
    `ConfigError` for hyperparameters, `BadData` for a history, that will not do.
    """
    began, recipe = time.monotonic(), job.recipe
    grounds = grounds_of(job.history, job.train, job.terms)
    training_hash = hash_of(job, grounds.data_hash)
    env = CatalystVecEnv(
        grounds.tape,
        job.terms,
        sessions=job.train,
        n_envs=recipe.accounts,
        seed=job.seed,
        normalisation=grounds.normalisation,
    )
    learner = build(recipe, env, job.seed)
    checkpoint = None
    if job.folder is not None:
        checkpoint = Checkpoint(job.folder / f"{job.name}.safetensors", training_hash)
        learner.set_logger(configure(str(job.folder / "tensorboard" / job.name), ["tensorboard"]))

    def played(network: Network) -> Judged:
        return judged(
            alone(network), grounds.tape, job.terms, job.validation, grounds.normalisation
        )

    learned = learn(
        learner,
        env,
        recipe,
        lambda network: played(network).score,
        checkpoint=checkpoint,
        keep_every_s=keep_every_s,
        note=note,
        report=report,
    )
    learner.logger.close()
    found = played(learned.network)
    return TrainedAgent(
        agent=Agent(
            name=job.name,
            algorithm=job.algorithm,
            seed=job.seed,
            network=learned.network,
            weight=max(learned.score, 0.0),
            validation_sharpe=found.sharpe,
        ),
        validation_sharpe=found.sharpe,
        validation_returns=found.returns,
        validation_trades=len(found.pnl_usd),
        seconds=time.monotonic() - began,
        steps=learned.steps,
        curve=learned.curve,
        training_hash=training_hash,
        is_given_up=learned.is_given_up,
    )


def train_aloud(job: TrainingJob) -> TrainedAgent:
    """Train one agent and say on standard error how it goes: for a process among others."""

    def say(line: str) -> None:
        sys.stderr.write(f"{job.name}: {line}\n")
        sys.stderr.flush()

    return train(job, note=say)


def hash_of(job: TrainingJob, data_hash: str) -> str:
    """Return the SHA-256 of all that decides what a job learns; another seed, another hash."""
    decides = {
        "program": PROGRAM,
        "libraries": libraries(),
        "features": SPEC_HASH,
        "data": data_hash,
        "seed": job.seed,
        "sessions": [[part.start, part.stop] for part in (job.train, job.validation)],
        "terms": job.terms._asdict(),
        "recipe": asdict(job.recipe),
    }
    return sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def alone(network: Network) -> Decide:
    """Return the policy of one agent: it always agrees with itself."""

    def decide(rows: Floats) -> tuple[Floats, Floats]:
        return network.forward_rows(rows), np.ones(len(rows))

    return decide
