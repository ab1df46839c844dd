from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalyst_bot.domain.errors import BadData
from catalyst_bot.ml.training.algorithms import build
from catalyst_bot.ml.training.checkpoints import Checkpoint
from catalyst_bot.ml.training.recipes import ALGORITHMS, Recipe, recipe_of
from catalyst_bot.ml.training.rounds import Learned, Report, Score, learn
from catalyst_bot.policies.network import Network
from tests.unit.ml.learnable import Learnable, reward_of

SMALL = {
    "ppo": {"accounts": 32, "steps": 8_192, "keywords.batch_size": 512},
    "a2c": {"accounts": 32, "steps": 8_192},
    "sac": {"accounts": 32, "steps": 3_200, "keywords.learning_starts": 320},
    "td3": {"accounts": 32, "steps": 3_200, "keywords.learning_starts": 320},
}


def small(algorithm: str, **changes: Any) -> Recipe:
    return recipe_of(algorithm, SMALL[algorithm] | {"rounds": 4} | changes)


def trained(
    recipe: Recipe,
    *,
    seed: int = 1,
    path: Path | None = None,
    score: Score = reward_of,
    report: Report | None = None,
) -> Learned:
    env = Learnable(recipe.accounts, seed=seed)
    checkpoint = Checkpoint(path, "abc") if path is not None else None
    return learn(
        build(recipe, env, seed),
        env,
        recipe,
        score,
        checkpoint=checkpoint,
        keep_every_s=0.0,
        report=report,
    )


def is_same(one: Network, other: Network) -> bool:
    return all(
        np.array_equal(mine, theirs)
        for mine, theirs in zip(one.weights + one.biases, other.weights + other.biases, strict=True)
    )


@pytest.mark.parametrize(
    ("algorithm", "steps", "reward"),
    [("ppo", 100_000, 0.5), ("a2c", 200_000, 0.5), ("sac", 20_000, 0.4), ("td3", 20_000, 0.4)],
)
def test_every_algorithm_learns_what_can_be_learned(
    algorithm: str, steps: int, reward: float
) -> None:
    shipped = recipe_of(algorithm, {"steps": steps, "rounds": 5, "keywords.gamma": 0.5})
    assert trained(shipped).score > reward


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_seed_is_one_result_to_the_bit_and_another_seed_another(algorithm: str) -> None:
    one, again, other = (trained(small(algorithm), seed=seed) for seed in (1, 1, 2))
    assert one.curve == again.curve
    assert is_same(one.network, again.network)
    assert one.curve != other.curve


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("died_after", [1, 2, 3])
def test_goes_on_to_the_same_result(algorithm: str, died_after: int, tmp_path: Path) -> None:
    recipe, path = small(algorithm), tmp_path / "ppo-1.safetensors"
    whole = trained(recipe)
    part = trained(recipe, path=path, report=lambda rounds, _: rounds < died_after)
    assert part.is_given_up
    assert len(part.curve) == died_after
    rest = trained(recipe, path=path)
    assert rest == Learned(
        network=rest.network, score=whole.score, curve=whole.curve, steps=whole.steps
    )
    assert is_same(rest.network, whole.network)


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    recipe, path = small("a2c"), tmp_path / "a2c.safetensors"
    first = trained(recipe, path=path)

    def never(network: Network) -> float:
        raise AssertionError("learned again")

    again = trained(recipe, path=path, score=never)
    assert (again.score, again.curve) == (first.score, first.curve)
    assert is_same(again.network, first.network)


def test_the_best_round_comes_out_and_patience_ends_it() -> None:
    scores = iter([0.1, 0.9, 0.3, 0.2, 0.8])
    seen: list[Network] = []

    def score(network: Network) -> float:
        seen.append(network)
        return next(scores)

    learned = trained(small("a2c", rounds=5, patience=2), score=score)
    assert learned.curve == (0.1, 0.9, 0.3, 0.2)
    assert learned.score == 0.9
    assert is_same(learned.network, seen[1])
    assert not learned.is_given_up


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.safetensors"
    trained(small("a2c"), path=path)
    with pytest.raises(BadData, match="other data, hyperparameters or program"):
        Checkpoint(path, "abd").read()
    with pytest.raises(BadData, match="another training"):
        trained(small("ppo", hidden=(16,)), path=path)


def test_a_damaged_checkpoint_is_refused_and_half_a_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "kept.safetensors"
    recipe = small("a2c")
    (tmp_path / ".kept.safetensors.part").write_bytes(b"half")
    trained(recipe, path=path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadData, match="damaged checkpoint"):
        trained(recipe, path=path)
    Checkpoint(path, "abc").remove()
    Checkpoint(path, "abc").remove()
    assert Checkpoint(path, "abc").read() is None


def test_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 10_000, 10))
    monkeypatch.setattr("time.monotonic", lambda: float(next(ticks)))
    recipe, lines = small("a2c"), list[str]()
    env = Learnable(recipe.accounts)
    learn(build(recipe, env, 1), env, recipe, reward_of, note=lines.append)
    assert len(lines) == recipe.rounds
    assert lines[0].startswith("2,048 of 8,192 decisions, ")
    assert "s left, best" in lines[0]
