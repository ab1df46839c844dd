"""Small models with drawn weights: they decide something, and know nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from catalyst_bot.domain.news import Worth
from catalyst_bot.features.normalisation import Normalisation
from catalyst_bot.features.spec import FEATURES, SPEC_HASH
from catalyst_bot.policies.model_files import Agent, Model
from catalyst_bot.policies.network import Network, network_of

WIDTH = len(FEATURES)


def network(seed: int = 0, *, hidden: int = 8, bias: float = 0.0, **kinds: Any) -> Network:
    """A network of one hidden layer; `bias` moves its answer towards buying or leaving."""
    draw = np.random.default_rng(seed)
    layers = [
        (draw.normal(0, 0.3, (hidden, WIDTH)), draw.normal(0, 0.1, hidden)),
        (draw.normal(0, 0.3, (1, hidden)), np.array([bias])),
    ]
    single = [(weight.astype(np.float32), each.astype(np.float32)) for weight, each in layers]
    return network_of(single, **({"activation": "tanh", "squash": "clip"} | kinds))


def agent(name: str = "ppo-0", *, seed: int = 0, weight: float = 1.0, **kinds: Any) -> Agent:
    """One voter of a drawn network."""
    return Agent(
        name=name,
        algorithm=name.partition("-")[0],
        seed=seed,
        network=network(seed, **kinds),
        weight=weight,
        validation_sharpe=weight,
    )


def normalisation(bar_interval_s: int = 86_400) -> Normalisation:
    """Constants that bring each feature's range near to one."""
    return Normalisation(
        spec_hash=SPEC_HASH,
        bar_interval_s=bar_interval_s,
        center=(0.0,) * WIDTH,
        scale=tuple(max(abs(feature.low), abs(feature.high)) for feature in FEATURES),
    )


def model(
    *agents: Agent,
    name: str = "drawn",
    bar_interval_s: int = 86_400,
    edges: Mapping[str, Worth] | None = None,
    card: Mapping[str, Any] | None = None,
) -> Model:
    """A model of the agents, or of three."""
    three = (
        agent("ppo-0", seed=1, weight=0.5),
        agent("sac-0", seed=2, weight=1.0, activation="relu", squash="tanh"),
        agent("a2c-0", seed=3, weight=0.25),
    )
    return Model(
        name=name,
        spec_hash=SPEC_HASH,
        bar_interval_s=bar_interval_s,
        normalisation=normalisation(bar_interval_s),
        agents=agents or three,
        edges=edges,
        card=card if card is not None else {"verdict": "passed"},
    )
