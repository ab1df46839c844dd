"""The network of one agent: layers of weights, and the forward pass in NumPy.

What training exported is all there is: no training library runs in the trading process.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from catalyst_bot.domain.errors import BadData
from catalyst_bot.features.spec import FEATURES

Floats = NDArray[np.float64]
Activation = Literal["tanh", "relu"]
Squash = Literal["clip", "tanh"]
# The last bits of a product of matrices depend on how many rows are multiplied at once and on the
# machine. Rounding hides nearly all of that: only an action at the edge between two roundings may
# still differ between one decision, a column of a backtest and a replay elsewhere, by 1e-9.
DECIMALS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A perceptron from the 33 features, already normalised, to one action in [-1, 1].

    `weights` are [out, in] and `biases` [out], a pair per layer. `activation` stands behind each
    layer but the last; `squash` brings the output into range, as the agent's algorithm did: `clip`
    (PPO, A2C) or `tanh` (SAC, TD3).
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    activation: Activation
    squash: Squash

    def __post_init__(self) -> None:
        """Raise `BadData` when layers do not fit each other, or a weight is not finite."""
        if self.activation not in get_args(Activation) or self.squash not in get_args(Squash):
            raise BadData(f"no such activation: {self.activation!r}, {self.squash!r}")
        if not self.weights or len(self.weights) != len(self.biases):
            raise BadData("a network is at least one layer of weights with its biases")
        width = len(FEATURES)
        for place, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if weight.ndim != 2 or weight.shape[1] != width or bias.shape != weight.shape[:1]:
                raise BadData(
                    f"layer {place}: weights {weight.shape} and biases {bias.shape} do not follow "
                    f"{width} inputs"
                )
            if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
                raise BadData(f"layer {place}: a weight is not a finite number")
            width = len(weight)
        if width != 1:
            raise BadData(f"a network ends in one action, not in {width}")

    def forward(self, features: Floats) -> float:
        """Return the action for one observation; NaN when a feature is NaN."""
        with np.errstate(all="ignore"):
            inner = features
            for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
                inner = _ACTIVATIONS[self.activation](weight @ inner + bias)
            out = float((self.weights[-1] @ inner)[0] + self.biases[-1][0])
        return round(_SQUASHED[self.squash](out), DECIMALS)

    def forward_rows(self, features: Floats) -> Floats:
        """Return the actions for observations, a row each, as `forward` does (see `DECIMALS`)."""
        rows = features.astype(np.float64, copy=False)
        with np.errstate(all="ignore"):  # a network that overflows is mute, which its vote says
            for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
                rows = _ACTIVATIONS[self.activation](rows @ weight.T + bias)
            out = (rows @ self.weights[-1].T + self.biases[-1])[:, 0]
            actions: Floats = np.round(_SQUASHES[self.squash](out), DECIMALS)
        return actions


def network_of(
    layers: list[tuple[NDArray[Any], NDArray[Any]]], *, activation: Activation, squash: Squash
) -> Network:
    """Return the network of layers given as (weights, biases), of any float type.

    Raises `BadData` as `Network` does.
    """
    return Network(
        weights=tuple(weight.astype(np.float64) for weight, _ in layers),
        biases=tuple(bias.astype(np.float64) for _, bias in layers),
        activation=activation,
        squash=squash,
    )


def _relu(values: Floats) -> Floats:
    return np.maximum(values, 0.0)


def _clip(values: Floats) -> Floats:
    return np.clip(values, -1.0, 1.0)


def _tanh(values: Floats) -> Floats:
    return np.tanh(values)


def _clipped(value: float) -> float:
    """NaN stays NaN: it is compared with neither bound."""
    return -1.0 if value < -1.0 else 1.0 if value > 1.0 else value


_SQUASHED: dict[Squash, Callable[[float], float]] = {"clip": _clipped, "tanh": math.tanh}
_ACTIVATIONS: dict[Activation, Callable[[Floats], Floats]] = {"tanh": _tanh, "relu": _relu}
_SQUASHES: dict[Squash, Callable[[Floats], Floats]] = {"clip": _clip, "tanh": _tanh}
