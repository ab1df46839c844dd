"""A trained ensemble as a policy: each agent votes, and the votes are weighed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.trading import Observation, Vote
from catalyst_bot.engine.voting import combine_rows
from catalyst_bot.policies.model_files import Agent, Model
from catalyst_bot.policies.network import Floats


class EnsemblePolicy:
    """Decides on one observation, or on as many as a backtest has, alike to nearly every last
    decimal (`network.DECIMALS`).
    """

    reviews = True

    def __init__(self, model: Model) -> None:
        self.model = model
        self.model_id = model.model_id
        self.spec_hash = model.spec_hash
        self.edges = model.edges
        self.bar_interval_s = model.bar_interval_s
        self._weights = np.array([agent.weight for agent in model.agents])

    def act(self, observation: Observation) -> tuple[Vote, ...]:
        """Return one vote per agent; a mute agent's has no weight, and says why.

        Raises `ConfigError` for an observation of other features or of bars of another interval.
        """
        if observation.spec_hash != self.spec_hash:
            raise ConfigError(
                f"model {self.model_id} was made for features {self.spec_hash}, "
                f"got {observation.spec_hash}"
            )
        if observation.bar_interval_s != self.bar_interval_s:
            raise ConfigError(
                f"model {self.model_id} was made for bars of {self.bar_interval_s} s, "
                f"got {observation.bar_interval_s} s"
            )
        raw = np.array(observation.values, np.float32).tolist()  # as in training
        features = np.array(self.model.normalisation.apply(raw))
        return tuple(_vote(agent, agent.network.forward(features)) for agent in self.model.agents)

    def act_rows(self, observations: NDArray[Any]) -> tuple[Floats, Floats]:
        """Return action[n] and agreement[n] for observations[n, 33] as the builder gives them."""
        raw = observations.astype(np.float32).astype(np.float64)
        rows = self.model.normalisation.apply_rows(raw)
        actions = [agent.network.forward_rows(rows) for agent in self.model.agents]
        return combine_rows(np.stack(actions, axis=1), self._weights)


def _vote(agent: Agent, action: float) -> Vote:
    if not math.isfinite(action):
        reason = f"mute (its network gave {action}): its weight goes to the others"
        return Vote(agent=agent.name, action=0.0, weight=0.0, reason=reason)
    reason = f"validation Sharpe {agent.validation_sharpe:.2f}"
    return Vote(agent=agent.name, action=action, weight=agent.weight, reason=reason)
