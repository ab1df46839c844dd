"""What training made, as the plain network that trades; held against the library before it leaves.

Only layers of weights are taken over. The deterministic answer of PPO and A2C is the mean of their
distribution, clipped; that of SAC the tangent of its mean, that of TD3 the tangent it ends in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from stable_baselines3 import SAC, TD3
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from torch import nn

from catalyst_bot.domain.errors import BadData, InvariantViolated
from catalyst_bot.features.normalisation import LIMIT
from catalyst_bot.features.spec import FEATURES
from catalyst_bot.policies.network import Activation, Network, Squash, network_of

MAX_DIFFERENCE = 1e-6
_PROBES = 1_000
_ACTIVATIONS: dict[type[nn.Module], Activation] = {nn.Tanh: "tanh", nn.ReLU: "relu"}


def network_of_learner(learner: BaseAlgorithm) -> Network:
    """Return the network that answers as the learner does when it does not explore.

    Raises `BadData` for a learner that is no such network, or whose weights are not finite.
    """
    modules, squash = _actor(learner)
    layers = [module for module in modules if isinstance(module, nn.Linear)]
    between = {type(module) for module in modules if not isinstance(module, nn.Linear)}
    activation = _ACTIVATIONS.get(between.pop()) if len(between) == 1 else None
    if activation is None:
        raise BadData(f"{type(learner).__name__}: layers with one activation can be exported")
    return network_of(
        [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in layers],
        activation=activation,
        squash=squash,
    )


def exported(learner: BaseAlgorithm) -> Network:
    """Return the network of a learner after it has answered as the library does, to 1e-6.

    Asked are observations from the middle and from the edge of the range, of the library in double
    precision: in single precision its own answers are no surer than that. Raises
    `InvariantViolated` when an answer differs: such a network must not trade.
    """
    network = network_of_learner(learner)
    with _in_double(learner.policy):
        worst = difference(network, learner.policy)
    if not worst <= MAX_DIFFERENCE:
        raise InvariantViolated(
            f"the exported network answers {worst:.2e} beside {type(learner).__name__}"
        )
    return network


def difference(network: Network, policy: BasePolicy) -> float:
    """Return the greatest difference between the answers of a network and of the library."""
    random = np.random.default_rng(0)
    normal = random.standard_normal((_PROBES, len(FEATURES)))
    edges = random.choice([-LIMIT, 0.0, LIMIT], (_PROBES, len(FEATURES)))
    rows = np.concatenate([np.clip(normal, -LIMIT, LIMIT), edges]).astype(np.float32)
    theirs, _ = policy.predict(rows, deterministic=True)
    return float(np.abs(network.forward_rows(rows.astype(np.float64)) - theirs[:, 0]).max())


class _Double(nn.Flatten):
    """What the library does with an observation before its layers, in double precision."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return super().forward(rows).double()


@contextmanager
def _in_double(policy: BasePolicy) -> Iterator[None]:
    """Let a policy compute in double precision; its weights come back bit by bit."""
    holder, name = (
        (policy, "pi_features_extractor")
        if isinstance(policy, ActorCriticPolicy)
        else (policy.actor, "features_extractor")
    )
    before = getattr(holder, name)
    policy.double()
    setattr(holder, name, _Double())
    try:
        yield
    finally:
        setattr(holder, name, before)
        policy.float()


def _actor(learner: BaseAlgorithm) -> tuple[Sequence[nn.Module], Squash]:
    """Return the layers from observation to action, in order, and what brings it into range."""
    policy = learner.policy
    if isinstance(learner, OnPolicyAlgorithm):
        return [*learner.policy.mlp_extractor.policy_net, learner.policy.action_net], "clip"
    if isinstance(learner, SAC):
        return [*learner.actor.latent_pi, learner.actor.mu], "tanh"
    if isinstance(learner, TD3):
        *layers, last = learner.actor.mu
        if isinstance(last, nn.Tanh):
            return layers, "tanh"
    raise BadData(f"{type(policy).__name__}: is no agent that can be exported")
