"""The forward pass: shape, range, and the same bits for one and for many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import BadData
from catalyst_bot.policies.network import network_of
from tests.models import WIDTH, network


def rows(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, (count, WIDTH))


@given(
    count=st.integers(1, 70),
    seed=st.integers(0, 1000),
    activation=st.sampled_from(["tanh", "relu"]),
    squash=st.sampled_from(["clip", "tanh"]),
)
def test_many_rows_are_answered_as_one_by_one(
    count: int, seed: int, activation: str, squash: str
) -> None:
    net = network(seed, hidden=64, activation=activation, squash=squash)
    seen = rows(count, seed)
    together = net.forward_rows(seen)
    assert together.tolist() == [net.forward(row) for row in seen]
    assert np.abs(together).max() <= 1


def test_the_forward_pass_is_the_formula() -> None:
    first = np.zeros((2, WIDTH))
    first[0, 0], first[1, 1] = 1.0, -2.0
    layers = [(first, np.array([0.0, 1.0])), (np.array([[0.5, 0.25]]), np.array([0.1]))]
    seen = np.zeros(WIDTH)
    seen[:2] = 0.3, 0.2
    tanh = network_of(layers, activation="tanh", squash="tanh").forward(seen)
    relu = network_of(layers, activation="relu", squash="clip").forward(seen)
    inner = 0.5 * np.tanh(0.3) + 0.25 * np.tanh(0.6) + 0.1
    assert tanh == pytest.approx(np.tanh(inner), abs=1e-9)
    assert relu == pytest.approx(0.5 * 0.3 + 0.25 * 0.6 + 0.1, abs=1e-9)
    assert network_of(layers, activation="relu", squash="clip").forward(seen * 100) == 1.0


def test_what_is_no_number_is_answered_with_none() -> None:
    seen = rows(1, 0)[0]
    seen[3] = float("nan")
    assert np.isnan(network().forward(seen))


@pytest.mark.parametrize(
    "layers",
    [
        [],
        [(np.zeros((2, WIDTH)), np.zeros(2))],
        [(np.zeros((1, WIDTH - 1)), np.zeros(1))],
        [(np.zeros((4, WIDTH)), np.zeros(3)), (np.zeros((1, 4)), np.zeros(1))],
        [(np.full((1, WIDTH), np.nan), np.zeros(1))],
        [(np.zeros((1, WIDTH)), np.array([np.inf]))],
    ],
)
def test_layers_that_do_not_fit_are_refused(layers: list) -> None:
    with pytest.raises(BadData):
        network_of(layers, activation="tanh", squash="clip")


@pytest.mark.parametrize("kinds", [{"activation": "gelu"}, {"squash": "none"}])
def test_an_unknown_activation_is_refused(kinds: dict) -> None:
    with pytest.raises(BadData, match="no such activation"):
        network(**kinds)
