from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from catalyst_bot.domain.errors import BadData, InvariantViolated
from catalyst_bot.ml import export
from catalyst_bot.ml.export import difference, exported, network_of_learner
from catalyst_bot.ml.training.algorithms import Learner, build
from catalyst_bot.ml.training.recipes import ALGORITHMS, recipe_of
from tests.unit.ml.learnable import WIDTH, Learnable


def learner(algorithm: str, steps: int = 2_000) -> Learner:
    recipe = recipe_of(algorithm, {"accounts": 16})
    if algorithm == "ppo":
        recipe = recipe_of(algorithm, {"accounts": 16, "keywords.batch_size": 512})
    found = build(recipe, Learnable(recipe.accounts), 3)
    found.learn(steps, log_interval=None)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_answers_as_the_library_does_when_it_does_not_explore(algorithm: str) -> None:
    taught = learner(algorithm)
    network = exported(taught)
    rows = np.clip(np.random.default_rng(4).standard_normal((5_000, WIDTH)), -5, 5)
    theirs, _ = taught.predict(rows.astype(np.float32), deterministic=True)
    ours = network.forward_rows(rows.astype(np.float32).astype(np.float64))
    assert np.abs(ours - theirs[:, 0]).max() <= export.MAX_DIFFERENCE
    assert np.ptp(ours) > 0.01


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_looking_changes_nothing_of_the_learner(algorithm: str) -> None:
    taught = learner(algorithm)
    before = {name: value.clone() for name, value in taught.policy.state_dict().items()}
    exported(taught)
    after = taught.policy.state_dict()
    assert all(
        torch.equal(value, after[name]) and value.dtype == after[name].dtype
        for name, value in before.items()
    )


def test_a_network_that_answers_otherwise_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    taught = learner("sac")
    network = network_of_learner(taught)
    assert difference(replace(network, squash="clip"), taught.policy) > export.MAX_DIFFERENCE
    bent = replace(network, biases=(*network.biases[:-1], network.biases[-1] + 1e-5))
    monkeypatch.setattr(export, "network_of_learner", lambda _: bent)
    with pytest.raises(InvariantViolated, match="beside ResumableSAC"):
        exported(taught)


def test_weights_beyond_all_bounds_are_refused() -> None:
    taught = learner("a2c", 0)
    with torch.no_grad():
        taught.policy.action_net.bias.fill_(float("nan"))
    with pytest.raises(BadData, match="not a finite number"):
        exported(taught)
