"""Decisions a second that agents learn from, how good they become, what a fold takes; the library
beside us.

The peer is Stable-Baselines3 as it comes, on the same environment in the same run: one account,
small batches. Large batches need more decisions for the same skill, so speed counts only with the
second half: the reward reached on a small task that can be learned, over ten seeds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.environment import drawn_panel, market
from benchmarks.line import Line, median_of, skipped
from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.settings import Settings

# algorithm: decisions measured with us and with the library, and what we aim for a second
SPEED = {
    "ppo": (400_000, 4_096, 80_000),
    "a2c": (800_000, 3_000, 250_000),
    "sac": (20_000, 700, 5_500),
}
# algorithm: decisions learned from with us and with the library
SKILL = {"ppo": (400_000, 20_480), "a2c": (400_000, 20_000), "sac": (40_000, 3_000)}
SEEDS = range(10)
TRAIN, VALIDATION = range(60, 249), range(260, 312)  # a year, as a walk forward divides it


def lines() -> list[Line]:
    """Measure speed, then an ensemble, then skill."""
    try:
        return [*_speeds(), _ensemble(), *_skills()]
    except (ImportError, ConfigError) as error:
        return [skipped("training", str(error))]


def _speeds() -> list[Line]:
    from catalyst_bot.ml.env.vec_env import CatalystVecEnv  # noqa: PLC0415  # extras
    from catalyst_bot.ml.terms import terms_of  # noqa: PLC0415
    from catalyst_bot.ml.training.algorithms import build  # noqa: PLC0415
    from catalyst_bot.ml.training.recipes import recipe_of  # noqa: PLC0415

    tape, sessions, normalisation = market()

    def env(accounts: int) -> Any:
        return CatalystVecEnv(
            tape,
            terms_of(Settings()),
            sessions=sessions,
            n_envs=accounts,
            seed=1,
            normalisation=normalisation,
        )

    found = list[Line]()
    for name, (steps, their_steps, target) in SPEED.items():
        recipe = recipe_of(name)
        ours = build(recipe, env(recipe.accounts), 1)
        theirs = _library(name, env(1), 1)
        value = median_of(lambda ours=ours, steps=steps: _per_second(ours, steps))
        peer = _per_second(theirs, their_steps)
        found.append(
            Line(
                job=f"training {name}",
                unit="decisions/s",
                value=value,
                target=target,
                peer=f"SB3 as it comes: {peer:,.0f}: {value / peer:.0f} x",
                note=f"{recipe.accounts} accounts, one core, learning included",
            )
        )
    return found


def _ensemble() -> Line:
    """An agent of each algorithm on one fold, with loading, judging and all their decisions."""
    from catalyst_bot.history.panel import write_panel  # noqa: PLC0415  # extras
    from catalyst_bot.history.splits import Parts  # noqa: PLC0415
    from catalyst_bot.ml.terms import terms_of  # noqa: PLC0415
    from catalyst_bot.ml.training.ensemble import Plan, model_of  # noqa: PLC0415
    from catalyst_bot.ml.training.recipes import recipe_of  # noqa: PLC0415
    from catalyst_bot.ml.training.train import train  # noqa: PLC0415

    patient = {name: {"patience": recipe_of(name).rounds} for name in SPEED}
    with TemporaryDirectory() as folder:
        write_panel(Path(folder) / "history", drawn_panel())
        plan = Plan(
            history=Path(folder) / "history",
            parts=Parts(train=TRAIN, validation=VALIDATION, test=range(0)),
            algorithms=tuple(SPEED),
            seeds=(1,),
            terms=terms_of(Settings()),
            hyperparameters=patient,
        )
        start, busy = time.perf_counter(), time.process_time()
        trained = [train(job) for job in plan.jobs()]
        model_of("ensemble", plan, trained, {})
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
    decisions = sum(each.steps for each in trained)
    return Line(
        job="one ensemble on one fold",
        unit="s",
        value=seconds,
        target=60,
        is_less_better=True,
        note=f"{len(trained)} agents, {decisions:,} decisions: none ends early; "
        f"{busy:.0f} s of one processor",
    )


def _skills() -> list[Line]:
    from catalyst_bot.ml.export import exported  # noqa: PLC0415  # extras
    from catalyst_bot.ml.training.algorithms import build  # noqa: PLC0415
    from catalyst_bot.ml.training.recipes import recipe_of  # noqa: PLC0415
    from tests.unit.ml.learnable import Learnable, reward_of  # noqa: PLC0415

    def tried(make: Callable[[int], Any], steps: int) -> tuple[list[float], float]:
        rewards, start = list[float](), time.perf_counter()
        for seed in SEEDS:
            learner = make(seed)
            learner.learn(steps, log_interval=None)
            rewards.append(reward_of(exported(learner)))
        return rewards, (time.perf_counter() - start) / len(SEEDS)

    found = list[Line]()
    for name, (steps, their_steps) in SKILL.items():
        recipe = recipe_of(name)
        ours, seconds = tried(
            lambda seed, recipe=recipe: build(recipe, Learnable(recipe.accounts, seed=seed), seed),
            steps,
        )
        theirs, their_seconds = tried(
            lambda seed, name=name: _library(name, Learnable(1, seed=seed), seed),
            their_steps,
        )
        found.append(
            Line(
                job=f"reward reached, {name}",
                unit="a step",
                value=mean(ours),
                peer=f"SB3 as it comes: {mean(theirs):.2f} ± {stdev(theirs):.2f} after "
                f"{their_steps:,} decisions, {their_seconds:.1f} s",
                note=f"± {stdev(ours):.2f} of {len(SEEDS)} seeds after {steps:,} decisions, "
                f"{seconds:.1f} s; 0.9 is possible",
            )
        )
    return found


def _library(name: str, env: Any, seed: int) -> Any:
    """An agent with every default of the library."""
    import stable_baselines3  # noqa: PLC0415  # an extra

    algorithm = getattr(stable_baselines3, name.upper())
    return algorithm("MlpPolicy", env, seed=seed, device="cpu")


def _per_second(learner: Any, steps: int) -> float:
    learner.learn(steps // 10, reset_num_timesteps=False, log_interval=None)
    before, start = learner.num_timesteps, time.perf_counter()
    learner.learn(steps, reset_num_timesteps=False, log_interval=None)
    return float((learner.num_timesteps - before) / (time.perf_counter() - start))
