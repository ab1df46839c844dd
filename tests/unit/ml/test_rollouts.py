from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, PPO

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.ml.training.algorithms import build
from catalyst_bot.ml.training.recipes import recipe_of
from tests.unit.ml.learnable import LENGTH, Learnable

ACCOUNTS = 16
FILLED = (
    "observations",
    "actions",
    "rewards",
    "episode_starts",
    "values",
    "log_probs",
    "advantages",
    "returns",
)


@pytest.mark.parametrize(("algorithm", "theirs"), [("ppo", PPO), ("a2c", A2C)])
def test_a_rollout_holds_the_numbers_of_the_library(algorithm: str, theirs: Any) -> None:
    keywords: dict[str, Any] = {"n_steps": LENGTH + 5, "gamma": 0.9, "gae_lambda": 0.9}
    if algorithm == "ppo":
        keywords["batch_size"] = ACCOUNTS * (LENGTH + 5)
    changes = {f"keywords.{name}": value for name, value in keywords.items()}
    recipe = recipe_of(algorithm, changes | {"accounts": ACCOUNTS})
    ours = build(recipe, Learnable(ACCOUNTS), 5)
    peer = theirs(
        "MlpPolicy",
        Learnable(ACCOUNTS),
        seed=5,
        device="cpu",
        policy_kwargs={"net_arch": list(recipe.hidden), "activation_fn": torch.nn.Tanh},
        **keywords,
    )
    for each in (ours, peer):
        torch.manual_seed(7)
        _, callback = each._setup_learn(0)
        assert each.collect_rollouts(each.env, callback, each.rollout_buffer, LENGTH + 5)
    assert ours.rollout_buffer.full
    assert ours.num_timesteps == peer.num_timesteps
    for name in FILLED:
        mine, other = (getattr(each.rollout_buffer, name) for each in (ours, peer))
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5, err_msg=name)
    assert (ours.rollout_buffer.episode_starts[1:] == 1).any()


def test_a_keyword_that_is_none_is_refused_in_words() -> None:
    recipe = recipe_of("ppo", {"keywords.n_stops": 3})
    with pytest.raises(ConfigError, match="n_stops"):
        build(recipe, Learnable(recipe.accounts), 1)
