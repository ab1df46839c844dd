"""How an agent is trained: the shipped hyperparameters, and changes to them that are checked."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

from catalyst_bot.domain.errors import ConfigError

Algorithm = Literal["ppo", "a2c", "sac", "td3"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
FILE = "hyperparameters.toml"
_KEYWORD = "keywords."  # what stands before the name of a keyword of the library in a change


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Hyperparameters of one training.

    `accounts` trade side by side; `steps` counts the decisions of all of them. After each of
    `rounds` equal parts the agent is measured on the validation sessions, and after `patience` of
    them without a better one it ends. `hidden` are the widths of the layers, `noise` is the
    deviation of what TD3 adds to actions while it learns, `keywords` go to the library.
    """

    algorithm: Algorithm
    accounts: int
    steps: int
    rounds: int
    patience: int
    hidden: tuple[int, ...]
    activation: Literal["tanh", "relu"]
    noise: float = 0.0
    keywords: Mapping[str, float | int | bool | str]

    def __post_init__(self) -> None:
        """Raise `ConfigError` for a value that trains nothing."""
        for name in ("accounts", "steps", "rounds", "patience"):
            if not _is_count(getattr(self, name)):
                raise ConfigError(f"{self.algorithm}: {name}: a whole number above zero is needed")
        if not self.hidden or not all(_is_count(width) for width in self.hidden):
            raise ConfigError(f"{self.algorithm}: hidden: a list of whole numbers is needed")
        if self.activation not in ("tanh", "relu"):
            raise ConfigError(f"{self.algorithm}: activation: tanh or relu")
        if not (math.isfinite(self.noise) and self.noise >= 0):
            raise ConfigError(f"{self.algorithm}: noise: a number from zero is needed")
        for name, value in self.keywords.items():
            if not isinstance(value, str) and not math.isfinite(value):
                raise ConfigError(f"{self.algorithm}: {name}: {value} is no finite number")


def recipe_of(algorithm: str, changes: Mapping[str, Any] | None = None) -> Recipe:
    """Return the shipped recipe of an algorithm with changes to it.

    Changes name a field of `Recipe`, or a keyword of the library as `keywords.NAME`. Raises
    `ConfigError` for an algorithm, a name or a value that is none.
    """
    if algorithm not in ALGORITHMS:
        raise ConfigError(f"{algorithm}: no such algorithm; there are {', '.join(ALGORITHMS)}")
    recipe = _shipped()[algorithm]
    known = {field.name for field in fields(Recipe)} - {"algorithm", "keywords"}
    values, keywords = dict[str, Any](), dict(recipe.keywords)
    for name, value in (changes or {}).items():
        if name.startswith(_KEYWORD):
            keywords[name.removeprefix(_KEYWORD)] = value
        elif name in known:
            values[name] = tuple(value) if name == "hidden" else value
        else:
            raise ConfigError(
                f"{algorithm}: {name}: no such hyperparameter; there are "
                f"{', '.join(sorted(known))} and {_KEYWORD}NAME of Stable-Baselines3"
            )
    return replace(recipe, keywords=keywords, **values)


@cache
def _shipped() -> Mapping[str, Recipe]:
    text = files("catalyst_bot.ml.training").joinpath(FILE).read_text("utf-8")
    return {
        name: Recipe(algorithm=name, **values | {"hidden": tuple(values["hidden"])})  # type: ignore[arg-type]
        for name, values in tomllib.loads(text).items()
    }


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
