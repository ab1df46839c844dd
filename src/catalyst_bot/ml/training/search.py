"""A search for hyperparameters: each try trains one agent, and the hopeless end early.

Tries are proposed by a tree of Parzen estimators from those before; one whose score is below the
median of the others at the same round is given up. Every try is a trial: whoever judges the result
must know how many there were.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import optuna

from catalyst_bot.domain.errors import BadData
from catalyst_bot.ml.training.train import TrainedAgent, TrainingJob, train

OnTry = Callable[[TrainedAgent, Mapping[str, Any]], None]
Suggest = Callable[[optuna.Trial], dict[str, Any]]
_FIRST_TRIES, _FIRST_ROUNDS = 4, 2  # before any is given up
_HIDDEN = {"32": (32, 32), "64": (64, 64), "128": (128, 128)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The changes to the recipe that did best, their score in validation, and the tries in all."""

    changes: Mapping[str, Any]
    score: float
    tries: int
    given_up: int


def search(job: TrainingJob, *, tries: int, on_try: OnTry | None = None) -> Found:
    """Try changes to the recipe of a job; the same job and number of tries find the same.

    Raises `BadData` when all were given up.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=job.seed),
        pruner=optuna.pruners.MedianPruner(
            n_startup_trials=_FIRST_TRIES, n_warmup_steps=_FIRST_ROUNDS
        ),
    )

    def objective(trial: optuna.Trial) -> float:
        changes = _SPACES[job.algorithm](trial)
        best = -float("inf")

        def goes_on(rounds: int, score: float) -> bool:
            nonlocal best
            best = max(best, score)
            trial.report(best, rounds)
            return not trial.should_prune()

        asked = replace(job, hyperparameters={**job.hyperparameters, **changes}, folder=None)
        trained = train(asked, report=goes_on)
        trial.set_user_attr("changes", changes)
        if on_try is not None:
            on_try(trained, changes)
        if trained.is_given_up:
            raise optuna.TrialPruned
        return best

    study.optimize(objective, n_trials=tries)
    states = [trial.state for trial in study.trials]
    given_up = states.count(optuna.trial.TrialState.PRUNED)
    if given_up == len(states):
        raise BadData(f"all {tries} tries of {job.algorithm} were given up; try more")
    return Found(
        changes=study.best_trial.user_attrs["changes"],
        score=study.best_value,
        tries=len(states),
        given_up=given_up,
    )


def _of_both(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "keywords.learning_rate": trial.suggest_float("learning_rate", 1e-4, 3e-3, log=True),
        "keywords.gamma": trial.suggest_categorical("gamma", [0.9, 0.95, 0.98, 0.99]),
        "hidden": _HIDDEN[trial.suggest_categorical("hidden", list(_HIDDEN))],
    }


def _on_policy(trial: optuna.Trial) -> dict[str, Any]:
    return _of_both(trial) | {
        "keywords.ent_coef": trial.suggest_float("ent_coef", 1e-5, 1e-2, log=True),
        "keywords.gae_lambda": trial.suggest_float("gae_lambda", 0.8, 1.0),
    }


def _off_policy(trial: optuna.Trial) -> dict[str, Any]:
    return _of_both(trial) | {
        "keywords.tau": trial.suggest_float("tau", 0.002, 0.05, log=True),
        "keywords.batch_size": trial.suggest_categorical("batch_size", [128, 256, 512]),
    }


_SPACES: Mapping[str, Suggest] = {
    "ppo": _on_policy,
    "a2c": _on_policy,
    "sac": _off_policy,
    "td3": _off_policy,
}
