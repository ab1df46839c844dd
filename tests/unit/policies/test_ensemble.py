"""The ensemble: who votes what, and what becomes of a mute one's weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.trading import Observation
from catalyst_bot.engine.voting import combine
from catalyst_bot.features.spec import FEATURES, NAMES, SPEC_HASH
from catalyst_bot.policies.ensemble import EnsemblePolicy
from catalyst_bot.policies.network import Network
from tests.builders import NOON
from tests.models import WIDTH, agent, model


def drawn(count: int) -> np.ndarray:
    draw = np.random.default_rng(5)
    low = [feature.low for feature in FEATURES]
    high = [feature.high for feature in FEATURES]
    return draw.uniform(low, high, (count, len(FEATURES)))


def seen(values: np.ndarray, *, bar_interval_s: int = 86_400) -> Observation:
    return Observation(
        spec_hash=SPEC_HASH,
        bar_interval_s=bar_interval_s,
        names=NAMES,
        values=tuple(values.tolist()),
        as_of=NOON,
    )


def _speechless() -> Network:
    """A network that comes to infinity less infinity, whatever it is asked."""
    return Network(
        weights=(np.zeros((1, WIDTH)), np.full((2, 1), 10.0), np.array([[1.0, -1.0]])),
        biases=(np.full(1, 1.7e308), np.zeros(2), np.zeros(1)),
        activation="relu",
        squash="clip",
    )


def test_a_backtest_of_rows_decides_as_the_running_bot() -> None:
    policy, rows = EnsemblePolicy(model()), drawn(200)
    action, agreement = policy.act_rows(rows)
    for row, wanted, agreed in zip(rows, action, agreement, strict=True):
        votes = policy.act(seen(row))
        assert combine([v.action for v in votes], [v.weight for v in votes]) == (wanted, agreed)


def test_each_agent_votes_with_its_name_weight_and_reason() -> None:
    votes = EnsemblePolicy(model()).act(seen(drawn(1)[0]))
    assert [(vote.agent, vote.weight) for vote in votes] == [
        ("ppo-0", 0.5),
        ("sac-0", 1.0),
        ("a2c-0", 0.25),
    ]
    assert votes[0].reason == "validation Sharpe 0.50"
    assert all(-1 <= vote.action <= 1 for vote in votes)


def test_a_mute_agent_leaves_its_weight_to_the_others() -> None:
    policy = EnsemblePolicy(model(agent("ppo-0"), agent("sac-0", seed=2)))
    row = drawn(1)[0]
    first, second = policy.model.agents
    loud = replace(second.network, weights=(np.zeros((1, WIDTH)),), biases=(np.array([0.4]),))
    policy.model = model(replace(first, network=_speechless()), replace(second, network=loud))
    silent, heard = policy.act(seen(row))
    assert (silent.action, silent.weight) == (0.0, 0.0)
    assert "mute" in silent.reason
    assert combine([silent.action, heard.action], [silent.weight, heard.weight]) == (0.4, 1.0)
    assert [part.tolist() for part in policy.act_rows(row[np.newaxis])] == [[0.4], [1.0]]


def test_a_model_runs_only_on_its_own_features_and_bars() -> None:
    policy, row = EnsemblePolicy(model()), drawn(1)[0]
    with pytest.raises(ConfigError, match="bars of 86400 s, got 300 s"):
        policy.act(seen(row, bar_interval_s=300))
    with pytest.raises(ConfigError, match="made for features"):
        policy.act(replace(seen(row), spec_hash="other"))
