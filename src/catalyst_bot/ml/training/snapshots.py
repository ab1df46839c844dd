"""All that decides how a training goes on, as plain arrays and numbers, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from catalyst_bot.domain.errors import BadData

Arrays = dict[str, NDArray[Any]]
_STORED = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")
_COUNTERS = ("num_timesteps", "_n_updates", "_episode_num")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Arrays by name, and facts that JSON can hold."""

    arrays: Arrays
    facts: dict[str, Any]


class Resumable(BaseAlgorithm):
    """An algorithm that can be taken apart after any call of `learn`, and put together again.

    Networks, optimizers, counters, the last observations, the replay buffer and the generators of
    torch, NumPy and the action space. The environment is asked for its own `state`. What `learn`
    does next is the same to the bit.
    """

    def snapshot(self) -> Snapshot:
        """Return everything that decides what is learned next."""
        arrays: Arrays = {"torch": torch.get_rng_state().numpy()}
        for name, state in self.get_parameters().items():
            tensors = _of_optimizer(state) if "param_groups" in state else state.items()
            arrays |= {f"{name}/{key}": value.numpy().copy() for key, value in tensors}
        for name in self._get_torch_save_params()[1]:
            arrays[name] = getattr(self, name).detach().numpy().copy()
        if self._last_obs is not None:
            arrays["last_obs"] = np.array(self._last_obs)
            arrays["last_episode_starts"] = np.array(self._last_episode_starts)
        facts: dict[str, Any] = {name: getattr(self, name) for name in _COUNTERS}
        facts["action_space"] = self.action_space.np_random.bit_generator.state
        numpy_state: Any = np.random.get_state(legacy=True)
        kind, arrays["numpy"], *rest = numpy_state
        facts["numpy"] = [kind, *rest]
        buffer = self._replay()
        if buffer is not None:
            facts["replay"] = [buffer.pos, buffer.full]
            used = slice(None if buffer.full else buffer.pos)
            arrays |= {f"replay/{name}": getattr(buffer, name)[used] for name in _STORED}
        return Snapshot(arrays, facts)

    def restore(self, snapshot: Snapshot) -> None:
        """Go on where the snapshot was taken.

        Raises `BadData` when it was taken of another network or algorithm.
        """
        arrays, facts = snapshot.arrays, snapshot.facts
        try:
            parameters: dict[str, Any] = {
                name: _rebuilt(name, state, arrays) for name, state in self.get_parameters().items()
            }
            self.set_parameters(parameters, exact_match=True, device="cpu")
            for name in self._get_torch_save_params()[1]:
                getattr(self, name).data.copy_(torch.from_numpy(arrays[name]))
            if "last_obs" in arrays:
                self._last_obs = arrays["last_obs"]
                self._last_episode_starts = arrays["last_episode_starts"]
            for name in _COUNTERS:
                setattr(self, name, facts[name])
            buffer = self._replay()
            if buffer is not None:
                buffer.pos, buffer.full = facts["replay"]
                for name in _STORED:
                    stored = arrays[f"replay/{name}"]
                    getattr(buffer, name)[: len(stored)] = stored
            self.action_space.np_random.bit_generator.state = facts["action_space"]
            kind, *rest = facts["numpy"]
            np.random.set_state((kind, arrays["numpy"], *rest))
            torch.set_rng_state(torch.from_numpy(arrays["torch"]))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise BadData(f"a checkpoint of another training ({error})") from error

    def _replay(self) -> ReplayBuffer | None:
        return self.replay_buffer if isinstance(self, OffPolicyAlgorithm) else None


def _of_optimizer(state: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for index, values in state["state"].items():
        for name, value in values.items():
            yield f"{index}/{name}", value


def _rebuilt(name: str, state: Mapping[str, Any], arrays: Arrays) -> Mapping[str, Any]:
    """The state of a module or an optimizer, as it was in the snapshot."""
    prefix = f"{name}/"
    found = {
        key.removeprefix(prefix): torch.from_numpy(value)
        for key, value in arrays.items()
        if key.startswith(prefix)
    }
    if "param_groups" not in state:
        return found
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in found.items():
        index, _, moment = key.partition("/")
        moments.setdefault(int(index), {})[moment] = value
    return {"state": moments, "param_groups": state["param_groups"]}
