"""What votes come to."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst_bot.engine.voting import combine, combine_rows

ACTIONS = st.lists(st.floats(-1, 1) | st.just(math.nan), min_size=1, max_size=6)


@st.composite
def votes(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    actions = draw(ACTIONS)
    weight = st.floats(0, 10, allow_subnormal=False)
    return actions, draw(st.lists(weight, min_size=len(actions), max_size=len(actions)))


@given(votes())
def test_the_action_lies_between_those_of_the_heard(said: tuple[list[float], list[float]]) -> None:
    actions, weights = said
    action, agreement = combine(actions, weights)
    pairs = zip(actions, weights, strict=True)
    heard = [each for each, weight in pairs if weight > 0 and not math.isnan(each)]
    if heard:
        assert min(heard) - 1e-9 <= action <= max(heard) + 1e-9
    else:
        assert (action, agreement) == (0.0, 1.0)
    assert 0 <= agreement <= 1


@given(votes())
def test_a_mute_voter_is_as_one_who_is_not_there(said: tuple[list[float], list[float]]) -> None:
    actions, weights = said
    pairs = [(a, w) for a, w in zip(actions, weights, strict=True) if not math.isnan(a)]
    if pairs:
        assert combine(actions, weights) == combine(*zip(*pairs, strict=True))


@given(votes())
def test_turned_votes_turn_the_action_and_keep_the_agreement(
    said: tuple[list[float], list[float]],
) -> None:
    actions, weights = said
    action, agreement = combine(actions, weights)
    turned, same = combine([-each for each in actions], weights)
    assert (turned, same) == (-action, agreement)


@given(st.lists(votes(), min_size=1, max_size=5))
def test_rows_are_decided_one_by_one(many: list[tuple[list[float], list[float]]]) -> None:
    weights = many[0][1]
    rows = [(actions * 6)[: len(weights)] for actions, _ in many]
    action, agreement = combine_rows(np.array(rows), np.array(weights))
    assert list(zip(action, agreement, strict=True)) == [combine(row, weights) for row in rows]


@pytest.mark.parametrize(
    ("actions", "weights", "action", "agreement"),
    [
        ([1.0, 0.2], [1, 1], 0.6, 1.0),
        ([1.0, -1.0], [1, 1], 0.0, 0.0),
        ([1.0, -1.0], [3, 1], 0.5, 0.5),
        ([0.8, 0.0], [1, 1], 0.4, 1.0),
        ([0.8, math.nan], [1, 5], 0.8, 1.0),
        ([0.0], [1], 0.0, 1.0),
    ],
)
def test_some_votes(
    actions: list[float], weights: list[float], action: float, agreement: float
) -> None:
    assert combine(actions, weights) == pytest.approx((action, agreement))
