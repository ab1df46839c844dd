from __future__ import annotations

from typing import Any

import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.ml.training.recipes import ALGORITHMS, recipe_of


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_has_a_recipe(algorithm: str) -> None:
    recipe = recipe_of(algorithm)
    assert recipe.algorithm == algorithm
    assert recipe.keywords["gamma"] < 1


def test_changes_name_a_field_or_a_keyword_and_leave_the_rest() -> None:
    recipe = recipe_of("ppo", {"steps": 10, "hidden": [8, 8], "keywords.gamma": 0.5})
    assert (recipe.steps, recipe.hidden, recipe.keywords["gamma"]) == (10, (8, 8), 0.5)
    assert recipe.keywords["n_epochs"] == recipe_of("ppo").keywords["n_epochs"]
    assert recipe_of("ppo").keywords["gamma"] != 0.5


@pytest.mark.parametrize(
    ("algorithm", "changes", "said"),
    [
        ("dqn", {}, "no such algorithm; there are ppo, a2c, sac, td3"),
        ("ppo", {"learning_rate": 1e-3}, "no such hyperparameter"),
        ("ppo", {"algorithm": "sac"}, "no such hyperparameter"),
        ("ppo", {"steps": 0}, "steps"),
        ("ppo", {"rounds": True}, "rounds"),
        ("ppo", {"hidden": []}, "hidden"),
        ("ppo", {"hidden": [64, -1]}, "hidden"),
        ("ppo", {"activation": "gelu"}, "activation"),
        ("td3", {"noise": float("nan")}, "noise"),
        ("sac", {"keywords.tau": float("nan")}, "tau"),
    ],
)
def test_what_trains_nothing_is_refused(algorithm: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        recipe_of(algorithm, changes)
