"""A small environment that can be learned: act on the sign of the first feature, or stay out.

The reward is the action times that sign, less a cost for every change of it. Episodes are cut off
after some steps; one in five ends instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from catalyst_bot.features.spec import FEATURES
from catalyst_bot.policies.network import Network

WIDTH = len(FEATURES)
LENGTH, COST = 20, 0.1


class Learnable(VecEnv):
    """Accounts side by side; all that it draws comes from one generator."""

    def __init__(self, accounts: int, *, seed: int = 0) -> None:
        super().__init__(
            accounts,
            spaces.Box(-5, 5, (WIDTH,), np.float32),
            spaces.Box(-1, 1, (1,), np.float32),
        )
        self._random = np.random.default_rng(seed)
        self._seen = np.zeros((accounts, WIDTH), np.float32)
        self._held = np.zeros(accounts, np.float32)
        self._age = np.zeros(accounts, np.int64)
        self._actions = np.zeros(accounts, np.float32)

    def reset(self) -> NDArray[np.float32]:
        self._age = self._random.integers(0, LENGTH, self.num_envs)
        self._look()
        return self._seen.copy()

    def step_async(self, actions: NDArray[np.float32]) -> None:
        self._actions = actions[:, 0].astype(np.float32)

    def step_wait(self) -> Any:
        rewards = self._actions * np.sign(self._seen[:, 0])
        rewards -= COST * np.abs(self._actions - self._held)
        self._held = self._actions
        self._look()
        self._age += 1
        ended = self._age >= LENGTH
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for account in np.flatnonzero(ended):
            infos[account] = {
                "terminal_observation": self._seen[account].copy(),
                "TimeLimit.truncated": bool(self._random.random() > 0.2),
            }
        self._age[ended], self._held[ended] = 0, 0.0
        return self._seen.copy(), rewards.astype(np.float32), ended, infos

    def state(self) -> Mapping[str, NDArray[Any]]:
        words = self._random.bit_generator.state
        numbers = [words["state"]["state"], words["state"]["inc"]]
        mask = (1 << 64) - 1
        return {
            "seen": self._seen,
            "held": self._held,
            "age": self._age,
            "random": np.array([part for n in numbers for part in (n & mask, n >> 64)], np.uint64),
            "half": np.array([words["has_uint32"], words["uinteger"]], np.uint64),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._seen, self._held, self._age = (state[name] for name in ("seen", "held", "age"))
        low, high, inc_low, inc_high = (int(word) for word in state["random"])
        self._random.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": low | high << 64, "inc": inc_low | inc_high << 64},
            "has_uint32": int(state["half"][0]),
            "uinteger": int(state["half"][1]),
        }

    def close(self) -> None:
        """Nothing is open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, **keywords: Any) -> list[Any]:
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        return [seed] * self.num_envs

    def _look(self) -> None:
        self._seen = self._random.standard_normal((self.num_envs, WIDTH), dtype=np.float32)


def reward_of(network: Network, *, steps: int = 2_000) -> float:
    """The mean reward of a network that does not explore; 0.9 is possible, 0 is staying out."""
    seen = np.random.default_rng(99).standard_normal((steps, WIDTH))
    actions = network.forward_rows(seen)
    changes = np.abs(np.diff(actions, prepend=0.0))
    return float((actions * np.sign(seen[:, 0]) - COST * changes).mean())
