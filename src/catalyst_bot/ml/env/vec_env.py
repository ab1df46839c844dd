"""Many accounts at once as Stable-Baselines3 takes them: a step is one call of the kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from catalyst_bot.domain.errors import BadData
from catalyst_bot.features.normalisation import LIMIT, Normalisation
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.ml.env.world import (
    COST_PENALTY,
    MOST_QUESTIONS,
    QUIET_FRACTION,
    generators,
    kernel_and_held,
    world_of,
)
from catalyst_bot.ml.kernels.account import MONEY_COLUMNS, PLACE_COLUMNS, RANDOM
from catalyst_bot.ml.kernels.entry import Game
from catalyst_bot.ml.kernels.episode import TRUNCATED, Rules
from catalyst_bot.ml.tape import Singles, Tape
from catalyst_bot.ml.terms import Terms

State = dict[str, NDArray[Any]]
OBSERVATIONS = spaces.Box(-LIMIT, LIMIT, (len(FEATURES),), np.float32)
_NOBODY = np.zeros(0, dtype=np.int64)
ACTIONS = spaces.Box(-1.0, 1.0, (1,), np.float32)


class CatalystVecEnv(VecEnv):
    """Single-symbol accounts that are asked, answer and live until they are asked again.

    Each draws episodes of its own from `seed`; who ended begins another in the same step, and its
    info holds `terminal_observation` and `TimeLimit.truncated`. The same is there in arrays for the
    last step: `ended` (who), `truncated` (each of them) and `terminal_observations` (a row each).
    """

    def __init__(
        self,
        tape: Tape,
        terms: Terms,
        *,
        sessions: range,
        n_envs: int,
        seed: int,
        normalisation: Normalisation,
        quiet_fraction: float = QUIET_FRACTION,
        cost_penalty: float = COST_PENALTY,
        most_questions: int = MOST_QUESTIONS,
    ) -> None:
        """Raise `BadData` or `ConfigError` where no episode can begin, see `world_of`."""
        rules = Rules(quiet_fraction, most_questions, cost_penalty)
        world = world_of(tape, terms, sessions=sessions, normalisation=normalisation, rules=rules)
        self._money = np.zeros((n_envs, MONEY_COLUMNS))
        self._place = np.zeros((n_envs, PLACE_COLUMNS), dtype=np.int64)
        self._ends = np.zeros(n_envs, dtype=np.int64)
        self._last = np.zeros((n_envs, len(FEATURES)), dtype=np.float32)
        game = Game(world, self._money, self._place, self._ends, self._last, np.zeros(1))
        self._kernel, self._held = kernel_and_held(game)
        self._step = self._kernel["step"]
        self._actions = np.zeros(n_envs, dtype=np.float32)
        self._no_infos: list[dict[str, Any]] = [{} for _ in range(n_envs)]
        self.ended = _NOBODY
        self.render_mode = None
        super().__init__(n_envs, OBSERVATIONS, ACTIONS)
        self.seed(seed)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Give every account its generator; None leaves them as they are."""
        if seed is not None:
            self._place[:, RANDOM] = generators(seed, self.num_envs)
        return [seed] * self.num_envs

    def reset(self) -> Singles:
        """Begin an episode with every account and return what is asked."""
        observations = np.empty_like(self._last)
        self._kernel["reset"](self._held, observations)
        self.ended = _NOBODY
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take an action in [-1, 1] for every account."""
        self._actions = np.asarray(actions, dtype=np.float32).reshape(self.num_envs)

    def step_wait(self) -> tuple[Singles, Singles, NDArray[np.bool_], list[dict[str, Any]]]:
        """Return observations, rewards, who ended, and infos; the arrays are the caller's."""
        count = self.num_envs
        observations = np.empty((count, len(FEATURES)), np.float32)
        rewards, dones = np.empty(count, np.float32), np.empty(count, np.bool_)
        if not self._step(self._held, self._actions, rewards, dones, observations):
            self.ended = _NOBODY
            return observations, rewards, dones, self._no_infos
        self.ended = dones.nonzero()[0]
        return observations, rewards, dones, self._infos()

    @property
    def truncated(self) -> NDArray[np.bool_]:
        """Of those that ended in the last step, who was only cut short."""
        return np.equal(self._ends[self.ended], TRUNCATED)

    @property
    def terminal_observations(self) -> Singles:
        """Of those that ended in the last step, what would have been asked next."""
        return self._last[self.ended]

    def _infos(self) -> list[dict[str, Any]]:
        infos, last, ends = self._no_infos.copy(), self._last, self._ends
        for number in self.ended.tolist():
            infos[number] = {
                "terminal_observation": last[number].copy(),
                "TimeLimit.truncated": ends.item(number) == TRUNCATED,
            }
        return infos

    def state(self) -> State:
        """Return everything that decides the future, as arrays."""
        return {"money": self._money.copy(), "place": self._place.copy()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Singles:
        """Go on where `state` was taken, and return what is asked there.

        Raises `BadData` for a state of another number of accounts.
        """
        for mine, name in ((self._money, "money"), (self._place, "place")):
            if state[name].shape != mine.shape:
                raise BadData(f"{name} is of {state[name].shape}, not {mine.shape}")
            mine[:] = state[name]
        observations = np.empty_like(self._last)
        self._kernel["observe_all"](self._held, observations)
        return observations

    def close(self) -> None:
        """There is nothing to close."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute, which all accounts share."""
        return [getattr(self, attr_name)] * len(self._chosen(indices))

    def set_attr(self, attr_name: str, *_: Any, **__: Any) -> None:
        """Refuse: the accounts share everything."""
        raise AttributeError(f"{attr_name} cannot be set: make another environment")

    def env_method(self, method_name: str, *_: Any, **__: Any) -> list[Any]:
        """Refuse: an account has no methods."""
        raise AttributeError(f"an account has no method {method_name}")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:  # noqa: ARG002
        """Return that no account is wrapped in anything."""
        return [False] * len(self._chosen(indices))

    def _chosen(self, indices: int | Iterable[int] | None) -> list[int]:
        return list(self._get_indices(indices))
