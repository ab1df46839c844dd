"""The rule baseline: what its one vote is made of, and what it is worth to have an edge."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.domain.errors import ConfigError
from catalyst_bot.domain.trading import Observation, Vote
from catalyst_bot.features.observation import build
from catalyst_bot.features.spec import FEATURES, NAMES, SPEC_HASH, UNMEASURED_HIGH_BPS
from catalyst_bot.policies.rule import RulePolicy
from tests.builders import NOON, account, catalyst, signal

GOOD = {
    "direction": 1.0,
    "confidence": 0.8,
    "rvol": 2.0,
    "atr_ratio": 1.0,
    "edge_high_bps": UNMEASURED_HIGH_BPS,
}


def seen(**values: float) -> Observation:
    known = dict.fromkeys(NAMES, 0.0) | GOOD | values
    return Observation(
        spec_hash=SPEC_HASH,
        bar_interval_s=300,
        names=NAMES,
        values=tuple(known[name] for name in NAMES),
        as_of=NOON,
    )


def vote(**values: float) -> Vote:
    (found,) = RulePolicy().act(seen(**values))
    return found


def observed(**given: Any) -> dict[str, float]:
    formed = signal(catalyst=catalyst(**given))
    return dict(zip(NAMES, build(formed, account(), None, NOON).values, strict=True))


def test_without_data_on_the_edge_the_baseline_trades_by_confidence_volume_and_regime():
    assert vote().action == pytest.approx(0.8)
    assert vote(rvol=1.0).action == pytest.approx(0.4)
    assert vote(regime=-1.0).action == pytest.approx(0.4)
    assert observed()["edge_bps"] == 0.0
    assert observed()["edge_high_bps"] == UNMEASURED_HIGH_BPS


@pytest.mark.parametrize(
    ("values", "action"),
    [
        ({"edge_bps": 20.0, "edge_high_bps": 60.0}, 0.96),
        ({"edge_bps": -20.0, "edge_high_bps": 22.0}, 0.64),
        ({"edge_bps": -400.0, "edge_high_bps": 1.0}, 0.4),
        ({"edge_bps": 400.0, "edge_high_bps": 500.0}, 1.0),
    ],
)
def test_what_a_category_was_worth_weighs(values: dict[str, float], action: float):
    assert vote(**values).action == pytest.approx(action)


@pytest.mark.parametrize("high", [0.0, -8.6])
def test_a_category_whose_upper_band_does_not_clear_costs_is_muted(high: float):
    found = vote(edge_bps=-18.0, edge_high_bps=high)
    assert found.action == 0.0
    assert found.reason.startswith("muted: such news was worth at best")


def test_a_muted_category_still_leads_out_of_a_position():
    assert vote(direction=-1.0, edge_bps=-18.0, edge_high_bps=-8.6).action == -1.0


def test_the_edge_of_a_catalyst_reaches_the_policy():
    found = observed(edge_bps=-18.0, edge_low_bps=-27.5, edge_high_bps=-8.6)
    assert (found["edge_bps"], found["edge_high_bps"]) == (-18.0, -8.6)


def test_the_market_comes_before_the_edge():
    assert vote(reaction_bps=-31.0, edge_bps=50.0).action == 0.0


def test_features_of_another_table_are_refused():
    with pytest.raises(ConfigError, match="was made for features"):
        RulePolicy().act(replace(seen(), spec_hash="another"))


RANGES = st.fixed_dictionaries(
    {feature.name: st.floats(feature.low, feature.high) for feature in FEATURES}
)


@given(RANGES)
def test_an_action_is_bounded_and_never_falls_with_the_edge(values: dict[str, float]):
    found = vote(**values).action
    assert -1.0 <= found <= 1.0
    better = {"edge_bps": min(values["edge_bps"] + 10.0, 500.0)}
    assert vote(**(values | better)).action >= found
